"""Exact arithmetic on integers: rates are rationals, money is minor units, nothing is ever a float."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

_NO_DIGITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS: Final = "CLF UYW"
_DIGITS: Final = {
    code: digits
    for codes, digits in ((_NO_DIGITS, 0), (_THREE_DIGITS, 3), (_FOUR_DIGITS, 4))
    for code in codes.split(" ")
}


def digits(currency: str) -> int:
    """How many digits the minor unit of a currency has by ISO 4217: 2 for CNY, 0 for JPY, 3 for KWD."""
    return _DIGITS.get(currency, 2)


def minor_units(currency: str) -> int:
    """How many minor units make one of the currency: 100 of CNY, 1 of JPY, 1,000 of KWD."""
    return int(10 ** digits(currency))


def floor(value: Fraction | int) -> int:
    """The largest integer not above `value`."""
    return value.__floor__()


def rate(text: str) -> Fraction:
    """`"1.25"` or `"5/4"` → 5/4. Raises ValueError for anything that is not a finite decimal or a ratio."""
    if not text or any(character not in "0123456789./" for character in text):
        raise ValueError(f"{text!r} is not a decimal number or a ratio such as 5/4")
    try:
        return Fraction(text)
    except ZeroDivisionError as error:
        raise ValueError(f"{text!r} divides by zero") from error


def share(total: int, weights: Sequence[int]) -> list[int]:
    """`total` (>= 0) split over non-negative `weights` by largest remainder, so that the parts add up exactly.

    Ties go to the earlier weight. With all weights zero, every part is zero if `total` is, and the first part takes all
    otherwise. Raises ValueError if there is nothing to split over.
    """
    whole = sum(weights)
    if not weights:
        raise ValueError("cannot share over no weights")
    if whole == 0:
        return [total] + [0] * (len(weights) - 1)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(total * weights[index] % whole), index))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts
