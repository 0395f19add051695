"""Bad inputs and faults of the list in docs/proof.md that no other test names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.ledger import state
from chalicelib.program import service as programs
from chalicelib.program.validation import InvalidProgram
from tests import programs as documents
from tests.api import shop
from tests.api.client import Response, client
from tests.api.shop import SHOP
from tests.proof.store import in_memory

LARGEST_MINOR = 10**12


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    with in_memory():
        yield


@pytest.fixture
def member_id() -> str:
    return shop.enrol()


def send(member_id: str, number: str, total: str) -> Response:
    """An order whose total stands in the body as it is written here."""
    text = (
        f'{{"source": "shop", "order_id": "{number}", "occurred_at": "{shop.moment()}", "currency": "CNY", '
        f'"member_id": "{member_id}", "total_minor": {total}}}'
    )
    return client.post("/v1/orders", body=text, headers={"Content-Type": "application/json"}, caller=SHOP)


@pytest.mark.parametrize(
    "total", ["-1", "1.5", "1.0", "1e3", '"10"', "true", "null", "NaN", "Infinity", "-Infinity", "0x10", "9" * 39]
)
def test_an_amount_is_a_whole_number_that_can_be(member_id: str, total: str) -> None:
    assert send(member_id, "1", total).status == 400
    assert shop.available(member_id) == 100


def test_of_a_member_named_twice_in_a_body_the_last_counts_and_a_replay_is_one_by_its_meaning(member_id: str) -> None:
    first = send(member_id, "1", '5000, "total_minor": 10000')
    again = send(member_id, "1", "10000")
    assert (first.status, again.status, again.json) == (201, 200, first.json)
    assert shop.available(member_id) == 200


def test_the_largest_order_at_the_highest_rate_earns_points_that_every_reader_keeps_exact(member_id: str) -> None:
    programs.publish(
        documents.document(currencies={"CNY": {"points": 90, "per_minor": 1}}), by="t", now=clock.now() - 9
    )
    answer = shop.post_order(member_id=member_id, total_minor=LARGEST_MINOR, occurred_at=clock.text(clock.now()))
    assert answer.json["entry"]["points"] == 90 * LARGEST_MINOR < 2**53


def test_a_rate_that_could_bring_more_is_refused() -> None:
    with pytest.raises(InvalidProgram, match=r"currencies\.CNY: At most 90 points"):
        documents.program(currencies={"CNY": {"points": 91, "per_minor": 1}})


def test_a_key_used_for_one_operation_or_member_means_nothing_to_another(member_id: str) -> None:
    other = shop.enrol("other", phone="+8613900139000")
    body: dict[str, Any] = {"points": 100, "reason": "goodwill"}
    for whose in (member_id, other):
        answer = client.post(f"/v1/members/{whose}/adjustments", json=body, caller=SHOP, key="key")
        assert answer.status == 201
        assert shop.redeem(whose, 100, "key").status == 201


def test_a_refund_id_means_nothing_to_another_order(member_id: str) -> None:
    orders = [shop.post_order(number, member_id=member_id).json["order"]["id"] for number in ("1", "2")]
    refunds = {shop.refund(order_id, "r1", amount_minor=10_00).json["refund"]["id"] for order_id in orders}
    assert len(refunds) == 2
    assert shop.available(member_id) == 280


def test_a_state_at_all_its_bounds_fits_an_item_many_times_over() -> None:
    lots = tuple(state.Lot(state.NEVER - number, 10**9) for number in range(state.LOTS_MAX))
    full = state.State(
        lots=lots,
        pending=tuple(state.Pending(lot.expires_at, state.NEVER, 10**9) for lot in (*lots, *lots[:2])),
        expired=lots[: state.EXPIRED_MAX],
        holds=tuple(state.Hold(f"red_{number:026d}", state.NEVER, lots) for number in range(state.HOLDS_MAX)),
        months=tuple(state.Month(24_000 + number, 10**9, 10**14, 10**6) for number in range(state.MONTHS_MAX)),
    )
    assert len(full.pending) == state.PENDING_MAX
    assert len(state.pack(full)) < 400_000 // 20
