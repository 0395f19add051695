"""Sixteen writers over a handful of members, each request sent twice by different threads."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from chalicelib.base import clock, ids
from chalicelib.base.errors import Refusal, Unavailable
from chalicelib.ledger.posting import Posted
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
    """Let 16 threads play every story of `rounds`, in no order."""
    chance = random.Random(seed)  # noqa: S311 -- no secret
    stories = [story for number in range(rounds) for story in _stories(number, chance.choice(members))]
    chance.shuffle(stories)
    return play(stories, seed=seed)


def play(stories: Sequence[Story], *, seed: int = 1) -> Run:
    """Let 16 threads play every story twice, half of them one copy and half of them the other.

    The copies are shuffled a little against each other, so that some meet at the same moment and some come late.
    """
    chance = random.Random(seed)  # noqa: S311 -- no secret
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
