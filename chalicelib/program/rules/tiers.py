"""Which tier a member has: a function of what counted by month, of tiers reached before, and of the time.

The first tier is everyone's and leaves no record. Every other tier that is reached leaves one of its own, the lower
ones too that are reached with it, so that what remains when a refund takes the highest back is known without looking at
the past. Dates judge: whoever asks gets the same answer, whether or not anything was posted since a tier ran out.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec

from chalicelib.base import clock
from chalicelib.ledger.state import MONTHS_MAX, State, TierRecord
from chalicelib.program.document import Program, Texts
from chalicelib.program.rules.tier_case import Case, case_of
from chalicelib.program.rules.tier_needs import Amounts, Missing, needs_when_reached
from chalicelib.program.rules.tier_periods import moved, next_year, window_of


class ToNext(msgspec.Struct, frozen=True):
    """The next tier up and what is missing for it now."""

    code: str
    missing: Missing

    @property
    def points(self) -> int | None:
        """The qualifying points that are missing, None where it asks for none."""
        return self.missing.points


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A member's tier.

    `since` and `until` are None for the first tier, which never ends. `since` is when the present term began: a tier
    that is kept begins a new one. `until` is when the tier is judged: at the end of the term, or once that has passed,
    of the grace. `missing_to_keep` is what is still missing before `until` for keeping it.
    """

    code: str
    name: Texts
    multiplier: Fraction
    since: int | None
    until: int | None
    to_next: ToNext | None
    missing_to_keep: Missing | None

    @property
    def to_keep(self) -> int | None:
        """The qualifying points that are missing for keeping the tier, None where it asks for none."""
        return self.missing_to_keep.points if self.missing_to_keep else None


class _Held(msgspec.Struct, frozen=True):
    """A record that still holds: its place on today's ladder, and the term that its months bear out.

    The window of `window_months` that ends with `reached_month` does so.
    """

    record: TierRecord
    position: int
    since: int
    until: int
    reached_month: int
    window_months: int


class _Judgement(msgspec.Struct, frozen=True):
    """When a tier is judged, and what counts: what the `window_months` calendar months before `at` hold."""

    at: int
    window_months: int
    have: Amounts


def judge(program: Program, state: State, at: int) -> tuple[TierRecord, ...]:
    """The tier records at `at`, from those of any time before.

    Of the state count its months and records, and when the member enrolled. A tier that has run out is kept for another
    term if the months of the window before its end reach the thresholds that the programme has today, or do so when the
    grace is added to them, or else falls as the programme says; a higher tier is reached at once. Judging twice changes
    nothing.
    """
    return _judged(case_of(program, state), state.tiers, at)


def judged(program: Program, state: State, at: int) -> tuple[tuple[TierRecord, ...], str]:
    """What `judge` gives, and the code of the tier that is held by it: all that a posting needs of it."""
    case = case_of(program, state)
    records = _judged(case, state.tiers, at)
    top = _top(case, records, at)
    return records, program.tiers[top.position if top else 0].code


def standing(program: Program, state: State, at: int) -> Standing:
    """The member's tier at `at`, with what is missing for the next one and for keeping this one."""
    case = case_of(program, state)
    top = _top(case, _judged(case, state.tiers, at), at)
    position = top.position if top else 0
    tier = program.tiers[position]
    judgement = _judgement(case, top, at) if top else None
    return Standing(
        code=tier.code,
        name=tier.name,
        multiplier=tier.rate,
        since=top.since if top else None,
        until=judgement.at if judgement else None,
        to_next=_to_next(case, position, at),
        missing_to_keep=case.needs[position].missing_from(judgement.have) if judgement else None,
    )


def moved_by_time(program: Program, state: State, since: int, at: int) -> bool:
    """Whether the tier is another at `at` than it was at `since`, though nothing was posted in between.

    It is where a term (or its grace) is over, or where something was posted that is dated to a later month.
    """
    is_over = any(record.until <= at for record in state.tiers)
    is_ahead = bool(state.months) and state.months[-1].month > clock.month_of(since, program.zone)
    if not is_over and not is_ahead:
        return False
    return standing(program, state, since).code != standing(program, state, at).code


def _judged(case: Case, records: tuple[TierRecord, ...], at: int) -> tuple[TierRecord, ...]:
    top = _top(case, records, at)
    while top and (judgement := _judgement(case, top, at)).at <= at:
        records = _refitted(case, records, top, judgement)
        top = _top(case, records, at)
    return _risen(case, _without_the_dead(case, records, at), at)


def _top(case: Case, records: tuple[TierRecord, ...], at: int) -> _Held | None:
    """The highest tier that holds, run out or not; of two records of one tier, the one with the longer term."""
    held = [found for record in records if (found := _held(case, record, at))]
    return max(held, key=lambda found: (found.position, found.until), default=None)


