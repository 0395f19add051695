"""A night looks at the whole programme: its points, its surveys and cases, and what has left the band of its past."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import msgspec
import pytest
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib.base import clock, metrics
from chalicelib.program import service as programs
from chalicelib.scoring import looking_back, recording, reducing
from chalicelib.scoring.console_triggers import administer_scoring
from chalicelib.scoring.finishing import Reduction
from chalicelib.scoring.rules.past import History
from chalicelib.surveys.result_table import TotalItem
from chalicelib.surveys.table import totals_key
from tests.answered import opened
from tests.api import desk, night, scoring_night, shop
from tests.api.scoring_night import buyer, report


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets so many days pass."""

    def pass_by(days: int) -> None:
        then = clock.now() + days * clock.DAY_S
        monkeypatch.setattr(clock, "now", lambda: then)

    return pass_by


@pytest.fixture
def published() -> Iterator[list[tuple[str, int]]]:
    """The metrics that were published."""
    found: list[tuple[str, int]] = []

    def publish(name: str, value: int, *, now: int) -> None:
        assert 0 <= clock.now() - now < clock.DAY_S
        found.append((name, value))

    with mock.patch.object(metrics, "publish", publish):
        yield found


def history() -> History:
    return recording.read()[0]


def present() -> int:
    """The month of the day that a night of now scores."""
    zone = programs.in_force(clock.now(), now=clock.now()).program.zone
    return clock.month_of(clock.day_start(clock.now(), 0, zone) - 1, zone)


def answered(survey_id: str, months_ago: int, promoters: int, detractors: int) -> None:
    """Answers of a month, as they are counted."""
    actions: list[Action] = [Path(["nps:10"]).add(promoters), Path(["nps:0"]).add(detractors)]
    actions += [Path(["rating:goods:5"]).add(promoters), Path(["rating:goods:1"]).add(detractors)]
    month = clock.month_text(present() - months_ago)
    TotalItem(totals_key(survey_id, month, 0), "sound").update(actions=actions)


def test_satisfaction_is_of_all_answers_whoever_gave_them() -> None:
    buyer(1)
    survey_id = opened()
    answered(survey_id, 0, 20, 10)
    answered(survey_id, 6, 10, 20)
    answered(survey_id, 7, 0, 500)
    scoring_night.whole()
    found = report()["indicators"]
    assert (found["nps"]["value"], found["nps"]["n"], found["surveys"]) == (0.0, 60, 1)
    assert found["csat"] is None
    assert [one["dimension"] for one in found["dimensions"]] == ["product"]
    assert found["heard_since"] == clock.month_text(present() - 6)
    assert found["satisfaction_loyalty"] is None


def fallen(survey_id: str) -> None:
    """A year of good answers, of which the last months are bad."""
    for months_ago in range(13):
        good = months_ago > 5
        answered(survey_id, months_ago, 30 + months_ago if good else 5, 5 if good else 35)


def told() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = administer_scoring({"action": "alerts"}, None)["alerts"]
    return found


def test_an_indicator_that_leaves_its_band_is_told_once(
    later: Callable[[int], None], published: list[tuple[str, int]]
) -> None:
    fallen(opened())
    scoring_night.whole(twice=True)
    (alert,) = told()
    assert (alert["indicator"], alert["direction"], alert["night"]) == ("nps", "falling", night.today())
    assert alert["level"] < alert["low"]
    (warning,) = [one for one in report()["warnings"] if one["direction"]]
    assert (warning["indicator"], warning["since"]) == ("nps", alert["day"])
    assert ("ProgramAlerts", 1) in published
    assert ("MemberAlertsPerThousand", 0) in published
    # While it lasts it is counted each night, and told no more; neither by another night of the same day.
    for days in (0, 1):
        later(days)
        with night.queued() as lying:
            administer_scoring({"action": "run"}, None)
            scoring_night.run(lying)
        assert published[-2:] == [("ProgramAlerts", 1), ("MemberAlertsPerThousand", 0)]
    assert told() == [alert]
    assert history().told == {"nps:falling": history().outside[0].since}


def test_a_night_that_died_before_it_was_kept_tells_the_same_once() -> None:
    fallen(opened())
    with mock.patch.object(recording, "put", side_effect=RuntimeError("killed")), night.queued() as lying:
        night.start()
        bodies = [body for queue, body in lying.messages if queue == "nightly"]
        lying.messages.clear()
        for body in bodies:
            assert scoring_night.deliver("nightly", body) == []
        (reduction,) = [body for queue, body in lying.messages if queue == "scoring"]
        assert scoring_night.deliver("scoring", reduction) == ["m0"]
    (alert,) = told()
    assert history() == History()
    asked = msgspec.json.decode(reduction, type=Reduction)
    with mock.patch.object(recording, "put", side_effect=[False, False, True]) as put:
        reducing.reduce(asked.night, asked.cut, now=clock.now())
    assert put.call_count == 3
    reducing.reduce(asked.night, asked.cut, now=clock.now())
    assert told() == [alert]
    assert [one.indicator for one in history().outside] == ["nps"]


def test_complaints_are_counted_by_month(later: Callable[[int], None]) -> None:
    desk.publish()
    for _case in range(3):
        desk.opened()
    desk.opened(kind="praise")
    # Today is scored tomorrow.
    later(1)
    scoring_night.whole()
    months = {one.month: one.complaints for one in history().heard}
    assert sum(months.values()) == 3


def test_alerts_of_members_are_told_of_a_thousand(
    later: Callable[[int], None], published: list[tuple[str, int]]
) -> None:
    for number in range(1, 5):
        member = buyer(number)
        for purchase in range(4 * (number % 2)):
            at = shop.moment(5 + 4 * purchase)
            assert shop.post_order(f"{member}-{purchase}", member_id=member, occurred_at=at).status == 201
        night.project(member)
    scoring_night.whole()
    later(90)
    published.clear()
    scoring_night.whole()
    counts = [msgspec.json.decode(item.carried)["score"] for item in night.progress(night.today(), "sweep")]
    alerts, scored = (sum(count[name] for count in counts) for name in ("alerts", "scored"))
    assert scored == 4
    assert alerts > 0
    assert dict(published)[looking_back.ALERTED] == alerts * 1000 // scored


def test_an_empty_programme_is_told_of_as_well(published: list[tuple[str, int]]) -> None:
    scoring_night.whole()
    held = report()["holdings"]
    assert (held["outstanding"], held["members"], held["opening"]) == (0, 0, 0)
    assert report()["warnings"] == []
    assert published == [("ProgramAlerts", 0), ("MemberAlertsPerThousand", 0)]
    assert administer_scoring({"action": "alerts"}, None) == {"alerts": [], "after": None}
    assert all(math.isfinite(month["issued"]) for month in held["months"])


def test_alerts_are_read_page_by_page() -> None:
    for day in range(1, 6):
        item = recording.AlertItem(
            part=f"2026-01-0{day}#nps", direction="rising", level=1, low=0, high=0, made_in="n", put_at="t"
        )
        assert recording.tell(item)
    first = administer_scoring({"action": "alerts", "limit": 3}, None)
    rest = administer_scoring({"action": "alerts", "limit": 3, "after": first["after"]}, None)
    days = [one["day"] for page in (first, rest) for one in page["alerts"]]
    assert days == [f"2026-01-0{day}" for day in (5, 4, 3, 2, 1)]
    assert rest["after"] is None
    assert "error" in administer_scoring({"action": "alerts", "limit": 1_000}, None)
