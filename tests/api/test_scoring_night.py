"""Nightly scoring over accounts that orders made: once, and alike however often its messages come."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.base import clock, facts, objects
from chalicelib.ledger.table import AccountItem, EntryItem
from chalicelib.members.table import peek_profile
from chalicelib.program import service as programs
from chalicelib.scoring import gathering, keeping
from chalicelib.scoring.told import Told
from tests.api import night, scoring_night, shop


@pytest.fixture
def members() -> list[str]:
    """Members with 0, 1, 2 … purchases on different days."""
    found = []
    for number in range(6):
        member = shop.enrol(f"m{number}", phone=f"+861380013800{number}")
        for purchase in range(number):
            fields = {"member_id": member, "occurred_at": shop.moment(2 + number + 4 * purchase)}
            assert shop.post_order(f"o{number}-{purchase}", **fields).status == 201
        night.project(member)
        found.append(member)
    return found


def told(members: list[str]) -> list[Told]:
    return [scoring_night.last_told(member) for member in members]


def test_the_first_night_fits_and_then_scores(members: list[str]) -> None:
    done = scoring_night.whole()
    assert done == ["sweep", "sweep", "scoring", "score", "score"]
    basis = scoring_night.basis()
    assert (basis.number, basis.members) == (1, len(members))
    assert [scoring_night.facts(member).purchase_days for member in members] == [0, 1, 2, 3, 4, 5]
    assert told(members)[0].behaviour == "none"
    assert told(members)[5].score > told(members)[1].score


def test_the_report_and_the_members_lie_in_the_bucket(members: list[str]) -> None:
    scoring_night.whole()
    page = objects.get("reports/latest/report.html")
    sheet = objects.get("reports/latest/members.csv")
    assert page is not None
    assert sheet is not None
    assert page.startswith(b"<!doctype html>")
    assert [member for member in members if member.encode() in sheet] == members


def test_messages_that_come_twice_change_nothing(members: list[str]) -> None:
    scoring_night.whole(twice=True)
    first, basis = told(members), scoring_night.basis()
    # The same night asked for by hand, from its first message on.
    with night.queued() as lying:
        night.start()
        for _queue, body in list(lying.messages):
            assert '"sweep"' not in body
    assert told(members) == first
    assert scoring_night.basis() == basis


def test_segments_are_facts_of_the_member(members: list[str]) -> None:
    scoring_night.whole()
    for member in members:
        profile = peek_profile(member)
        assert profile is not None
        assert tuple(profile.segments or ()) == scoring_night.last_told(member).segments


def test_an_empty_programme_has_a_night_too() -> None:
    assert scoring_night.whole() == ["sweep", "sweep", "scoring", "score", "score"]
    assert scoring_night.basis().members == 0
    assert objects.get("reports/latest/report.html") is not None


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets so many days pass."""

    def pass_by(days: int) -> None:
        then = clock.now() + days * clock.DAY_S
        monkeypatch.setattr(clock, "now", lambda: then)

    return pass_by


def test_the_next_night_scores_in_one_walk(members: list[str], later: Callable[[int], None]) -> None:
    scoring_night.whole()
    later(1)
    assert scoring_night.whole() == ["sweep", "sweep", "scoring"]
    assert scoring_night.basis().number == 2
    assert {found.basis for found in told(members)} == {1}


@pytest.mark.usefixtures("members")
def test_a_night_missed_is_no_harm(later: Callable[[int], None]) -> None:
    scoring_night.whole()
    later(9)
    scoring_night.whole()
    assert scoring_night.basis().number == 2


def test_who_stays_away_is_alerted_once(members: list[str], later: Callable[[int], None]) -> None:
    scoring_night.whole()
    for _fortnight in range(8):
        later(14)
        scoring_night.whole()
        for member in members:
            night.project(member)
    alerts = [entry for entry in EntryItem.query(members[5]) if entry.kind == facts.ALERT]
    assert {entry.reason for entry in alerts} >= {"churn", "overdue"}
    assert len(alerts) == len({entry.reason for entry in alerts})
    assert not [entry for entry in EntryItem.query(members[0]) if entry.kind == facts.ALERT]


@pytest.mark.usefixtures("members")
def test_lost_parameters_are_made_anew(later: Callable[[int], None]) -> None:
    scoring_night.whole()
    for item in keeping.BasisItem.query("scoring"):
        item.delete()
    keeping.forget()
    later(1)
    assert scoring_night.whole() == ["sweep", "sweep", "scoring", "score", "score"]
    assert scoring_night.basis().number == 1


def test_a_purchase_that_comes_late_and_one_that_goes_back_change_the_facts(
    members: list[str], later: Callable[[int], None]
) -> None:
    scoring_night.whole()
    late = shop.post_order("late", member_id=members[3], occurred_at=shop.moment(28), total_minor=7_00)
    assert shop.refund(late.json["order"]["id"], amount_minor=7_00).status == 201
    kept = shop.post_order("kept", member_id=members[3], occurred_at=shop.moment(27), total_minor=5_00)
    assert kept.status == 201
    night.project(members[3])
    later(1)
    scoring_night.whole()
    found = scoring_night.facts(members[3])
    program = programs.in_force(clock.now(), now=clock.now()).program
    assert found == gathering.from_the_beginning(members[3], program)
    assert (found.purchase_days, found.first_minor, found.value_minor) == (4, 5_00, 305_00)


def test_an_account_that_cannot_be_read_is_passed_over(members: list[str]) -> None:
    AccountItem(members[2]).update(actions=[AccountItem.score_facts.set(b"nonsense")])
    assert scoring_night.whole()[-1] == "score"
    assert scoring_night.basis().members == len(members) - 1
