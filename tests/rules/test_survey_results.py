"""Everything that is told of a survey's answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.surveys.document import Definition
from chalicelib.surveys.rules import assembling, counting
from chalicelib.surveys.rules.assembling import Material, MonthCounts
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.rules.figures import Results
from chalicelib.surveys.rules.measures import MINIMUM
from tests.surveys import FLAGGED, SOUND, VISIT, answers, definition, options

NOTHING: Mapping[str, int] = {}


def counted(*given_answers: tuple[dict[str, Any], Context], survey: Definition = VISIT) -> Counter[str]:
    counts: Counter[str] = Counter()
    for given_answer, context in given_answers:
        counts.update(counting.added(survey, answers(**given_answer), context))
    return counts


def told(months: Mapping[str, MonthCounts], survey: Definition = VISIT, **fields: Any) -> Results:
    return assembling.results(
        Material(
            survey_id="srv_x",
            definition=survey,
            questions=survey.questions,
            first="2026-01",
            last="2026-12",
            source="live",
            crossed_at=None,
            months=months,
            **({"sent": 0, "responded": 0} | fields),
        )
    )


def many(count: int, answer: dict[str, Any], context: Context = SOUND) -> list[tuple[dict[str, Any], Context]]:
    return [(answer, context)] * count


def test_flagged_answers_are_left_out_of_every_figure_and_shown_apart() -> None:
    sound = counted(*many(40, {"nps": 10, "rating": {"goods": 5}}))
    flagged = counted(*many(60, {"nps": 0, "rating": {"goods": 1}}, FLAGGED))
    found = told({"2026-11": MonthCounts(sound, flagged)})
    assert found.nps is not None
    assert (found.answers, found.nps.value, found.nps.n) == (40, 100.0, 40)
    assert found.dimensions[0].csat.value == 100.0
    assert found.flagged.nps is not None
    assert (found.flagged.answers, found.flagged.nps.value) == (60, -100.0)
    assert (found.flagged.speeding, found.flagged.straight_lined) == (60, 60)
    assert (found.funnel.answers, found.funnel.sound) == (100, 40)


def test_fewer_than_30_answers_are_told_as_too_few_and_nothing_else() -> None:
    found = told({"2026-11": MonthCounts(counted(*many(29, {"nps": 10, "reason": ["taste"]})), NOTHING)})
    assert found.nps is not None
    assert (found.nps.n, found.nps.value, found.nps.low, found.nps.hidden) == (29, None, None, "too_few")
    for question in found.questions:
        assert question.counts == ()
        assert question.score is None or question.score.value is None
        assert all(row.counts == () and row.csat.value is None for row in question.rows)


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(1, 5), st.integers(0, 3)), max_size=80))
def test_no_figure_of_fewer_than_30_answers_has_a_value(given_answers: list[tuple[int, int, int]]) -> None:
    months: dict[str, list[tuple[dict[str, Any], Context]]] = {}
    for nps, goods, month in given_answers:
        months.setdefault(f"2026-0{month + 1}", []).append(({"nps": nps, "rating": {"goods": goods}}, SOUND))
    found = told({month: MonthCounts(counted(*part), NOTHING) for month, part in months.items()})
    figures = [found.nps, found.csat, *(cell.nps for cell in found.months), *(each.csat for each in found.dimensions)]
    for figure in figures:
        if figure is not None and figure.n < MINIMUM:
            assert (figure.value, figure.low, figure.high) == (None, None, None)
    shown = sum(cell.answers for cell in found.months if cell.nps is not None and cell.nps.value is not None)
    left = found.answers - shown
    assert left == 0 or left >= MINIMUM or shown == 0


def test_a_hidden_month_hides_the_smallest_of_the_others() -> None:
    months = {
        f"2026-{month:02d}": MonthCounts(counted(*many(count, {"nps": 9})), NOTHING)
        for month, count in enumerate([50, 40, 5, 60], start=1)
    }
    found = told(months)
    assert [cell.nps.hidden for cell in found.months if cell.nps] == [None, "to_keep_others_hidden", "too_few", None]
    assert [cell.answers for cell in found.months] == [50, 40, 5, 60]


def test_every_kind_of_question_has_its_score() -> None:
    answer = {
        "nps": 9,
        "rating": {"goods": 4, "staff": 3},
        "returns": 5,
        "ease": 7,
        "again": 6,
        "reason": ["price"],
        "wishes": ["more", "nearer"],
        "words": "…",
    }
    found = told({"2026-11": MonthCounts(counted(*many(30, answer)), NOTHING)})
    told_of = {question.code: question for question in found.questions}
    scores = {code: (each.score_is, each.score.value if each.score else None) for code, each in told_of.items()}
    assert scores == {
        "nps": ("nps", 100.0),
        "rating": (None, None),
        "returns": ("csat", 100.0),
        "ease": ("ces", 100.0),
        "again": ("mean", 6.0),
        "reason": (None, None),
        "wishes": (None, None),
        "words": (None, None),
    }
    assert {question.answers for question in found.questions} == {30}
    assert {each.value: each.count for each in told_of["wishes"].counts} == {"more": 30, "cheaper": 0, "nearer": 30}
    assert {each.value: each.count for each in told_of["reason"].counts} == {"taste": 0, "price": 30, "place": 0}
    assert [(row.code, row.csat.value, row.mean.value) for row in told_of["rating"].rows] == [
        ("goods", 100.0, 4.0),
        ("staff", 0.0, 3.0),
        ("prices", None, None),
    ]
    assert told_of["nps"].mean is not None
    assert told_of["nps"].mean.value == 9.0


def test_a_dimension_is_made_of_all_that_was_rated_about_it_and_counts_people() -> None:
    survey = definition(
        {"kind": "csat", "code": "one", "dimension": "service"},
        {"kind": "csat", "code": "two", "dimension": "service"},
        {"kind": "text", "code": "words", "dimension": "service"},
    )
    counts = counted(*many(40, {"one": 5, "two": 1, "words": "slow"}), survey=survey)
    (found,) = told({"2026-11": MonthCounts(counts, NOTHING)}, survey).dimensions
    assert (found.dimension, found.csat.value, found.csat.n, found.ratings, found.texts) == (
        "service",
        50.0,
        40,
        80,
        40,
    )


def test_without_a_csat_question_satisfaction_is_that_of_all_rows() -> None:
    survey = definition({"kind": "matrix", "code": "areas", "rows": [*options("a", "b")]})
    counts = counted(*many(50, {"areas": {"a": 5, "b": 2}}), survey=survey)
    found = told({"2026-11": MonthCounts(counts, NOTHING)}, survey)
    assert found.csat is not None
    assert (found.csat.value, found.csat.n) == (50.0, 50)
    assert found.nps is None


def test_a_change_in_one_score_is_told_with_its_month() -> None:
    months = {}
    for month in range(1, 9):
        nps = [9] * 60 + [3] * 20 if month < 5 else [9] * 30 + [3] * 50
        months[f"2026-{month:02d}"] = MonthCounts(counted(*(({"nps": number}, SOUND) for number in nps)), NOTHING)
    (change,) = told(months).changes
    assert (change.score, change.month, change.before, change.after) == ("nps", "2026-05", 50.0, -25.0)
    assert change.low < change.difference < change.high < 0


def test_the_response_rate_is_of_the_invitations_that_were_sent() -> None:
    found = told({}, sent=400, responded=100).funnel
    assert found.rate is not None
    assert (found.rate.value, found.rate.n) == (25.0, 400)
    assert found.rate.low == pytest.approx(21.0, abs=0.1)
    assert told({}).funnel.rate is None
    few = told({}, sent=20, responded=3).funnel.rate
    assert few is not None
    assert (few.value, few.hidden) == (None, "too_few")


def test_a_table_has_its_largest_rows_first_and_hides_what_adds_up() -> None:
    cells = {
        "gold": counted(*many(35, {"nps": 9})),
        "silver": counted(*many(90, {"nps": 3})),
        "": counted(*many(10, {"nps": 9})),
    }
    whole = counted(*many(45, {"nps": 9}), *many(90, {"nps": 3}))
    by_tier = told({"2026-11": MonthCounts(whole, NOTHING)}, by="tier", groups=cells).groups
    assert by_tier is not None
    hidden = {cell.value: cell.nps.hidden for cell in by_tier.cells if cell.nps}
    assert list(hidden) == ["silver", "gold", ""]
    assert hidden == {"silver": None, "gold": "to_keep_others_hidden", "": "too_few"}
    by_segment = told({"2026-11": MonthCounts(whole, NOTHING)}, by="segment", groups=cells).groups
    assert by_segment is not None
    assert not by_segment.adds_up
    assert {cell.value: cell.nps.hidden for cell in by_segment.cells if cell.nps} == {
        "silver": None,
        "gold": None,
        "": "too_few",
    }


def test_a_score_that_few_were_asked_for_is_hidden_by_itself() -> None:
    """Enough have answered, but only ten of gold were asked for the CES: the total less silver would tell theirs."""
    cells = {
        "gold": counted(*many(40, {"nps": 9}), *many(10, {"ease": 7})),
        "silver": counted(*many(40, {"nps": 9, "ease": 2})),
    }
    whole = counted(*many(80, {"nps": 9}), *many(10, {"ease": 7}), *many(40, {"ease": 2}))
    found = told({"2026-11": MonthCounts(whole, NOTHING)}, by="tier", groups=cells).groups
    assert found is not None
    assert [(each.value, each.nps.hidden, each.ces.hidden) for each in found.cells if each.nps and each.ces] == [
        ("gold", None, "too_few"),
        ("silver", None, "to_keep_others_hidden"),
    ]


def test_of_no_answers_nothing_is_told() -> None:
    found = told({})
    assert (found.answers, found.months, found.changes, found.drivers, found.groups) == (0, (), (), None, None)
    assert found.nps is not None
    assert (found.nps.n, found.nps.value, found.nps.hidden) == (0, None, None)
