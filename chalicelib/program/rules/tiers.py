"""Which tier a member has: a function of qualifying points by month, of tiers reached before, and of the time.

The first tier is everyone's and leaves no record. Every other tier that is reached leaves one of its own, the lower
ones too that are reached with it, so that what remains when a refund takes the highest back is known without looking at
the past. Dates judge: whoever asks gets the same answer, whether or not anything was posted since a tier ran out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import msgspec

from chalicelib.base import clock
from chalicelib.ledger.state import Month, TierRecord
from chalicelib.program.document import Program, Texts


class ToNext(msgspec.Struct, frozen=True):
    """The next tier up and the qualifying points that are missing for it now."""

    code: str
    points: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A member's tier.

    `since` and `until` are None for the first tier, which never ends. `since` is when the present term began: a tier
    that is kept begins a new one. `to_keep` are the qualifying points still missing before `until` for keeping it.
    """

    code: str
    name: Texts
    multiplier: Fraction
    since: int | None
    until: int | None
    to_next: ToNext | None
    to_keep: int | None


@dataclass(frozen=True)
class _Held:
    """A record that still holds: its place on today's ladder, and the term that its months bear out."""

    position: int
    since: int
    until: int


def judge(program: Program, months: Sequence[Month], records: Sequence[TierRecord], at: int) -> tuple[TierRecord, ...]:
    """The tier records at `at`, from those of any time before.

    A tier that has run out is kept for another term if the months of the window before its end reach the threshold that
    the programme has today, or else falls to what they reach; a higher tier is reached at once. Judging twice changes
    nothing.
    """
    current = tuple(records)
    top = _top(program, months, current, at)
    while top and top.until <= at:
        current = _refitted(program, months, current, top.until)
        top = _top(program, months, current, at)
    return _risen(program, months, _without_the_dead(program, months, current, at), at)


def standing(program: Program, months: Sequence[Month], records: Sequence[TierRecord], at: int) -> Standing:
    """The member's tier at `at`, with what is missing for the next one and for keeping this one."""
    top = _top(program, months, judge(program, months, records, at), at)
    tier = program.tiers[top.position if top else 0]
    return Standing(
        code=tier.code,
        name=tier.name,
        multiplier=tier.rate,
        since=top.since if top else None,
        until=top.until if top else None,
        to_next=_to_next(program, months, top.position if top else 0, at),
        to_keep=_to_keep(program, months, top) if top else None,
    )


def _top(program: Program, months: Sequence[Month], records: Sequence[TierRecord], at: int) -> _Held | None:
    """The highest tier that holds, run out or not; of two records of one tier, the one with the longer term."""
    held = [found for record in records if (found := _held(program, months, record, at))]
    return max(held, key=lambda found: (found.position, found.until), default=None)


def _held(program: Program, months: Sequence[Month], record: TierRecord, at: int) -> _Held | None:
    """What a record is worth at `at`: its own term, if the months it was reached with still hold what it needed.

    A refund may have taken that from them while later months make up for it. The term is then the one that the member
    would have had if the refunded purchase had never been: it begins with the first month that held enough.
    """
    zone = program.zone
    first = clock.month_of(record.since, zone)
    for month in range(first, max(first, clock.month_of(at, zone)) + 1):
        if _window(program, months, month) < record.needed:
            continue
        position = _position(program, record)
        if month == first:
            return _Held(position, record.since, record.until)
        shifted = clock.month_of(record.until, zone) + month - first
        return _Held(position, clock.month_start(month, zone), clock.month_start(shifted, zone))
    return None


def _refitted(
    program: Program, months: Sequence[Month], records: tuple[TierRecord, ...], end: int
) -> tuple[TierRecord, ...]:
    """The records when the highest tier runs out at `end`: a new term for every tier that the months before it reach.

    The new term is dated to the last second before `end`, so that the window of its record ends with the same month.
    """
    since = end - 1
    reached = _reached(program, months, clock.month_of(since, program.zone))
    # A record that ends later was given by a programme with longer terms.
    kept = tuple(record for record in records if record.until > end)
    return _joined(program, kept, _new_terms(program, range(1, reached + 1), since))


def _risen(
    program: Program, months: Sequence[Month], records: tuple[TierRecord, ...], at: int
) -> tuple[TierRecord, ...]:
    """The records with those of every tier that the months up to now reach above the one that is held."""
    top = _top(program, months, records, at)
    above = range((top.position if top else 0) + 1, _reached(program, months, clock.month_of(at, program.zone)) + 1)
    return _joined(program, records, _new_terms(program, above, at))


def _new_terms(program: Program, positions: range, since: int) -> tuple[TierRecord, ...]:
    """New records for the tiers at `positions`.

    The month in which a term begins is given to it: it ends `keep_months` after the end of that month.
    """
    zone = program.zone
    until = clock.month_start(clock.month_of(since, zone) + program.tier_policy.keep_months + 1, zone)
    tiers = [program.tiers[position] for position in positions]
    return tuple(TierRecord(tier.code, since, until, tier.threshold_points) for tier in tiers)


def _joined(program: Program, records: tuple[TierRecord, ...], new: tuple[TierRecord, ...]) -> tuple[TierRecord, ...]:
    """Records with new ones, each in place of those of its tier that end no later."""
    ends = {_position(program, record): record.until for record in new}
    return tuple(record for record in records if record.until > ends.get(_position(program, record), 0)) + new


def _without_the_dead(
    program: Program, months: Sequence[Month], records: tuple[TierRecord, ...], at: int
) -> tuple[TierRecord, ...]:
    """The records that may still matter: those that hold, and those not run out that a late purchase may revive.

    A record that has run out below the highest tier is kept while it holds: it tells when the lower tier would have
    been judged, should the higher one be taken back.
    """
    return tuple(record for record in records if record.until > at or _held(program, months, record, at))


def _position(program: Program, record: TierRecord) -> int:
    """A record's place on today's ladder; one that no tier remembers stands where its threshold would be today."""
    tier = program.tier(record.code)
    if tier is not None:
        return program.tiers.index(tier)
    return _highest(program, record.needed)


def _reached(program: Program, months: Sequence[Month], last_month: int) -> int:
    return _highest(program, _window(program, months, last_month))


def _highest(program: Program, points: int) -> int:
    """The place of the highest tier that so many qualifying points reach."""
    return max((index for index, tier in enumerate(program.tiers) if tier.threshold_points <= points), default=0)


def _window(program: Program, months: Sequence[Month], last_month: int) -> int:
    """The qualifying points of the programme's window of calendar months that ends with `last_month`."""
    first_month = last_month - program.tier_policy.window_months + 1
    return sum(month.points for month in months if first_month <= month.month <= last_month)


def _to_next(program: Program, months: Sequence[Month], position: int, at: int) -> ToNext | None:
    if position + 1 == len(program.tiers):
        return None
    following = program.tiers[position + 1]
    have = _window(program, months, clock.month_of(at, program.zone))
    return ToNext(following.code, following.threshold_points - have)


def _to_keep(program: Program, months: Sequence[Month], top: _Held) -> int:
    have = _window(program, months, clock.month_of(top.until - 1, program.zone))
    return max(program.tiers[top.position].threshold_points - have, 0)
