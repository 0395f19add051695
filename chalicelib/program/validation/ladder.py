"""Whether the tiers make a ladder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from chalicelib.ledger.state import MONTHS_MAX
from chalicelib.program.document import Program
from chalicelib.program.document.tiers import Tier
from chalicelib.program.validation.problem import Problem, multiplier, repeated

_THRESHOLDS = ("threshold_points", "threshold_spend_minor", "threshold_purchases", "threshold_activity")


def check_thresholds(program: Program) -> Iterator[Problem]:
    """Every tier stands above the one before, and the first one is everyone's."""
    for name, threshold in _given(program.tiers[0]).items():
        if threshold:
            yield Problem(f"tiers[0].{name}", "The first tier is everyone's: its threshold is 0.")
    asked = _given(program.tiers[1])
    before = dict.fromkeys(asked, 0) | _given(program.tiers[0])
    for index, tier in enumerate(program.tiers[1:], 1):
        given = _given(tier)
        if not given:
            yield Problem(f"tiers[{index}].threshold_points", "The tier has no threshold.")
        elif given.keys() != asked.keys():
            detail = f"All tiers above the first have the same thresholds; those of tiers[1] are {', '.join(asked)}."
            yield Problem(f"tiers[{index}].{next(iter(given.keys() ^ asked.keys()))}", detail)
        else:
            yield from _check_step(given, before, index, is_any=program.tier_policy.match == "any")
        before |= given


def _given(tier: Tier) -> dict[str, int]:
    found = {name: getattr(tier, name) for name in _THRESHOLDS}
    return {name: threshold for name, threshold in found.items() if threshold is not None}


def _check_step(given: dict[str, int], before: dict[str, int], index: int, *, is_any: bool) -> Iterator[Problem]:
    """A tier asks for more than the one before of something, and of nothing for less."""
    lower = [name for name, threshold in given.items() if threshold < before[name]]
    for name in lower:
        yield Problem(f"tiers[{index}].{name}", "The threshold must not be below that of the tier before.")
    if not lower and all(threshold == before[name] for name, threshold in given.items()):
        yield Problem(f"tiers[{index}].{next(iter(given))}", "The threshold must be above that of the tier before.")
    for name, threshold in given.items():
        if is_any and not threshold:
            yield Problem(f"tiers[{index}].{name}", "Where any threshold will do, 0 would be reached by everybody.")


def check_codes(program: Program) -> Iterator[Problem]:
    """Every code stands for one tier."""
    places = [(f"tiers[{index}].code", tier.code) for index, tier in enumerate(program.tiers)]
    for index, tier in enumerate(program.tiers):
        places += [(f"tiers[{index}].replaces[{place}]", code) for place, code in enumerate(tier.replaces)]
    for index in repeated([code for _path, code in places]):
        yield Problem(places[index][0], f"{places[index][1]} stands for another tier already.")


def check_multipliers(program: Program) -> Iterator[Problem]:
    """Every tier's multiplier is one."""
    for index, tier in enumerate(program.tiers):
        yield from multiplier(tier.multiplier, f"tiers[{index}].multiplier")


def check_policy(program: Program) -> Iterator[Problem]:
    """The account remembers as many months as the policy looks back."""
    policy = program.tier_policy
    if policy.period != "rolling" and (policy.window_months, policy.keep_months) != (12, 12):
        yield Problem("tier_policy", "Where years count, window_months and keep_months are 12 (or left out).")
    # The grace that touches the most months is one that begins in February.
    last_day = date(2025, 2, 1) + timedelta(policy.grace_days - 1)
    grace_months = last_day.year * 12 + last_day.month - 2025 * 12 - 1
    if policy.window_months + policy.keep_months + grace_months > MONTHS_MAX:
        # What a tier was reached with must be remembered for as long as the tier is kept, or no refund could reach it.
        detail = f"window_months, keep_months and the months of grace_days are {MONTHS_MAX} together at the most."
        yield Problem("tier_policy", detail)
