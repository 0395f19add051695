"""Tiers written down: at night where a date has moved them, by an admin where a new version of the programme has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app import app
from chalicelib.base import clock, facts
from chalicelib.ledger import auditing, nights
from chalicelib.ledger.chain import Entry, verify
from chalicelib.ledger.table import AccountItem, read_page, read_view
from chalicelib.members.retiering import retier_member
from chalicelib.members.sweeping import sweep_member
from chalicelib.program import service as programs
from tests import faults
from tests import programs as documents
from tests.api import night, shop
from tests.api.client import client

LADDER = {"member": 0, "silver": 1_000, "gold": 3_000, "diamond": 9_000}
LOWER = {"member": 0, "silver": 50, "gold": 500, "diamond": 9_000}
YEAR = {"window_months": 12, "keep_months": 12}


@pytest.fixture(autouse=True)
def programme() -> None:
    """A ladder of which nobody reaches anything with 100 yuan, and points that never expire."""
    publish(LADDER, clock.now() - 900)


def publish(thresholds: dict[str, int], now: int, **policy: Any) -> int:
    document = documents.document(
        tiers=documents.ladder(**thresholds), tier_policy={**YEAR, **policy}, expiry={"kind": "never"}
    )
    return programs.publish(document, by="tests", note="", now=now).version


def later(monkeypatch: pytest.MonkeyPatch, days: int) -> int:
    at = clock.now() + days * clock.DAY_S
    monkeypatch.setattr(clock, "now", lambda: at)
    return at


def entries(member_id: str) -> list[Entry]:
    found = read_page(member_id, after_seq=None, newest_first=False, limit=100)
    verify(found)
    return found


def told(member_id: str) -> list[tuple[str, str]]:
    return [(entry.kind, entry.tier) for entry in entries(member_id)]


def bought(yuan: int, number: int = 0) -> str:
    """A member who has bought for so much."""
    member_id = shop.enrol(f"member-{number}", phone=f"+861390013900{number}")
    shop.post_order(f"{number}-{yuan}", member_id=member_id, total_minor=yuan * 100)
    night.project(member_id)
    return member_id


def sweep() -> None:
    with night.queued() as queues:
        night.start()
        queues.run()


def administer(action: str, **event: Any) -> dict[str, Any]:
    answer = app.handler_map["administer_ledger"](json.loads(json.dumps({"action": action, **event})), None)
    found: dict[str, Any] = json.loads(json.dumps(answer))
    return found


def run(action: str, *, twice: bool = False, left_ms: int = 600_000, **event: Any) -> dict[str, Any]:
    """Begin a walk, let it come to its end, and ask what came of it."""
    with night.queued() as queues:
        begun = administer(action, **event)
        queues.run(twice=twice, left_ms=left_ms)
        return administer("retier_progress", run=begun["run"])


class TestTheSweep:
    def test_writes_down_a_tier_that_ends_by_date_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        member_id = bought(1_000)
        assert told(member_id)[-1] == (facts.ORDER, "silver")
        later(monkeypatch, 400)
        before = shop.account(member_id)
        sweep()
        entry = entries(member_id)[-1]
        assert (entry.kind, entry.tier, entry.points, entry.expired) == (facts.RETIERED, "member", 0, 0)
        assert shop.account(member_id) == before
        assert before["tier"]["code"] == "member"

    def test_shows_it_in_the_statement_the_view_and_the_audit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        member_id = bought(1_000)
        now = later(monkeypatch, 400)
        assert sweep_member(member_id, now=now)
        newest = client.get(f"/v1/members/{member_id}/entries", caller=shop.SHOP).json["entries"][0]
        assert (newest["kind"], newest["tier"], newest["points"]) == ("retiered", "member", 0)
        assert newest["title"] == "Membership level reviewed"
        night.project(member_id)
        view = read_view(member_id)
        assert view
        assert view.tier == "member"
        assert auditing.audit(member_id, view, now=now, consistent=True).findings == ()

    def test_writes_it_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        member_id = bought(1_000)
        later(monkeypatch, 400)
        for _night in range(3):
            sweep()
            night.project(member_id)
            later(monkeypatch, 1)
        assert [kind for kind, _tier in told(member_id)].count(facts.RETIERED) == 1

    def test_writes_nothing_while_the_tier_lasts_or_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        member_id = bought(1_000)
        later(monkeypatch, 300)
        shop.post_order("again", member_id=member_id, total_minor=1_000_00, occurred_at=clock.text(clock.now()))
        night.project(member_id)
        later(monkeypatch, 100)
        with faults.calls() as made:
            sweep()
        assert told(member_id)[-1] == (facts.ORDER, "silver")
        assert "TransactWriteItems" not in made

    def test_waits_for_the_end_of_the_grace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        member_id = bought(1_000)
        publish(LADDER, clock.now(), grace_days=60)
        later(monkeypatch, 400)
        assert not sweep_member(member_id, now=clock.now())
        later(monkeypatch, 90)
        assert sweep_member(member_id, now=clock.now())
        assert told(member_id)[-1] == (facts.RETIERED, "member")

    def test_tells_every_step_down(self, monkeypatch: pytest.MonkeyPatch) -> None:
        member_id = bought(9_000)
        publish(LADDER, clock.now(), downgrade="one_down")
        for _year in range(3):
            later(monkeypatch, 400)
            assert sweep_member(member_id, now=clock.now())
        assert [tier for kind, tier in told(member_id) if kind == facts.RETIERED] == ["gold", "silver", "member"]

    def test_leaves_what_a_new_version_has_moved(self, monkeypatch: pytest.MonkeyPatch) -> None:
        member_id = bought(100)
        publish(LOWER, clock.now())
        later(monkeypatch, 2)
        assert shop.account(member_id)["tier"]["code"] == "silver"
        assert not sweep_member(member_id, now=clock.now())

    def test_leaves_a_late_purchase_the_term_that_it_counts_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Bought on the last day of the term, and sent after the night of its end."""
        member_id = bought(1_000)
        until = clock.parse(shop.account(member_id)["tier"]["until"])
        later(monkeypatch, (until - clock.now()) // clock.DAY_S + 2)
        sweep()
        assert told(member_id)[-1] == (facts.RETIERED, "member")
        late = shop.order("late", member_id=member_id, total_minor=1_000_00, occurred_at=clock.text(until - 60))
        assert client.post("/v1/orders", json=late, caller=shop.SHOP).status == 201
        assert told(member_id)[-1] == (facts.ORDER, "silver")


class TestAPreview:
    def test_counts_who_would_move_and_writes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        members = [bought(100, number) for number in range(4)]
        bought(3_000, 5)
        publish(LOWER, clock.now())
        later(monkeypatch, 1)
        found = run("preview_retier")
        assert (found["is_done"], found["seen"], found["failed"], found["moved"]) == (True, 5, 0, 4)
        (move,) = found["moves"].items()
        assert (move[0], move[1]["members"], len(move[1]["examples"])) == ("member > silver", 4, 3)
        assert set(move[1]["examples"]) < set(members)
        assert told(members[0])[-1][0] == facts.ORDER

    def test_passes_over_an_item_of_the_view_that_shows_no_entry_yet(self) -> None:
        AccountItem("mem_of_another_area").update(actions=[AccountItem.pending.set(0)])
        found = run("preview_retier")
        assert (found["seen"], found["failed"], found["moved"]) == (1, 0, 0)

    def test_goes_by_a_version_that_is_to_start(self) -> None:
        bought(100)
        version = publish(LOWER, clock.now())
        assert run("preview_retier")["moved"] == 0
        assert run("preview_retier", version=version)["moves"]["member > silver"]["members"] == 1

    def test_of_a_version_that_is_not_there_is_refused(self) -> None:
        assert administer("preview_retier", version=9)["error"]["code"] == "version_not_found"


class TestARun:
    @pytest.fixture
    def members(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Members whom new thresholds lift: five to silver, one to gold, and one whom they leave."""
        found = [*(bought(100, number) for number in range(5)), bought(600, 5), bought(10, 6)]
        publish(LOWER, clock.now())
        later(monkeypatch, 1)
        return found

    def test_writes_one_entry_for_everybody_who_moves(self, members: list[str]) -> None:
        found = run("retier", by="li.wei")
        assert found["moved"] == 6
        assert {name: move["members"] for name, move in found["moves"].items()} == {
            "member > gold": 1,
            "member > silver": 5,
        }
        assert [told(member_id)[-1] for member_id in members] == [
            *([(facts.RETIERED, "silver")] * 5),
            (facts.RETIERED, "gold"),
            (facts.ORDER, "member"),
        ]
        entry = entries(members[0])[-1]
        assert (entry.points, entry.actor, entry.program) == (0, "admin:li.wei", 2)

    def test_changes_nothing_a_second_time(self, members: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        run("retier", by="li.wei")
        before = [told(member_id) for member_id in members]
        later(monkeypatch, 1)
        # The view may not have seen it yet, and the walk comes by again all the same.
        again = run("retier", by="li.wei", twice=True)
        assert again["moved"] == 0
        assert [told(member_id) for member_id in members] == before

    def test_goes_on_where_a_leg_ended(self, members: list[str]) -> None:
        found = run("retier", by="li.wei", twice=True, left_ms=0)
        assert (found["is_done"], found["seen"]) == (True, 7)
        assert sum(kind == facts.RETIERED for member_id in members for kind, _tier in told(member_id)) == 6

    def test_walks_a_leg_again_whose_worker_died(self, members: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        with night.queued(nightly_segments=1) as queues:
            administer("retier", by="li.wei")
            name, body = queues.messages.pop(0)
            with monkeypatch.context() as dying:
                dying.setattr(nights, "note", dead)
                assert night.deliver(name, body) == ["m0"]
            assert night.deliver(name, body) == []
        assert sum(kind == facts.RETIERED for member_id in members for kind, _tier in told(member_id)) == 6

    def test_keeps_what_it_gave_for_its_term(self, members: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """A later version asks for more, and takes nothing back that was written down."""
        lifted, merely_read = members[0], members[1]
        retier_member(lifted, actor="admin:li.wei", now=clock.now())
        assert shop.account(merely_read)["tier"]["code"] == "silver"
        publish(LADDER, clock.now())
        later(monkeypatch, 1)
        assert shop.account(lifted)["tier"]["code"] == "silver"
        assert shop.account(merely_read)["tier"]["code"] == "member"

    def test_leaves_accounts_that_were_merged(self, members: list[str]) -> None:
        client.post(f"/v1/members/{members[0]}/merge", json={"into": members[5]}, caller=shop.SHOP)
        before = told(members[0])
        night.project(members[0], members[5])
        run("retier", by="li.wei")
        assert told(members[0]) == before

    @pytest.mark.parametrize(
        "fault",
        [faults.lost_on_the_way, faults.committed_then_timed_out, faults.failing],
        ids=lambda fault: fault.__name__,
    )
    def test_writes_once_whatever_fails(self, members: list[str], fault: faults.Fault) -> None:
        with faults.calls(fault, operation="PutItem"):
            retier_member(members[0], actor="admin:li.wei", now=clock.now())
        assert retier_member(members[0], actor="admin:li.wei", now=clock.now()) is None
        assert [kind for kind, _tier in told(members[0])] == ["enrolled", "order", "retiered"]

    def test_begins_once_in_a_second(self) -> None:
        with night.queued():
            first, again = administer("retier", by="li.wei"), administer("retier", by="li.wei")
        assert (first["messages"], again) == (2, {**first, "messages": 0})

    def test_shows_how_far_it_is(self, members: list[str]) -> None:
        with night.queued(nightly_segments=1) as queues:
            begun = administer("retier", by="li.wei")
            assert administer("retier_progress", run=begun["run"])["is_done"] is False
            queues.run(left_ms=0)
            assert administer("retier_progress", run=begun["run"])["seen"] == len(members)

    def test_that_nobody_began_is_not_known(self) -> None:
        assert administer("retier_progress", run="retier@never")["error"]["code"] == "run_not_found"

    def test_is_set_off_by_somebody(self) -> None:
        assert administer("retier")["error"]["code"] == "invalid_request"


def dead(*_arguments: object, **_more: object) -> bool:
    raise RuntimeError("the worker died")
