"""The codes of vouchers: how they are written, read, checked and made. Pure; randomness comes in as bytes.

An own code is fifteen symbols drawn from 31 (74 bits) and a check symbol, in groups of four: `7KQM-2VXA-9RTC-0HWE`. The
symbols have no look-alikes among them, and since 31 is prime, a sum weighted by places tells every single wrong symbol
and every two that changed places.
"""

from __future__ import annotations

import unicodedata
from typing import Final

SYMBOLS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXY"
"""What own codes are made of: digits and capitals without I, L, O, U and Z."""

LENGTH: Final = 16
"""Symbols of an own code, the check symbol included."""

RANDOM_BYTES: Final = 16
"""How many bytes of randomness make a code. They are reduced to 74 bits, which leaves no bias worth the name."""

NORMAL_MIN: Final = 4
NORMAL_MAX: Final = 32
"""How long a code may be, own or not, once it is normalised."""

_GROUP = 4
_PRIME = len(SYMBOLS)
_VALUE = {symbol: value for value, symbol in enumerate(SYMBOLS)}
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "Z": "2", "U": "V"})
_CAPITALS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
# What people and word processors put between groups: blanks of all widths are caught by `isspace`.
_BETWEEN = frozenset("-_.‐‑‒–—―−")


def normal(text: str) -> str | None:
    """A code as it is meant: capitals and digits only, look-alikes read as one; None for what can be no code.

    Case, blanks, hyphens and full-width forms make no difference: ` 7kqm–2vxa 9rtcohwe ` is `7KQM2VXA9RTC0HWE`.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    symbols = "".join(symbol for symbol in plain if not (symbol.isspace() or symbol in _BETWEEN))
    if not NORMAL_MIN <= len(symbols) <= NORMAL_MAX or not _CAPITALS.issuperset(symbols):
        return None
    return symbols.translate(_READ_AS)


def made(randomness: bytes) -> str:
    """The normalised code that RANDOM_BYTES (16) bytes make, always the same one."""
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"a code is made from {RANDOM_BYTES} bytes, not {len(randomness)}")
    rest = int.from_bytes(randomness)
    symbols = []
    for _place in range(LENGTH - 1):
        rest, value = divmod(rest, _PRIME)
        symbols.append(SYMBOLS[value])
    body = "".join(symbols)
    return body + check_symbol(body)


def check_symbol(body: str) -> str:
    """The symbol that makes the weighted sum of an own code vanish; `body` is its first fifteen symbols."""
    # The check symbol's own weight is 16, whose inverse modulo 31 is 2.
    return SYMBOLS[-_weighted(body) * pow(LENGTH, -1, _PRIME) % _PRIME]


def is_whole(code: str) -> bool:
    """Whether a normalised code has the form of an own one and its check symbol fits."""
    return len(code) == LENGTH and all(symbol in _VALUE for symbol in code) and _weighted(code) % _PRIME == 0


def is_mistyped(code: str) -> bool:
    """Whether a normalised code has the length of an own one and its check symbol does not fit."""
    return len(code) == LENGTH and not is_whole(code)


def grouped(code: str) -> str:
    """A normalised code as people read it, in groups of four: `7KQM-2VXA-9RTC-0HWE`."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def _weighted(symbols: str) -> int:
    return sum(place * _VALUE[symbol] for place, symbol in enumerate(symbols, start=1))
