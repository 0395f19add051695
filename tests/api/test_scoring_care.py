"""The care calendar at night: facts told once, two weeks in the report, and a sheet of members by name."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from chalicelib.base import clock, facts, objects
from chalicelib.ledger.table import EntryItem
from chalicelib.members import night as nights
from chalicelib.program import service as programs
from chalicelib.scoring.report.model import CareDay, Report
from tests.api import asking, night, scoring_night, shop
from tests.api.client import client
from tests.api.shop import SHOP
from tests.api.test_merging import merge
from tests.campaigns import put_in_force

Clock = Callable[[str], None]


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the clock to a time in Shanghai, to half past two at night unless told otherwise."""

    def move(local: str) -> None:
        found = clock.seconds(datetime.fromisoformat(f"{local if 'T' in local else f'{local}T02:30'}:00+08:00"))
        monkeypatch.setattr(clock, "now", lambda: found)
        programs.reset_cache()

    move("2024-02-29T12:00")
    return move


def enrol(name: str, **profile: Any) -> str:
    found = shop.enrol(name, **{"mail": f"{name}@example.com", **profile})
    night.project(found)
    return found


def buy(member_id: str, yuan: int) -> None:
    number = f"{member_id}-{clock.now()}"
    answer = shop.post_order(
        number, member_id=member_id, total_minor=yuan * 100, occurred_at=clock.text(clock.now() - 60)
    )
    assert answer.status == 201, answer.text
    night.project(member_id)


def whole(*members: str, twice: bool = False) -> None:
    scoring_night.whole(twice=twice)
    night.project(*members)


def cares(member_id: str) -> list[tuple[str, str]]:
    """What a member was told for care: the reason, and the day in Shanghai."""
    return [
        (entry.reason, clock.text(clock.parse(entry.posted_at) + 8 * 3600)[:10])
        for entry in EntryItem.query(member_id)
        if entry.kind == facts.CARE
    ]


def report() -> Report:
    return msgspec.json.decode(objects.get("reports/latest/report.json") or b"", type=Report)


def calendar() -> dict[str, CareDay]:
    return {day.day: day for day in report().care}


def sheet() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((objects.get("reports/latest/care.csv") or b"").decode("utf-8-sig"))))


def test_an_anniversary_is_told_on_its_morning_and_once(at: Clock) -> None:
    anna = enrol("anna")
    for local in ("2025-02-27", "2025-02-28", "2025-03-01", "2025-03-02", "2026-02-28", "2028-02-28", "2028-02-29"):
        at(local)
        whole(anna, twice=True)
    assert cares(anna) == [("anniversary", day) for day in ("2025-02-28", "2026-02-28", "2028-02-29")]


def test_nights_that_were_missed_are_caught_up_for_three_days(at: Clock) -> None:
    anna = enrol("anna")
    for local in ("2025-02-20", "2025-03-03", "2025-03-04", "2026-02-20", "2026-03-04"):
        at(local)
        whole(anna)
    assert cares(anna) == [("anniversary", "2025-03-03")]


def test_one_more_night_of_a_day_tells_nothing_again(at: Clock) -> None:
    anna = enrol("anna")
    at("2025-02-28")
    whole(anna)
    with night.queued() as lying:
        nights.again(now=clock.now())
        scoring_night.run(lying)
    assert cares(anna) == [("anniversary", "2025-02-28")]


def test_a_member_reads_of_it_in_the_statement_and_it_is_no_alert(at: Clock) -> None:
    anna = enrol("anna")
    at("2025-02-28")
    whole(anna)
    found = {}
    for locale in ("en", "zh-Hans", "zh-Hant"):
        answer = client.get(f"/v1/members/{anna}/entries", caller=SHOP, headers={"Accept-Language": locale})
        assert answer.status == 200, answer.text
        found[locale] = answer.json["entries"][0]
    assert [line["title"] for line in found.values()] == [
        "Your anniversary as a member",
        "入会周年纪念",
        "入會週年紀念",
    ]
    assert {(line["kind"], line["points"]) for line in found.values()} == {("care", 0)}
    assert sum(report().alert_counts.values()) == 0


