"""How far a member has come in each challenge: a function of the set of what the member did, in whatever order it came.

What counts is kept as facts, one for each purchase or event, with the weight that it has in each challenge. They are
walked through by the time at which they occurred, each under the rules that were in force then, so neither a late
arrival nor a second one makes a difference. A fact that is later than all before may be added to the end of the walk;
any other change walks anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.engagement.rules import periods
from chalicelib.program.document.engagement import AnyChallenge, PunchCard, Quest, Streak

Weights: TypeAlias = dict[str, int]
"""What a fact counts for: by the steps of a quest, and under "" in the other challenges."""

WHOLE = ""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A purchase or event, and what it counts for in each challenge of the programme's version of its time."""

    fact_id: str
    occurred_at: int
    program: int
    marks: dict[str, Weights]

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands among all facts."""
        return (self.occurred_at, self.fact_id)

    @property
    def weighs(self) -> bool:
        """Whether it counts for anything."""
        return any(weight for weights in self.marks.values() for weight in weights.values())


class Walk(msgspec.Struct, array_like=True, frozen=True):
    """One challenge as the facts so far have brought it on.

    `rounds` are completed, for `rewards` (how many rounds for how many points). `counts` are of the round that is not
    complete: stamps earned, periods in a row (the last of which is `period`), or what was done of each step. `best` is
    the longest streak. The last round was completed at `done_at`, under the programme's version `program`.
    """

    rounds: int = 0
    rewards: tuple[tuple[int, int], ...] = ()
    counts: dict[str, int] = {}
    period: int = 0
    best: int = 0
    done_at: int = 0
    program: int = 0


class Paid(msgspec.Struct, array_like=True, frozen=True):
    """Rounds that were paid alike: `rounds` of them, each `points` that expire at `expires_at`."""

    points: int
    expires_at: int
    rounds: int


class Payment(msgspec.Struct, frozen=True):
    """What is to be settled next: a round of a challenge that is done and not paid, or paid and not done any more.

    `expires_at` is that of the points which go back, 0 for a round that is to be paid.
    """

    challenge: str
    points: int
    is_done: bool
    expires_at: int = 0


class Terms(msgspec.Struct, frozen=True):
    """A challenge as one version of the programme has it, and the zone of its periods."""

    challenge: AnyChallenge
    zone: ZoneInfo


Find: TypeAlias = Callable[[int, str], Terms | None]
"""Gives a challenge by version and code."""


def lessened(fact: Fact, marks: dict[str, Weights]) -> Fact:
    """A fact of which no more than `marks` is left. What was taken back stays so, in whatever order it is heard of."""
    left = {
        code: {step: min(weight, marks.get(code, {}).get(step, 0)) for step, weight in weights.items()}
        for code, weights in fact.marks.items()
    }
    return msgspec.structs.replace(fact, marks=left)


def walked(facts: Iterable[Fact], find: Find) -> dict[str, Walk]:
    """How far all facts, in whatever order they are given, bring a member in each challenge."""
    walks: dict[str, Walk] = {}
    for fact in sorted(facts, key=lambda fact: fact.place):
        walks = advanced(walks, fact, find)
    return walks


def advanced(walks: dict[str, Walk], fact: Fact, find: Find) -> dict[str, Walk]:
    """The walks after one more fact, which stands behind all before."""
    result = dict(walks)
    for code, weights in fact.marks.items():
        terms = find(fact.program, code)
        if terms and any(weights.values()):
            result[code] = _advance(walks.get(code, Walk()), fact, weights, terms)
    return result


def is_finished(challenge: AnyChallenge, walk: Walk) -> bool:
    """Whether a challenge is over for a member: done, and not to be done again."""
    return bool(walk.rounds) and not challenge.repeats


def _advance(walk: Walk, fact: Fact, weights: Weights, terms: Terms) -> Walk:
    challenge = terms.challenge
    if is_finished(challenge, walk):
        return walk
    match challenge:
        case PunchCard():
            return _stamped(walk, fact, weights.get(WHOLE, 0), challenge)
        case Streak():
            return _kept_up(walk, fact, challenge, terms.zone)
        case Quest():
            return _stepped(walk, fact, weights, challenge)


def _stamped(walk: Walk, fact: Fact, stamps: int, card: PunchCard) -> Walk:
    """A card is full with the stamps that it lacked at the start; what is over goes onto the next one."""
    count, needed = walk.counts.get(WHOLE, 0) + stamps, card.stamps - card.given
    while count >= needed and not is_finished(card, walk):
        count -= needed
        walk = _done(walk, fact, card)
    return _counting(walk, {WHOLE: 0 if is_finished(card, walk) else count})


def _kept_up(walk: Walk, fact: Fact, streak: Streak, zone: ZoneInfo) -> Walk:
    period = periods.number(streak.period, fact.occurred_at, zone)
    if walk.period and period <= walk.period:
        return walk
    run = walk.counts.get(WHOLE, 0) + 1 if period == walk.period + 1 else 1
    walk = msgspec.structs.replace(walk, period=period, best=max(walk.best, run))
    if run >= streak.length:
        walk, run = _done(walk, fact, streak), 0
    return _counting(walk, {WHOLE: run})


def _stepped(walk: Walk, fact: Fact, weights: Weights, quest: Quest) -> Walk:
    """In order, a fact counts for the step whose turn it is; else for every step that it fits."""
    counts = {step.code: walk.counts.get(step.code, 0) for step in quest.steps}
    open_steps = [step for step in quest.steps if counts[step.code] < step.count]
    for step in open_steps[:1] if quest.in_order else open_steps:
        counts[step.code] = min(counts[step.code] + weights.get(step.code, 0), step.count)
    if all(counts[step.code] >= step.count for step in quest.steps):
        return _counting(_done(walk, fact, quest), {})
    return _counting(walk, counts)


def _done(walk: Walk, fact: Fact, challenge: AnyChallenge) -> Walk:
    rewards = dict(walk.rewards)
    rewards[challenge.points] = rewards.get(challenge.points, 0) + 1
    return msgspec.structs.replace(
        walk,
        rounds=walk.rounds + 1,
        rewards=tuple(sorted(rewards.items())),
        done_at=fact.occurred_at,
        program=fact.program,
    )


def _counting(walk: Walk, counts: dict[str, int]) -> Walk:
    return msgspec.structs.replace(walk, counts={step: count for step, count in counts.items() if count})


def next_payment(walks: Mapping[str, Walk], paid: Mapping[str, tuple[Paid, ...]]) -> Payment | None:
    """What is to be settled next, None where all that is done is paid and nothing else.

    What goes back goes first. Of rounds that were paid alike, the one whose points last longest goes back.
    """
    missing = None
    for code in sorted({*walks, *paid}):
        rewards = dict(walks.get(code, Walk()).rewards)
        payments = paid.get(code, ())
        for points in sorted({*rewards, *(group.points for group in payments)}):
            alike = [group for group in payments if group.points == points]
            difference = rewards.get(points, 0) - sum(group.rounds for group in alike)
            if difference < 0:
                latest = max(alike, key=lambda group: group.expires_at)
                return Payment(code, points, is_done=False, expires_at=latest.expires_at)
            if difference > 0 and missing is None:
                missing = Payment(code, points, is_done=True)
    return missing


def settled(paid: Mapping[str, tuple[Paid, ...]], payment: Payment, expires_at: int) -> dict[str, tuple[Paid, ...]]:
    """What is paid after one payment, of points that expire at `expires_at`."""
    change = Paid(payment.points, expires_at, 1 if payment.is_done else -1)
    return united_payments(paid, {payment.challenge: (change,)})


def united_payments(
    paid: Mapping[str, tuple[Paid, ...]], others: Mapping[str, tuple[Paid, ...]]
) -> dict[str, tuple[Paid, ...]]:
    """What was paid here and there, together."""
    result = {}
    for code in {*paid, *others}:
        rounds: dict[tuple[int, int], int] = {}
        for group in (*paid.get(code, ()), *others.get(code, ())):
            key = (group.points, group.expires_at)
            rounds[key] = rounds.get(key, 0) + group.rounds
        result[code] = tuple(Paid(*key, rounds[key]) for key in sorted(rounds) if rounds[key])
    return {code: groups for code, groups in result.items() if groups}
