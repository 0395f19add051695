"""Compensation: within the limits for a case in all, by one person or by two, and committed with the case."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.ledger import auditing, projector
from chalicelib.ledger.posting import peek
from chalicelib.ledger.table import read_chain, read_view
from tests.api import desk, shop
from tests.api import voucher_shop as vouchers
from tests.api.client import Response, client, staff
from tests.api.desk import AGENT, BOSS, LI, WANG, give, step
from tests.programs import texts

LIMITS = {"handler_points": 500, "points_max": 2_000}


@pytest.fixture
def member_id() -> str:
    """A member without points, and a policy with these limits."""
    desk.publish(compensation=LIMITS)
    return shop.enrol()


@pytest.fixture
def case_id(member_id: str) -> str:
    """A case of the member that Li has."""
    return desk.taken(desk.opened(member_id=member_id))


def points_of(member_id: str) -> int:
    return peek(member_id, now=clock.now(), consistent=True).state.available


def decide(case_id: str, given: Response, how: str = "approve", caller: Any = BOSS, **body: Any) -> Response:
    compensation_id = given.json["compensation"]["id"]
    return client.post(f"/v1/cases/{case_id}/compensations/{compensation_id}/{how}", json=body, caller=caller)


def status(answer: Response) -> tuple[int, str]:
    return answer.status, answer.json["compensation"]["status"] if answer.status < 400 else answer.code


def test_within_the_handler_s_limit_points_are_given_at_once(case_id: str, member_id: str) -> None:
    given = give(case_id, points=500)
    assert status(given) == (201, "given")
    assert points_of(member_id) == 500
    entry = list(read_chain(member_id, consistent=True))[-1]

    assert (entry.kind, entry.points, entry.actor) == ("case_compensated", 500, "staff:li")
    projector.rebuild(member_id)
    assert auditing.audit(member_id, read_view(member_id), now=clock.now(), consistent=True).findings == ()
    account = client.get(f"/v1/members/{member_id}/account", caller=AGENT).json
    assert account["lifetime"]["adjusted"] == 500
    assert account["lots"][0]["expires_at"] is not None
    assert desk.work(case_id)["steps"][-1]["text"] == "The seal was broken."
    shown = client.get(f"/v1/members/{member_id}/entries", caller=AGENT).text
    assert "With our apologies" in shown
    assert "seal" not in shown


def test_the_handler_s_limit_is_for_the_case_in_all(case_id: str, member_id: str) -> None:
    assert [status(give(case_id, points=points)) for points in (300, 200, 1)] == [
        (201, "given"),
        (201, "given"),
        (201, "waiting"),
    ]
    assert status(give(case_id, WANG, points=1)) == (201, "waiting")
    assert points_of(member_id) == 500


def test_above_the_limit_another_person_must_approve(case_id: str, member_id: str) -> None:
    asked = give(case_id, points=1_000)
    assert status(asked) == (201, "waiting")
    assert points_of(member_id) == 0
    own = decide(case_id, asked, caller=staff("cases.approve", subject="li"))
    assert (own.status, own.code) == (403, "compensation_own")
    assert decide(case_id, asked, caller=LI).code == "scope_missing"

    assert status(decide(case_id, asked)) == (200, "given")
    assert status(decide(case_id, asked)) == (200, "given")
    assert points_of(member_id) == 1_000
    assert desk.kinds(member_id).count("case_compensated") == 1
    found = desk.work(case_id)["compensations"][0]
    assert (found["asked_by"], found["decided_by"]) == ("staff:li", "staff:boss")
    assert decide(case_id, asked, "refuse").code == "compensation_decided"
    assert decide(case_id, asked, caller=staff("cases.approve", subject="chief")).code == "compensation_decided"


def test_what_is_refused_is_not_given_and_frees_its_part_of_the_limit(case_id: str, member_id: str) -> None:
    asked = give(case_id, points=2_000)
    assert give(case_id, points=1).code == "compensation_limit_exceeded"
    assert status(decide(case_id, asked, "refuse", note="Too much.")) == (200, "refused")
    assert decide(case_id, asked).code == "compensation_decided"
    assert status(give(case_id, points=500)) == (201, "given")
    assert points_of(member_id) == 500


def test_nothing_is_given_above_the_most(case_id: str) -> None:
    refused = give(case_id, points=2_001)
    assert (refused.status, refused.code) == (409, "compensation_limit_exceeded")
    assert desk.work(case_id)["compensations"] == []


def test_a_machine_approves_nothing(case_id: str) -> None:
    asked = give(case_id, points=1_000)
    assert decide(case_id, asked, caller=AGENT).code == "caller_not_allowed"


def test_a_compensation_sent_again_is_given_once(case_id: str, member_id: str) -> None:
    first, again = (give(case_id, key="one", points=100) for _ in range(2))
    assert (status(first), status(again)) == ((201, "given"), (200, "given"))
    assert first.json["compensation"] == again.json["compensation"]
    assert points_of(member_id) == 100
    assert give(case_id, key="one", points=200).code == "key_reused"
    # The key of one person is not another's.
    assert status(give(case_id, WANG, key="one", points=100)) == (201, "given")


def test_two_handlers_who_compensate_at_once_stay_within_the_limit(
    case_id: str, member_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs: list[Response] = []
    desk.overtake(monkeypatch, "compensating", lambda: theirs.append(give(case_id, WANG, points=400)))
    assert status(give(case_id, points=400)) == (201, "waiting")
    assert [status(each) for each in theirs] == [(201, "given")]
    assert points_of(member_id) == 400


def test_a_case_without_a_member_is_not_compensated() -> None:
    desk.publish(compensation=LIMITS)
    refused = give(desk.taken(desk.opened()), points=10)
    assert (refused.status, refused.code) == (409, "case_without_member")


@pytest.mark.parametrize("moves", [(), ("analyse", "resolve"), ("analyse", "resolve", "verify")])
def test_compensation_is_given_while_somebody_sees_to_the_case(member_id: str, moves: tuple[str, ...]) -> None:
    case_id = desk.opened(member_id=member_id)
    if moves:
        desk.taken(case_id, *moves)
    assert give(case_id, points=10).code == "case_state_forbids"


def test_a_case_is_not_resolved_while_a_compensation_waits(case_id: str) -> None:
    asked = give(case_id, points=1_000)
    step(case_id, "analyse")
    assert step(case_id, "resolve").code == "compensation_waiting"
    decide(case_id, asked, "refuse")
    assert step(case_id, "resolve").status == 200


@pytest.mark.parametrize(
    "body", [{}, {"points": 0}, {"points": -5}, {"points": 1, "voucher_batch_id": "vbt_" + "a" * 26}, {"points": 1.5}]
)
def test_either_points_or_a_voucher_is_given(case_id: str, body: dict[str, Any]) -> None:
    assert give(case_id, **body).status == 400


def test_a_voucher_of_the_policy_is_given_once_for_a_case() -> None:
    batch, other = vouchers.make(), vouchers.make()
    desk.publish(compensation={**LIMITS, "vouchers": [{"batch_id": batch, "title": texts("A tenth off")}]})
    member_id = shop.enrol()
    case_id = desk.taken(desk.opened(member_id=member_id))

    assert give(case_id, voucher_batch_id=other).code == "compensation_voucher_unknown"
    assert status(give(case_id, voucher_batch_id=batch)) == (201, "given")
    assert give(case_id, voucher_batch_id=batch).code == "compensation_voucher_given"
    held = client.get(f"/v1/members/{member_id}/vouchers", caller=vouchers.TILL).json["vouchers"]
    assert [each["status"] for each in held] == ["open"]
    assert vouchers.redeem(held[0]["code"], member_id=member_id).status == 201
    assert desk.kinds(member_id) == ["case_opened", "case_compensated"]


def test_a_voucher_that_needs_approval_is_issued_when_it_is_approved() -> None:
    batch = vouchers.make()
    offered = {"batch_id": batch, "title": texts("A tenth off"), "needs_approval": True}
    desk.publish(compensation={**LIMITS, "vouchers": [offered]})
    member_id = shop.enrol()
    case_id = desk.taken(desk.opened(member_id=member_id))
    asked = give(case_id, voucher_batch_id=batch)
    path = f"/v1/members/{member_id}/vouchers"

    assert (status(asked), client.get(path, caller=vouchers.TILL).json["vouchers"]) == ((201, "waiting"), [])
    assert status(decide(case_id, asked)) == (200, "given")
    assert len(client.get(path, caller=vouchers.TILL).json["vouchers"]) == 1


def test_a_batch_that_has_ended_gives_no_voucher() -> None:
    ended = vouchers.make(validity={"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-02-01T00:00:00Z"})
    desk.publish(compensation={**LIMITS, "vouchers": [{"batch_id": ended, "title": texts("Old")}]})
    case_id = desk.taken(desk.opened(member_id=shop.enrol()))
    assert give(case_id, voucher_batch_id=ended).code == "compensation_voucher_ended"
    assert desk.work(case_id)["compensations"] == []


def test_the_member_sees_what_was_given_and_not_what_waits(case_id: str) -> None:
    give(case_id, points=100)
    give(case_id, points=1_000)
    assert [each["points"] for each in desk.read(case_id)["compensations"]] == [100]


def test_a_debt_is_repaid_first(member_id: str) -> None:
    order = shop.post_order(member_id=member_id, total_minor=100_00).json["order"]["id"]
    shop.redeem(member_id, points_of(member_id))
    shop.refund(order, amount_minor=100_00)
    owed = peek(member_id, now=clock.now(), consistent=True).state.owed
    assert owed == 100
    case_id = desk.taken(desk.opened(member_id=member_id))
    give(case_id, points=150)
    assert points_of(member_id) == 50


def test_an_unknown_compensation_is_not_there(case_id: str) -> None:
    path = f"/v1/cases/{case_id}/compensations/cmp_{'a' * 26}/approve"
    assert client.post(path, json={}, caller=BOSS).code == "compensation_not_found"