def test_a_tier_about_to_be_lost_is_told_once_and_stands_in_the_calendar(at: Clock) -> None:
    at("2026-01-10T12:00")
    anna, bert = enrol("anna"), enrol("bert")
    buy(anna, 3_000)
    buy(bert, 3_000)
    at("2026-08-10T12:00")
    buy(bert, 3_000)
    for local in ("2026-12-31", "2027-01-01", "2027-01-02", "2027-01-25"):
        at(local)
        whole(anna, bert)
    assert [told for told in cares(anna) if told[0] == "tier_ending"] == [("tier_ending", "2027-01-01")]
    assert [told for told in cares(bert) if told[0] == "tier_ending"] == []
    assert calendar()["2027-01-31"].tier_ending == 1
    (line,) = [row for row in sheet() if row["occasion"] == "tier_ending"]
    assert (line["day"], line["member_id"], line["tier"]) == ("2027-01-31", anna, "silver")
    assert line["points"] == str(shop.account(anna)["available"])


def test_the_calendar_has_two_weeks_by_occasion_and_the_sheet_every_one_of_them(at: Clock) -> None:
    at("2024-12-05T12:00")
    put_in_force(scoring={"expiring_points_min": 101})
    anna = enrol("anna", birthday="1990-12-02")
    buy(anna, 500)
    bert = enrol("bert", birthday="1988-12-10")
    at("2026-11-27")
    whole(anna, bert)
    days = report().care
    assert [day.day for day in days][::13] == ["2026-11-27", "2026-12-10"]
    counts = {day.day: (day.birthday, day.anniversary, day.expiring, day.tier_ending, day.points) for day in days}
    assert {day: found for day, found in counts.items() if any(found)} == {
        "2026-12-02": (1, 0, 0, 0, 0),
        "2026-12-05": (0, 2, 0, 0, 0),
        "2026-12-10": (1, 0, 0, 0, 0),
    }
    assert [(row["day"], row["occasion"], row["member_id"]) for row in sheet()] == [
        ("2026-12-02", "birthday", anna),
        *sorted(("2026-12-05", "anniversary", one) for one in (anna, bert)),
        ("2026-12-10", "birthday", bert),
    ]
    at("2026-12-20")
    whole(anna, bert)
    expiring = [row for row in sheet() if row["occasion"] == "expiring"]
    # What bert was welcomed with is too little to write about.
    assert [(row["day"], row["member_id"], row["points_expiring"]) for row in expiring] == [("2026-12-31", anna, "600")]
    assert (calendar()["2026-12-31"].expiring, calendar()["2026-12-31"].points) == (1, 600)


def test_leap_day_children_have_their_birthday_on_the_28th(at: Clock) -> None:
    anna = enrol("anna", birthday="2000-02-29")
    for local, expected in (("2025-02-20", "2025-02-28"), ("2028-02-20", "2028-02-29")):
        at(local)
        whole(anna)
        assert [row["day"] for row in sheet() if row["occasion"] == "birthday"] == [expected]


def test_of_members_who_were_merged_the_one_who_stays_is_thought_of(at: Clock) -> None:
    at("2024-03-10T12:00")
    older = enrol("older", birthday="1990-03-12")
    at("2024-06-10T12:00")
    newer = enrol("newer")
    assert merge(older, newer).status == 201
    night.project(older, newer)
    for local in ("2025-03-05", "2025-03-10", "2025-06-10"):
        at(local)
        whole(older, newer)
        if local == "2025-03-05":
            assert {row["member_id"] for row in sheet()} == {newer}
            assert [row["occasion"] for row in sheet()] == ["anniversary", "birthday"]
    assert cares(older) == []
    # The older enrolment counts, and that alone.
    assert cares(newer) == [("anniversary", "2025-03-10")]


def test_a_programme_may_do_without(at: Clock) -> None:
    put_in_force(scoring={"anniversaries": False, "tier_ending_days": 0})
    anna = enrol("anna")
    buy(anna, 3_000)
    for local in ("2025-02-15", "2025-02-28"):
        at(local)
        whole(anna)
        assert all((day.anniversary, day.tier_ending) == (0, 0) for day in report().care)
    assert cares(anna) == []


@pytest.mark.parametrize(("on", "invitations"), [("anniversary", 1), ("tier_ending", 0), ("churn_alert", 0)])
def test_a_survey_may_be_sent_on_an_anniversary(at: Clock, on: str, invitations: int) -> None:
    asking.publish(asking.invite(on=on))
    asking.survey()
    anna = asking.enrol()
    night.project(anna)
    at("2025-02-28")
    whole(anna)
    asking.react(anna)
    asking.react(anna)
    assert len(asking.invitations(anna)) == invitations


def test_a_survey_may_be_sent_before_a_tier_is_lost(at: Clock) -> None:
    asking.publish(asking.invite(on="tier_ending"))
    asking.survey()
    at("2026-01-10T12:00")
    anna = asking.enrol()
    buy(anna, 3_000)
    at("2027-01-05")
    whole(anna)
    asking.react(anna)
    assert len(asking.invitations(anna)) == 1
