"""NPS, CSAT, CES, means and shares, against published examples and against what must hold of them."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.surveys.rules import measures
from chalicelib.surveys.rules.hiding import hidden
from chalicelib.surveys.rules.measures import MINIMUM, Measure

NPS = st.fixed_dictionaries({value: st.integers(0, 400) for value in range(11)})
FIVE = st.fixed_dictionaries({value: st.integers(0, 400) for value in range(1, 6)})


def test_half_promoters_and_a_fifth_detractors_of_400_are_30_give_or_take_7_65() -> None:
    found = measures.nps({10: 120, 9: 80, 8: 70, 7: 50, 6: 30, 3: 50})
    assert found is not None
    assert (found.n, found.value) == (400, 30.0)
    assert [found.low, found.high] == pytest.approx([30 - 7.65, 30 + 7.65], abs=0.005)


@pytest.mark.parametrize(
    ("part", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_newcombes_examples(part: int, n: int, low: float, high: float) -> None:
    found = measures.share(part, n)
    assert found is not None
    # Newcombe's z is 1.959964; ours is the 1.96 of everybody else's.
    assert [found.low / 100, found.high / 100] == pytest.approx([low, high], abs=6e-5)


def test_which_numbers_count_as_promoters_detractors_satisfied_and_easy() -> None:
    one_each = dict.fromkeys(range(11), 1)
    assert (measures.promoters(one_each), measures.detractors(one_each)) == (2, 7)
    satisfied, easy = measures.csat(dict.fromkeys(range(1, 6), 1)), measures.ces(dict.fromkeys(range(1, 8), 1))
    assert satisfied is not None
    assert easy is not None
    assert [satisfied.value, easy.value] == pytest.approx([40.0, 100 * 3 / 7])


def test_of_no_answers_nothing_is_said() -> None:
    nothing = dict.fromkeys(range(1, 6), 0)
    assert measures.nps({}) is measures.csat(nothing) is measures.mean(nothing) is measures.share(0, 0) is None


def test_the_interval_of_a_mean_is_that_of_the_textbook() -> None:
    found = measures.mean({1: 10, 2: 0, 3: 10, 4: 10, 5: 20})
    values = [1] * 10 + [3] * 10 + [4] * 10 + [5] * 20
    middle = sum(values) / 50
    half = 1.96 * math.sqrt(sum((value - middle) ** 2 for value in values) / 49 / 50)
    assert found is not None
    assert [found.value, found.low, found.high] == pytest.approx([middle, middle - half, middle + half])


def test_where_all_answer_alike_the_interval_still_has_a_width() -> None:
    for found in (
        measures.nps({10: 40}),
        measures.nps({0: 40}),
        measures.nps({8: 40}),
        measures.csat({5: 40}),
        measures.mean({1: 0, 2: 0, 3: 40, 4: 0, 5: 0}),
    ):
        assert found is not None
        assert found.low < found.high


def test_several_ratings_of_one_person_make_the_interval_no_narrower() -> None:
    alone, several = measures.share(30, 50), measures.share(120, 200, independent=50)
    assert alone is not None
    assert several is not None
    assert (several.value, several.low, several.high) == (alone.value, alone.low, alone.high)


@given(NPS)
def test_nps_lies_within_its_interval_and_both_within_100(given_numbers: dict[int, int]) -> None:
    found = measures.nps(given_numbers)
    if found is not None:
        assert -100 <= found.low <= found.value <= found.high <= 100


@given(NPS)
def test_nps_turns_with_the_scale(given_numbers: dict[int, int]) -> None:
    """Whoever gives 10 for 0 and so on up to 6 turns the score's sign where the middle stays the middle."""
    three = {
        10: measures.promoters(given_numbers),
        8: given_numbers[7] + given_numbers[8],
        0: measures.detractors(given_numbers),
    }
    turned = {0: three[10], 8: three[8], 10: three[0]}
    one, other = measures.nps(three), measures.nps(turned)
    if one is not None and other is not None:
        assert one.value == -other.value
        assert [one.low, one.high] == pytest.approx([-other.high, -other.low])


@given(FIVE)
def test_shares_and_means_lie_within_their_intervals_and_these_within_the_scale(given_numbers: dict[int, int]) -> None:
    satisfied, mean = measures.csat(given_numbers), measures.mean(given_numbers)
    if satisfied is not None and mean is not None:
        assert 0 <= satisfied.low <= satisfied.value <= satisfied.high <= 100
        assert 1 <= mean.low <= mean.value <= mean.high <= 5


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_is_where_the_score_test_agrees(part_of: tuple[int, int]) -> None:
    part, n = part_of
    found = measures.share(part, n)
    assert found is not None
    for bound in (found.low / 100, found.high / 100):
        if 1e-9 < bound < 1 - 1e-9:
            assert abs(part / n - bound) == pytest.approx(1.96 * math.sqrt(bound * (1 - bound) / n), rel=1e-6)


def test_ten_times_the_answers_narrow_an_interval() -> None:
    def width(measure: Measure | None) -> float:
        assert measure is not None
        return measure.high - measure.low

    few, many = {0: 12, 7: 8, 10: 20}, {0: 120, 7: 80, 10: 200}
    assert width(measures.nps(many)) == pytest.approx(width(measures.nps(few)) / math.sqrt(10))


def test_cells_of_fewer_than_30_are_hidden_and_with_them_what_would_give_them_away() -> None:
    assert hidden({"a": 29, "b": 30, "c": 500}, adds_up=False) == {"a": "too_few"}
    assert hidden({"a": 29, "b": 30, "c": 500}, adds_up=True) == {"a": "too_few", "b": "to_keep_others_hidden"}
    assert hidden({"a": 15, "b": 15, "c": 500}, adds_up=True) == {"a": "too_few", "b": "too_few"}
    assert hidden({"a": 30, "b": 0}, adds_up=True) == {}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 90)))
def test_no_hidden_cells_can_be_told_from_the_rest_of_their_total(answers: dict[str, int]) -> None:
    found = hidden(answers, adds_up=True)
    together = sum(answers[cell] for cell in found)
    everything_hidden = all(cell in found for cell, count in answers.items() if count)
    assert together == 0 or together >= MINIMUM or everything_hidden
    assert all(cell in found for cell, count in answers.items() if 0 < count < MINIMUM)


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 90)))
def test_no_more_is_hidden_than_must_be(answers: dict[str, int]) -> None:
    extra = [cell for cell, reason in hidden(answers, adds_up=True).items() if reason != "too_few"]
    small = sum(count for count in answers.values() if count < MINIMUM)
    assert len(extra) <= 1
    assert not extra or small < MINIMUM
    shown = [count for cell, count in answers.items() if cell not in extra and count >= MINIMUM]
    assert all(answers[cell] <= count for cell, count in itertools.product(extra, shown))
