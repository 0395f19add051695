"""Which dimension moves NPS."""

from __future__ import annotations

import itertools
from collections import Counter
from random import Random

import pytest

from chalicelib.surveys.rules import drivers
from chalicelib.surveys.rules.drivers import Drivers, lmg
from tests.rules.swiss import SWISS
from tests.surveys import VISIT, answers, definition, repeatable, rows

RATINGS = definition(
    {"kind": "nps", "code": "nps"},
    {"kind": "matrix", "code": "rating", "rows": rows(goods="product", staff="service", prices="price")},
    {"kind": "csat", "code": "returns", "dimension": "after_sales", "required": False},
)


def correlations(columns: list[list[float]]) -> list[list[float]]:
    def product(one: list[float], other: list[float]) -> float:
        means = sum(one) / len(one), sum(other) / len(other)
        return sum((a - means[0]) * (b - means[1]) for a, b in zip(one, other, strict=True))

    return [[product(a, b) / (product(a, a) * product(b, b)) ** 0.5 for b in columns] for a in columns]


def survey(chance: Random, n: int, *, service: float = 2.0, price: float = 0.0, noise: float = 1.0) -> Counter[str]:
    """Answers in which NPS follows the service (and the price), and the goods not at all."""
    counts: Counter[str] = Counter()
    for number in range(n):
        liking = chance.gauss(0, 1)
        rating = {
            row: min(5, max(1, round(3 + 0.5 * liking + chance.gauss(0, 1)))) for row in ("goods", "staff", "prices")
        }
        wish = 7.5 + service * (rating["staff"] - 3) + price * (rating["prices"] - 3) + chance.gauss(0, noise)
        given = answers(nps=min(10, max(0, round(wish))), rating=rating)
        for name, value in drivers.added(RATINGS, given, number % 16):
            counts[name] += value
    return counts


def found(counts: Counter[str]) -> Drivers:
    result = drivers.found(counts)
    assert result is not None
    return result


def test_relative_importance_is_that_of_the_published_example() -> None:
    """Grömping (2006): R's data set swiss, 70.67 % of the variance of fertility."""
    parts = lmg(correlations([list(column) for column in zip(*SWISS, strict=True)]))
    assert parts == pytest.approx([0.05709, 0.17117, 0.26013, 0.10557, 0.11276], abs=1e-4)
    assert sum(parts) == pytest.approx(0.7067, abs=5e-5)


def test_it_is_the_mean_over_all_orders() -> None:
    matrix = correlations([list(column) for column in zip(*SWISS, strict=True)])
    explained = drivers._explained
    orders = list(itertools.permutations(range(1, 6)))
    plain = [0.0] * 5
    for order in orders:
        for place, regressor in enumerate(order):
            gain = explained(matrix, order[: place + 1]) - explained(matrix, order[:place])
            plain[regressor - 1] += gain / len(orders)
    assert lmg(matrix) == pytest.approx(plain)


def test_regressors_that_say_the_same_share_alike() -> None:
    chance = repeatable(1)
    one = [chance.random() for _ in range(50)]
    other = [chance.random() for _ in range(50)]
    response = [2 * a + b + chance.random() for a, b in zip(one, other, strict=True)]
    parts = lmg(correlations([response, one, one, other]))
    assert parts[0] == pytest.approx(parts[1])
    assert sum(parts) == pytest.approx(sum(lmg(correlations([response, one, other]))))


def test_what_moves_nps_is_found_though_all_ratings_go_together() -> None:
    result = found(survey(repeatable(3), 800))
    first, *others = result.drivers
    assert (first.dimension, result.n) == ("service", 800)
    assert first.share > 70
    assert first.effect_low > 20
    assert all(driver.share_high < first.share_low and driver.effect_high < first.effect_low for driver in others)
    assert sum(driver.share for driver in result.drivers) == pytest.approx(100)


def test_the_sums_are_whole_and_come_out_alike_in_any_order_and_in_parts() -> None:
    whole = survey(repeatable(5), 300)
    again = survey(repeatable(5), 300)
    assert whole == again
    first, second = survey(repeatable(8), 150), survey(repeatable(9), 150)
    together: Counter[str] = Counter()
    for part in (second, first):
        for name, value in part.items():
            together[name] += value
    assert all(type(value) is int for value in together.values())
    assert found(together).n == 300


def test_intervals_hold_what_they_promise() -> None:
    """Of twenty 95 % intervals about nineteen contain the truth; here it is that the goods have no effect at all."""
    chance = repeatable(13)
    inside = 0
    runs = 120
    for _ in range(runs):
        result = found(survey(chance, 200))
        goods = next(driver for driver in result.drivers if driver.dimension == "product")
        inside += goods.effect_low <= 0 <= goods.effect_high
    assert 0.89 <= inside / runs <= 0.99


def test_too_few_answers_tell_nothing() -> None:
    assert drivers.found(survey(repeatable(2), 99)) is None
    assert drivers.found(Counter()) is None
    assert found(survey(repeatable(2), 100)).n == 100


def test_where_nps_never_varies_nothing_moves_it() -> None:
    counts: Counter[str] = Counter()
    for number in range(200):
        for name, value in drivers.added(
            RATINGS, answers(nps=10, rating={"goods": number % 5 + 1, "staff": 3}), number % 16
        ):
            counts[name] += value
    assert drivers.found(counts) is None


def test_a_dimension_that_few_speak_of_is_left_out() -> None:
    chance = repeatable(4)
    counts: Counter[str] = Counter()
    for number in range(400):
        given = answers(
            nps=chance.randint(0, 10), rating={"goods": chance.randint(1, 5), "staff": chance.randint(1, 5)}
        )
        if number % 4 == 0:
            given |= answers(returns=chance.randint(1, 5))
        for name, value in drivers.added(RATINGS, given, number % 16):
            counts[name] += value
    result = found(counts)
    assert {driver.dimension for driver in result.drivers} == {"product", "service"}
    assert result.n == 400


def test_scores_are_means_of_what_was_given_to_a_dimension() -> None:
    given = answers(nps=9, rating={"goods": 5, "staff": 1, "prices": 3}, returns=4, ease=7, again=0)
    sums = dict(drivers.added(VISIT, given, 0))
    # Product 5 of 5, service 1, price 3, after-sales 4, and beside them the mean of 7 of 7 and 0 of 10.
    scores = [sums[f"drivers:31:0:0:{place}"] for place in range(2, 7)]
    assert scores == [1_000, 0, 500, 750, 500]
    assert sums["drivers:31:0:0:1"] == 100


def test_without_nps_or_ratings_an_answer_adds_nothing() -> None:
    assert not list(drivers.added(RATINGS, answers(rating={"goods": 3}), 0))
    assert not list(drivers.added(RATINGS, answers(nps=3), 0))
