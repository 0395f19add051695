"""Identifiers: `prefix_` and 26 characters of base 32, either random or derived from a business key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Callable

import msgspec

from chalicelib.base.settings import settings


def derived(prefix: str, *key: str) -> str:
    """The id of the record that the business key `key` names, always the same one.

    The key is hashed with the installation's secret, so an id shows nothing of an order number or a phone. The parts
    are normalised (NFC, outer blanks off) and kept apart by their encoding, so no two different keys meet.
    """
    parts = [unicodedata.normalize("NFC", part).strip() for part in key]
    return f"{prefix}_{keyed_hash(prefix, *parts)}"


def keyed_hash(*parts: str) -> str:
    """26 characters (130 bits) of HMAC-SHA-256 over `parts`, under the installation's secret."""
    digest = hmac.digest(settings().id_secret, msgspec.json.encode(parts), hashlib.sha256)
    return _text(digest)


def drawn(prefix: str, randomness: Callable[[int], bytes]) -> str:
    """A new id from 17 bytes of `randomness` (such as `os.urandom`)."""
    return f"{prefix}_{_text(randomness(17))}"


def request_hash(body: object, *context: str) -> str:
    """The fingerprint by which a replay is told from a changed body; blind to the order of JSON keys.

    `body` is a decoded struct or plain JSON data, `context` whatever else the operation depends on.
    """
    canonical = msgspec.json.encode(body, order="deterministic")
    return _text(hashlib.sha256(msgspec.json.encode(context) + canonical).digest())


def _text(digest: bytes) -> str:
    return base64.b32encode(digest[:17]).decode().rstrip("=").lower()[:26]
