"""Segments, kinds of loyalty, reasons and actions: which member is what, and that nobody flutters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chalicelib.scoring import labels, texts
from chalicelib.scoring.reading import Outlook
from chalicelib.scoring.rules import alerts, composite, loyalty, personas, reasons, segments
from chalicelib.scoring.rules.loyalty import Signals
from chalicelib.scoring.rules.segments import Trend

YES, NO = np.array([True]), np.array([False])


def one(value: Any, kind: Any = None) -> Any:
    return np.array([value], dtype=kind)


def behaviour(last: str | None = None, **changed: Any) -> str:
    fields = {
        "bought": YES,
        "returned": NO,
        "age_days": one(400),
        "gap_days": one(20),
        "churn": one(0.2),
        "overdue": one(0.6),
    } | {name: one(value) for name, value in changed.items()}
    before = None if last is None else one(segments.BEHAVIOURS.index(last), np.uint8)
    return segments.BEHAVIOURS[segments.behaviour(**fields, last=before)[0]]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "active"),
        ({"bought": False}, "none"),
        ({"age_days": 30}, "new"),
        ({"age_days": 31, "churn": 0.6}, "at_risk"),
        ({"overdue": 0.049}, "at_risk"),
        ({"churn": 0.91, "gap_days": 181}, "lapsed"),
        ({"churn": 0.91, "gap_days": 180}, "at_risk"),
        ({"returned": True, "churn": 0.99, "gap_days": 181}, "won_back"),
    ],
)
def test_behaviour_is_the_first_that_fits(changed: dict[str, Any], expected: str) -> None:
    assert behaviour(**changed) == expected


def test_one_leaves_a_segment_at_a_lower_churn_than_one_enters_it() -> None:
    assert behaviour(churn=0.48) == "active"
    assert behaviour("at_risk", churn=0.48) == "at_risk"
    assert behaviour("at_risk", churn=0.44) == "active"
    assert behaviour("lapsed", churn=0.87, gap_days=200) == "lapsed"
    assert behaviour("at_risk", churn=0.87, gap_days=200) == "at_risk"
    assert behaviour("lapsed", churn=0.84, gap_days=200) == "at_risk"


def test_value_segments_are_the_top_fifth_the_next_three_tenths_and_the_rest() -> None:
    percentile = np.array([0.95, 0.95, 0.8, 0.79, 0.5, 0.49, 0.95])
    worth = np.array([9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 0.0])
    churn = np.array([0.4, 0.6, 0.5, 0.1, 0.1, 0.1, 0.1])
    names = [segments.VALUES[code] for code in segments.value_segment(percentile, worth, churn)]
    assert names == ["gold", "high", "high", "mid", "mid", "low", "low"]


def test_one_leaves_a_value_segment_later_than_one_enters_it() -> None:
    order = {name: place for place, name in enumerate(segments.VALUES)} | {"": -1}
    for last, percentile, churn, expected in (
        ("high", 0.75, 0.6, "high"),
        ("high", 0.74, 0.6, "mid"),
        ("mid", 0.79, 0.6, "mid"),
        ("gold", 0.76, 0.49, "gold"),
        ("gold", 0.76, 0.50, "high"),
        ("high", 0.90, 0.46, "high"),
        ("high", 0.90, 0.44, "gold"),
        ("mid", 0.90, 0.46, "high"),
        ("", 0.90, 0.46, "gold"),
        ("mid", 0.45, 0.6, "mid"),
        ("gold", 0.45, 0.1, "mid"),
        ("mid", 0.44, 0.1, "low"),
        ("low", 0.49, 0.1, "low"),
    ):
        codes = np.array([percentile]), np.array([9.0]), np.array([churn]), np.array([order[last]])
        assert segments.VALUES[segments.value_segment(*codes)[0]] == expected, (last, percentile, churn)
        seen = Outlook(age_days=90, gap_days=9, churn=churn, value_12=9.0)
        assert labels.value_segment(percentile, seen, last) == expected, (last, percentile, churn)


def test_who_came_back_after_a_long_silence_is_won_back() -> None:
    # The last gap of 200 days among gaps of ten days; the same among gaps of 150 days; and 200 days after the first.
    repeats, last_gap = np.array([5, 5, 1, 5]), np.array([200, 200, 200, 170])
    ln_gaps = np.log(last_gap) + np.array([4 * np.log(10), 4 * np.log(150), 0.0, 4 * np.log(10)])
    assert segments.won_back(repeats, ln_gaps, last_gap, np.full(4, 5)).tolist() == [True, False, True, False]
    assert not segments.won_back(repeats, ln_gaps, last_gap, np.full(4, 91)).any()


def test_a_trend_is_known_after_half_a_year_and_significant_if_it_is_no_chance() -> None:
    found = segments.trend(np.array([2, 20, 9, 9]), np.array([12, 20, 9, 0]), np.array([400, 400, 181, 182]))
    assert found.known.tolist() == [True, True, False, True]
    assert found.significant.tolist() == [True, False, False, True]
    assert found.value[0] < segments.DECLINE
    assert found.value[2] == 0.0


def test_stages_follow_behaviour_and_trend() -> None:
    still = Trend(np.zeros(8), np.ones(8, bool), np.zeros(8, bool))
    codes = np.array([0, 1, 2, 3, 4, 5, 2, 2], np.uint8)
    ages = np.array([9, 9, 400, 400, 400, 400, 100, 400])
    sharp = Trend(np.array([0.0] * 7 + [-1.0]), np.ones(8, bool), np.array([False] * 7 + [True]))
    assert [segments.STAGES[code] for code in segments.stage(codes, ages, still)] == [
        *("prospect", "onboarding", "mature", "declining", "dormant", "reactivated", "growing", "mature"),
    ]
    assert segments.STAGES[segments.stage(codes, ages, sharp)[7]] == "declining"


def test_a_clock_is_regular_and_chance_is_not() -> None:
    random = np.random.default_rng(3)
    clock, chance = np.full(60, 7.0), np.ceil(random.exponential(7.0, 60) * 10)
    repeats = np.array([60, 60, 5])
    span = np.array([clock.sum(), chance.sum(), 35.0])
    logs = np.array([np.log(clock).sum(), np.log(chance).sum(), 5 * np.log(7.0)])
    found = loyalty.regularity(repeats, span, logs)
    assert found[0] == 1.0
    assert found[1] < 0.2
    # Five gaps are too few to tell.
    assert found[2] == 0.0


def test_the_kind_of_loyalty_is_what_speaks_loudest_with_its_lead_as_confidence() -> None:
    has = np.ones(4, bool)
    signals = Signals(
        nps=np.array([1.0, 0.7, 0.7, 1.0]),
        csat=np.array([0.2, 0.9, 0.2, 0.2]),
        advocacy=np.array([1.0, 0.0, 0.0, 1.0]),
        discounted_share=np.array([0.0, 0.0, 0.9, 0.0]),
        redeemed_share=np.array([0.1, 1.0, 0.1, 0.1]),
        answered=has,
    )
    types, sure = loyalty.loyalty_type(np.array([0.0, 0.0, 0.0, 1.0]), np.array([1, 1, 1, 5]), signals)
    assert [loyalty.TYPES[code] for code in types] == ["emotional", "cognitive", "impulse", "emotional"]
    assert sure[0] > 0.9
    # Habit and feeling are as strong as one another.
    assert sure[3] == 0.0
    quiet = loyalty.loyalty_type(np.array([0.3]), np.array([5]), Signals())
    assert (loyalty.TYPES[quiet[0][0]], quiet[1][0]) == ("undetermined", 0.0)
    habit = loyalty.loyalty_type(np.array([0.9]), np.array([5]), Signals())
    assert loyalty.TYPES[habit[0][0]] == "behavioural"


def test_the_programmes_mean_makes_nobody_emotional() -> None:
    mean = Signals(nps=np.full(2, 0.9), answered=np.array([True, False]))
    types, _sure = loyalty.loyalty_type(np.zeros(2), np.full(2, 5), mean)
    assert [loyalty.TYPES[code] for code in types] == ["emotional", "undetermined"]


def test_an_answer_fades_towards_the_programmes_mean_and_silence_is_no_bad_mark() -> None:
    found = loyalty.nps_signal(np.array([0.0, 0.0, 0.0, 10.0]), np.array([0, 180, 0, 0]), np.array([1, 1, 0, 1]), 0.8)
    assert found.tolist() == pytest.approx([0.0, 0.4, 0.8, 1.0])
    assert loyalty.csat_signal(np.array([0.0, 5.0]), np.array([0.0, 5.0]), 0.8).tolist() == pytest.approx([0.8, 0.9])
    assert loyalty.advocacy(np.array([0, 3]), np.array([0, 1])).tolist() == pytest.approx([0.0, 1 - np.exp(-2.31)])
    assert loyalty.engagement(np.array([0.0, 4.0]), 4.0).tolist() == pytest.approx([0.0, 1 - np.exp(-1)])
    assert loyalty.engagement(np.array([5.0]), 0.0).tolist() == [0.0]


def score(**changed: float) -> float:
    fields = {"churn": 0.5, "percentile": 0.5, "frequency": 3.0, "trend": 0.0} | changed
    signals = Signals(**{name: one(changed.get(name, 0.5)) for name in composite.PARTS[4:]})
    found = composite.composite(
        one(fields["churn"]),
        one(fields["percentile"]),
        one(fields["frequency"]),
        Trend(one(fields["trend"]), YES, YES),
        signals,
        weight=composite.weights(signals),
    )
    return float(found.score[0])


def test_the_score_rises_with_every_part_and_stays_between_0_and_100() -> None:
    base = score()
    assert base == pytest.approx(50.0)
    better = {"churn": 0.1, "percentile": 0.9, "frequency": 5.0, "trend": 1.0}
    for name, value in (better | dict.fromkeys(composite.PARTS[4:], 0.9)).items():
        assert score(**{name: value}) > base, name
    best = {"churn": 0.0, "percentile": 1.0, "frequency": 5.0, "trend": 9.0} | dict.fromkeys(composite.PARTS[4:], 1.0)
    worst = {"churn": 1.0, "percentile": 0.0, "frequency": 1.0, "trend": -9.0} | dict.fromkeys(composite.PARTS[4:], 0.0)
    assert score(**best) == pytest.approx(100.0)
    assert score(**worst) == pytest.approx(0.0)


def test_weights_add_up_whatever_is_unknown() -> None:
    assert composite.weights(Signals()).sum() == pytest.approx(1.0)
    assert composite.weights(Signals())[4:].tolist() == [0.0] * 4
    assert composite.weights(Signals(nps=one(0.5)))[5] > 0.1


def test_the_reason_for_churn_is_the_first_that_fits() -> None:
    churn, overdue = (
        np.array([0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.1]),
        np.array([0.9] * 3 + [0.01] + [0.9] * 3 + [0.01]),
    )
    repeats = np.array([5, 5, 0, 5, 5, 5, 5, 5])
    course = Trend(np.where(np.arange(8) == 4, -1.0, 0.0), np.ones(8, bool), np.arange(8) == 4)
    signals = Signals(unhappy=np.arange(8) == 1)
    bought = np.arange(8) != 6
    found = reasons.churn_reason(churn, overdue, repeats, course, signals, bought=bought)
    assert [reasons.CHURN_REASONS[code] for code in found] == [
        *(
            "none",
            "unhappy",
            "never_returned",
            "silent_too_long",
            "buying_less",
            "buys_seldom",
            "none",
            "silent_too_long",
        ),
    ]


def test_the_next_action_mends_before_it_sells() -> None:
    def action(behaviour: str, value: str, reason: str = "none", nps: float | None = None) -> str:
        signals = Signals(nps=None if nps is None else one(nps))
        codes = (
            one(segments.BEHAVIOURS.index(behaviour), np.uint8),
            one(segments.VALUES.index(value), np.uint8),
            one(reasons.CHURN_REASONS.index(reason), np.uint8),
        )
        return reasons.ACTIONS[reasons.next_action(*codes, signals)[0]]

    assert action("active", "gold") == "honour"
    assert action("active", "mid", nps=0.95) == "invite_friends"
    assert action("at_risk", "gold") == "call_personally"
    assert action("at_risk", "low") == "remind"
    assert action("lapsed", "low") == "leave_alone"
    assert action("lapsed", "mid") == "win_back"
    assert action("lapsed", "mid", "unhappy") == "recover_service"
    assert action("none", "low") == "first_purchase"
    assert action("new", "low") == "second_purchase"


def test_every_code_has_words_in_three_languages() -> None:
    pairs = (
        (texts.VALUES, segments.VALUES),
        (texts.BEHAVIOURS, segments.BEHAVIOURS),
        (texts.STAGES, segments.STAGES),
        (texts.LOYALTY, loyalty.TYPES),
        (texts.PARTS, composite.PARTS),
        (texts.LIFTS, composite.PARTS),
        (texts.HOLDS, composite.PARTS),
        (texts.CHURN_REASONS, reasons.CHURN_REASONS),
        (texts.ACTIONS, reasons.ACTIONS),
        (texts.ALERTS, alerts.KINDS),
        (texts.PERSONAS, personas.NAMES),
    )
    for words, codes in pairs:
        assert set(words) == set(codes)
        for found in words.values():
            assert len(found) == 3
            assert all(found)
    assert texts.word(texts.ACTIONS, "honour", "zh-Hant").startswith("尊享")
    assert texts.word(texts.ACTIONS, "honour", "fr") == texts.word(texts.ACTIONS, "honour")
