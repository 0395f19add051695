"""Whether the tiers make a ladder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from chalicelib.ledger.state import MONTHS_MAX
from chalicelib.program.document import Program
from chalicelib.program.validation.problem import Problem, multiplier, repeated


def check_thresholds(program: Program) -> Iterator[Problem]:
    """Every tier stands above the one before, and the first one is everyone's."""
    thresholds = [tier.threshold_points for tier in program.tiers]
    if thresholds[0] != 0:
        yield Problem("tiers[0].threshold_points", "The first tier is everyone's: its threshold is 0.")
    for index in range(1, len(thresholds)):
        if thresholds[index] <= thresholds[index - 1]:
            yield Problem(f"tiers[{index}].threshold_points", "The threshold must be above that of the tier before.")


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
    # The grace that touches the most months is one that begins in February.
    last_day = date(2025, 2, 1) + timedelta(policy.grace_days - 1)
    grace_months = last_day.year * 12 + last_day.month - 2025 * 12 - 1
    if policy.window_months + policy.keep_months + grace_months > MONTHS_MAX:
        # What a tier was reached with must be remembered for as long as the tier is kept, or no refund could reach it.
        detail = f"window_months, keep_months and the months of grace_days are {MONTHS_MAX} together at the most."
        yield Problem("tier_policy", detail)
