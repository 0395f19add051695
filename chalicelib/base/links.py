"""Signed links: a token that names a thing and an instant, and proves that this installation has made it.

A token is verified by what it says alone, without the database, so it can be sent by text message and nothing of it
need be kept. It goes where a bearer token goes: `Authorization: Bearer hkl_…`.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import re
from typing import Final, NamedTuple

from chalicelib.base.settings import settings

PREFIX: Final = "hkl_"
"""What a token begins with, and a token of an issuer never does: those are JSON in base 64."""

_ID = re.compile(r"inv_[a-z2-7]{26}")
_ID_BYTES, _TIME_BYTES, _MAC_BYTES = 17, 4, 16
# 26 characters of base 32 are 130 bits; two zeros more make whole bytes of them.
_FILL = "aa"
_BYTES = _ID_BYTES + _TIME_BYTES + _MAC_BYTES


class Forged(Exception):
    """No token of ours."""


class Link(NamedTuple):
    """What a token says: the id of an invitation, and the second from which it may no longer be answered."""

    invitation_id: str
    expires_at: int


def token(link: Link) -> str:
    """The token of a link, 54 characters that need no escaping in an address. Raises ValueError for another id."""
    if not _ID.fullmatch(link.invitation_id):
        raise ValueError(f"{link.invitation_id!r} is no invitation's id")
    letters = f"{link.invitation_id.removeprefix('inv_')}{_FILL}".upper()
    said = base64.b32decode(f"{letters}====") + link.expires_at.to_bytes(_TIME_BYTES)
    return PREFIX + _text(said + _mac(said))


def read(text: str) -> Link:
    """What a token says. Raises Forged for everything that `token` has not made, to the last bit.

    Whether its time is over is for the caller to judge.
    """
    body = text.removeprefix(PREFIX)
    try:
        sealed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        raise Forged from None
    said, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
    # Base 64 has several spellings of the same bytes; only the one that was given out is accepted.
    if len(sealed) != _BYTES or not hmac.compare_digest(mac, _mac(said)) or PREFIX + _text(sealed) != text:
        raise Forged
    letters = base64.b32encode(said[:_ID_BYTES]).decode()[:26].lower()
    return Link(f"inv_{letters}", int.from_bytes(said[_ID_BYTES:]))


def _mac(said: bytes) -> bytes:
    return hmac.digest(_key(settings().id_secret), said, hashlib.sha256)[:_MAC_BYTES]


@functools.lru_cache(maxsize=1)
def _key(secret: bytes) -> bytes:
    # A key of its own, so that nothing else that is made under the secret can be taken for a link.
    return hmac.digest(secret, b"huike links of invitations", hashlib.sha256)


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")
