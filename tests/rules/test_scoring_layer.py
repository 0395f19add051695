"""The layer over the model: used where it proves better on a later day, and nowhere else."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.scoring import closed_form
from chalicelib.scoring.closed_form import Layer
from chalicelib.scoring.rules import layering
from chalicelib.scoring.rules.arrays import Floats
from chalicelib.scoring.rules.history import members_on
from chalicelib.scoring.rules.layering import Foreseen, Layers
from chalicelib.scoring.rules.night import learned
from tests.scoring import NOW, bought

NONE = Layer()
LEAST = 300


def asked(chance: Floats, number: Floats, seed: int, *, truth: Floats | None = None, recent: Any = None) -> Foreseen:
    """Members of whom the model says so much, and who do what is true instead, if it is not what the model says."""
    random = np.random.default_rng(seed)
    happens = random.random(len(chance)) < (chance if truth is None else truth)
    lately = np.zeros(len(chance), np.int64) if recent is None else recent
    # Of those who buy at all, each as often as the model has it.
    more = random.poisson(np.maximum(number / np.maximum(chance, 1e-9) - 1.0, 0.0))
    return Foreseen(
        buys=chance, number=number, purchases_28=lately // 2, purchases_91=lately, actual=happens * (1 + more)
    )


def crowd(seed: int, count: int = 4_000) -> tuple[Floats, Floats, Any]:
    random = np.random.default_rng(seed)
    chance = random.uniform(0.02, 0.9, count)
    return chance, chance * random.uniform(1.0, 3.0, count), random.poisson(1.0, count)


def recalibrated(chance: Floats, slope: float, shift: float) -> Floats:
    return 1.0 / (1.0 + np.exp(-(slope * np.log(chance / (1.0 - chance)) + shift)))


def missing(seed: int) -> Foreseen:
    """A model that leaves out what members did lately."""
    chance, number, recent = crowd(seed)
    odds = np.log(chance / (1.0 - chance)) + 1.2 * np.log1p(recent) - 0.8
    return asked(chance, number, seed + 1, truth=1.0 / (1.0 + np.exp(-odds)), recent=recent)


def off(seed: int) -> Foreseen:
    """A model whose ranks are right, and whose chances are too bold."""
    chance, number, recent = crowd(seed)
    return asked(chance, number, seed + 1, truth=recalibrated(chance, 0.5, 0.6), recent=recent)


def right(seed: int) -> Foreseen:
    chance, number, recent = crowd(seed)
    return asked(chance, number, seed + 1, recent=recent)


def test_a_layer_that_knows_more_than_the_model_is_used() -> None:
    found = layering.layers(missing(1), missing(5), NONE).now
    assert found.refused == ()
    assert found.chance
    assert found.brier is not None
    assert found.auc is not None
    assert found.brier.layer < found.brier.model
    assert found.auc.layer > found.auc.model
    assert found.members == 4_000


def test_a_model_that_is_too_bold_is_set_right() -> None:
    found = layering.layers(off(1), off(5), NONE)
    later = off(9)
    told = layering.applied(found.now, later)[0]
    truth = recalibrated(later.buys, 0.5, 0.6)
    assert float(np.abs(told - truth).mean()) < 0.1 * float(np.abs(later.buys - truth).mean())


@pytest.mark.parametrize("seed", range(6))
def test_a_model_that_is_right_is_left_alone(seed: int) -> None:
    found = layering.layers(right(100 + seed), right(200 + seed), NONE)
    assert found.now.refused
    assert found.now.number_refused
    assert found.now.number == found.then.number == ()


def test_what_was_trained_on_noise_is_refused() -> None:
    early, then = missing(1), right(5)
    shuffled = msgspec.structs.replace(early, actual=np.random.default_rng(3).permutation(early.actual))
    found = layering.layers(shuffled, then, NONE).now
    assert "not_better" in found.refused
    assert (found.chance, found.number) == ((), ())


def test_a_layer_that_ranks_worse_is_refused_though_its_chances_are_nearer() -> None:
    """What it learned of the calibration still holds, what it learned of recent purchases does not any more."""

    def misled(seed: int, weight: float) -> Foreseen:
        chance, number, recent = crowd(seed)
        odds = 0.3 * np.log(chance / (1.0 - chance)) + 0.6 + weight * (np.log1p(recent) - 0.6)
        return asked(chance, number, seed + 1, truth=1.0 / (1.0 + np.exp(-odds)), recent=recent)

    found = layering.layers(misled(1, 0.5), misled(5, 0.0), NONE).now
    assert found.brier is not None
    assert found.auc is not None
    assert found.brier.layer < found.brier.model
    assert found.auc.layer < found.auc.model
    assert found.refused == ("ranks_worse",)
    assert found.chance == ()


def test_a_layer_in_use_stays_where_a_new_one_would_not_come() -> None:
    """So that it does not come and go from night to night by chance alone."""
    hair = next(
        (seed, found)
        for seed in range(40)
        if (found := layering.layers(right(300 + seed), right(400 + seed), NONE).now).brier is not None
        and found.refused == ("not_better",)
        and found.brier.layer < found.brier.model
    )
    seed, found = hair
    again = layering.layers(right(300 + seed), right(400 + seed), msgspec.structs.replace(found, chance=(0.0,) * 5)).now
    assert (again.refused, again.brier) == ((), found.brier)
    assert again.chance


def test_a_layer_in_use_goes_when_it_is_worse() -> None:
    used = layering.layers(off(1), off(5), NONE).now
    assert used.chance
    found = layering.layers(off(1), right(5), used).now
    assert "not_better" in found.refused
    assert found.chance == ()


@pytest.mark.parametrize(
    ("fallen", "comes", "stays"), [(-0.01, True, True), (0.0, True, True), (0.0005, False, True), (0.002, False, False)]
)
def test_a_layer_may_rank_worse_by_a_hair_only_once_it_is_in_use(
    fallen: float, *, comes: bool, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = layering.layers(off(1), off(5), NONE).now
    for last, expected in ((NONE, comes), (used, stays)):
        ranks = iter((0.8, 0.8 - fallen))
        monkeypatch.setattr(layering, "auc", lambda *_given, ranks=ranks: next(ranks))
        found = layering.layers(off(1), off(5), last).now
        assert bool(found.chance) == expected
        assert found.refused == (() if expected else ("ranks_worse",))


def test_the_number_changes_only_where_both_its_errors_fall() -> None:
    def counted(seed: int, true: float) -> Foreseen:
        _chance, number, recent = crowd(seed)
        actual = np.random.default_rng(seed + 1).poisson(true * number)
        return Foreseen(
            buys=-np.expm1(-number), number=number, purchases_28=recent // 2, purchases_91=recent, actual=actual
        )

    halved = layering.layers(counted(1, 0.5), counted(5, 0.5), NONE).now
    assert halved.number_refused == ()
    assert halved.mae is not None
    assert halved.rmse is not None
    assert halved.mae.layer < halved.mae.model
    assert halved.rmse.layer < halved.rmse.model
    # Trained where members bought half as often as foreseen, tried where they bought as often: not used.
    wrong = layering.layers(counted(1, 0.5), counted(5, 1.0), NONE).now
    assert wrong.number == ()
    assert wrong.number_refused


@pytest.mark.parametrize(
    ("early", "then", "reason"),
    [
        (None, right(1), "too_young"),
        (right(1), None, "too_young"),
        (right(1), asked(*crowd(2, LEAST - 1)[:2], 3), "too_few_members"),
        (asked(*crowd(2, LEAST - 1)[:2], 3), right(1), "too_few_members"),
        (right(1), asked(np.full(1_000, 0.005), np.full(1_000, 0.005), 3), "too_few_outcomes"),
        (asked(np.full(1_000, 0.999), np.full(1_000, 5.0), 3), right(1), "too_few_outcomes"),
        (asked(np.zeros(0), np.zeros(0), 3), right(1), "too_young"),
    ],
)
def test_too_little_is_no_evidence(early: Foreseen | None, then: Foreseen | None, reason: str) -> None:
    found = layering.layers(early, then, layering.layers(off(1), off(5), NONE).now)
    assert found == Layers(
        Layer(refused=(reason,), number_refused=(reason,)), Layer(refused=(reason,), number_refused=(reason,))
    )


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([0.0, 1e-9, 0.5, 40.0, 2_000.0]),
    st.sampled_from([0, 3, 10_000]),
)
@settings(max_examples=60, deadline=None)
def test_whatever_members_are_alike_in_there_is_no_nan(seed: int, chance: float, number: float, lately: int) -> None:
    random = np.random.default_rng(seed)
    alike = Foreseen(
        buys=np.full(LEAST, chance),
        number=np.full(LEAST, number),
        purchases_28=np.full(LEAST, lately // 2),
        purchases_91=np.full(LEAST, lately),
        actual=random.permutation(np.arange(LEAST) % 2) * random.integers(1, 91, LEAST),
    )
    with np.errstate(all="raise", under="ignore"):
        found = layering.layers(alike, right(7), NONE)
        for layer in (
            found.now,
            Layer(chance=layering.trained("chance", alike), number=layering.trained("number", alike)),
        ):
            for seen in (alike, right(7)):
                told = layering.applied(layer, seen)
                assert np.isfinite(np.concatenate(told)).all()
                if layer.chance:
                    assert ((told[0] >= 0.0) & (told[0] <= 1.0)).all()
                if layer.number:
                    assert ((told[1] >= told[0]) & (told[1] <= 91.0)).all()


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 500), st.integers(0, 28), st.integers(0, 91))
@settings(max_examples=100, deadline=None)
def test_one_member_and_all_of_them_go_by_the_same_formula(
    seed: int, chance: float, number: float, recent: int, quarter: int
) -> None:
    weights = np.random.default_rng(seed).normal(0.0, 2.0, (2, 5))
    for layer in (
        Layer(),
        Layer(chance=tuple(weights[0].tolist())),
        Layer(number=tuple(weights[1].tolist())),
        Layer(chance=tuple(weights[0].tolist()), number=tuple(weights[1].tolist())),
    ):
        one = closed_form.layered(layer, chance, number, recent, quarter)
        of = Foreseen(
            buys=np.array([chance]),
            number=np.array([number]),
            purchases_28=np.array([recent]),
            purchases_91=np.array([quarter]),
            actual=np.array([0]),
        )
        all_ = [float(array[0]) for array in layering.applied(layer, of)]
        assert list(one) == pytest.approx(all_, rel=1e-12, abs=1e-15)


def test_weights_that_say_nothing_new_leave_the_models_word() -> None:
    seen = right(1)
    chance, number = layering.applied(Layer(chance=(0, 1, 0, 0, 0), number=(0, 0, 1, 0, 0)), seen)
    assert chance == pytest.approx(seen.buys, rel=1e-9)
    assert number == pytest.approx(seen.number, rel=1e-9)


def test_the_order_of_members_does_not_show() -> None:
    def shuffled(seen: Foreseen, order: Any) -> Foreseen:
        return Foreseen(**{name: getattr(seen, name)[order] for name in Foreseen.__struct_fields__})

    order = np.random.default_rng(1).permutation(4_000)
    found = layering.layers(missing(1), missing(5), NONE).now
    again = layering.layers(shuffled(missing(1), order), shuffled(missing(5), order), NONE).now
    assert again.chance == pytest.approx(found.chance, rel=1e-6)
    assert again.refused == found.refused


def test_members_who_have_not_bought_are_none_of_its_business() -> None:
    purchases = bought((0, NOW - 50, 10.0), members=3)
    past = learned("mbg-nbd", members_on(purchases, NOW - 182), members_on(purchases, NOW - 91), purchases, NONE)
    assert past.fits is None
    assert past.layers.now.refused == ("too_young",)
