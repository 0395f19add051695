"""One figure for the whole ledger at an instant, chained from day to day: pure.

Members are summed up in any order, so that segments of a walk may run side by side. Each member's head is stretched to
2,048 bits and added modulo 2**2048; with fewer bits, somebody with patience could find other heads of the same sum.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

SIZE: Final = 256
"""The bytes of a sum."""
GENESIS: Final = hashlib.sha256(b"huike digests").digest()
"""What stands for the digest before the first."""

_MODULUS: Final = 1 << (8 * SIZE)


class Heads(msgspec.Struct, frozen=True):
    """How many members have a chain, and the sum of their heads as little-endian bytes."""

    members: int = 0
    total: bytes = bytes(SIZE)

    def plus(self, other: Heads) -> Heads:
        """The heads of two disjoint sets of members together."""
        return Heads(self.members + other.members, _bytes(_int(self.total) + _int(other.total)))

    def plus_member(self, member_id: str, seq: int, head: bytes) -> Heads:
        """These heads and the one of another member: the hash `head` of its entry `seq`."""
        term = hashlib.shake_256(msgspec.msgpack.encode((member_id, seq, head))).digest(SIZE)
        return Heads(self.members + 1, _bytes(_int(self.total) + _int(term)))


def digest(previous: bytes, day: str, cut: int, heads: Heads) -> bytes:
    """The digest of a day (`2026-11-21`): all heads as of the instant `cut`, and the digest before it."""
    return hashlib.sha256(msgspec.msgpack.encode((previous, day, cut, heads.members, heads.total))).digest()


def _int(value: bytes) -> int:
    return int.from_bytes(value, "little")


def _bytes(value: int) -> bytes:
    return (value % _MODULUS).to_bytes(SIZE, "little")
