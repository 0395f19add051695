"""What a check says of a document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import msgspec

from chalicelib.base import money

MULTIPLIER_MAX: Final = 100
_DECIMAL = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong, and where: a path such as `tiers[1].multiplier`, "" for the document itself."""

    field: str
    detail: str


def multiplier(text: str, field: str) -> list[Problem]:
    """What is wrong with a multiplier, if anything."""
    value = money.rate(text) if _DECIMAL.fullmatch(text) else Fraction(0)
    if 0 < value <= MULTIPLIER_MAX:
        return []
    detail = f'A multiplier is a decimal above 0 and up to {MULTIPLIER_MAX}, written as text such as "1.25".'
    return [Problem(field, detail)]


def repeated(values: Sequence[Any]) -> list[int]:
    """The places at which a value stands that stood before."""
    return [index for index, value in enumerate(values) if value in values[:index]]
