"""The night's tables say what the answers say, though legs die, come twice, or run side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from chalicelib.base import queues
from chalicelib.surveys import changing, crossing, defining, tallies
from chalicelib.surveys.crossing import LEASE_S, Month, Night
from chalicelib.surveys.document import Definition
from chalicelib.surveys.result_table import ChunkItem, CrossedItem, chunks_key, put_crossed, read_crossed
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.rules.crossing import unpacked
from tests.answered import NOW, answered, opened
from tests.meter import metered
from tests.surveys import FLAGGED, VISIT, answers

MONTH = "2026-11"


@pytest.fixture(name="sent")
def _sent() -> Iterator[list[Any]]:
    """What was sent to the queue."""
    messages: list[Any] = []
    with mock.patch.object(queues, "send", lambda _url, message: messages.append(message)):
        yield messages


def always() -> bool:
    return True


def never() -> bool:
    return False


def run(asked: Month | Night, goes_on: Any = always, now: int = NOW) -> None:
    crossing.take(asked, queue_url="queue", goes_on=goes_on, now=now)


def fill(survey_id: str, month: str = MONTH, count: int = 40) -> None:
    for number in range(count):
        context = FLAGGED if number % 10 == 9 else Context(channel="app", store=f"store-{number % 3}")
        answered(survey_id, month, answers(nps=number % 11, rating={"goods": number % 5 + 1}), context)


def tables(survey_id: str, month: str = MONTH) -> dict[str, dict[str, dict[str, int]]]:
    """All tables of a month."""
    item = read_crossed(survey_id, month)
    assert item is not None
    found = {"all": unpacked(item.all)}
    for chunk in ChunkItem.query(chunks_key(survey_id, month), ChunkItem.part.startswith(f"{item.run}#")):
        found.setdefault(chunk.part.split("#")[1], {}).update(unpacked(chunk.cells))
    return found


def finished(survey_id: str, month: str = MONTH) -> CrossedItem:
    item = read_crossed(survey_id, month)
    assert item is not None
    assert item.run
    assert not item.attribute_values.get("doing")
    return item


def test_a_night_crosses_every_month_that_has_answers(sent: list[Any]) -> None:
    survey_id = opened()
    fill(survey_id, "2026-10", 12)
    fill(survey_id, MONTH, 40)
    run(Night())
    assert sent == [Month(survey_id, "2026-10"), Month(survey_id, MONTH)]
    for asked in sent:
        run(asked)
    assert [finished(survey_id, month).answers for month in ("2026-10", MONTH)] == [12, 40]
    found = tables(survey_id)
    live = tallies.read(survey_id, [MONTH])[MONTH]
    plain = {name: count for name, count in found["all"]["sound"].items() if not name.startswith("drivers:")}
    assert plain == live.sound
    assert found["all"]["flagged"] == live.flagged
    assert sum(cell["#n"] for cell in found["store"].values()) == 36


def test_the_next_night_reads_only_what_has_changed(sent: list[Any]) -> None:
    survey_id = opened()
    fill(survey_id, "2026-10", 5)
    fill(survey_id, MONTH, 5)
    for month in ("2026-10", MONTH):
        run(Month(survey_id, month))
    run(Night())
    assert sent == []
    answered(survey_id, "2026-10", answers(nps=10))
    run(Night())
    assert sent == [Month(survey_id, "2026-10")]
    run(sent[0])
    assert finished(survey_id, "2026-10").answers == 6


def test_a_month_read_in_many_legs_comes_out_as_in_one(sent: list[Any]) -> None:
    survey_id = opened()
    fill(survey_id)
    run(Month(survey_id, MONTH))
    whole = tables(survey_id)
    run(Month(survey_id, MONTH, anew=True), never)
    while sent:
        run(sent.pop(), never)
    assert tables(survey_id) == whole
    assert finished(survey_id).answers == 40


@pytest.mark.usefixtures("sent")
def test_every_page_is_read_though_they_are_short() -> None:
    survey_id = opened()
    fill(survey_id)
    true_page = crossing._page

    def short(key: str, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        items, _last = true_page(key, after)
        rest = items[1:]
        return items[:1], items[0]["part"]["S"] if rest else None

    with mock.patch.object(crossing, "_page", short):
        run(Month(survey_id, MONTH))
    assert finished(survey_id).answers == 40


def test_every_message_may_come_twice(sent: list[Any]) -> None:
    survey_id = opened()
    fill(survey_id)
    run(Month(survey_id, MONTH), never)
    for _turn in range(40):
        if not sent:
            break
        asked = sent.pop()
        run(asked, never)
        run(asked, never)
        # A copy of a leg that is done hands on once more: the legs after it come twice as well.
        assert len(sent) <= 2
        sent[:] = sent[:1]
    assert finished(survey_id).answers == 40
    assert tables(survey_id)["all"]["sound"]["#n"] == 36


def test_two_copies_of_one_leg_at_the_same_time_finish_once(sent: list[Any]) -> None:
    survey_id = opened()
    fill(survey_id)
    run(Month(survey_id, MONTH), never)
    asked = sent.pop()
    true_put = put_crossed

    def overtaken(item: CrossedItem) -> bool:
        with mock.patch.object(crossing, "put_crossed", true_put):
            run(asked)
        return true_put(item)

    with mock.patch.object(crossing, "put_crossed", overtaken):
        run(asked)
    assert finished(survey_id).answers == 40
    assert tables(survey_id)["all"]["sound"]["#n"] == 36
    assert sent == []


def test_a_run_that_died_is_begun_anew_once_its_time_is_up(sent: list[Any]) -> None:
    survey_id = opened()
    fill(survey_id)
    run(Month(survey_id, MONTH), never)
    lost = sent.pop()
    run(Month(survey_id, MONTH))
    assert read_crossed(survey_id, MONTH).run is None  # type: ignore[union-attr]
    run(Month(survey_id, MONTH), now=NOW + LEASE_S)
    assert finished(survey_id).answers == 40
    before = tables(survey_id)
    run(lost)
    assert tables(survey_id) == before


@pytest.mark.parametrize("dies_at", range(1, 6))
def test_wherever_a_leg_dies_the_tables_are_whole_or_those_of_before(sent: list[Any], dies_at: int) -> None:
    survey_id = opened()
    fill(survey_id, count=10)
    run(Month(survey_id, MONTH))
    before = tables(survey_id)
    fill(survey_id, count=10)
    calls = itertools.count(1)
    true_save = ChunkItem.save

    def save(chunk: ChunkItem, *arguments: Any, **named: Any) -> Any:
        if next(calls) == dies_at:
            raise ConnectionError
        return true_save(chunk, *arguments, **named)

    with mock.patch.object(ChunkItem, "save", save), pytest.raises(ConnectionError):
        run(Month(survey_id, MONTH))
    assert tables(survey_id) == before
    run(Month(survey_id, MONTH), now=NOW + LEASE_S)
    assert finished(survey_id).answers == 20
    assert tables(survey_id)["all"]["sound"]["#n"] == 18
    assert sent == []


@pytest.mark.usefixtures("sent")
def test_nothing_is_left_lying_about_but_the_tables_of_before() -> None:
    survey_id = opened()
    for _turn in range(4):
        fill(survey_id, count=3)
        run(Month(survey_id, MONTH))
    item = finished(survey_id)
    runs = {chunk.part.split("#")[0] for chunk in ChunkItem.query(chunks_key(survey_id, MONTH))}
    assert len(runs) == 2
    assert item.run in runs


def test_each_answer_is_counted_by_the_version_that_it_was_given_to(sent: list[Any]) -> None:
    survey_id = opened()
    fill(survey_id, count=4)
    shorter = Definition(code=VISIT.code, kind=VISIT.kind, title=VISIT.title, questions=VISIT.questions[:1])
    found = defining.read_now(survey_id)
    changing.change(survey_id, shorter, based_on=str(found.version), actor="admin:test", now=NOW)
    run(Month(survey_id, MONTH))
    assert sum(count for name, count in tables(survey_id)["all"]["sound"].items() if name.startswith("rating:")) == 4
    assert sent == []


def test_a_long_list_of_surveys_is_handed_on(sent: list[Any]) -> None:
    survey_id = opened()
    fill(survey_id, count=1)
    run(Night(), never)
    assert sent == [Night()]
    run(sent.pop())
    assert sent == [Month(survey_id, MONTH)]


def test_a_draft_is_passed_over(sent: list[Any]) -> None:
    changing.create(VISIT, actor="admin:test", now=NOW)
    run(Night())
    assert sent == []


def test_months_go_back_as_far_as_an_answer_may_be_late() -> None:
    months = crossing.months_back(NOW)
    assert months[-1] == "2026-11"
    assert months[0] <= "2025-11"
    assert months == sorted(months)


def test_a_night_in_which_nothing_is_new_reads_the_totals_of_three_months_at_once() -> None:
    survey_id = opened()
    fill(survey_id, count=5)
    with metered() as bill:
        list(crossing.changed_months(survey_id, NOW))
    assert bill.write_units == 0
    assert bill.round_trips <= len(crossing.months_back(NOW)) / 3 + 4
