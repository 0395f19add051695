"""Versions of answers, and whether a reader has the present one."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec


def tag_of(answer: Any) -> str:
    """The ETag of an answer by what it says."""
    return hash_of(msgspec.json.encode(answer))


def hash_of(body: bytes) -> str:
    """The ETag of a body."""
    return hashlib.sha256(body).hexdigest()[:32]


def matches(version: str, if_none_match: str) -> bool:
    """Whether a list of ETags names `version`, by the weak comparison that caches use."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return f'"{version}"' in tags or tags == {"*"}
