"""What members have beside points: whose a benefit is, when, and how often it may still be used."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from chalicelib.engagement.rules.marks import Window, window
from chalicelib.ledger import limits
from chalicelib.ledger.state import Limit
from chalicelib.program.document import Program
from chalicelib.program.document.engagement import Benefit
from chalicelib.program.rules import windows

Status: TypeAlias = Literal["open", "upcoming", "used_up", "locked"]

_PERIOD: Final = "benefit"
"""What stands in the name of a benefit's limit where a rule's has its period, so that the two never meet."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A benefit as a member has it at an instant.

    `uses_left` and `period_until` are None for one that is not counted; `period_until` is NEVER for one counted once
    and for all.
    """

    benefit: Benefit
    status: Status
    window: Window
    uses_left: int | None
    period_until: int | None


def held(program: Program, tier: str, used: tuple[Limit, ...], at: int, *, next_too: bool = False) -> list[Held]:
    """The benefits of a tier at an instant, those that are over left out; with `next_too` the next tier's as well.

    `used` is what the account remembers of limits.
    """
    codes = [other.code for other in program.tiers]
    following = codes[codes.index(tier) + 1 :][:1] if next_too else []
    found = []
    for benefit in program.benefits:
        tiers = tiers_of(program, benefit)
        if tier in tiers or not tiers.isdisjoint(following):
            entry = as_held(program, benefit, used, at, is_locked=tier not in tiers)
            found += [] if entry.window.over(at) else [entry]
    return found


def as_held(program: Program, benefit: Benefit, used: tuple[Limit, ...], at: int, *, is_locked: bool = False) -> Held:
    """One benefit at an instant."""
    found = window(program, benefit.starts_at, benefit.ends_at)
    until = windows.period_end(benefit.per, at, program.zone) if benefit.uses is not None else None
    left = uses_left(benefit, used, until, at) if until is not None else None
    status: Status = "open"
    if is_locked:
        status = "locked"
    elif not found.begun(at):
        status = "upcoming"
    elif left == 0:
        status = "used_up"
    return Held(benefit=benefit, status=status, window=found, uses_left=left, period_until=until)


def tiers_of(program: Program, benefit: Benefit) -> set[str]:
    """The tiers that have a benefit, by the codes that they have today."""
    return {tier.code for tier in map(program.tier, benefit.tiers) if tier is not None}


def uses_left(benefit: Benefit, used: tuple[Limit, ...], until: int, at: int) -> int:
    """How often a benefit may still be used in the period that ends at `until`; 0 where that is too long ago to know.

    `at` is the time at which it is asked, which decides what the account still remembers.
    """
    found = limits.used(used, limit_id(benefit.code), until, at)
    return max((benefit.uses or 0) - found.count, 0) if found else 0


def use(code: str, until: int, count: int = 1) -> tuple[Limit, ...]:
    """What a use (or with -1 its cancellation) does to the account's limits."""
    return (Limit(limit_id(code), until, count, 0),)


def limit_id(code: str) -> str:
    """The name under which an account remembers the uses of a benefit."""
    return f"{code}:{_PERIOD}"
