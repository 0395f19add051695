"""Birthdays: what members get for theirs, and when."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib.program.document.earning import Audience
from chalicelib.program.document.parts import BatchId, Code, Part, Points, Texts


class BirthdayGift(Part, frozen=True, kw_only=True):
    """What members of an audience get: points, a voucher of a batch of single-use codes, or both.

    `title` is what their statement says.
    """

    code: Code
    title: Texts
    audience: Audience = Audience()
    points: Points = 0
    voucher_batch_id: BatchId | None = None


class BirthdayCare(Part, frozen=True, kw_only=True):
    """A member gets the first of the `gifts` whose audience fits, once a year, by the programme's clocks.

    It is given `days_before` the birthday, from `hour` o'clock on, to who has been enrolled `enrolled_days` by then.
    A birthday of 29 February is kept on the 28th in other years.
    """

    gifts: Annotated[tuple[BirthdayGift, ...], Meta(min_length=1, max_length=20)]
    days_before: Annotated[int, Meta(ge=0, le=30)] = 0
    hour: Annotated[int, Meta(ge=8, le=20)] = 9
    enrolled_days: Annotated[int, Meta(ge=0, le=3_660)] = 0
