"""Sixteen writers over a handful of members, each request sent twice by different threads; and the audit afterwards."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from chalicelib.base import clock, dynamo, facts, ids
from chalicelib.base.errors import Refusal, Unavailable
from chalicelib.base.settings import settings
from chalicelib.ledger import chain
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.posting import Posted
from chalicelib.ledger.table import EntryItem, to_entry
from chalicelib.members import adjusting, enrolling
from chalicelib.members.schema import AdjustmentIn, ExternalIn, MemberIn
from chalicelib.orders import refunds, service
from chalicelib.orders.schema import CancelIn, OrderIn, RefundIn
from chalicelib.rewards import history as redemptions
from chalicelib.rewards import service as rewards
from chalicelib.rewards.schema import RedemptionIn

WRITERS = 16
_TRIES = 40
_ACTOR = "system:writers"
_RECORDS = ("orders", "redemptions", "members")
_TAKING_BACK = {facts.REFUND, facts.ORDER_CANCELLED}

Act = Callable[[], Posted[Any]]
Send = Callable[[str, Act], None]
Story = Callable[[Send], None]


@dataclass(frozen=True)
class Ack:
    """What a writer was told: the record of its request, and the entry and account that it was answered with."""

    request: str
    record: str
    member_id: str
    seq: int
    points: int
    available: int
    owed: int
    pending: int
    tier: str


@dataclass
class Run:
    """What came of a run: everything that was acknowledged or refused, in no order, and how long it took."""

    acks: list[Ack] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    replays: int = 0
    sent_again: int = 0
    seconds: float = 0.0


@dataclass
class _Writer:
    """One thread's part of a run. A request whose outcome it did not learn is sent again, as a shop would."""

    run: Run
    lock: threading.Lock

    def work(self, stories: deque[Story]) -> None:
        while True:
            try:
                story = stories.popleft()
            except IndexError:
                return
            story(self._send)

    def _send(self, request: str, act: Act) -> None:
        for attempt in range(_TRIES):
            try:
                posted = act()
            except (Unavailable, PynamoDBException, BotoCoreError):
                continue
            except Refusal as refusal:
                with self.lock:
                    self.run.refusals.append((request, refusal.reason_code))
                    self.run.sent_again += attempt
                return
            with self.lock:
                self.run.acks.append(_ack(request, posted))
                self.run.replays += posted.replayed
                self.run.sent_again += attempt
            return
        with self.lock:
            self.run.given_up.append(request)


def enrolled(count: int) -> list[str]:
    """New members, by an external id each."""
    return [
        enrolling.enrol(
            MemberIn(external=(ExternalIn(source="writers", id=str(number)),)),
            client_id="writers",
            key=f"enrol-{number}",
            actor=_ACTOR,
            now=clock.now(),
        ).member_id
        for number in range(count)
    ]


