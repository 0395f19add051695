"""Alerts, personas, calibration and the programme's indicators."""

from __future__ import annotations

import itertools
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.scoring.rules import alerts, calibration, kpis, personas
from chalicelib.scoring.rules.arrays import NO_DAY, Floats
from tests.scoring import NOW, bought, standing


def test_an_alert_is_told_when_it_begins_and_not_again_for_two_weeks() -> None:
    now, before = np.array([True, True, False, True, True]), np.array([False, True, False, False, False])
    last = np.array([NO_DAY, NO_DAY, NO_DAY, NOW - 13, NOW - 14])
    assert alerts.onsets(now, before, last, NOW).tolist() == [True, False, False, False, True]


def test_a_regular_who_stops_is_noticed_and_one_who_goes_on_is_not() -> None:
    weekly = [(0, NOW - 7 * week, 10.0) for week in range(60)]
    stopped = [(1, NOW - 7 * week, 10.0) for week in range(10, 60)]
    seldom = [(2, NOW - 200 * step, 10.0) for step in range(3)]
    level, _before = alerts.slowing(bought(*weekly, *stopped, *seldom), standing().model, NOW)
    assert level[0] < 1.0
    assert level[1] >= alerts.SLOWING_FROM
    assert level[2] == 0.0
    assert alerts.slowing(bought(members=0), standing().model, NOW)[0].tolist() == []


def test_who_buys_once_a_fortnight_is_counted_by_four_weeks() -> None:
    steady = [(0, NOW - 21 * step, 10.0) for step in range(30)]
    stopped = [(1, NOW - 21 * step, 10.0) for step in range(8, 30)]
    level, _before = alerts.slowing(bought(*steady, *stopped), standing().model, NOW)
    assert level[0] < alerts.SLOWING_FROM < level[1] + 1.0


def test_drift_is_told_of_what_leaves_the_band_of_its_past() -> None:
    random = np.random.default_rng(2)
    flat = (100.0 + random.normal(0, 3, 24)).tolist()
    quiet = alerts.drift(flat)
    assert quiet is not None
    assert quiet.alert == ""
    falling = alerts.drift(flat[:12] + [value - 15.0 for value in flat[12:]])
    assert falling is not None
    assert falling.alert == "falling"
    assert alerts.drift([1.0] * 7) is None
    same = alerts.drift([5.0] * 8)
    assert same is not None
    assert same.alert == ""


def crowd(seed: int, count: int = 800) -> Floats:
    random = np.random.default_rng(seed)
    centres = np.array([[0.9, 0.9, 0.9], [0.9, 0.2, 0.2], [0.1, 0.8, 0.8], [0.1, 0.1, 0.1], [0.5, 0.5, 0.95]])
    points = np.zeros((count, len(personas.FEATURES)))
    points[:, :3] = np.clip(centres[random.integers(0, 5, count)] + random.normal(0, 0.06, (count, 3)), 0, 1)
    return points


def test_personas_do_not_depend_on_the_order_of_members() -> None:
    points = crowd(1)
    shuffled = np.random.default_rng(9).permutation(points)
    assert personas.found(points) == personas.found(shuffled)


def test_personas_separate_what_differs_and_are_named_by_what_they_are_like() -> None:
    points = crowd(2)
    groups = personas.found(points)
    assert len(groups.centroids) == 5
    names = personas.names(groups)
    assert {"regulars", "newcomers", "fading", "lost"} <= set(names)
    codes = personas.assign(groups, points.astype(np.float32))
    levels = groups.levels()
    # Each member is in the nearest group.
    scaled = (points - np.array(groups.mean)) / np.array(groups.spread)
    apart = ((scaled[:, None] - np.array(groups.centroids)) ** 2).sum(axis=2)
    assert (apart[np.arange(len(points)), codes] <= apart.min(axis=1) + 1e-5).all()
    assert set(names) <= set(personas.NAMES)
    assert levels.shape == (5, len(personas.FEATURES))


def test_a_persona_keeps_its_place_from_night_to_night() -> None:
    last = personas.found(crowd(3))
    # As if last night had listed them in another order.
    turned = msgspec.structs.replace(last, centroids=last.centroids[2:] + last.centroids[:2])
    tonight = personas.found(crowd(4), turned)
    assert np.abs(tonight.levels() - turned.levels()).max() < 0.15


def test_members_who_are_all_alike_make_no_personas() -> None:
    nothing = personas.found(np.zeros((50, 6)))
    assert nothing == personas.Personas()
    assert personas.names(nothing) == []
    assert personas.assign(nothing, np.zeros((3, 6))).tolist() == [0, 0, 0]
    assert personas.found(np.zeros((0, 6))) == personas.Personas()


def test_auc_is_the_chance_that_the_right_one_is_ranked_higher() -> None:
    assert calibration.auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.75
    assert calibration.auc(np.full(4, 0.3), np.array([True, False, True, False])) == 0.5
    assert calibration.auc(np.array([0.1, 0.2]), np.array([True, True])) is None


