"""What it costs to read what answers say, and to make the tables of the night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest import mock

from chalicelib.base import clock, queues
from chalicelib.program import service as programs
from chalicelib.surveys import crossing, defining
from chalicelib.surveys.crossing import Month
from chalicelib.surveys.result_triggers import administer_surveys
from chalicelib.surveys.rules.context import Context
from tests.answered import answered, opened
from tests.api.client import Response, client, staff
from tests.budgets import Budget, Cost
from tests.meter import metered
from tests.surveys import VISIT, answers

LIVE = Budget("results of twelve months, live", 0, 420, 18, of="get_results")
TABLES = Budget("results of twelve months by tier, of the night", 0, 16, 18, of="get_results")
TABLES_CSV = Budget("the same as CSV", 0, 16, 18, of="get_results_csv")
PAGE = Budget("page of results in the console", 0, 24, 24, of="administer_surveys")
LIST = Budget("answers, a page of 20", 0, 12, 18, of="list_answers")
EXPORT = Budget("export 100 answers", 0, 200, 22, of="get_answers_csv")
SAME = Budget("nightly: a survey without anything new", 0, 240, 14, of="cross_surveys")
CROSS = Budget("nightly: a month of 100 answers becomes tables", 12, 100, 32, of="cross_surveys")

_READER = staff("surveys.read", "surveys.personal")
_ANSWERS = 100


def survey_results() -> Iterator[Cost]:
    """Each of them once, for a survey that has a hundred answers in this month."""
    with mock.patch.object(defining, "_HEAD_LASTS_S", clock.DAY_S):
        yield from _each()


def _each() -> Iterator[Cost]:
    survey_id, now = opened(VISIT), clock.now()
    defining.read(survey_id, now=now)
    month = clock.month_text(clock.month_of(now, programs.in_force(now, now=now).program.zone))
    for number in range(_ANSWERS):
        given = answers(nps=number % 11, rating={"goods": number % 5 + 1, "staff": 4}, words="words")
        answered(survey_id, month, given, Context(channel="app", tier="gold" if number % 3 else "silver"))
    path = f"/v1/surveys/{survey_id}"
    with metered() as bill:
        crossing.take(Month(survey_id, month), queue_url="", goes_on=lambda: True, now=now)
    yield Cost(CROSS, bill)
    with metered() as bill, mock.patch.object(queues, "send"):
        assert not list(crossing.changed_months(survey_id, now))
    yield Cost(SAME, bill)
    yield _cost(LIVE, lambda: client.get(f"{path}/results", caller=_READER))
    yield _cost(TABLES, lambda: client.get(f"{path}/results?group_by=tier", caller=_READER))
    yield _cost(TABLES_CSV, lambda: client.get(f"{path}/results/csv?group_by=tier", caller=_READER))
    with metered() as bill:
        assert "html" in administer_surveys({"action": "page", "survey": survey_id}, None)
    yield Cost(PAGE, bill)
    yield _cost(LIST, lambda: client.get(f"{path}/answers?limit=20", caller=_READER))
    yield _cost(EXPORT, lambda: client.get(f"{path}/answers/csv", caller=_READER))


def _cost(budget: Budget, act: Callable[[], Response]) -> Cost:
    with metered() as bill:
        assert act().status == 200
    return Cost(budget, bill)
