"""A night adds up all members' points: exactly, whatever happens to it, and month by month."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.base import clock, objects
from chalicelib.members.night import day_of
from chalicelib.program import service as programs
from chalicelib.scoring import recording, reducing
from chalicelib.scoring.rules.past import History
from tests import campaigns
from tests.api import night, scoring_night, shop
from tests.api.client import client
from tests.api.scoring_night import buy, buyer, report


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets so many days pass."""

    def pass_by(days: int) -> None:
        then = clock.now() + days * clock.DAY_S
        monkeypatch.setattr(clock, "now", lambda: then)

    return pass_by


def spend(member: str, points: int) -> None:
    assert shop.redeem(member, points, f"{member}-{clock.now()}").status == 201
    night.project(member)


def history() -> History:
    return recording.read()[0]


def test_the_report_tells_all_points_exactly(later: Callable[[int], None]) -> None:
    one, other = buyer(1, orders=3), buyer(2)
    before = shop.available(one) + shop.available(other)
    scoring_night.whole()
    held = report()["holdings"]
    assert (held["outstanding"], held["available"], held["members"]) == (before, before, 2)
    assert (held["opening"], held["unknown"], report()["points"]) == (before, "too_young", None)
    later(1)
    spend(one, 100)
    buy(other)
    after = shop.available(one) + shop.available(other)
    scoring_night.whole()
    found = report()["holdings"]
    assert found["outstanding"] == after
    assert sum(month["redeemed"] for month in found["months"]) == 100
    assert sum(month["issued"] for month in found["months"]) == after - before + 100


def test_legs_that_are_cut_short_and_come_twice_add_up_to_the_same() -> None:
    members = [buyer(number, orders=number) for number in range(1, 5)]
    with night.queued() as lying:
        night.start(per_leg=1)
        scoring_night.run(lying, twice=True)
    held = report()["holdings"]
    assert (held["outstanding"], held["members"]) == (sum(map(shop.available, members)), 4)


def test_members_who_become_one_leave_the_sums_as_they_were(later: Callable[[int], None]) -> None:
    one, other = buyer(1, orders=2), buyer(2)
    scoring_night.whole()
    before = report()["holdings"]
    merged = client.post(f"/v1/members/{other}/merge", json={"into": one}, caller=shop.SHOP)
    assert merged.status == 201, merged.text
    night.project(one, other)
    later(1)
    scoring_night.whole()
    after = report()["holdings"]
    assert (after["outstanding"], after["members"]) == (before["outstanding"], 1)
    assert {month["issued"] for month in after["months"]} == {0}


def test_a_night_run_twice_or_reduced_late_leaves_the_history_as_it_was(later: Callable[[int], None]) -> None:
    member = buyer(1)
    scoring_night.whole(twice=True)
    first, cut = history(), _cut()
    later(1)
    buy(member)
    scoring_night.whole(twice=True)
    second = history()
    assert second.begin == first.begin
    assert second.closings[-1].totals.earned > first.closings[-1].totals.earned
    # The first night's message lay among the dead letters, and comes again.
    reducing.reduce(_name(cut), cut, now=clock.now())
    assert history() == second


def _cut() -> int:
    zone = programs.in_force(clock.now(), now=clock.now()).program.zone
    return clock.day_start(clock.now(), 0, zone)


def _name(cut: int) -> str:
    zone = programs.in_force(cut, now=cut).program.zone
    return day_of(cut, zone)


def test_after_some_months_the_report_expects_a_breakage(later: Callable[[int], None]) -> None:
    members = [buyer(number, orders=3) for number in (1, 2)]
    scoring_night.whole()
    for _month in range(4):
        later(31)
        buy(members[0])
        spend(members[1], 100)
        scoring_night.whole()
    found, held = report()["points"], report()["holdings"]
    assert (held["unknown"], held["expiry"]) == ("", "rolling_months")
    assert found["outstanding_points"] == held["outstanding"] == sum(map(shop.available, members))
    assert 0.0 < found["expected_breakage_points"] < held["outstanding"]
    assert len(found["hazards"]) == 25
    assert [month["redeemed"] for month in held["months"] if month["known"]] == [0, 100, 100, 100, 100]
    page = objects.get("reports/latest/report.html")
    assert page is not None
    assert "expected never to be used" in page.decode()


def test_points_that_never_expire_have_no_breakage() -> None:
    campaigns.publish(expiry={"kind": "never"}, now=clock.now() - clock.DAY_S)
    buyer(1)
    scoring_night.whole()
    assert (report()["holdings"]["unknown"], report()["points"]) == ("never", None)