def write(members: Sequence[str], rounds: int, *, seed: int = 1) -> Run:
    """Let 16 threads play every story of `rounds` twice, half of them one copy and half of them the other.

    The copies are shuffled a little against each other, so that some meet at the same moment and some come late.
    """
    chance = random.Random(seed)  # noqa: S311 -- no secret
    stories = [story for number in range(rounds) for story in _stories(number, chance.choice(members))]
    chance.shuffle(stories)
    order = sorted(range(len(stories)), key=lambda place: place + chance.choice((0, 0, 40)))
    copies = deque(stories), deque(stories[place] for place in order)
    run, lock = Run(), threading.Lock()
    threads = [
        threading.Thread(target=_Writer(run, lock).work, args=(copies[number % 2],), name=f"writer-{number}")
        for number in range(WRITERS)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.seconds = time.perf_counter() - begun
    return run


def _stories(number: int, member_id: str) -> list[Story]:
    """What happens to a member in one round; every story's requests have keys of their own."""
    occurred_at = clock.now() - 3600

    def order(name: str, **fields: Any) -> Act:
        body = {
            "source": "writers",
            "order_id": name,
            "member_id": member_id,
            "occurred_at": clock.text(occurred_at),
            "currency": "CNY",
            "total_minor": 30_001 + 7 * number,
            **fields,
        }
        decoded = msgspec.convert(body, OrderIn)
        return lambda: service.post_order(decoded, actor=_ACTOR, now=clock.now())

    def refund(name: str, refund_id: str, amount_minor: int) -> Act:
        body = {"refund_id": refund_id, "occurred_at": clock.text(occurred_at), "amount_minor": amount_minor}
        decoded = msgspec.convert(body, RefundIn)
        order_id = service.order_id_of("writers", name)
        return lambda: refunds.refund(order_id, decoded, actor=_ACTOR, now=clock.now())

    def refunded(send: Send) -> None:
        name = f"refunded-{number}"
        send(f"{name}/order", order(name))
        send(f"{name}/a", refund(name, "a", 9_999))
        send(f"{name}/b", refund(name, "b", 10_001))

    def cancelled(send: Send) -> None:
        name = f"cancelled-{number}"
        body = msgspec.convert({"occurred_at": clock.text(occurred_at)}, CancelIn)
        order_id = service.order_id_of("writers", name)
        send(f"{name}/order", order(name))
        send(f"{name}/a", refund(name, "a", 5_000))
        send(f"{name}/cancel", lambda: refunds.cancel(order_id, body, actor=_ACTOR, now=clock.now()))

    def adjusted(send: Send) -> None:
        for points in (50, -400):
            name = f"adjusted-{number}/{points}"
            body = AdjustmentIn(points=points, reason="goodwill")
            send(name, lambda: adjusting.adjust(member_id, body, key=name, actor=_ACTOR, now=clock.now()))  # noqa: B023

    def paid_with_points(send: Send) -> None:
        redemption = f"paying-{number}"
        name = f"paid-{number}"
        payments = [
            {"type": "points", "amount_minor": 100, "redemption_id": ids.derived("red", member_id, redemption)},
            {"type": "card", "amount_minor": 9_900},
        ]
        send(redemption, _redeem(member_id, redemption))
        send(f"{name}/order", order(name, total_minor=10_000, payments=payments))
        send(f"{name}/all", refund(name, "all", 10_000))

    return [refunded, cancelled, adjusted, paid_with_points, *_spending(number, member_id)]


def _redeem(member_id: str, key: str, hold_seconds: int | None = None) -> Act:
    asked = {"points": 100, "currency": "CNY"} | ({"hold_seconds": hold_seconds} if hold_seconds else {})
    body = msgspec.convert(asked, RedemptionIn)
    return lambda: rewards.redeem(member_id, body, key=key, actor=_ACTOR, now=clock.now())


def _spending(number: int, member_id: str) -> list[Story]:
    def changed(key: str, change: Callable[..., Posted[Any]], **options: bool) -> Act:
        redemption_id = ids.derived("red", member_id, key)
        return lambda: change(redemptions.read(redemption_id), actor=_ACTOR, now=clock.now(), **options)

    def redeemed(send: Send) -> None:
        key = f"redeemed-{number}"
        send(key, _redeem(member_id, key))
        if number % 3:
            send(f"{key}/cancel", changed(key, rewards.cancel, even_used=True))

    def held(send: Send) -> None:
        key = f"held-{number}"
        send(key, _redeem(member_id, key, hold_seconds=3600))
        send(f"{key}/end", changed(key, rewards.commit if number % 2 else rewards.release))

    return [redeemed, held]


def _ack(request: str, posted: Posted[Any]) -> Ack:
    record = posted.record
    return Ack(
        request=request,
        record=record.record_id,
        member_id=record.member_id,
        seq=record.seq,
        points=record.points,
        available=record.available,
        owed=record.owed,
        pending=record.pending,
        tier=record.tier,
    )


def chains(members: Iterable[str]) -> dict[str, list[Entry]]:
    """Every member's whole chain."""
    return {
        member_id: [to_entry(item) for item in EntryItem.query(member_id, consistent_read=True)]
        for member_id in members
    }


def stored_records() -> list[tuple[str, str, int]]:
    """Every record that was committed with an entry, as (record id, member, place in the chain)."""
    found = []
    for name in _RECORDS:
        pages: Any = dynamo.client().get_paginator("scan").paginate(TableName=settings().table(name))
        found += [
            (item["record_id"]["S"], item["member_id"]["S"], int(item["seq"]["N"]))
            for page in pages
            for item in page["Items"]
            if "seq" in item
        ]
    return found


def check(run: Run, found: dict[str, list[Entry]]) -> None:
    """Assert that nothing was lost, doubled or invented, and that every writer was told the truth."""
    assert not run.given_up
    entries = [entry for entries in found.values() for entry in entries]
    _check_chains(found)
    times = Counter(entry.record for entry in entries)
    assert [record for record, count in times.items() if count > 1] == [], "posted more than once"
    assert sorted(stored_records()) == sorted((entry.record, entry.member_id, entry.seq) for entry in entries)
    _check_acks(run, {entry.record: entry for entry in entries})
    _check_totals(run, found)


def _check_chains(found: dict[str, list[Entry]]) -> None:
    for entries in found.values():
        chain.verify(entries)
        for entry in entries:
            _check_policy(entry)


def _check_policy(entry: Entry) -> None:
    """No account is below zero but by what a refund took back of points already spent."""
    state = entry.state
    assert state.total == state.lifetime.net
    assert all(lot.points > 0 for lot in (*state.lots, *state.expired))
    # The end of a hold takes nothing more from the lots, whatever has become owed since.
    if entry.effect.debits and entry.kind not in _TAKING_BACK:
        assert state.available >= 0, f"{entry.kind} left {state.available} points"
    if entry.effect.borrowed:
        assert entry.kind in _TAKING_BACK
    assert state.owed >= 0
    assert not (state.owed and state.lots), "owes points while it has some"


def _check_acks(run: Run, by_record: dict[str, Entry]) -> None:
    told: dict[str, set[Ack]] = defaultdict(set)
    for ack in run.acks:
        told[ack.request].add(ack)
    for request, answers in told.items():
        assert len(answers) == 1, f"{request} was answered in two ways"
        (ack,) = answers
        entry = by_record.get(ack.record)
        assert entry is not None, f"{request} was acknowledged and is lost"
        state = entry.state
        true = Ack(
            request=request,
            record=entry.record,
            member_id=entry.member_id,
            seq=entry.seq,
            points=entry.points,
            available=state.available,
            owed=state.owed,
            pending=sum(pending.points for pending in state.pending),
            tier=entry.tier,
        )
        assert ack == true


def _check_totals(run: Run, found: dict[str, list[Entry]]) -> None:
    """What is in the accounts is what the writers were told, and the welcome of the first entry: nothing else."""
    told = {ack.record: ack for ack in run.acks}
    for member_id, entries in found.items():
        moved = sum(ack.points for ack in told.values() if ack.member_id == member_id)
        assert entries[-1].state.total == entries[0].points + moved
        assert {entry.record for entry in entries[1:]} == {
            ack.record for ack in told.values() if ack.member_id == member_id
        }