def _held(case: Case, record: TierRecord, at: int) -> _Held | None:
    """What a record is worth at `at`: its own term, if the months it was reached with still hold what it needed.

    A refund may have taken that from them while later months make up for it. The term is then the one that the member
    would have had if the refunded purchase had never been: it begins with the first month that held enough.
    """
    position, since = case.position(record), case.month(record.since)
    first, needs = record.reached_month or since, needs_when_reached(record)
    window_months = record.window_months or case.period.window_months
    if case.month(record.until - 1) - first + window_months > MONTHS_MAX:
        # The account forgets those months before the term is over. Only who falls tier by tier gets here.
        return _Held(record, position, record.since, record.until, first, window_months)
    for month in range(first, max(first, case.month(at)) + 1):
        window = window_of(record, first, month, window_months)
        if not needs.met_by(case.gathered(month, window)):
            continue
        if month == first:
            return _Held(record, position, record.since, record.until, first, window)
        begins, ends = moved(record, first, since, case.month(record.until), month)
        return _Held(record, position, case.start(begins), case.start(ends), month, window)
    return None


def _judgement(case: Case, top: _Held, at: int) -> _Judgement:
    """How the highest tier is judged: at the end of its term, unless it falls short then and has a grace.

    The grace is more time to earn what is missing, so at its end its months count beside those of the term's end.
    """
    policy = case.program.tier_policy
    last = case.month(top.until - 1)
    have = case.gathered(last, policy.window_months)
    if at < top.until or not policy.grace_days or case.needs[top.position].met_by(have):
        return _Judgement(top.until, policy.window_months, have)
    end = case.grace_end(top.until)
    last_of_grace = case.month(end - 1)
    window_months = policy.window_months + last_of_grace - last
    return _Judgement(end, window_months, case.gathered(last_of_grace, window_months))


def _refitted(case: Case, records: tuple[TierRecord, ...], top: _Held, judgement: _Judgement) -> tuple[TierRecord, ...]:
    """The records after the highest tier was judged: a new term for every tier that its months reach."""
    policy = case.program.tier_policy
    reached = case.highest(judgement.have)
    if judgement.at > top.until:
        # The months of a grace come on top of a full window: they keep a tier, and lift nobody.
        reached = min(reached, top.position)
    new = case.kept_terms(range(1, reached + 1), judgement.at, judgement.window_months)
    # A record that ends later was given by a programme with longer terms.
    kept = tuple(record for record in records if record.until > top.until)
    if policy.downgrade == "one_down" and reached < top.position - 1:
        new += _one_down(case, top, judgement.at)
    joined = _joined(case, kept, new)
    if reached >= top.position and (policy.grace_days or policy.downgrade == "one_down"):
        # Should a refund take back what kept the tier, its grace and its fall start from the term before.
        return (*joined, top.record)
    return joined


def _one_down(case: Case, top: _Held, judged_at: int) -> tuple[TierRecord, ...]:
    """A term of the tier below `top`, which stands on what that one was reached with."""
    (term,) = case.kept_terms(range(top.position - 1, top.position), judged_at, top.window_months)
    above = top.record
    fallen = msgspec.structs.replace(
        term,
        needed=above.needed,
        reached_month=top.reached_month,
        needed_spend_minor=above.needed_spend_minor,
        needed_purchases=above.needed_purchases,
        needed_activity=above.needed_activity,
        is_any=above.is_any,
        year_month=above.year_month,
    )
    return (fallen,)


def _risen(case: Case, records: tuple[TierRecord, ...], at: int) -> tuple[TierRecord, ...]:
    """The records with those of every tier that the months up to now reach above the one that is held.

    Where years count, what the year before reached is held in this one, though the last of it may only arrive now.
    """
    month = case.month(at)
    if case.period.year_month:
        begun = next_year(month, case.period.year_month) - 12
        reached = case.highest(case.gathered(begun - 1, 12))
        records = _joined(case, records, case.kept_terms(_above(case, records, reached, at), case.start(begun), 12))
    window_months = case.period.window(month)
    reached = case.highest(case.gathered(month, window_months))
    until = case.start(case.period.reached_until(month))
    return _joined(case, records, case.terms(_above(case, records, reached, at), (at, until), window_months))


def _above(case: Case, records: tuple[TierRecord, ...], reached: int, at: int) -> range:
    """The places up to `reached` above the tier that the records hold."""
    if not reached:
        return range(0)
    top = _top(case, records, at)
    return range((top.position if top else 0) + 1, reached + 1)


def _joined(case: Case, records: tuple[TierRecord, ...], new: tuple[TierRecord, ...]) -> tuple[TierRecord, ...]:
    """Records with new ones, each in place of those of its tier that end no later."""
    ends = {case.position(record): record.until for record in new}
    return tuple(record for record in records if record.until > ends.get(case.position(record), 0)) + new


def _without_the_dead(case: Case, records: tuple[TierRecord, ...], at: int) -> tuple[TierRecord, ...]:
    """The records that may still matter: those that hold, and those not run out that a late purchase may revive.

    A record that has run out below the highest tier is kept while it holds: it tells when the lower tier would have
    been judged, should the higher one be taken back.
    """
    return tuple(record for record in records if case.grace_end(record.until) > at or _held(case, record, at))


def _to_next(case: Case, position: int, at: int) -> ToNext | None:
    if position + 1 == len(case.needs):
        return None
    month = case.month(at)
    have = case.gathered(month, case.period.window(month))
    return ToNext(case.program.tiers[position + 1].code, case.needs[position + 1].missing_from(have))
