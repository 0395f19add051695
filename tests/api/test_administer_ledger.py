"""What an admin does about single accounts from the console."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app import app
from chalicelib.base import clock, facts
from chalicelib.ledger import chain
from chalicelib.ledger.auditing import audit
from chalicelib.ledger.table import AccountItem, EntryItem, read_page, read_view
from tests.api import night, shop


@pytest.fixture
def member_id() -> str:
    found = shop.enrol()
    shop.post_order(member_id=found)
    night.project(found)
    return found


def asked(action: str, **event: Any) -> dict[str, Any]:
    """The console sends JSON and shows JSON."""
    answer = app.handler_map["administer_ledger"](json.loads(json.dumps({"action": action, **event})), None)
    found: dict[str, Any] = json.loads(json.dumps(answer))
    return found


def repair(member_id: str, **changes: Any) -> dict[str, Any]:
    body = {
        "points": -30,
        "reason": "wrong_points",
        "repair_id": "case 7",
        "by": "li.wei",
        "note": "the till was wrong",
    }
    return asked("repair", member_id=member_id, **{**body, **changes})


def test_help_says_what_can_be_asked_for() -> None:
    assert set(asked("help")["actions"]) == {
        "audit_member",
        "repair",
        "rebuild_member",
        "preview_retier",
        "retier",
        "retier_progress",
    }


class TestAnAudit:
    def test_of_a_member_says_how_many_entries_and_which_head(self, member_id: str) -> None:
        tail = read_page(member_id, after_seq=None, newest_first=True, limit=1)[0]
        assert asked("audit_member", member_id=member_id) == {
            "member_id": member_id,
            "entries": 2,
            "head": chain.entry_hash(tail).hex(),
            "mismatches": [],
        }

    def test_of_a_member_names_what_is_wrong(self, member_id: str) -> None:
        EntryItem.get(member_id, 2).update(actions=[EntryItem.points.set(7)])
        (mismatch,) = asked("audit_member", member_id=member_id)["mismatches"][:1]
        assert mismatch["seq"] == 2

    @pytest.mark.parametrize("action", ["audit_member", "rebuild_member"])
    def test_of_nobody_is_refused(self, action: str) -> None:
        assert asked(action, member_id="mem_nobody")["error"]["code"] == "member_not_found"


class TestARepair:
    def test_is_a_new_entry_with_its_reason_and_who_made_it(self, member_id: str) -> None:
        answer = repair(member_id)
        assert (answer["entry"]["kind"], answer["entry"]["points"], answer["repeated"]) == (facts.REPAIRED, -30, False)
        assert answer["account"]["available"] == shop.available(member_id) == 170
        (entry,) = read_page(member_id, after_seq=2, newest_first=False, limit=5)
        assert (entry.reason, entry.actor) == ("wrong_points", "admin:li.wei")

    def test_happens_once_for_its_id(self, member_id: str) -> None:
        first, again = repair(member_id), repair(member_id)
        assert again == {**first, "repeated": True}
        assert repair(member_id, points=-31)["error"]["code"] == "key_reused"
        assert repair(member_id, repair_id="case 8", points=30)["account"]["available"] == 200

    def test_leaves_the_chain_and_its_records_in_order(self, member_id: str) -> None:
        repair(member_id)
        assert audit(member_id, read_view(member_id), now=clock.now()).findings == ()

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"points": 0}, "points_invalid"),
            ({"points": -1000}, "insufficient_points"),
            ({"reason": "because"}, "invalid_request"),
            ({"by": " "}, "invalid_request"),
            ({"member_id": "phone#+8613800138000"}, "invalid_request"),
        ],
    )
    def test_that_makes_no_sense_is_refused(self, member_id: str, changes: dict[str, Any], code: str) -> None:
        assert repair(**{"member_id": member_id, **changes})["error"]["code"] == code
        assert shop.available(member_id) == 200


def test_a_view_is_made_what_the_ledger_says_whatever_it_said(member_id: str) -> None:
    AccountItem(member_id).update(actions=[AccountItem.seq.set(99), AccountItem.available.set(7)])
    assert asked("rebuild_member", member_id=member_id) == {"member_id": member_id, "seq": 2, "available": 200}
    view = read_view(member_id)
    assert view
    assert (view.seq, view.available) == (2, 200)
