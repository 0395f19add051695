"""Where the programme's past lies, and what the night reads of surveys and cases."""

from __future__ import annotations

from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib.base import clock
from chalicelib.cases.tallies import TallyItem
from chalicelib.scoring import listening, recording
from chalicelib.scoring.recording import AlertItem
from chalicelib.scoring.rules.holdings import Totals
from chalicelib.scoring.rules.past import Closing, History
from chalicelib.surveys import changing, tallies
from chalicelib.surveys.result_table import TotalItem
from chalicelib.surveys.table import totals_key
from tests.answered import NOW, opened
from tests.surveys import VISIT, definition

ZONE = ZoneInfo("Asia/Shanghai")
MONTH = clock.month_of(NOW, ZONE)
SECOND, THIRD, FOURTH = (definition({"kind": "nps", "code": "nps"}, code=code) for code in ("two", "three", "four"))


def total(survey_id: str, month: int, part: str = "sound", shard: int = 3, **counts: int) -> None:
    """Counts of a survey's month, as answers leave them."""
    actions: list[Action] = [Path([name.replace("_", ":")]).add(count) for name, count in counts.items()]
    TotalItem(totals_key(survey_id, clock.month_text(month), shard), part).update(actions=actions)


def complaints(month: int, count: int, shard: int = 5) -> None:
    """So many complaints, as cases leave them."""
    key = f"tally:{clock.month_text(month)}:{shard:02d}"
    TallyItem(key, "counts").update(actions=[Path(["kind|complaint"]).add(count), Path(["cases"]).add(count)])


def listened(kept: set[int] | None = None) -> listening.Listened:
    return listening.listen(MONTH, kept or set(), day=100, night="2026-11-21", zone=ZONE)


def test_a_history_is_put_on_condition_of_the_one_that_was_read() -> None:
    assert recording.read() == (History(), 0)
    first = History(begin=Closing(MONTH, 3, "n", Totals(earned=5)))
    assert recording.put(first, 0)
    assert not recording.put(History(), 0)
    assert recording.read() == (first, 1)
    assert recording.put(History(judged=4), 1)
    assert not recording.put(first, 1)
    assert recording.read() == (History(judged=4), 2)


def alert(part: str, direction: str = "falling") -> AlertItem:
    return AlertItem(part=part, direction=direction, level=-12.5, low=3, high=40.25, made_in="n", put_at="t")


def test_an_alert_is_put_once_and_alerts_are_read_latest_first() -> None:
    parts = ["2026-11-01#nps", "2026-11-02#basket", "2026-11-02#nps", "2026-12-01#nps"]
    assert [recording.tell(alert(part)) for part in parts] == [True] * 4
    assert not recording.tell(alert(parts[2], "rising"))
    page = recording.alerts(after=None, limit=3)
    assert [item.part for item in page] == parts[:0:-1]
    assert [item.part for item in recording.alerts(after=page[-1].part, limit=3)] == parts[:1]
    assert (page[1].direction, page[1].level, page[1].high) == ("falling", -12.5, 40.25)


def test_the_answers_to_all_surveys_count_together() -> None:
    one, other = opened(), opened(definition({"kind": "nps", "code": "would"}, code="other"))
    total(one, MONTH, nps_10=20, nps_0=4)
    total(one, MONTH - 6, shard=9, nps_9=1, returns_5=7, rating_staff_5=3)
    total(one, MONTH - 7, nps_0=50)
    total(one, MONTH, "flagged", nps_0=1_000)
    total(other, MONTH, would_7=10)
    complaints(MONTH - 2, 3)
    found = listened()
    assert found.surveys == 2
    assert {number: count for number, count in found.said.nps.items() if count} == {10: 20, 0: 4, 9: 1, 7: 10}
    assert (found.said.csat.satisfied, found.said.dimensions["service"].satisfied) == (7, 3)
    months = {one.month: one for one in found.months}
    assert sorted(months) == list(range(MONTH - 24, MONTH + 1))
    assert (months[MONTH].promoters, months[MONTH].detractors, months[MONTH].answers) == (20, 4, 34)
    assert (months[MONTH - 7].detractors, months[MONTH - 2].complaints) == (50, 3)
    assert {(one.day, one.night) for one in found.months} == {(100, "2026-11-21")}


def test_months_that_are_kept_are_read_no_more() -> None:
    survey_id = opened()
    total(survey_id, MONTH - 20, nps_0=9)
    with mock.patch.object(tallies, "read", wraps=tallies.read) as read:
        found = listened(set(range(MONTH - 24, MONTH)) - {MONTH - 20})
    assert [one.month for one in found.months] == [MONTH - 20, *range(MONTH - 6, MONTH + 1)]
    assert found.months[0].answers == 9
    # They are not told of, so the survey has not been answered lately.
    assert found.surveys == 0
    (call,) = read.call_args_list
    assert call.kwargs == {"consistent": False, "flagged": False}
    assert len(call.args[1]) == 8


def test_drafts_and_surveys_that_were_closed_long_ago_are_not_read() -> None:
    open_one, closed, old = opened(), opened(SECOND), opened(THIRD)
    draft, _replayed = changing.create(FOURTH, actor="admin:test", now=NOW)
    changing.set_status(closed, "closed", actor="admin:test", now=NOW)
    changing.set_status(old, "closed", actor="admin:test", now=NOW - 900 * clock.DAY_S)
    for survey_id in (open_one, closed, old, draft.survey_id):
        total(survey_id, MONTH, nps_10=1)
    assert listened().surveys == 2


@pytest.mark.parametrize("at_most", [1, 2])
def test_no_more_than_so_many_surveys_are_read_the_newest_first(at_most: int) -> None:
    for survey in (VISIT, SECOND, THIRD):
        total(opened(survey), MONTH, nps_10=1)
    with mock.patch.object(listening, "SURVEYS_MAX", at_most), mock.patch.object(listening, "_PAGE", 1):
        assert listened().surveys == at_most


def test_without_surveys_and_cases_nothing_was_said() -> None:
    found = listened()
    assert (found.surveys, found.said.net_promoters(), len(found.months)) == (0, None, 25)
    assert {(one.answers, one.complaints) for one in found.months} == {(0, 0)}
