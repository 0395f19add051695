"""Referral codes: short, readable, and with a check symbol. Pure.

A code is seven symbols of the vouchers' alphabet and a check symbol, in groups of four: `7KQM-2VXA`. Filled up with
zeros to the length of a voucher's code, it has the check symbol of that one, so the same arithmetic tells every single
wrong symbol and every two that changed places.
"""

from __future__ import annotations

from typing import Final

from chalicelib.vouchers import codes

LENGTH: Final = 8
RANDOM_BYTES: Final = 8

_FILL = "0" * (codes.LENGTH - LENGTH)


def made(randomness: bytes) -> str:
    """The normalised code that RANDOM_BYTES (8) bytes make, always the same one."""
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"a code is made from {RANDOM_BYTES} bytes, not {len(randomness)}")
    rest = int.from_bytes(randomness)
    body = ""
    for _place in range(LENGTH - 1):
        rest, value = divmod(rest, len(codes.SYMBOLS))
        body += codes.SYMBOLS[value]
    return body + codes.check_symbol(body + _FILL)


def read(text: str) -> str | None:
    """The normalised code that somebody has typed; None for what can be none, a mistyped one included.

    Case, blanks, hyphens and look-alikes make no difference.
    """
    code = codes.normal(text)
    if code is None or len(code) != LENGTH:
        return None
    return code if codes.is_whole(code[:-1] + _FILL + code[-1]) else None


def is_mistyped(text: str) -> bool:
    """Whether what somebody has typed has the length of a code, and a symbol in it is wrong."""
    code = codes.normal(text)
    return code is not None and len(code) == LENGTH and read(text) is None


def shown(code: str) -> str:
    """A normalised code as people read it: `7KQM-2VXA`."""
    return codes.grouped(code)
