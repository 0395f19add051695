"""What the programme as a whole says: surveys together, and indicators by month with their gaps."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.scoring.report import drift, tables
from chalicelib.scoring.report.control import control
from chalicelib.scoring.report.model import Holdings, Month
from chalicelib.scoring.report.programme import Programme, series
from chalicelib.scoring.rules import alerts, voices
from chalicelib.scoring.rules.history import Purchases
from chalicelib.scoring.rules.past import Heard, PointMonth
from chalicelib.scoring.rules.voices import Rated, Said
from chalicelib.surveys.rules.counting import added
from tests.scoring import NOW, bought, day
from tests.surveys import SOUND, VISIT, answers, definition, rows

END = day("2026-10-31")
LAST = 2026 * 12 + 9


def counted(survey: Any, *given: dict[str, Any]) -> Said:
    """What these answers to a survey say."""
    counts = Counter(name for each in given for name in added(survey, answers(**each), SOUND))
    return voices.said(survey.questions, counts)


def test_a_survey_says_what_its_own_results_say() -> None:
    found = counted(
        VISIT,
        *[{"nps": 10, "rating": {"goods": 5, "staff": 2, "prices": 4}, "returns": 4, "ease": 6}] * 30,
        *[{"nps": 3, "rating": {"goods": 1}, "ease": 2}] * 10,
    )
    net = found.net_promoters()
    assert net is not None
    assert (net.value, net.n) == (50.0, 40)
    assert net.low < 50.0 < net.high
    # CSAT is by the question that asks for it, dimensions by all that was rated of them.
    assert found.csat == Rated(30, 30, 30)
    assert found.ces == Rated(30, 40, 40)
    assert found.dimensions["product"] == Rated(30, 40, 40)
    assert found.dimensions["service"] == Rated(0, 30, 30)
    assert set(found.dimensions) == {"product", "service", "price", "after_sales"}


def test_who_rates_several_things_is_one_person() -> None:
    both = definition({"kind": "matrix", "code": "m", "rows": rows(taste="product", smell="product", shop="other")})
    found = counted(both, *[{"m": {"taste": 5, "smell": 5, "shop": 1}}] * 40)
    assert found.dimensions == {"product": Rated(80, 80, 40)}
    assert found.csat == Rated(80, 120, 40)
    share, narrow = found.dimensions["product"].estimate(), Rated(80, 80, 80).estimate()
    assert share is not None
    assert narrow is not None
    assert (share.value, share.n) == (1.0, 40)
    assert share.low < narrow.low


def test_surveys_add_up_and_too_few_answers_are_not_told() -> None:
    one, other = counted(VISIT, *[{"nps": 10}] * 20), counted(VISIT, *[{"nps": 0}] * 15)
    assert one.net_promoters() is None
    together = one.plus(other).net_promoters()
    assert together is not None
    assert together.value == pytest.approx(100 * 5 / 35)
    assert together.n == 35
    assert Said().plus(one).net_promoters() is None
    assert Said().csat.estimate() is None
    assert one.plus(Said()).nps == one.nps


def test_a_month_without_data_moves_nothing() -> None:
    values: list[float | None] = [10.0, 12.0, 9.0, 11.0, 10.0, 11.0, 3.0, 2.0, 2.0, 1.0]
    whole = alerts.drift(values)
    assert whole is not None
    assert whole.alert == "falling"
    later = alerts.drift([None, None, *values])
    assert later == whole
    gap = alerts.drift([*values[:3], None, *values[3:7], None, *values[7:]])
    assert gap is not None
    assert gap.alert == "falling"
    # What has not been heard of last month is not judged, and neither is a past of nearly nothing.
    assert alerts.drift([*values, None]) is None
    assert alerts.drift([1.0, None, None, None, None, 2.0, 3.0, 1.0, 2.0, 2.0, 3.0, 1.0]) is None
    assert alerts.drift([]) is None
    assert alerts.drift([None] * 20) is None


@given(st.lists(st.none() | st.floats(-100, 100), max_size=40), st.sampled_from([0.0, 0.5]))
def test_a_drift_is_always_a_number_or_nothing(values: list[float | None], least: float) -> None:
    found = alerts.drift(values, least_spread=least)
    if found is not None:
        assert all(map(math.isfinite, (found.level, found.low, found.high)))
        assert found.low <= found.high
        assert (found.alert == "") == (found.low - 1e-6 <= found.level <= found.high + 1e-6)


@pytest.mark.parametrize("length", [8, 14, 36])
def test_an_indicator_that_does_not_move_is_seldom_outside_however_short_its_past(length: int) -> None:
    random = np.random.default_rng(3)
    found = [alerts.drift(random.normal(100.0, 5.0, length).tolist()) for _series in range(1_000)]
    assert sum(bool(one.alert) for one in found if one is not None) <= 25
    # One that falls far is seen.
    fell = np.concatenate([random.normal(100.0, 5.0, (200, length - 3)), random.normal(60.0, 5.0, (200, 3))], axis=1)
    seen = [alerts.drift(series.tolist()) for series in fell]
    assert sum(one.alert == "falling" for one in seen if one is not None) >= 180


def test_what_chance_alone_would_do_is_no_alert() -> None:
    alike = [10.0] * 10 + [11.0]
    sure, careful = alerts.drift(alike), alerts.drift(alike, least_spread=10.0**0.5)
    assert sure is not None
    assert careful is not None
    assert (sure.alert, careful.alert) == ("rising", "")


def months(*purchases: int) -> list[Month]:
    """Whole months up to the last one."""
    first = LAST - len(purchases) + 1
    return [Month(first + place, count, 0, 10.0 * count) for place, count in enumerate(purchases)]


def heard(*complaints: int, answers: int = 40) -> tuple[Heard, ...]:
    first = LAST - len(complaints) + 1
    return tuple(
        Heard(first + place, END, "n", 30, 5, answers, complaints=count) for place, count in enumerate(complaints)
    )


def holding(*points: PointMonth) -> Holdings:
    return Holdings(
        outstanding=0,
        available=0,
        pending=0,
        held=0,
        owed=0,
        members=0,
        since="2026-01-01",
        opening=0,
        months=points,
        expiry="never",
        unknown="never",
    )


def test_complaints_are_told_of_a_hundred_purchases_and_of_the_months_that_have_any() -> None:
    programme = Programme(heard=heard(2, 0, 4))
    (net, rate) = series(programme, months(100, 0, 200), LAST)
    assert (rate.indicator, rate.first_month, rate.values) == ("complaint_rate", LAST - 2, (2.0, None, 2.0))
    assert rate.least_spread > 0.0
    assert (net.indicator, net.values) == ("nps", (62.5, 62.5, 62.5))
    # Of an even sample of the members, purchases are as many more as the sample is smaller.
    half = msgspec.structs.replace(programme, share=0.5)
    assert series(half, months(100, 0, 200), LAST)[1].values == (1.0, None, 1.0)


def test_redemption_is_of_the_points_of_its_month() -> None:
    points = (
        PointMonth(LAST - 3, 0, 40, 0),
        PointMonth(LAST - 2, 100, 25, 0),
        PointMonth(LAST - 1, 0, 0, 0, known=False),
        PointMonth(LAST, 200, -5, 0),
        PointMonth(LAST + 1, 10, 10, 0),
    )
    (one,) = series(Programme(holdings=holding(*points)), [], LAST)
    # Nothing given out, no night, and a month that is not over: none of these is a rate of nothing.
    assert (one.indicator, one.first_month, one.values) == ("redemption", LAST - 2, (0.25, None, 0.0))


def test_months_of_few_answers_are_gaps_and_without_any_there_is_no_series() -> None:
    few = (*heard(0, 0)[:1], Heard(LAST, END, "n", 3, 0, 29))
    net, *_rest = series(Programme(heard=few), months(5, 5), LAST)
    assert net.values == (62.5, None)
    assert series(Programme(), [], LAST) == ()
    assert series(Programme(heard=heard(0, 0, answers=0)), [], LAST) == ()


def test_months_that_are_not_known_in_full_are_not_told_of() -> None:
    purchases = bought(*((0, day(f"2026-{month:02d}-05"), 9.0) for month in range(1, 11)))
    assert len(tables.months(purchases, END)) == 10
    assert [month.month for month in tables.months(purchases, END, day("2026-08-01"))] == [LAST - 2, LAST - 1, LAST]
    assert tables.months(purchases, END, day("2026-08-02"))[0].month == LAST - 1
    assert tables.last_whole_month(END) == LAST
    assert tables.last_whole_month(END - 1) == LAST - 1


def steady(last: int = 10) -> Purchases:
    """Twelve months of purchases of twenty members, of whom fewer buy in the last months."""
    return bought(
        *(
            (member, day(f"{2025 + (month + 10) // 12}-{(month + 10) % 12 + 1:02d}-{member % 20 + 1:02d}"), 9.0)
            for month in range(12)
            for member in range(20 if month < 8 else last)
        ),
        members=20,
    )


def test_the_programme_s_indicators_stand_beside_those_of_purchases() -> None:
    complaints = heard(*[2] * 6, *[9] * 6)
    found = drift.programme_warnings(tables.months(steady(), END), steady(), END, Programme(heard=complaints))
    assert {one.indicator for one in found} == {
        *("purchases", "new_members", "basket", "retention", "nps", "complaint_rate")
    }
    ways = {one.indicator: one.direction for one in found}
    assert (ways["purchases"], ways["complaint_rate"], ways["nps"]) == ("falling", "rising", "")
    assert {one.first_month for one in found} == {LAST - 11, LAST - 10}


def test_nothing_at_all_warns_of_nothing() -> None:
    nobody = bought(members=0)
    assert drift.programme_warnings(tables.months(nobody, NOW), nobody, NOW, Programme()) == ()
    once = bought((0, NOW - 900, 5.0))
    quiet = drift.programme_warnings(tables.months(once, NOW), once, NOW)
    assert {one.indicator for one in quiet} == {"purchases", "new_members"}
    assert all(np.isfinite([one.level, one.low, one.high]).all() for one in quiet)


def test_the_page_draws_a_series_with_gaps() -> None:
    complaints = tuple(one for one in heard(*[2] * 12) if one.month != LAST - 3)
    found = drift.programme_warnings(tables.months(steady(20), END), steady(20), END, Programme(heard=complaints))
    gap = next(one for one in found if one.indicator == "complaint_rate")
    assert gap.series[-4] is None
    html = control(gap)
    assert html.count("<path") + html.count("<polyline") == 2
    assert "nan" not in html.lower()
