"""Which tier a member has: a function of qualifying points by month, of tiers reached before, and of the time.

The first tier is everyone's and leaves no record. Every other tier that is reached leaves one of its own, the lower
ones too that are reached with it, so that what remains when a refund takes the highest back is known without looking at
the past. Dates judge: whoever asks gets the same answer, whether or not anything was posted since a tier ran out.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from chalicelib.base import clock
from chalicelib.ledger.state import MONTHS_MAX, Month, State, TierRecord
from chalicelib.program.document import Program, Texts


class ToNext(msgspec.Struct, frozen=True):
    """The next tier up and the qualifying points that are missing for it now."""

    code: str
    points: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A member's tier.

    `since` and `until` are None for the first tier, which never ends. `since` is when the present term began: a tier
    that is kept begins a new one. `until` is when the tier is judged: at the end of the term, or once that has passed,
    of the grace. `to_keep` are the qualifying points still missing before `until` for keeping it.
    """

    code: str
    name: Texts
    multiplier: Fraction
    since: int | None
    until: int | None
    to_next: ToNext | None
    to_keep: int | None


class _Held(msgspec.Struct, frozen=True):
    """A record that still holds: its place on today's ladder, and the term that its months bear out.

    `reached_month` is the month with which the window ends that does so.
    """

    record: TierRecord
    position: int
    since: int
    until: int
    reached_month: int


class _Judgement(msgspec.Struct, frozen=True):
    """When a tier is judged, and what counts: `points`, in the `window_months` calendar months before `at`."""

    at: int
    window_months: int
    points: int


def judge(program: Program, state: State, at: int) -> tuple[TierRecord, ...]:
    """The tier records at `at`, from those of any time before; of the state, its months and records count.

    A tier that has run out is kept for another term if the months of the window before its end reach the threshold that
    the programme has today, or do so when the grace is added to them, or else falls as the programme says; a higher
    tier is reached at once. Judging twice changes nothing.
    """
    months, current = state.months, state.tiers
    top = _top(program, months, current, at)
    while top and (judgement := _judgement(program, months, top, at)).at <= at:
        current = _refitted(program, current, top, judgement)
        top = _top(program, months, current, at)
    return _risen(program, months, _without_the_dead(program, months, current, at), at)


