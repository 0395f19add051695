"""The models of buying and of spending: published fits, gradients, and fits that must not be believed."""

from __future__ import annotations

import mpmath
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.scoring.rules import fitting, gammagamma, mbgnbd, special
from chalicelib.scoring.rules.history import Members, members_on
from tests.scoring import cdnow_purchases, day

MODELS: tuple[mbgnbd.Name, ...] = ("bg-nbd", "mbg-nbd")


@pytest.fixture(scope="module")
def members() -> Members:
    """The 1/10 sample of CDNOW after 39 weeks."""
    return members_on(cdnow_purchases(), day("1997-09-30"))


def counts(members: Members) -> mbgnbd.Counts:
    return mbgnbd.Counts.of(members.repeats, members.last_day - members.first_day, members.now - members.first_day)


def test_bgnbd_finds_the_published_parameters(members: Members) -> None:
    assert len(members) == 2357
    assert members.repeats.sum() == 2457
    fit = mbgnbd.fit("bg-nbd", counts(members))
    assert fit.refused == ()
    # Fader, Hardie and Lee (2005) print .243, 4.414, .793, 2.426 and −9582.4.
    assert fit.parameters == pytest.approx((0.2426, 4.4136, 0.7929, 2.4259), abs=1e-4)
    assert fit.log_likelihood == pytest.approx(-9582.43, abs=0.005)


def test_gammagamma_finds_the_published_parameters(members: Members) -> None:
    fit = gammagamma.fit(members.repeats, members.mean_repeat)
    assert fit.refused == ()
    assert fit.members == 946
    assert fit.parameters == pytest.approx((6.25, 3.74, 15.45), abs=0.01)
    assert fit.log_likelihood == pytest.approx(-4055.92, abs=0.01)


@pytest.mark.parametrize("name", MODELS)
def test_last_nights_curvature_shortens_the_search(members: Members, name: mbgnbd.Name) -> None:
    first = mbgnbd.fit(name, counts(members))
    later = members_on(cdnow_purchases(), day("1997-10-01"))
    again = mbgnbd.fit(name, counts(later), first)
    assert again.refused == ()
    assert again.evaluations < first.evaluations / 2
    assert again.parameters == pytest.approx(mbgnbd.fit(name, counts(later)).parameters, rel=1e-4)


@given(
    st.sampled_from(MODELS),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=30),
    st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_the_gradient_is_that_of_the_likelihood(
    name: mbgnbd.Name, rows: list[tuple[int, int, int]], logs: list[float]
) -> None:
    x = np.array([row[0] for row in rows])
    age = np.array([max(row[1:]) for row in rows])
    t_x = np.where(x > 0, [min(row[1:]) for row in rows], 0)
    objective, at = mbgnbd.Likelihood(name, mbgnbd.Counts.of(x, t_x, age)), np.array(logs)
    slope = objective(at)[1]
    for place, step in enumerate(np.eye(4) * 1e-5):
        rise = (objective(at + step)[0] - objective(at - step)[0]) / 2e-5
        assert slope[place] == pytest.approx(rise, rel=1e-4, abs=1e-4)


