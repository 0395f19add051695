"""Members who enrol, buy, send back, redeem and answer as real ones do, by the engine itself, whatever the clock says.

How often they buy and whether they stop is MBG/NBD, what they pay Gamma-Gamma; what else they do goes by shares of
their orders, which are those of the cost model.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final, Self
from unittest import mock

import msgspec
import numpy as np

from chalicelib.base import clock
from chalicelib.ledger import projector
from chalicelib.ledger.table import read_tail
from chalicelib.members import enrolling
from chalicelib.members.schema import ExternalIn, MemberIn
from chalicelib.orders import refunds
from chalicelib.orders import service as orders
from chalicelib.orders.schema import OrderIn, RefundIn
from chalicelib.rewards import service as rewards
from chalicelib.rewards.schema import RedemptionIn
from infra.cost_model import Load
from tests.api import polls
from tests.api.client import client

HISTORY_DAYS: Final = 365
_ACTOR: Final = "system:bench"
_SHOP: Final = Load(members=0, orders=0)
_NEVER_BUY, _DISCOUNTED, _ANSWER = 0.10, 0.15, 0.02
_REDEEM_POINTS: Final = 100
_OPENS_S, _OPEN_S = 8 * 3600, 13 * 3600
_WEEK_DAYS: Final = 7.0
_BACK_DAYS: Final = 14


class Programme(msgspec.Struct, frozen=True):
    """A kind of shop: MBG/NBD's parameters in weeks, Gamma-Gamma's, and where both come from."""

    name: str
    buying: tuple[float, float, float, float]
    spending: tuple[float, float, float]
    source: str


CDNOW: Final = Programme("CDNOW", (0.689, 9.889, 0.492, 0.859), (5.09, 4.00, 21.3), "fit to all 23,570 customers")
MONTHLY: Final = Programme("once a month", (1.4, 3.9, 0.3, 8.0), (5.09, 4.00, 21.3), "the cost model's orders")
JOURNEY: Final = Programme(
    "Complete Journey", (1.422, 1.399, 0.0904, 104.5), (0.448, 3.865, 240.7), "fit to its 2,469 households"
)


class _Visit(msgspec.Struct, frozen=True, order=True):
    at: int
    number: int
    what: str
    member: int
    amount_minor: int = 0
    order_id: str = ""


class Clock:
    """The time, in place of the machine's."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __enter__(self) -> Self:
        """From here on the engine asks this clock."""
        self._patch = mock.patch.object(clock, "now", self._read)
        self._patch.start()
        return self

    def _read(self) -> int:
        return self.now

    def __exit__(self, *_reason: object) -> None:
        """The machine's time again."""
        self._patch.stop()