def standing(program: Program, state: State, at: int) -> Standing:
    """The member's tier at `at`, with what is missing for the next one and for keeping this one."""
    months = state.months
    top = _top(program, months, judge(program, state, at), at)
    tier = program.tiers[top.position if top else 0]
    judgement = _judgement(program, months, top, at) if top else None
    return Standing(
        code=tier.code,
        name=tier.name,
        multiplier=tier.rate,
        since=top.since if top else None,
        until=judgement.at if judgement else None,
        to_next=_to_next(program, months, top.position if top else 0, at),
        to_keep=max(tier.threshold_points - judgement.points, 0) if judgement else None,
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
    zone, position = program.zone, _position(program, record)
    first = record.reached_month or clock.month_of(record.since, zone)
    window_months = record.window_months or program.tier_policy.window_months
    if clock.month_of(record.until - 1, zone) - first + window_months > MONTHS_MAX:
        # The account forgets those months before the term is over. Only who falls tier by tier gets here.
        return _Held(record, position, record.since, record.until, first)
    for month in range(first, max(first, clock.month_of(at, zone)) + 1):
        if _points(months, month, window_months) < record.needed:
            continue
        if month == first:
            return _Held(record, position, record.since, record.until, first)
        since, until = (
            clock.month_start(clock.month_of(instant, zone) + month - first, zone)
            for instant in (record.since, record.until)
        )
        return _Held(record, position, since, until, month)
    return None


def _judgement(program: Program, months: Sequence[Month], top: _Held, at: int) -> _Judgement:
    """How the highest tier is judged: at the end of its term, unless it falls short then and has a grace.

    The grace is more time to earn what is missing, so at its end its months count beside those of the term's end.
    """
    policy, zone = program.tier_policy, program.zone
    last = clock.month_of(top.until - 1, zone)
    points = _points(months, last, policy.window_months)
    if at < top.until or not policy.grace_days or points >= program.tiers[top.position].threshold_points:
        return _Judgement(top.until, policy.window_months, points)
    end = _grace_end(program, top.until)
    last_of_grace = clock.month_of(end - 1, zone)
    window_months = policy.window_months + last_of_grace - last
    return _Judgement(end, window_months, _points(months, last_of_grace, window_months))


def _grace_end(program: Program, until: int) -> int:
    """When a term that ends at `until` is over, its grace included.

    It ends with a month, for what was bought is known by months: nothing bought after it must count.
    """
    grace_days, zone = program.tier_policy.grace_days, program.zone
    if not grace_days:
        return until
    last_day = clock.day_start(until, grace_days - 1, zone)
    return clock.month_start(clock.month_of(last_day, zone) + 1, zone)


def _refitted(
    program: Program, records: tuple[TierRecord, ...], top: _Held, judgement: _Judgement
) -> tuple[TierRecord, ...]:
    """The records after the highest tier was judged: a new term for every tier that its months reach.

    The new terms are dated to the last second before, so that the windows of their records end with the same month.
    """
    policy, since = program.tier_policy, judgement.at - 1
    reached = _highest(program, judgement.points)
    if judgement.at > top.until:
        # The months of a grace come on top of a full window: they keep a tier, and lift nobody.
        reached = min(reached, top.position)
    new = _new_terms(program, range(1, reached + 1), since, judgement.window_months)
    # A record that ends later was given by a programme with longer terms.
    kept = tuple(record for record in records if record.until > top.until)
    if policy.downgrade == "one_down" and reached < top.position - 1:
        new += _one_down(program, top, since)
    joined = _joined(program, kept, new)
    if reached >= top.position and (policy.grace_days or policy.downgrade == "one_down"):
        # Should a refund take back what kept the tier, its grace and its fall start from the term before.
        return (*joined, top.record)
    return joined


def _one_down(program: Program, top: _Held, since: int) -> tuple[TierRecord, ...]:
    """A term of the tier below `top`, which stands on what that one was reached with."""
    (term,) = _new_terms(program, range(top.position - 1, top.position), since, top.record.window_months)
    return (msgspec.structs.replace(term, needed=top.record.needed, reached_month=top.reached_month),)


def _risen(
    program: Program, months: Sequence[Month], records: tuple[TierRecord, ...], at: int
) -> tuple[TierRecord, ...]:
    """The records with those of every tier that the months up to now reach above the one that is held."""
    top = _top(program, months, records, at)
    above = range((top.position if top else 0) + 1, _reached(program, months, clock.month_of(at, program.zone)) + 1)
    return _joined(program, records, _new_terms(program, above, at, program.tier_policy.window_months))


def _new_terms(program: Program, positions: range, since: int, window_months: int) -> tuple[TierRecord, ...]:
    """New records for the tiers at `positions`.

    The month in which a term begins is given to it: it ends `keep_months` after the end of that month.
    """
    zone = program.zone
    until = clock.month_start(clock.month_of(since, zone) + program.tier_policy.keep_months + 1, zone)
    tiers = [program.tiers[position] for position in positions]
    return tuple(TierRecord(tier.code, since, until, tier.threshold_points, window_months) for tier in tiers)


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
    return tuple(
        record for record in records if _grace_end(program, record.until) > at or _held(program, months, record, at)
    )


def _position(program: Program, record: TierRecord) -> int:
    """A record's place on today's ladder; one that no tier remembers stands where its threshold would be today."""
    tier = program.tier(record.code)
    if tier is not None:
        return program.tiers.index(tier)
    return _highest(program, record.needed)


def _reached(program: Program, months: Sequence[Month], last_month: int) -> int:
    return _highest(program, _points(months, last_month, program.tier_policy.window_months))


def _highest(program: Program, points: int) -> int:
    """The place of the highest tier that so many qualifying points reach."""
    return max((index for index, tier in enumerate(program.tiers) if tier.threshold_points <= points), default=0)


def _points(months: Sequence[Month], last_month: int, window_months: int) -> int:
    """The qualifying points of the window of so many calendar months that ends with `last_month`."""
    first_month = last_month - window_months + 1
    return sum(month.points for month in months if first_month <= month.month <= last_month)


def _to_next(program: Program, months: Sequence[Month], position: int, at: int) -> ToNext | None:
    if position + 1 == len(program.tiers):
        return None
    following = program.tiers[position + 1]
    have = _points(months, clock.month_of(at, program.zone), program.tier_policy.window_months)
    return ToNext(following.code, following.threshold_points - have)
