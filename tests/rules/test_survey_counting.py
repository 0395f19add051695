"""Which counters an answer adds one to."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.surveys.document import Answer
from chalicelib.surveys.rules import counting
from chalicelib.surveys.rules.context import Context
from tests.meter import item_bytes
from tests.surveys import FLAGGED, LARGEST, SOUND, VISIT, answers, definition, everything

QUESTIONS = {question.code: question for question in VISIT.questions}


def test_an_answer_adds_one_to_each_counter_that_it_names() -> None:
    given_answers = answers(
        nps=9, rating={"goods": 5, "staff": 2}, reason=["price"], wishes=["more", "nearer"], words="ok"
    )
    assert Counter(counting.added(VISIT, given_answers, SOUND)) == Counter(
        [
            "#n",
            "#channel:app",
            "nps:9",
            "rating:goods:5",
            "rating:staff:2",
            "reason:price",
            "wishes#",
            "wishes:more",
            "wishes:nearer",
            "words#",
        ]
    )


def test_a_flagged_answer_says_by_which_flags() -> None:
    assert {"#speeding", "#straight_lined", "#n"} <= set(counting.added(VISIT, {}, FLAGGED))


def test_an_answer_to_an_invitation_counts_for_the_month_in_which_that_was_sent() -> None:
    context = Context(channel="link", invited="2026-10")
    assert set(counting.added(VISIT, {}, context)) == {"#n", "#channel:link", "#invited:2026-10"}


def test_what_the_survey_does_not_know_adds_to_nothing() -> None:
    strange = answers(nps=11, reason=["taste", "nobody"], rating={"goods": 6, "ghost": 3}, ghost=4, words="  ")
    assert set(counting.added(VISIT, strange, SOUND)) == {"#n", "#channel:app", "reason:taste"}


def test_an_option_named_twice_counts_once() -> None:
    twice = {"wishes": Answer(options=("more", "more"))}
    assert Counter(counting.added(VISIT, twice, SOUND))["wishes:more"] == 1


def test_counters_of_two_questions_never_share_a_name() -> None:
    survey = definition(
        {"kind": "text", "code": "key"},
        {"kind": "text", "code": "part"},
        {"kind": "text", "code": "n"},
        {
            "kind": "multiple",
            "code": "a",
            "options": [{"code": "n", "title": {"en": "n", "zh-Hans": "n", "zh-Hant": "n"}}] * 2,
        },
    )
    found = [name for question in survey.questions for name in dict.fromkeys(counting.names(question))]
    assert len(found) == len({*found}) == 5
    assert not {"key", "part", "#n"} & {*found}


def test_the_largest_survey_keeps_an_item_below_10_kb_and_its_expression_below_4_kb() -> None:
    full = everything(LARGEST)
    live = counting.live(LARGEST)
    item = {
        name: {"N": "999999999999"}
        for code in live
        for question in LARGEST.questions
        if question.code == code
        for name in counting.names(question)
    }
    own = set(counting.added(LARGEST, {}, Context(channel="import", flags=("speeding", "straight_lined"))))
    item |= {name: {"N": "999999999999"} for name in own}
    assert item_bytes(item) < 10_000
    names = [*counting.added(LARGEST, {code: full[code] for code in live}, SOUND)]
    expression = "ADD " + ", ".join(f"#{number} :{number}" for number in range(len(names)))
    assert len(expression) < 4_096


def test_with_short_codes_as_many_counters_stand_in_an_item_as_may() -> None:
    survey = definition(*({"kind": "nps", "code": f"q{number}"} for number in range(60)))
    names = [
        name
        for question in survey.questions
        if question.code in counting.live(survey)
        for name in counting.names(question)
    ]
    assert counting.LIVE_COUNTERS - 36 < len(names) <= counting.LIVE_COUNTERS


def test_where_not_everything_is_counted_at_once_what_the_survey_is_for_is() -> None:
    assert "n" * 32 in counting.live(LARGEST)
    assert len(counting.live(LARGEST)) < len(LARGEST.questions)


def test_a_usual_survey_is_counted_whole() -> None:
    assert counting.live(VISIT) == QUESTIONS.keys()


@given(st.lists(st.integers(min_value=-1, max_value=12), max_size=40))
def test_a_distribution_has_every_number_and_adds_up_to_the_answers(given_numbers: list[int]) -> None:
    counts: Counter[str] = Counter()
    for number in given_numbers:
        counts.update(counting.added(VISIT, {"nps": Answer(number=number)}, SOUND))
    found = counting.distribution(counts, QUESTIONS["nps"])
    assert [*found] == [*range(11)]
    assert found == {value: given_numbers.count(value) for value in range(11)}
