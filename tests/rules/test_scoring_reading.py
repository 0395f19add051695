"""What a read works out for one member is what the night works out for all of them."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.scoring import labels, reading
from chalicelib.scoring.basis import Basis, Usual, decode, encode, value_bin
from chalicelib.scoring.closed_form import Layer, Parameters, Tried
from chalicelib.scoring.folding import Answered, Bought, Brought, Did, folded
from chalicelib.scoring.rules import personas, rows, segments
from chalicelib.scoring.rules.composite import PARTS, WEIGHTS
from chalicelib.scoring.rules.history import LONG_AGO
from chalicelib.scoring.rules.loyalty import TYPES
from chalicelib.scoring.rules.quantiles import Histogram, value_bins
from chalicelib.scoring.rules.reasons import ACTIONS, CHURN_REASONS
from chalicelib.scoring.rules.scoring import Scores, score
from chalicelib.scoring.state import State

TODAY = 20_000
LAYERS = (
    Layer(),
    Layer(chance=(0.4, 0.7, -0.1, 0.5, -0.6)),
    Layer(chance=(-1.0, 1.3, 0.2, -0.5, 0.9), number=(0.1, -0.2, 0.8, 0.3, 0.2)),
)
USUAL = Usual(0.7, 0.8, 2.0, friends=True, discounts=True, redemptions=True)


def some_state(chance: random.Random) -> State:
    begin = TODAY - chance.randrange(1, 1_500)
    rate = chance.choice([3, 20, 90, 400])
    happenings: list[Any] = []
    day = begin
    while day <= TODAY:
        happenings.append(Bought(day, chance.randrange(0, 50_000), chance.random() < 0.3))
        day += 1 + int(chance.expovariate(1 / rate))
        if chance.random() < 0.1:
            day += chance.choice([0, 0, 300])
    if chance.random() < 0.5:
        happenings.append(Answered(TODAY - chance.randrange(400), chance.randrange(11), (chance.randrange(1, 6),)))
        happenings.append(Did(TODAY - chance.randrange(100), chance.randrange(4)))
    happenings += [Brought(TODAY - 5, 1)] * chance.randrange(3)
    return folded(happenings[chance.random() < 0.05 and len(happenings) :], entries=1)


def blank(usual: Usual, model: str, layer: Layer = LAYERS[0], minor_units: int = 100) -> Basis:
    empty = rows.steps_of(segments.Ranks.unknown())
    return Basis(
        number=0,
        day=TODAY,
        model=Parameters(model, 0.55, 10.0, 0.9, 2.4),
        spend=(6.25, 3.74, 15.45),
        r=empty["r"],
        f=empty["f"],
        m=empty["m"],
        value=empty["value"],
        means=(0.5,) * len(PARTS),
        weights=WEIGHTS,
        usual=usual,
        layer=layer,
        minor_units=minor_units,
    )


def population(
    seed: int, usual: Usual, model: str, layer: Layer = LAYERS[0], minor_units: int = 100
) -> tuple[Basis, list[State], list[int], list[int]]:
    """A basis made from the very members who are scored by it."""
    chance = random.Random(seed)  # noqa: S311 -- not for secrets
    states = [some_state(chance) for _member in range(60)]
    earned = [chance.choice([0, 100, 5_000]) for _member in states]
    redeemed = [chance.randrange(0, 200) for _member in states]
    basis = blank(usual, model, layer, minor_units)
    scores, gathered = night(basis, states, earned, redeemed)
    points = personas.features(scores.rfm, scores.trend, None, None)
    basis = msgspec.structs.replace(
        basis,
        number=1,
        **rows.steps_of(gathered.ranks()),
        means=tuple(gathered.means().tolist()),
        groups=rows.groups_of(personas.found(points)),
    )
    return decode(encode(basis)), states, earned, redeemed


def night(
    basis: Basis, states: list[State], earned: list[int], redeemed: list[int], last: segments.Last | None = None
) -> tuple[Scores, Any]:
    members = rows.members_of(states, TODAY, basis.minor_units)
    given = rows.signals_of(basis.usual, rows.Raw.of(states, earned, redeemed, TODAY), TODAY)
    return score(rows.standing_of(basis), members, given, last)


def told_last(seed: int, count: int) -> segments.Last:
    """Anything at all, or nothing, that was told of members before."""
    chance = np.random.default_rng(seed)
    return segments.Last(chance.integers(-1, 4, count), chance.integers(0, 6, count).astype(np.uint8))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([USUAL, Usual(), Usual(nps=0.5), Usual(activity=1.0)]),
    st.sampled_from(["mbg-nbd", "bg-nbd"]),
    st.sampled_from(LAYERS),
    st.sampled_from([100, 1, 1_000]),
)
def test_a_read_says_what_the_night_says(seed: int, usual: Usual, model: str, layer: Layer, minor_units: int) -> None:
    basis, states, earned, redeemed = population(seed, usual, model, layer, minor_units)
    last = told_last(seed, len(states))
    scores, _gathered = night(basis, states, earned, redeemed, last)
    for place, state in enumerate(states):
        seen = reading.outlook(basis, state, TODAY)
        before = ("", *segments.VALUES)[last.value[place] + 1], segments.BEHAVIOURS[last.behaviour[place]]
        code = reading.rfm(basis, state, seen, TODAY)
        trend = reading.course(state, seen.age_days, TODAY)
        given_ = reading.signals(basis, state, TODAY, earned=earned[place], redeemed=redeemed[place])
        found = reading.parts(basis, seen, code, trend, given_)
        percentile = basis.value.at(value_bin(seen.value_12))
        kind = labels.behaviour(state, seen, before[1])
        value = labels.value_segment(percentile, seen, before[0])
        reason = labels.churn_reason(state, seen, trend, given_)
        for name in ("active", "churn", "overdue", "expected", "basket", "value_12"):
            assert getattr(seen, name) == pytest.approx(float(getattr(scores, name)[place]), rel=1e-7, abs=1e-9), name
        assert code == scores.rfm[place]
        assert reading.composite(found) == pytest.approx(float(scores.score[place]), abs=1e-6)
        assert (value, kind) == (segments.VALUES[scores.value[place]], segments.BEHAVIOURS[scores.behaviour[place]])
        assert labels.stage(kind, seen, trend) == segments.STAGES[scores.stage[place]]
        assert reason == CHURN_REASONS[scores.churn_reason[place]]
        assert labels.next_action(kind, value, reason, given_) == ACTIONS[scores.action[place]]
        named, confidence = labels.loyalty(state, code, given_)
        assert named == TYPES[scores.loyalty[place]]
        assert confidence == pytest.approx(float(scores.loyalty_confidence[place]))
        apart = reading.distances(basis.groups, code, trend, given_)
        # Of two that are as near, either may be meant: numpy reckons with fewer digits here.
        assert not apart or apart[scores.persona[place]] == pytest.approx(min(apart), abs=1e-3)
        for said, told in ((reading.lift(found), scores.lifts), (reading.hold(found), scores.holds)):
            # Two parts that move a member as far are named in either's place, and so is none at the very edge.
            moves = {"": math.copysign(0.01, next((part.moves for part in found if part.name == said), 0.01))}
            moves |= {part.name: part.moves for part in found}
            assert moves[said] == pytest.approx(moves[("", *PARTS)[told[place]]], abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 182))
def test_what_members_were_long_ago_is_what_their_states_were_then(seed: int, ago: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- not for secrets
    states, day = [some_state(chance) for _member in range(40)], TODAY - ago
    found = rows.members_long_ago(states, day)
    then = rows.members_of([state.as_on(day) for state in states], day)
    assert (found.now, len(found)) == (day, len(states))
    for name in LONG_AGO:
        assert getattr(found, name).tolist() == getattr(then, name).tolist(), name
    assert len(rows.members_long_ago([], day)) == 0


def test_a_basis_of_before_there_was_a_layer_is_one_without() -> None:
    plain = blank(USUAL, "mbg-nbd")
    stored = msgspec.json.decode(encode(plain))
    del stored["layer"]
    assert decode(msgspec.json.encode(stored)) == plain
    used = msgspec.structs.replace(plain, layer=msgspec.structs.replace(LAYERS[2], brier=Tried(0.1057, 0.1049)))
    assert decode(encode(used)) == used


@given(st.floats(0, 1e12) | st.floats(-5, 5))
def test_a_value_has_one_bin(value: float) -> None:
    assert value_bin(value) == value_bins(np.array([value]))[0]


def test_the_basis_of_a_large_programme_is_small() -> None:
    values = Histogram.of_values(np.random.default_rng(1).lognormal(3, 2, 200_000))
    ranks = segments.Ranks.unknown()
    steps = rows.steps_of(segments.Ranks(ranks.recency, ranks.frequency, ranks.monetary, values.ranks()))
    assert len(steps["value"].begins) <= 1_001
    whole = rows.table(steps["value"], len(values.counts))
    assert float(np.abs(whole - values.ranks()).max()) <= 0.0005 + 1e-12
