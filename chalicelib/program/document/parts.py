"""What every part of the programme document is made of: kinds of values, and texts in every language."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

LOCALES: Final = ("en", "zh-Hans", "zh-Hant")
"""The languages in which every text is given."""

Text: TypeAlias = Annotated[str, Meta(max_length=200, pattern=r"\S")]
# A bare `$` would let a line break through at the end.
Code: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}(?!\n)$")]
Currency: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Z]{3}(?!\n)$")]
Points: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000_000)]
PositivePoints: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000_000)]
PositiveMinor: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000_000_000)]
Minor: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
Decimal: TypeAlias = Annotated[str, Meta(min_length=1, max_length=8)]
"""An exact decimal, written as text such as "1.25"."""
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]
"""What a shop system calls a thing: an SKU, a category, a channel, a store."""
BatchId: TypeAlias = Annotated[str, Meta(pattern=r"^vbt_[a-z2-7]{26}(?!\n)$")]
"""A batch of vouchers."""
LocalTime: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?!\n)$")]
"""A time on the programme's clocks, such as "2026-11-11T00:00"."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the document: whatever it does not know is refused."""


class Texts(Part, frozen=True, kw_only=True):
    """One text in every language."""

    en: Text
    zh_hans: Text = msgspec.field(name="zh-Hans")
    zh_hant: Text = msgspec.field(name="zh-Hant")


class Rate(Part, frozen=True, kw_only=True):
    """`points` for every `per_minor` minor units: one point a whole yuan is 1 for 100."""

    points: PositivePoints
    per_minor: PositiveMinor


def localise(texts: Texts, locale: str) -> str:
    """A text in one of LOCALES, in English for anything else."""
    if locale == "zh-Hans":
        return texts.zh_hans
    return texts.zh_hant if locale == "zh-Hant" else texts.en
