"""All outputs of a night: never NaN, whatever members are like, and the same however they are dealt out."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.scoring import closed_form
from chalicelib.scoring.rules import gammagamma, mbgnbd, personas, scoring, segments
from chalicelib.scoring.rules.composite import PARTS
from chalicelib.scoring.rules.history import Members, members_on, purchase_days
from chalicelib.scoring.rules.loyalty import Signals
from chalicelib.scoring.rules.outcomes import Economy, outcomes, tables
from chalicelib.scoring.rules.quantiles import Histogram, value_bins
from tests.scoring import NOW, bought, crowd, standing

SHARED = ("churn", "active", "overdue", "expected", "value_12", "score", "percentile")
LABELS = ("value", "behaviour", "stage", "loyalty", "churn_reason", "action", "rfm", "lifts", "holds", "persona")


def settled(members: Members, signals: Signals | None = None, **changed: Any) -> scoring.Standing:
    """A standing that knows these members' own distributions."""
    first = standing(**changed)
    scores, gathered = scoring.score(first, members, signals)
    groups = personas.found(personas.features(scores.rfm, scores.trend, None, None))
    return msgspec.structs.replace(first, ranks=gathered.ranks(), means=gathered.means(), personas=groups)


def sound(scores: scoring.Scores) -> None:
    for name in scoring.Scores.__struct_fields__:
        array = getattr(scores, name)
        assert np.isfinite(array).all(), name
    for name in ("active", "churn", "overdue", "percentile", "loyalty_confidence"):
        assert ((getattr(scores, name) >= 0) & (getattr(scores, name) <= 1)).all(), name
    for name in ("expected", "basket", "value_12"):
        assert (getattr(scores, name) >= 0).all(), name
    assert ((scores.score >= 0) & (scores.score <= 100)).all()
    assert set(np.unique(scores.rfm // 100)) <= set(range(1, 6))


def extremes() -> dict[str, Members]:
    days = np.arange(NOW - 10_000, NOW)
    busy = purchase_days(1, np.zeros(10_000, np.int64), days, np.full(10_000, 3.0))
    gone = purchase_days(1, np.zeros(10_000, np.int64), days - 5_000, np.full(10_000, 3.0))
    alike = bought(*((member, NOW - back, 9.99) for member in range(50) for back in (100, 50)))
    return {
        "an empty programme": members_on(bought(members=0), NOW),
        "nobody has bought": members_on(bought(members=5), NOW),
        "one member": members_on(bought((0, NOW - 5, 10.0)), NOW),
        "bought today": members_on(bought((0, NOW, 10.0)), NOW),
        "ten thousand purchases": members_on(busy, NOW),
        "ten thousand, years ago": members_on(gone, NOW),
        "all alike": members_on(alike, NOW),
        "bought for nothing": members_on(bought((0, NOW - 9, 0.0), (0, NOW - 3, 0.0)), NOW),
        "a crowd": crowd(1, 300),
    }


@pytest.mark.parametrize("name", ["bg-nbd", "mbg-nbd"])
@pytest.mark.parametrize("case", extremes())
def test_no_output_is_ever_nan(case: str, name: mbgnbd.Name) -> None:
    members = extremes()[case]
    with np.errstate(all="raise", under="ignore"):
        first = standing(model=mbgnbd.model(name, mbgnbd.default(name)))
        scores, gathered = scoring.score(first, members)
        sound(scores)
        again = msgspec.structs.replace(first, ranks=gathered.ranks(), means=gathered.means())
        sound(scoring.score(again, members)[0])


@pytest.mark.parametrize("name", ["bg-nbd", "mbg-nbd"])
@pytest.mark.parametrize("a", [0.002, 0.5, 1.0, 150.0])
def test_no_parameters_that_a_fit_may_find_make_nan(name: mbgnbd.Name, a: float) -> None:
    members = crowd(21, 80)
    for r in (0.002, 0.5, 150.0):
        for alpha in (0.2, 5.0, 4_000.0):
            for b in (0.002, 2.0, 150.0):
                with np.errstate(all="raise", under="ignore"):
                    sound(scoring.score(standing(model=mbgnbd.Model(name, r, alpha, a, b)), members)[0])


def test_members_whose_state_was_spoiled_by_refunds_are_scored() -> None:
    members = crowd(3, 100)
    spoiled = msgspec.structs.replace(
        members, mean_repeat=members.mean_repeat - 1e6, value_365=members.value_365 - 1e6, value=members.value - 1e6
    )
    sound(scoring.score(standing(), spoiled)[0])


def test_all_alike_are_in_the_middle() -> None:
    members = extremes()["all alike"]
    scores = scoring.score(settled(members), members)[0]
    assert np.unique(scores.rfm).tolist() == [333]
    assert np.unique(scores.percentile).tolist() == [0.5]
    assert {segments.VALUES[code] for code in scores.value} == {"mid"}


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
@settings(max_examples=15, deadline=None)
def test_scores_do_not_depend_on_the_order_or_the_shards(seed: int, shards: int) -> None:
    members = crowd(seed % 1000, 200)
    known = settled(members)
    whole, gathered = scoring.score(known, members)
    random = np.random.default_rng(seed)
    order = random.permutation(len(members))
    cuts = [0, *sorted(random.integers(0, len(members), shards - 1).tolist()), len(members)]
    parts = []
    for begin, end in itertools.pairwise(cuts):
        rows = order[begin:end]
        fields = {name: getattr(members, name)[rows] for name in Members.__struct_fields__ if name != "now"}
        part, added = scoring.score(known, Members(now=members.now, **fields))
        parts.append(added)
        for name in LABELS:
            assert (getattr(part, name) == getattr(whole, name)[rows]).all(), name
        for name in SHARED:
            assert np.allclose(getattr(part, name), getattr(whole, name)[rows], rtol=1e-9, atol=1e-12), name
    merged = scoring.Gathered.merged(parts)
    assert (merged.ranks().value == gathered.ranks().value).all()
    assert (merged.ranks().recency == gathered.ranks().recency).all()
    assert np.allclose(merged.means(), gathered.means())


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    members = crowd(5, 300)
    known = settled(members)
    whole = scoring.score(known, members)[0]
    monkeypatch.setattr(scoring, "CHUNK", 7)
    chunked = scoring.score(known, members)[0]
    for name in scoring.Scores.__struct_fields__:
        assert (getattr(chunked, name) == getattr(whole, name)).all(), name


@pytest.mark.parametrize("name", ["bg-nbd", "mbg-nbd"])
@pytest.mark.parametrize("shape", [mbgnbd.default("mbg-nbd").parameters, (9.0, 20.0, 60.0, 2.0)])
def test_a_read_of_one_member_tells_what_the_night_would(name: mbgnbd.Name, shape: tuple[float, ...]) -> None:
    members = crowd(7, 200)
    model = mbgnbd.Model(name, *shape)
    found = outcomes(model, gammagamma.Spend(6.25, 3.74, 15.45), tables(model, members), members)
    parameters = closed_form.Parameters(name, *shape)
    for row in range(len(members) - 1):
        first = int(members.first_day[row])
        one = closed_form.Standing(int(members.repeats[row]), int(members.last_day[row]) - first, NOW - first)
        assert closed_form.active(parameters, one) == pytest.approx(found.active[row], rel=1e-9)
        assert closed_form.churn(parameters, one) == pytest.approx(found.churn[row], rel=1e-9)
        assert closed_form.overdue(parameters, one) == pytest.approx(found.overdue[row], rel=1e-9)
        assert closed_form.expected(parameters, one) == pytest.approx(found.expected[row], rel=1e-8)


def test_churn_of_a_later_day_is_reckoned_not_stored() -> None:
    then, later = crowd(8, 100), crowd(8, 100)
    later = msgspec.structs.replace(later, now=NOW + 40)
    model = standing().model
    found = outcomes(model, standing().spend, tables(model, later), later)
    parameters = closed_form.Parameters(*msgspec.structs.astuple(model))
    first = then.first_day
    for row in range(0, 99, 9):
        one = closed_form.Standing(
            int(then.repeats[row]), int(then.last_day[row] - first[row]), NOW + 40 - int(first[row])
        )
        assert closed_form.churn(parameters, one) == pytest.approx(found.churn[row], rel=1e-9)


def test_bgnbd_holds_one_time_buyers_for_active_and_churn_does_not() -> None:
    members = members_on(bought((0, NOW - 700, 10.0), (1, NOW - 700, 10.0), (1, NOW - 3, 10.0)), NOW)
    model = mbgnbd.model("bg-nbd", mbgnbd.default("bg-nbd"))
    found = outcomes(model, standing().spend, tables(model, members), members)
    assert found.active[0] == 1.0
    assert found.churn[0] > 0.95 > found.churn[1]


def test_value_of_twelve_months_falls_with_the_discount_and_rises_with_the_margin() -> None:
    members = crowd(9, 50)
    known = standing()

    def worth(economy: Economy) -> float:
        table = tables(known.model, members, economy)
        return float(outcomes(known.model, known.spend, table, members).value_12.sum())

    assert worth(Economy(1.0, 0.5)) < worth(Economy(1.0, 0.0))
    assert worth(Economy(0.25, 0.15)) == pytest.approx(worth(Economy(1.0, 0.15)) / 4)


def test_undiscounted_value_is_baskets_times_a_years_purchases() -> None:
    members = crowd(10, 50)
    known = standing()
    found = outcomes(known.model, known.spend, tables(known.model, members, Economy(1.0, 0.0)), members)
    parameters = closed_form.Parameters(*msgspec.structs.astuple(known.model))
    for row in range(0, 49, 7):
        first = int(members.first_day[row])
        one = closed_form.Standing(int(members.repeats[row]), int(members.last_day[row]) - first, NOW - first)
        year = closed_form.expected(parameters, one, 365.25)
        assert found.value_12[row] == pytest.approx(year * found.basket[row], rel=1e-8)


def test_signals_reach_the_score_and_their_absence_gives_their_weight_to_the_rest() -> None:
    members = crowd(11, 60)
    known = settled(members)
    silent = scoring.score(known, members)[0]
    assert silent.score.tolist() == pytest.approx(silent.score_without_surveys.tolist())
    half = np.full(60, 0.5)
    happy = half.copy()
    happy[:5] = 1.0
    base = scoring.score(known, members, Signals(nps=half, csat=half))[0]
    better = scoring.score(known, members, Signals(nps=happy, csat=half))[0]
    assert (better.score[:5] > base.score[:5]).all()
    assert (better.score[5:] == base.score[5:]).all()
    assert better.score_without_surveys.tolist() == pytest.approx(base.score_without_surveys.tolist())


def test_every_part_lifts_the_score_and_is_named_for_it() -> None:
    members = crowd(12, 40)
    low, high = np.zeros(40), np.ones(40)
    known = settled(members)
    for name in PARTS[4:]:
        base = scoring.score(known, members, Signals(**{name: low}))[0]
        lifted = scoring.score(known, members, Signals(**{name: high}))[0]
        assert (lifted.score > base.score).all(), name
        # Of members of whom nothing else is good, this part is the one that lifts.
        weak = np.flatnonzero(~members.first_day.astype(bool) | (lifted.score < 30))
        assert (lifted.lifts[weak] > 0).all()


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=60), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_histograms_of_parts_merge_into_that_of_the_whole(values: list[float], parts: int) -> None:
    array = np.array(values)
    whole = Histogram.of_values(array)
    merged = Histogram.merged(Histogram.of_values(array[part::parts]) for part in range(parts))
    assert (merged.counts == whole.counts).all()
    ranks = whole.ranks()[value_bins(array)]
    order = np.argsort(array, kind="stable")
    assert (np.diff(ranks[order]) >= 0).all()
    assert float(ranks.mean()) == pytest.approx(0.5)
