"""Whether the vouchers that rules give can be issued in one transaction, and are capped by what they have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chalicelib.program.document import Program
from chalicelib.program.document.earning import Campaign, Voucher
from chalicelib.program.validation.conditions import name_problems
from chalicelib.program.validation.problem import Problem

AT_ONCE_MAX: Final = 5
"""How many vouchers one purchase or event may bring: each takes three of its transaction's 100 items."""

_PURCHASE: Final = ""


def rule_problems(rule: Voucher, path: str) -> Iterator[Problem]:
    """What is wrong with a rule that gives a voucher."""
    yield from name_problems(rule.events, f"{path}.events")
    for index, cap in enumerate(rule.caps):
        if cap.points is not None:
            yield Problem(f"{path}.caps[{index}].points", "A voucher brings no points; cap how many times it is given.")
    if rule.events and rule.items != type(rule.items)():
        yield Problem(f"{path}.items", "An event has no items.")


def check_vouchers(program: Program) -> Iterator[Problem]:
    """No purchase and no event can bring more vouchers than its transaction holds."""
    standing = [rule for rule in program.earning_rules if isinstance(rule, Voucher)]
    active = [campaign for campaign in program.campaigns if campaign.status == "active"]
    occasions = {_PURCHASE, *(name for rule in _vouchers(standing, active) for name in rule.events)}
    for occasion in sorted(occasions):
        count = sum(_is_on(rule, occasion) for rule in standing)
        # Where most campaigns run at once, one of them has just begun.
        at_once = max((_begun(active, campaign.starts_at, occasion) for campaign in active), default=0)
        if count + at_once > AT_ONCE_MAX:
            what = f"An event {occasion}" if occasion else "A purchase"
            detail = f"{what} could bring {count + at_once} vouchers at once, and may bring {AT_ONCE_MAX}."
            yield Problem("campaigns" if at_once else "earning_rules", detail)


def _vouchers(standing: list[Voucher], active: list[Campaign]) -> list[Voucher]:
    return [*standing, *(rule for campaign in active for rule in campaign.rules if isinstance(rule, Voucher))]


def _begun(active: list[Campaign], at: str, occasion: str) -> int:
    """How many vouchers the campaigns that run at a time may give. The texts of times sort as the times do."""
    running = [
        campaign
        for campaign in active
        if campaign.starts_at <= at and (campaign.ends_at is None or at < campaign.ends_at)
    ]
    return sum(_is_on(rule, occasion) for rule in _vouchers([], running))


def _is_on(rule: Voucher, occasion: str) -> bool:
    return occasion in rule.events if occasion else not rule.events