class Crowd:
    """As many members as there are after a year, from `begin` on, and those who join later.

    `counts` are what they have done so far, by name.
    """

    def __init__(self, programme: Programme, count: int, begin: int, days: int, seed: int = 1) -> None:
        self.names: dict[int, str] = {}
        self.counts: dict[str, int] = {}
        self._random = np.random.default_rng(seed)
        self._numbers = itertools.count()
        self._coming: list[_Visit] = []
        self._survey = ""
        self._end = begin + days * clock.DAY_S
        joining = _SHOP.enrolments / 30
        joined = list(self._random.integers(0, HISTORY_DAYS, count))
        for day in range(HISTORY_DAYS, days):
            joined += [day] * self._random.poisson(joining * count)
        for member, day in enumerate(joined):
            for visit in self._life(programme, member, begin, int(day)):
                heapq.heappush(self._coming, visit)

    def live(self, clock_: Clock, until: int) -> int:
        """Let everybody do what they do until an instant; gives how much that was."""
        done = 0
        while self._coming and self._coming[0].at < until:
            visit = heapq.heappop(self._coming)
            clock_.now = visit.at
            done += self._do(visit)
        clock_.now = until
        return done

    @property
    def waiting(self) -> int:
        """How many visits are still to come."""
        return len(self._coming)

    def _life(self, programme: Programme, member: int, begin: int, joined: int) -> Iterator[_Visit]:
        """A member's enrolment and purchases."""
        random, (r, alpha, a, b), (p, q, gamma) = self._random, programme.buying, programme.spending
        rate, stop, scale = random.gamma(r, 1 / alpha), random.beta(a, b), random.gamma(q, 1 / gamma)
        at = begin + joined * clock.DAY_S + _OPENS_S + int(random.integers(0, _OPEN_S))
        yield _Visit(at, next(self._numbers), "enrol", member)
        if random.random() < _NEVER_BUY:
            return
        at += 60
        while at < self._end:
            amount_minor = max(int(100 * random.gamma(p, 1 / scale)), 100)
            yield _Visit(at, next(self._numbers), "buy", member, amount_minor)
            if random.random() < stop:
                return
            wait_s = random.exponential(1 / rate) * _WEEK_DAYS * clock.DAY_S
            days = (at - begin + min(wait_s, float(self._end))) // clock.DAY_S
            open_at = begin + int(days) * clock.DAY_S + _OPENS_S + int(random.integers(0, _OPEN_S))
            at = max(open_at, at + 60)

    def _do(self, visit: _Visit) -> bool:
        did = getattr(self, f"_{visit.what}")(visit)
        self.counts[visit.what] = self.counts.get(visit.what, 0) + did
        return bool(did)

    def _enrol(self, visit: _Visit) -> bool:
        external = (ExternalIn(source="bench", id=str(visit.member)),)
        body = MemberIn(external=external, phone=f"+86139{visit.member:08d}")
        key = str(visit.member)
        made = enrolling.enrol(body, client_id="bench", key=key, actor=_ACTOR, now=visit.at)
        self.names[visit.member] = made.member_id
        projector.rebuild(made.member_id)
        return True

    def _buy(self, visit: _Visit) -> bool:
        random, name = self._random, self.names[visit.member]
        discount = {"discount_minor": visit.amount_minor // 9} if random.random() < _DISCOUNTED else {}
        gross = visit.amount_minor + sum(discount.values())
        lines = [{"sku": f"sku-{visit.number}", "category": "music", "quantity": 1, "amount_minor": gross}]
        body: dict[str, Any] = {
            "source": "bench",
            "order_id": str(visit.number),
            "member_id": name,
            "channel": "web",
            "occurred_at": clock.text(visit.at),
            "currency": "CNY",
            "total_minor": visit.amount_minor,
            "lines": lines,
            "payments": [{"type": "card", "amount_minor": visit.amount_minor}],
            **discount,
        }
        posted = orders.post_order(msgspec.convert(body, OrderIn), actor=_ACTOR, now=visit.at)
        self._show(posted)
        if random.random() < _SHOP.refunds:
            self._later(visit, "refund", visit.amount_minor // 2, posted.record.order_id)
        if random.random() < _SHOP.redemptions:
            self._later(visit, "redeem")
        if random.random() < _ANSWER:
            self._later(visit, "answer")
        return True

    def _later(self, visit: _Visit, what: str, amount_minor: int = 0, order_id: str = "") -> None:
        at = visit.at + int(self._random.integers(3600, _BACK_DAYS * clock.DAY_S))
        heapq.heappush(self._coming, _Visit(at, next(self._numbers), what, visit.member, amount_minor, order_id))

    def _refund(self, visit: _Visit) -> bool:
        back = {"refund_id": "1", "occurred_at": clock.text(visit.at), "amount_minor": visit.amount_minor}
        request = msgspec.convert(back, RefundIn)
        self._show(refunds.refund(visit.order_id, request, actor=_ACTOR, now=visit.at))
        return True

    def _redeem(self, visit: _Visit) -> bool:
        name = self.names[visit.member]
        tail = read_tail(name, consistent=True)
        if tail is None or tail.state.available < _REDEEM_POINTS:
            return False
        request = RedemptionIn(points=_REDEEM_POINTS, currency="CNY")
        self._show(rewards.redeem(name, request, key=str(visit.number), actor=_ACTOR, now=visit.at))
        return True

    def _answer(self, visit: _Visit) -> bool:
        self._survey = self._survey or polls.opened("bench")
        said = {"recommend": {"number": int(self._random.integers(5, 11))}}
        named = {"external": {"source": "bench", "id": str(visit.member)}}
        path = f"/v1/surveys/{self._survey}/responses"
        answer = client.post(path, json={"answers": said, "identity": named}, caller=polls.AGENT)
        # Whoever has answered before is told so, and counts no more.
        assert answer.status in {HTTPStatus.CREATED, HTTPStatus.OK, HTTPStatus.CONFLICT}, answer.text
        projector.rebuild(self.names[visit.member])
        return answer.status == HTTPStatus.CREATED

    @staticmethod
    def _show(posted: Any) -> None:
        """The view, as the stream would keep it."""
        assert posted.entry
        projector.project(posted.entry)
