"""Putting pieces into the stock of rewards: with the version of the programme that says so, and only ever more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from chalicelib.counters import service as counters
from chalicelib.counters.service import Counter
from chalicelib.counters.table import ShardItem, read_shards
from chalicelib.ledger.posting import Write
from chalicelib.program.document import Program
from chalicelib.program.document.rewards import Reward, Stock
from chalicelib.program.validation import Problem


def stock_counter(reward: Reward) -> Counter | None:
    """The counter of all the pieces that there are of a reward, None where nobody counts them."""
    return Counter(f"stock#{reward.code}", reward.stock.shards) if reward.stock else None


def filling(program: Program, version: int, *, is_copy: bool) -> tuple[list[Write], list[Problem]]:
    """The writes that bring every stock up to what a document says, and what keeps it from being published.

    A stock is kept by the reward's code for ever, though the reward be gone from the catalogue for a while. A copy of
    an earlier version (`is_copy`) leaves in what was put in after it.
    """
    writes: list[Write] = []
    problems: list[Problem] = []
    for index, reward in enumerate(program.rewards):
        counter = stock_counter(reward)
        if counter is None or reward.stock is None:
            continue
        shards = read_shards(counter.name)
        found = list(_problems(reward.stock, shards, f"rewards[{index}].stock", is_copy=is_copy))
        problems += found
        if not found:
            writes += _raising(counter, reward.stock.total, shards, version)
    return writes, problems


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """How full a stock is: what was put in is always what was sold, what is held and what is left."""

    put_in: int
    sold: int
    held: int
    left: int


def level(code: str, now: int) -> Level | None:
    """How full the stock of a reward is; None where nothing was ever put in. What has lapsed of holds is left."""
    shards = read_shards(f"stock#{code}")
    if not shards:
        return None
    put_in, left = sum(item.put_in for item in shards), sum(item.left_at(now) for item in shards)
    held = sum(amount for item in shards for until, amount in item.holds().items() if until > now)
    return Level(put_in=put_in, sold=put_in - held - left, held=held, left=left)


def _problems(stock: Stock, shards: Sequence[ShardItem], path: str, *, is_copy: bool) -> Iterator[Problem]:
    put_in = sum(item.put_in for item in shards)
    if shards and len(shards) != stock.shards:
        yield Problem(f"{path}.shards", f"This stock lies in {len(shards)} parts and cannot be divided anew.")
    elif stock.total < put_in and not is_copy:
        yield Problem(
            f"{path}.total",
            f"{put_in} pieces were put in by an earlier version, and a stock can only be raised. "
            "End the reward to stop it; another reward needs another code.",
        )


def _raising(counter: Counter, total: int, shards: Sequence[ShardItem], version: int) -> list[Write]:
    if not shards:
        return counters.creating(counter, total)
    more = total - sum(item.put_in for item in shards)
    return counters.adding(counter, more, f"{counter.name}#{version}") if more > 0 else []
