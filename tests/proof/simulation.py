"""One seed: a race of writers with faults at every call, and the judgement over what it left behind."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from chalicelib.base import clock, ids
from chalicelib.base.errors import Refusal, Unavailable
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.records import Record
from chalicelib.program import service as programs
from tests.proof import (
    scenario_cases,
    scenario_programme,
    scenario_referrals,
    scenario_rewards,
    scenario_surveys,
    scenario_vouchers,
    stories,
)
from tests.proof.areas import Cast
from tests.proof.calendar import DAY_S
from tests.proof.invariants import Watch
from tests.proof.model import Model
from tests.proof.programmes import Programme, Whole
from tests.proof.replay import Refusing, Replay
from tests.proof.rules_model import MEMBERSHIP, YEAR, Rules
from tests.proof.scenario import PHONE, STARTED, Request
from tests.proof.scheduler import Died, Scheduler, Writer
from tests.proof.store import Store, intercepted

AREAS = (
    scenario_programme.AREA,
    scenario_rewards.AREA,
    scenario_vouchers.AREA,
    scenario_referrals.AREA,
    scenario_surveys.AREA,
    scenario_cases.AREA,
)
"""Everything that races beside orders, points and members."""
WRITERS = 4
TRIES = 6
FAULT_RATES = (0.0, 0.1, 0.2, 0.3)
OPENING = (
    Rules(pending_days=7),
    Rules(),
    Rules(points=2, expiry_months=1),
    Rules(ladder=YEAR),
    Rules(pending_days=7, ladder=MEMBERSHIP),
    Whole(),
    Whole(pending_days=7),
)
LATER = Rules(points=3, per_minor=200, pending_days=3)
GONE = Whole(points=3, per_minor=200, pending_days=3, programme=Programme(has_campaigns=False, has_rules=False))
"""What a whole programme is followed by: its rules and campaigns are gone."""
ANSWER = ("record_id", "member_id", "seq", "points", "available", "owed", "pending", "tier", "posted_at")


@dataclass(frozen=True)
class Ack:
    """What a client was told, as far as it speaks of the ledger."""

    answer: tuple[Any, ...]


@dataclass
class Run:
    """One seed under way."""

    seed: int
    store: Store = field(default_factory=Store)
    requests: dict[str, Request] = field(default_factory=dict)
    acks: dict[str, list[Ack]] = field(default_factory=dict)
    refusals: list[Refusing] = field(default_factory=list)
    left: list[Request] = field(default_factory=list)
    after: list[Request] = field(default_factory=list)
    versions: dict[int, Rules] = field(default_factory=dict)
    asked_at: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)  # noqa: S311 - to be repeated, not to be secret
        self.scheduler = Scheduler(self.store, self.rng, self.rng.choice(FAULT_RATES))

    @property
    def seen(self) -> Counter[str]:
        """What happened, by its kind."""
        return self.scheduler.seen


def simulate(seed: int) -> Counter[str]:
    """Run a seed and judge it; gives what happened. Raises AssertionError where a point was lost or invented."""
    run = Run(seed)
    play(run)
    return run.seen


def play(run: Run) -> None:
    """The race, the calm after it, and the judgement."""
    with intercepted(run.scheduler.call), mock.patch("time.sleep"):
        _race(run)
        _calm(run)
        _judge(run)


def _race(run: Run) -> None:
    rules = run.rng.choice(OPENING)
    programs.publish(rules.document(), starts_at=STARTED - DAY_S, by="tests", now=STARTED - DAY_S)
    run.versions[1] = rules
    member, other, newcomer = (ids.derived("mem", client, "enrol") for client in ("shop-a", "shop-b", "shop-c"))
    run.scheduler.time = STARTED
    for request in stories.prelude(rules, member, other):
        _ask(run, request, STARTED)
    cast = Cast(member, other, newcomer)
    more = [story for area in AREAS for story in area.stories(rules, cast)]
    told = [*stories.ledger(run.rng, rules, member, other, newcomer), *(story.race for story in more)]
    wanted = stories.race(run.rng, told)
    for story in more:
        if any(request in wanted for request in story.race):
            run.after += story.after
            for request in story.before:
                _ask(run, request, STARTED)
    if run.rng.random() < 0.5:
        run.versions[2] = GONE if isinstance(rules, Whole) else replace(LATER, ladder=rules.ladder)
        programs.publish(run.versions[2].document(), starts_at=STARTED + 1200, by="tests", now=STARTED)
    writers = [Writer(f"writer {number}", run.rng.randint(-2, 2)) for number in range(WRITERS)]
    lists: dict[Writer, list[Request]] = {writer: [] for writer in writers}
    for request in wanted:
        for writer in run.rng.sample(writers, 2):
            lists[writer].append(request)
    for requests in lists.values():
        run.rng.shuffle(requests)
    run.scheduler.jumps = run.rng.choice(((0,), (0, 1, 1, 5), (0, 0, 0, 0, 200), (0, 0, 0, 0, 0, 0, 0, 2 * DAY_S)))
    run.left = wanted
    run.scheduler.run([(writer, lambda writer: _serve(run, writer, lists)) for writer in writers])


def _serve(run: Run, writer: Writer, lists: dict[Writer, list[Request]]) -> None:
    """A writer works its requests off; if it dies, another one is given what is left, the last request included.

    Once, it asks again at the end for what it was refused: a client that knows better by then.
    """
    own = lists[writer]
    again: list[Request] = []
    while own:
        try:
            answered = _ask(run, own[0], run.scheduler.time + writer.skew_s, writer)
            if not answered and own[0] not in again:
                again.append(own[0])
                own.append(own[0])
        except Died:
            alive = [other for other in lists if other is not writer and not other.done]
            if alive:
                lists[run.rng.choice(alive)].extend(own)
            return
        own.pop(0)


def _ask(run: Run, request: Request, now: int, writer: Writer | None = None) -> bool:
    """Send a request until it is answered (True) or refused, or the client gives up for the time being."""
    run.requests[request.record or request.name] = request
    run.asked_at.setdefault(request.record, run.store.tick)
    for _try in range(TRIES):
        first_tick = run.store.tick
        now = max(now, run.scheduler.time + writer.skew_s) if writer else now
        try:
            record = request.send(now)
        except Unavailable:
            run.seen["busy"] += 1
        except Refusal as refusal:
            run.seen["refused"] += 1
            run.refusals.append(Refusing(request, refusal.reason_code, now, first_tick, run.store.tick))
            return False
        except (PynamoDBException, BotoCoreError):
            run.seen["unanswered"] += 1
        else:
            _note(run, request, record)
            return True
    return False


def _note(run: Run, request: Request, record: Record | None) -> None:
    run.seen["answered"] += 1
    if record is None:
        return
    ack = Ack(tuple(record.attribute_values.get(name) for name in ANSWER))
    known = run.acks.setdefault(request.record, [])
    run.seen["replayed"] += bool(known)
    known.append(ack)


def _calm(run: Run) -> None:
    """When all is over, every request is sent twice more, one after the other, and nothing goes wrong any more."""
    now = run.scheduler.time + 5
    for request in [*run.left * 2, *run.after]:
        _ask(run, request, now)


def _judge(run: Run) -> None:
    found = Watch().look()
    entries = {(entry.member_id, entry.seq): entry for chain in found.values() for entry in chain}
    for record, acks in run.acks.items():
        assert len(set(acks)) == 1, f"{run.requests[record].name} was answered differently: {set(acks)}"
    answered = {ack for acks in run.acks.values() for ack in acks}
    for ack in answered:
        told = dict(zip(ANSWER, ack.answer, strict=True))
        if told["seq"] is not None:
            assert _account_after(entries[told["member_id"], told["seq"]]) == ack.answer
    replay = Replay(
        store=run.store,
        requests=run.requests,
        versions=run.versions,
        entries=entries,
        asked_at=run.asked_at,
        areas=AREAS,
    )
    replay.judge(run.refusals)
    for area in AREAS:
        area.judge(replay.model, run.scheduler.time + 5, replay.seen)
    run.seen.update(replay.seen)
    _no_order_waits_for_its_member(run, replay.model)


def _no_order_waits_for_its_member(run: Run, model: Model) -> None:
    """Once a member has enrolled and claimed, nothing that is neither cancelled nor too old is left behind."""
    oldest = run.scheduler.time + 5 - run.versions[1].late_days * DAY_S
    claimants = [request.name for request in run.left]
    for order in model.orders.values():
        waits = order.member is None and not order.cancelled and order.occurred_at >= oldest
        assert not (waits and f"claim {model.phones.get(PHONE)} 1" in claimants), "an order was left unclaimed"


def _account_after(entry: Entry) -> tuple[Any, ...]:
    state = entry.state
    pending = sum(item.points for item in state.pending)
    told = (entry.record, entry.member_id, entry.seq, entry.points, state.available, state.owed, pending, entry.tier)
    return (*told, clock.text(entry.posted_at))
