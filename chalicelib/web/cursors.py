"""Cursors: where the next page of a list begins, opaque to the client and good for one list only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

import msgspec

from chalicelib.base.errors import Invalid
from chalicelib.base.settings import settings

_SEAL_BYTES = 16


def seal(operation: str, owner: str, key: Any) -> str:
    """A cursor to what comes after `key` (plain JSON data) in the list that `operation` gives of `owner`."""
    packed = msgspec.json.encode(key)
    return _encode(_mac(operation, owner, packed) + packed)


def unseal(cursor: str, operation: str, owner: str) -> Any:
    """The key in a cursor. Raises Invalid (`cursor_invalid`) for any that was not sealed for this very list."""
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        sealed = b""
    mac, packed = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
    # Base 64 has several spellings of the same bytes; only the one that was given out is accepted.
    if not hmac.compare_digest(mac, _mac(operation, owner, packed)) or _encode(sealed) != cursor:
        raise Invalid(
            "The cursor does not belong to this list. Start again without one.", field="cursor", code="cursor_invalid"
        )
    return msgspec.json.decode(packed)


def _mac(operation: str, owner: str, packed: bytes) -> bytes:
    message = msgspec.json.encode(["cursor", operation, owner]) + packed
    return hmac.digest(settings().id_secret, message, hashlib.sha256)[:_SEAL_BYTES]


def _encode(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")