def test_quality_of_a_perfect_and_of_no_prediction() -> None:
    actual = np.array([0, 1, 0, 3])
    right = calibration.quality(np.array([0.0, 1.0, 0.0, 1.0]), actual.astype(float), actual)
    assert (right.auc, right.brier, right.mae, right.bias) == (1.0, 0.0, 0.0, 0.0)
    assert calibration.quality(np.zeros(0), np.zeros(0), np.zeros(0)).deciles == ()
    quiet = calibration.quality(np.full(3, 0.2), np.full(3, 0.2), np.zeros(3, int))
    assert (quiet.auc, quiet.bias) == (None, None)


def test_nps_and_satisfaction_come_with_their_interval_and_not_before_thirty_answers() -> None:
    answers = np.array([10] * 200 + [8] * 120 + [3] * 80)
    found = kpis.nps(answers)
    assert found is not None
    assert (found.value, found.n) == (30.0, 400)
    assert found.high - found.value == pytest.approx(7.65, abs=0.01)
    assert kpis.nps(answers[:29]) is None
    share = kpis.proportion(30, 30)
    assert share is not None
    assert (share.value, share.high) == (1.0, 1.0)
    assert 0.88 < share.low < 0.89


def test_rank_correlation_with_ties_and_without_anything_to_correlate() -> None:
    found = kpis.spearman(np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 4, 6, 8, 10]))
    assert found is not None
    assert found.value == pytest.approx(1.0)
    tied = kpis.spearman(np.array([1.0, 1, 2, 3, 3, 9]), np.array([5.0, 3, 3, 2, 1, 1]))
    assert tied is not None
    assert tied.low < tied.value < tied.high < 0.5
    assert kpis.spearman(np.ones(9), np.arange(9.0)) is None
    assert kpis.spearman(np.arange(3.0), np.arange(3.0)) is None


def test_retention_and_repeat_rate_say_nothing_of_nobody() -> None:
    assert kpis.retention(np.array([True, True, False]), np.array([True, False, True])) == 0.5
    assert kpis.retention(np.zeros(2, bool), np.ones(2, bool)) is None
    ages, has = np.array([200, 200, 10]), np.ones(3, bool)
    # Who came yesterday has had no time to come back.
    assert kpis.repeat_rate(np.array([1, 0, 0]), ages, has) == 0.5
    assert kpis.repeat_rate(np.array([1]), np.array([10]), np.ones(1, bool)) is None


@given(st.lists(st.floats(0, 1e6), max_size=200))
@settings(max_examples=50, deadline=None)
def test_pareto_rises_from_0_to_1_and_bends_upwards(values: list[float]) -> None:
    curve, top = kpis.pareto(np.array(values))
    assert curve[0] == 0.0
    assert curve[-1] == pytest.approx(1.0)
    assert all(later >= earlier - 1e-12 for earlier, later in itertools.pairwise(curve))
    assert top >= 0.2 - 1e-9
    assert 0.0 <= kpis.concentration(np.array(values), 0.8) <= 1.0


def test_cohorts_count_each_member_once_a_month() -> None:
    purchases = bought((0, 10, 1.0), (0, 40, 1.0), (0, 45, 1.0), (1, 12, 1.0), (2, 41, 1.0))
    rows = kpis.cohorts(purchases, purchases.day // 30, 0)
    assert [(row.month, row.members, row.shares) for row in rows] == [(0, 2, (1.0, 0.5)), (1, 1, (1.0,))]
    assert kpis.cohorts(bought(members=0), np.zeros(0, int), 0) == []


def test_breakage_is_near_the_truth_of_a_simulated_programme() -> None:
    random = np.random.default_rng(8)
    months, ages = 40, 12
    hazard = np.array([0.12, 0.1, 0.09, 0.08, 0.07, 0.06, 0.05, 0.05, 0.04, 0.04, 0.08, 0.15])
    issued = random.integers(900, 1_100, months).astype(float)
    redeemed = np.zeros((months, ages))
    for lot in range(months):
        left = issued[lot]
        for age in range(min(ages, months - lot)):
            redeemed[lot, age] = random.binomial(int(left), hazard[age])
            left -= redeemed[lot, age]
    found = kpis.breakage(kpis.Lots(issued, redeemed, np.full(months, ages)))
    assert found.ultimate_redemption_rate == pytest.approx(1 - np.prod(1 - hazard), abs=0.02)
    assert found.hazards == pytest.approx(hazard.tolist(), abs=0.02)
    # A lot that expires with the next month is nearly all breakage; the youngest is not.
    assert 0 < found.expected_breakage_points < found.outstanding_points


def test_points_are_spent_first_in_first_out_and_expire() -> None:
    lots = kpis.fifo(np.array([100.0, 50.0, 0.0, 0.0]), np.array([0.0, 120.0, 0.0, 99.0]), 2)
    assert lots.redeemed.tolist() == [[0.0, 100.0], [20.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    nothing = kpis.breakage(kpis.fifo(np.zeros(3), np.zeros(3), 12))
    assert (nothing.outstanding_points, nothing.ultimate_redemption_rate) == (0.0, 0.0)
    assert not math.isnan(nothing.expected_breakage_points)
