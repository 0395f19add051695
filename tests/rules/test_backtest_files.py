"""How a backtest reads what was recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.program.document import default
from infra.backtest import files
from infra.backtest.recorded import Bought, Happened, Person, Spent, TakenBack, in_order
from infra.errors import InfraError
from tests.rules.test_backtest import NOON, back, bought

HEADS = "member,order_id,occurred_at,currency,total_minor"
MEMBER = (
    """{"member": "ann", "enrolled_at": "2026-01-02T00:00:00Z", "birthday": "1990-03-01", "tags": ["vip", "staff"]}"""
)


def test_the_demo_is_read_as_it_is_posted(tmp_path: Path) -> None:
    path = tmp_path / "cdnow.txt"
    path.write_text("00001 0001 19970101 1 11.77\n00002 0002 19970112 2 12.00\n", encoding="ascii")
    recorded = files.demo(path, datetime(2026, 11, 22, tzinfo=UTC))
    assert [purchase.order.total_minor for purchase in recorded.purchases] == [1177, 1200]


def test_rows_of_one_order_are_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "type,member,order_id,occurred_at,currency,total_minor,sku,category,quantity,amount_minor,points,event\n"
        ",ann,A1,2026-03-10 12:00,CNY,9000,oolong,tea,2,5000,\n"
        ",ann,A1,,,,cup,home,1,4000,\n"
        "refund,,A1,2026-03-11T12:00:00Z,,,,,,3000,\n"
        "redemption,ann,,2026-03-12,,,,,,,70\n"
        "cancel,,A1,2026-03-13,,,,,,,\n"
        "event,ann,,2026-03-14,,,,,,,,check_in\n",
        encoding="utf-8",
    )
    recorded = files.read(path, default().zone)
    enrolled, purchase, refund, spent, cancelled, happened = recorded.facts
    assert isinstance(purchase, Bought)
    assert enrolled.posted_at == purchase.posted_at == clock.parse("2026-03-10T04:00:00Z")
    assert [line.category for line in purchase.order.lines] == ["tea", "home"]
    assert refund == TakenBack("A1", NOON + 32 * 3600, NOON + 32 * 3600, (), 3000)
    assert isinstance(spent, Spent)
    assert spent.points == 70
    assert cancelled == TakenBack("A1", cancelled.posted_at, cancelled.posted_at)
    assert isinstance(happened, Happened)
    assert (happened.member, happened.event.type) == ("ann", "check_in")


def test_messages_of_the_intake_queue_are_read_as_they_are(tmp_path: Path) -> None:
    order = {
        "source": "pos",
        "order_id": "7",
        "identity": {"phone": "+8613800138000"},
        "occurred_at": "2026-03-10T12:00:00+08:00",
        "currency": "CNY",
        "total_minor": 100,
    }
    refund = {"refund_id": "r", "occurred_at": "2026-03-11T12:00:00Z", "amount_minor": 40}
    messages: list[dict[str, Any]] = [
        {"type": "order", "order": order},
        {"type": "refund", "source": "pos", "order_id": "7", "refund": refund},
        {"type": "cancel", "source": "pos", "order_id": "7", "cancel": {"occurred_at": "2026-03-12T12:00:00Z"}},
    ]
    path = tmp_path / "orders.jsonl"
    path.write_text("\n".join(msgspec.json.encode(message).decode() for message in messages), encoding="utf-8")
    _enrolled, purchase, part, rest = files.read(path, default().zone).facts
    assert isinstance(purchase, Bought)
    assert purchase.posted_at == NOON
    # Nobody's phone number stands on a page that is shown around.
    assert "13800138000" not in purchase.member
    assert (part, rest) == (back("pos/7", 32 / 24, 40), back("pos/7", 56 / 24))


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        (
            "a.csv",
            "member,order_id,occurred_at,currency,total_minor\nann,1,2026-03-10,CNY,-1\n",
            "the last purchase",
        ),
        ("a.csv", "type,member\nbought,ann\n", "line 2"),
        ("a.csv", "type,occurred_at\nbought,2026-03-10\n", "bought is no type"),
        ("a.jsonl", '{"type": "order"}\n', "line 1"),
        ("a.jsonl", "\n{\n", "line 2"),
    ],
)
def test_say_which_line_is_wrong(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InfraError, match=complaint):
        files.read(path, default().zone)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.csv", "member,enrolled_at,birthday,tags\nann,2026-01-02,1990-03-01,vip; staff\n"),
        ("m.jsonl", MEMBER),
    ],
)
def test_members_come_from_a_file_of_their_own(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    recorded = files.with_members(in_order("tests", [bought()]), path)
    enrolled_at = clock.parse("2026-01-02T00:00:00Z")
    assert recorded.people["ann"] == Person(enrolled_at, "1990-03-01", ("vip", "staff"))
    assert recorded.facts[0].posted_at == enrolled_at


def test_a_purchase_that_stands_twice_counts_once() -> None:
    assert list(in_order("tests", [bought(), bought(), bought("2")]).purchases) == [bought(), bought("2")]
    with pytest.raises(InfraError, match="the purchase 1 stands twice"):
        in_order("tests", [bought(), bought(total_minor=1)])
