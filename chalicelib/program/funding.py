"""Putting money into campaigns' budgets: with the version of the programme that says so, and only ever more of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from chalicelib.counters import service as counters
from chalicelib.counters.service import Counter
from chalicelib.counters.table import ShardItem, read_shards
from chalicelib.ledger.posting import Write
from chalicelib.program import stocking
from chalicelib.program.budgets import counter_name, counters_of
from chalicelib.program.document import Program
from chalicelib.program.document.earning import Bonus, Budget, Campaign, PerEvent, PerItem
from chalicelib.program.validation import InvalidProgram, Problem

WRITES_MAX: Final = 99
"""A transaction takes 100 items, and one of them is the version."""

Unit: TypeAlias = Literal["points", "awards"]
UNITS: Final[tuple[Unit, Unit]] = ("points", "awards")


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """How full a budget is: what was put in is always what was taken and what is left."""

    put_in: int
    taken: int
    left: int


def filling(program: Program, version: int, *, newest: Program | None = None, is_copy: bool = False) -> list[Write]:
    """The writes that bring every budget and stock up to what a document says, to be committed with this version of it.

    A campaign that is a draft has none yet. Budgets are kept by the campaign's code for ever, under every version: they
    are only ever raised, and at once. A copy of an earlier version (`is_copy`) leaves in what was put in after it.

    Raises InvalidProgram for a budget or stock that would be lowered or divided anew, for a budget that covers no
    award, or that another campaign of the same code has spent, judged by the `newest` version, and for more than one
    transaction holds.
    """
    writes: list[Write] = []
    problems: list[Problem] = []
    starts = {campaign.code: campaign.starts_at for campaign in newest.campaigns} if newest else {}
    for index, campaign in enumerate(program.campaigns):
        if campaign.status == "draft" or campaign.budget is None:
            continue
        for unit, counter in zip(UNITS, counters_of(campaign), strict=True):
            if counter is None:
                continue
            path = f"campaigns[{index}].budget"
            shards = read_shards(counter.name)
            found = list(_problems(campaign, campaign.budget, unit, shards, path, is_copy=is_copy))
            if not found and not is_copy and starts.get(campaign.code) != campaign.starts_at:
                found += _spent_before(_total(campaign.budget, unit), shards, f"{path}.{unit}")
            problems += found
            if not found:
                writes += _raising(counter, _total(campaign.budget, unit), shards, version)
    stocks, faults = stocking.filling(program, version, is_copy=is_copy)
    writes += stocks
    problems += faults
    if len(writes) > WRITES_MAX:
        detail = (
            f"The budgets and stocks that are new or raised lie in {len(writes)} parts, and one publication takes "
            f"{WRITES_MAX}: publish in two steps, some campaigns as drafts or some rewards left out at first."
        )
        problems.append(Problem("campaigns", detail))
    if problems:
        raise InvalidProgram(problems)
    return writes


def level(code: str, unit: Unit) -> Level | None:
    """How full a campaign's budget of `unit` is now; None where nothing was ever put in."""
    shards = read_shards(counter_name(code, unit))
    if not shards:
        return None
    return Level(
        put_in=sum(item.put_in for item in shards),
        taken=sum(item.taken for item in shards),
        left=sum(item.left for item in shards),
    )


def _total(budget: Budget, unit: Unit) -> int:
    return (budget.points if unit == "points" else budget.awards) or 0


def _problems(
    campaign: Campaign, budget: Budget, unit: Unit, shards: Sequence[ShardItem], path: str, *, is_copy: bool
) -> Iterator[Problem]:
    total, put_in = _total(budget, unit), sum(item.put_in for item in shards)
    if shards and len(shards) != budget.shards:
        yield Problem(f"{path}.shards", f"This budget lies in {len(shards)} parts and cannot be divided anew.")
    elif total < put_in and not is_copy:
        yield Problem(
            f"{path}.{unit}",
            f"{put_in} were put in by an earlier version, and a budget can only be raised. "
            "Pause the campaign to stop it; another campaign needs another code.",
        )
    elif unit == "points" and (largest := _largest(campaign)) > total:
        yield Problem(
            f"{path}.{unit}", f"One of the campaign's rules gives {largest} at once, more than there is in all."
        )


def _spent_before(total: int, shards: Sequence[ShardItem], path: str) -> Iterator[Problem]:
    """What is wrong with a budget that a campaign of another time has used, without anything being put in for this."""
    put_in, taken = sum(item.put_in for item in shards), sum(item.taken for item in shards)
    if taken and total <= put_in:
        yield Problem(
            path,
            f"{taken} of the {put_in} that were put in under this code are spent: raise the budget by what this "
            "campaign may give, or give it a code of its own.",
        )


def _largest(campaign: Campaign) -> int:
    """The most points that one rule of a campaign is sure to give at once."""
    sure = [rule.points for rule in campaign.rules if isinstance(rule, Bonus | PerItem | PerEvent)]
    return max(sure, default=0)


def _raising(counter: Counter, total: int, shards: Sequence[ShardItem], version: int) -> list[Write]:
    if not shards:
        return counters.creating(counter, total)
    more = total - sum(item.put_in for item in shards)
    return counters.adding(counter, more, f"{counter.name}#{version}") if more > 0 else []
