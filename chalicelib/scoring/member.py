"""One member's score, worked out when asked for: by the last night's basis, from all that the ledger has until now."""

from __future__ import annotations

import msgspec

from chalicelib.base.errors import Conflict
from chalicelib.ledger import posting
from chalicelib.ledger.table import AccountItem
from chalicelib.program import service as programs
from chalicelib.scoring import gathering, keeping, labels, reading, state, told
from chalicelib.scoring.basis import Basis, value_bin
from chalicelib.scoring.reading import Course, Outlook, Part
from chalicelib.scoring.state import NO_DAY, AbsurdFacts, State
from chalicelib.scoring.told import Told

TREND_DAYS = 2 * reading.QUARTER_DAYS


class NotScoredYet(Conflict):
    """No night has been run yet, so there is nothing to score by."""

    code = "not_scored_yet"


class Account(msgspec.Struct, frozen=True):
    """What is asked of an account: its points that came and went, and what was last told of its member."""

    earned: int
    redeemed: int
    last: Told | None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """All that is said of a member on `day` (counted from the epoch), by codes.

    `score` is 0 to 100, exact; shares and chances are 0 to 1, money is in the base currency's major unit. `percentile`
    is the share of members with less 12-month value.
    """

    day: int
    basis: Basis
    facts: State
    seen: Outlook
    rfm: int
    trend: Course
    parts: tuple[Part, ...]
    score: float
    percentile: float
    value: str
    behaviour: str
    stage: str
    loyalty: str
    loyalty_confidence: float
    churn_reason: str
    persona: str
    action: str

    @property
    def has_bought(self) -> bool:
        """Whether there is a purchase at all; without one little is known."""
        return self.facts.first_day != NO_DAY

    @property
    def has_trend(self) -> bool:
        """Whether the member has been one for long enough to have a trend."""
        return self.seen.age_days >= TREND_DAYS


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A member's score; `member_id` is the member that the id stands for, `currency` that of what it is worth."""

    member_id: str
    currency: str
    score: Score


def read(member_id: str, *, now: int) -> Read:
    """A member's score today, in the programme's zone; for an id that was merged, that of the member who took over.

    What the ledger has had since the night is taken in and not stored. Raises MemberNotFound and NotScoredYet.
    """
    account = posting.peek(member_id, now=now)
    basis = keeping.current(now=now)
    if basis is None:
        raise NotScoredYet(
            "No night has been run yet, so there is nothing to score by. The first one begins by itself at the hour of "
            'the schedule; to begin it now, invoke administer_scoring with {"action": "run"}.'
        )
    program = programs.in_force(now, now=now).program
    view = _view(account.member_id)
    facts = stored_facts(view)
    if facts is None or facts.entries < account.seq:
        facts = gathering.brought_up_to(account.member_id, facts, program)
    last = told.read(view.score_told) if view else None
    lifetime = account.state.lifetime
    today = gathering.day_of(now, program.zone)
    found = score_on(today, basis, facts, Account(lifetime.earned, lifetime.redeemed, last))
    return Read(member_id=account.member_id, currency=program.base_currency, score=found)


def stored_facts(view: AccountItem | None) -> State | None:
    """The facts that are stored of a member; None where there are none that can be read."""
    try:
        return state.checked(state.unpack(view.score_facts)) if view and view.score_facts else None
    except (msgspec.DecodeError, AbsurdFacts):
        # The ledger has them all the same.
        return None


def score_on(day: int, basis: Basis, facts: State, account: Account) -> Score:
    """The score on a day, by a basis: what the night says of that day, to the code."""
    facts = facts.as_on(day)
    seen = reading.outlook(basis, facts, day)
    code = reading.rfm(basis, facts, seen, day)
    trend = reading.course(facts, seen.age_days, day)
    signals = reading.signals(basis, facts, day, earned=account.earned, redeemed=account.redeemed)
    parts = reading.parts(basis, seen, code, trend, signals)
    percentile = basis.value.at(value_bin(seen.value_12))
    last = account.last or Told()
    value = labels.value_segment(percentile, seen, last.value)
    behaviour = labels.behaviour(facts, seen, last.behaviour)
    reason = labels.churn_reason(facts, seen, trend, signals)
    loyalty, confidence = labels.loyalty(facts, code, signals)
    return Score(
        day=day,
        basis=basis,
        facts=facts,
        seen=seen,
        rfm=code,
        trend=trend,
        parts=tuple(parts),
        score=reading.composite(parts),
        percentile=percentile,
        value=value,
        behaviour=behaviour,
        stage=labels.stage(behaviour, seen, trend),
        loyalty=loyalty,
        loyalty_confidence=confidence,
        churn_reason=reason,
        persona=reading.persona(basis.groups, code, trend, signals),
        action=labels.next_action(behaviour, value, reason, signals),
    )


def _view(member_id: str) -> AccountItem | None:
    try:
        return AccountItem.get(member_id, consistent_read=False)
    except AccountItem.DoesNotExist:
        return None
