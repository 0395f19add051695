"""Real threads at birthdays and at vouchers of rules: each gift once, and what is issued is what is recorded."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.base.errors import Refusal
from chalicelib.engagement import birthdays
from chalicelib.ledger import auditing
from chalicelib.ledger.table import read_chain, read_view
from chalicelib.members import enrolling, uniting
from chalicelib.members.schema import MemberIn, MergeIn
from chalicelib.orders import refunds, service
from chalicelib.orders.schema import CancelIn, OrderIn
from chalicelib.program import service as programs
from chalicelib.vouchers import batches, document
from chalicelib.vouchers import service as vouchers
from infra.local.aws import LocalAws
from tests.campaigns import campaign
from tests.local_engine import engine_on
from tests.programs import document as programme
from tests.programs import texts

_WRITERS = 16
_DAY = date(2026, 5, 17)


@pytest.fixture(autouse=True)
def engine(tmp_path: Path) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path)):
        yield


@pytest.fixture
def batch() -> str:
    found = document.read({"title": texts("Mug"), "kind": "single", "effect": {"type": "gift", "sku": "mug"}})
    return str(batches.create(found, key="threads", actor="system:threads", now=clock.now()).record.key)


def enrol(name: str) -> str:
    body = msgspec.convert({"mail": f"{name}@example.com", "birthday": "1990-05-17"}, MemberIn)
    enrolled = enrolling.enrol(body, client_id="threads", key=name, actor="system:threads", now=clock.now())
    return enrolled.member_id


def publish(**changes: object) -> None:
    programs.publish(programme(**changes), by="threads", now=clock.now() - clock.DAY_S)
    programs.reset_cache()


def given(member_id: str) -> str:
    """What came of giving one, which comes again while the engine is busy, as the next run would."""
    for _attempt in range(20):
        try:
            return "given" if birthdays.give(member_id, _DAY, now=clock.now()) else "had"
        except Refusal as refusal:
            if refusal.reason_code != "busy":
                return refusal.reason_code
    return "given up"


def gifts(*member_ids: str) -> int:
    chains = [read_chain(member_id, consistent=True) for member_id in member_ids]
    return sum(item.kind == "birthday_gift" for chain in chains for item in chain)


def sound(member_id: str) -> bool:
    return not auditing.audit(member_id, read_view(member_id), now=clock.now(), consistent=True).findings


def held(*member_ids: str) -> int:
    return len(vouchers.held_by(*member_ids, after=None, limit=100, now=clock.now()))


def test_sixteen_writers_give_every_member_one_gift_and_one_voucher(batch: str) -> None:
    publish(birthday={"gifts": [{"code": "mug", "title": texts("Mug"), "points": 5, "voucher_batch_id": batch}]})
    members = [enrol(f"born-{number}") for number in range(4)]
    asked = [member for member in members for _copy in range(16)]
    random.Random(5).shuffle(asked)  # noqa: S311 -- an order of arrival, not a secret

    with ThreadPoolExecutor(_WRITERS) as threads:
        said = Counter(threads.map(given, asked))

    assert said == {"given": 4, "had": 60}
    assert ([gifts(member) for member in members], [held(member) for member in members]) == ([1] * 4, [1] * 4)
    assert batches.tally(batch).issued == 4
    assert all(sound(member) for member in members)


def test_a_merge_amid_the_gifts_leaves_the_two_with_at_most_one_after_it() -> None:
    """Both may have had theirs before they were one; whoever comes after the merge gets no second one."""
    publish(birthday={"gifts": [{"code": "cake", "title": texts("Cake"), "points": 5}]})
    for number in range(4):
        first, second = enrol(f"first-{number}"), enrol(f"second-{number}")

        def merge(pair: tuple[str, str] = (first, second)) -> str:
            body = MergeIn(into=pair[1])
            uniting.merge(pair[0], body, actor="staff:threads", now=clock.now())
            return "merged"

        with ThreadPoolExecutor(_WRITERS) as threads:
            results = [threads.submit(given, who) for who in (first, second) * 3]
            results.append(threads.submit(merge))
            said = Counter(result.result() for result in results)

        assert said["merged"] == 1
        assert said["given"] == gifts(first, second) <= 2
        after = gifts(first, second)
        assert (given(first), given(second), gifts(first, second)) == ("had", "had", after)


def test_orders_and_cancellations_at_once_leave_a_voucher_for_every_order_that_stands(batch: str) -> None:
    rule = {"kind": "voucher", "code": "mug", "title": texts("Mug"), "voucher_batch_id": batch}
    publish(campaigns=[campaign(rules=[rule], budget={"awards": 10, "shards": 2})])
    member_id = enrol("buyer")

    def buy(number: int) -> tuple[str, bool]:
        body = {"source": "threads", "order_id": str(number // 2), "member_id": member_id, "total_minor": 100_00}
        body |= {"currency": "CNY", "occurred_at": clock.text(clock.now() - 60)}
        order_id = service.order_id_of("threads", str(number // 2))
        for _attempt in range(20):
            try:
                service.post_order(msgspec.convert(body, OrderIn), actor="system:threads", now=clock.now())
                break
            except Refusal:
                continue
        return order_id, number // 2 % 2 == 0

    def cancel(order_id: str) -> None:
        body = msgspec.convert({"occurred_at": clock.text(clock.now())}, CancelIn)
        for _attempt in range(20):
            try:
                refunds.cancel(order_id, body, actor="system:threads", now=clock.now())
                break
            except Refusal:
                continue

    with ThreadPoolExecutor(_WRITERS) as threads:
        orders = dict(threads.map(buy, range(16)))
        list(threads.map(cancel, [order_id for order_id, goes in orders.items() if goes] * 2))

    assert (len(orders), held(member_id), batches.tally(batch).issued) == (8, 4, 8)
    assert sound(member_id)