@given(
    st.lists(st.tuples(st.integers(1, 400), st.floats(0.5, 5_000.0)), min_size=1, max_size=20),
    st.lists(st.floats(-1.5, 2.0), min_size=3, max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_the_gradient_of_spending_is_that_of_its_likelihood(rows: list[tuple[int, float]], logs: list[float]) -> None:
    objective = gammagamma.Likelihood(np.array([row[0] for row in rows]), np.array([row[1] for row in rows]))
    at = np.array(logs)
    slope = objective(at)[1]
    for place, step in enumerate(np.eye(3) * 1e-5):
        rise = (objective(at + step)[0] - objective(at - step)[0]) / 2e-5
        assert slope[place] == pytest.approx(rise, rel=1e-4, abs=1e-3)


@given(st.integers(0, 2**32 - 1), st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_counts_of_shards_are_those_of_the_whole(seed: int, shards: int) -> None:
    random = np.random.default_rng(seed)
    x, t_x, age = random.integers(0, 5, 200), random.integers(0, 30, 200), random.integers(30, 60, 200)
    whole = mbgnbd.Counts.of(x, t_x, age)
    dealt = random.integers(0, shards, 200)
    merged = mbgnbd.Counts.merged(
        mbgnbd.Counts.of(x[dealt == shard], t_x[dealt == shard], age[dealt == shard]) for shard in range(shards)
    )
    assert (merged.keys == whole.keys).all()
    assert (merged.members == whole.members).all()
    assert int(whole.members @ whole.x) == int(x.sum())


_SHAPES = (
    (0.24, 4.4, 0.79, 2.4, False),
    (2.0, 1.5, 1.7, 0.6, True),
    (0.6, 7.0, 0.3, 4.0, True),
    (90.0, 60.0, 40.0, 90.0, False),
    (0.01, 60.0, 120.0, 90.0, True),
)


def test_expected_purchases_agree_with_forty_digits() -> None:
    mpmath.mp.dps = 40
    ahead = np.array([13.0, 52.0])
    for r, alpha, a, b, modified in _SHAPES:
        shift = a + b - (0 if modified else 1)
        x, age = np.array([0, 1, 7, 400]), np.array([0.0, 30.0, 60.0, 100.0])
        found = special.future_purchases(shift, r, alpha, a, x, age, ahead)
        for row in range(4):
            for column, t in enumerate(ahead):
                c, power = shift + int(x[row]), r + int(x[row])
                z = mpmath.mpf(t) / (alpha + age[row] + t)
                inner = mpmath.hyp2f1(power, c - (a - 1), c, z)
                exact = mpmath.mpf(c) / (a - 1) * (1 - (1 - z) ** power * inner)
                assert found[row, column] == pytest.approx(float(exact), rel=1e-8)


def test_expected_purchases_do_not_overflow_for_the_busiest() -> None:
    # The published form answers infinity here.
    found = special.future_purchases(
        3.2, 0.24, 4.4, 0.79, np.array([400, 10_000]), np.array([100.0] * 2), np.array([520.0])
    )
    assert np.isfinite(found).all()
    assert (found > 0).all()


def test_expected_purchases_are_continuous_where_a_is_1() -> None:
    values = [
        float(special.future_purchases(a + 1.5, 0.5, 5.0, a, np.array([3]), np.array([20.0]), np.array([13.0]))[0, 0])
        for a in (0.9998, 0.99999999, 1.0, 1.00000001, 1.0002)
    ]
    assert values == pytest.approx([values[0]] * 5, rel=1e-3)


def test_digamma_and_log_gamma() -> None:
    at = np.array([1e-3, 0.5, 1.0, 3.7, 6.0, 250.0, 1e6])
    assert special.digamma(at).tolist() == pytest.approx([float(mpmath.digamma(x)) for x in at], rel=1e-13)
    assert special.log_gamma(at).tolist() == pytest.approx(
        [float(mpmath.loggamma(x)) for x in at], rel=1e-13, abs=1e-14
    )


def test_a_few_members_carry_no_fit(members: Members) -> None:
    nobody = np.zeros(0, np.int64)
    for name in MODELS:
        assert mbgnbd.fit(name, mbgnbd.Counts.of(nobody, nobody, nobody)).refused == ("too_few_members",)
        paced = mbgnbd.paced(name, mbgnbd.Counts.of(*np.array([[3, 3], [10, 10], [14, 14]])))
        # Three repeats in two weeks are another pace than CDNOW's, in the same shape.
        assert paced.parameters[1] < mbgnbd.default(name).parameters[1]
        assert paced.source == "default"
    assert gammagamma.fit(nobody, np.zeros(0)).refused == ("too_few_members",)
    same = gammagamma.fit(np.full(100, 2), np.full(100, 9.99))
    assert same.refused == ("all_alike",)
    assert gammagamma.expected_value(gammagamma.Spend(*same.parameters), np.array([0, 2]), np.array([0.0, 9.99]))[
        1
    ] == pytest.approx(9.99, rel=0.2)
    assert counts(members).members.sum() == 2357


def test_members_whom_refunds_left_nothing_are_not_in_the_fit(members: Members) -> None:
    spoiled = members.mean_repeat.copy()
    spoiled[np.flatnonzero(members.repeats > 0)[:3]] = (-5.0, 0.0, -1e9)
    fit = gammagamma.fit(members.repeats, spoiled)
    assert fit.refused == ()
    assert fit.members == 943
    values = gammagamma.expected_value(gammagamma.Spend(*fit.parameters), members.repeats, spoiled)
    assert np.isfinite(values).all()
    assert (values > 0).all()


def test_a_fit_that_jumps_is_refused_and_last_nights_kept(members: Members) -> None:
    honest = mbgnbd.fit("bg-nbd", counts(members))
    # As if a programme of another kind had been scored last night: the same errors, twelve times the pace.
    other = msgspec.structs.replace(honest, parameters=(0.24, 0.36, 0.79, 2.43))
    found = mbgnbd.fit("bg-nbd", counts(members), other)
    assert "jumped" in found.refused
    used = fitting.in_use(found, other, mbgnbd.default("bg-nbd"))
    assert (used.parameters, used.source) == (other.parameters, "kept")
    assert used.refused == found.refused


def test_members_who_never_stop_still_have_a_fit() -> None:
    # Everybody buys every week and nobody ever stops, which sends three of the parameters off to their ends.
    x = np.full(500, 20)
    for name in MODELS:
        fit = mbgnbd.fit(name, mbgnbd.Counts.of(x, np.full(500, 140), np.full(500, 140)))
        assert fit.refused == ()
        model = mbgnbd.model(name, fit)
        assert model.a / (model.a + model.b) < 0.01
        assert model.r / model.alpha == pytest.approx(1.0, rel=0.05)


def test_a_slow_shop_is_fitted_as_a_quick_one_is(members: Members) -> None:
    # The same purchases, a hundred times slower: alpha is a hundred times as long, and nothing else changes.
    slow = mbgnbd.Counts.of(
        members.repeats, (members.last_day - members.first_day) * 100, (members.now - members.first_day) * 100
    )
    fit = mbgnbd.fit("bg-nbd", slow)
    assert fit.refused == ()
    assert fit.parameters == pytest.approx((0.2426, 441.36, 0.7929, 2.4259), rel=1e-3)


@pytest.mark.parametrize("unit", [0.01, 1.0, 1e6])
def test_the_currencys_unit_does_not_matter(members: Members, unit: float) -> None:
    fit = gammagamma.fit(members.repeats, members.mean_repeat * unit)
    assert fit.refused == ()
    assert fit.parameters == pytest.approx((6.2496, 3.7442, 15.4435 * unit), rel=1e-4)
    again = gammagamma.fit(members.repeats, members.mean_repeat * unit, fit)
    assert (again.refused, again.evaluations < fit.evaluations) == ((), True)
    # A density in cents is a hundredth of one in dollars.
    assert fit.log_likelihood == pytest.approx(-4055.918 - 946 * np.log(unit), abs=0.01)


def test_spending_without_a_mean_is_refused() -> None:
    # Values so far apart that no mean exists: q comes out at 1 or below.
    random = np.random.default_rng(3)
    fit = gammagamma.fit(np.full(3_000, 3), 10.0 * random.pareto(0.5, 3_000) + 1.0)
    assert "at_the_edge" in fit.refused
    used = fitting.in_use(fit, None, gammagamma.default(10.0))
    assert (used.source, used.refused) == ("default", fit.refused)


def test_a_less_likely_fit_is_refused(members: Members, monkeypatch: pytest.MonkeyPatch) -> None:
    good = mbgnbd.fit("bg-nbd", counts(members))
    monkeypatch.setattr(fitting, "_ITERATIONS_MAX", 0)
    stuck = fitting.fitted(
        mbgnbd.Likelihood("bg-nbd", counts(members)),
        mbgnbd.NAMES,
        2357,
        start=np.zeros(4),
        last=msgspec.structs.replace(good, inverse_hessian=()),
    )
    assert {"less_likely", "no_convergence"} <= set(stuck.refused)
