"""Exact shared counts: stock, budgets, totals of vouchers.

A counter lies in shards, each with its own rest, so that many may take from it at once. Whoever takes touches one
shard, in the transaction of the operation that takes; an amount is never split, and the operation's record names the
shard, so that a reversal puts back there. What was put in is always what was taken and what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import Conflict, NotFound, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.counters import holding
from chalicelib.counters.rules import SHARDS_MAX, covering, probe_order, spread
from chalicelib.counters.table import FillItem, ShardItem, read_shards
from chalicelib.ledger.posting import Account, Act, Lost, Plan, Posted, R, Write, post, put_once

T = TypeVar("T")


class SoldOut(Conflict):
    """No shard of the counter covers what is asked for."""

    code = "sold_out"

    def __init__(self, counter: Counter) -> None:
        super().__init__("There is not enough left.")
        self.counter = counter


class CounterNotFound(NotFound):
    """No counter has this name."""

    code = "counter_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such counter.")


class Counter(msgspec.Struct, frozen=True):
    """A counter by its name (`stock#rew_…`, say), and the number of its shards, 1 to 80.

    Each shard takes some hundred operations a second. Since no amount is split, a shard should hold many of them: where
    amounts are large, a remnant that no single operation fits stays in each.
    """

    name: str
    shards: int

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= SHARDS_MAX:
            raise ValueError(f"a counter has 1 to {SHARDS_MAX} shards, not {self.shards}")


class Claim(msgspec.Struct, frozen=True):
    """What an operation wants of a counter: an amount (> 0), under the id of the operation's record."""

    counter: Counter
    amount: int
    operation_id: str

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise ValueError(f"{self.amount} cannot be taken")


class Reading(msgspec.Struct, frozen=True):
    """A counter as it is now, in all and by shard."""

    put_in: int
    taken: int
    left: int
    shards: tuple[ShardItem, ...]


def create(counter: Counter, total: int, *, now: int) -> Posted[FillItem]:
    """Make a counter with `total` (>= 0) in it, once; repeated, it changes nothing, whatever was taken since.

    Raises KeyReused where it was made with another total or number of shards, and Unavailable.
    """
    fill_id = ids.derived("ctr", counter.name)
    return put_once(_fill(counter, total, fill_id, "counter_created", now), creating(counter, total))


def creating(counter: Counter, total: int) -> list[Write]:
    """The writes that make a counter with `total` in it, for an operation that has a record of its own."""
    return [
        Write(
            ShardItem(counter.name, shard, put_in=part, taken=0, left=part, held={}),
            Act.PUT,
            ShardItem.name.does_not_exist(),
        )
        for shard, part in spread(counter.name, total, counter.shards).items()
    ]


def add(counter: Counter, amount: int, *, key: str, now: int) -> Posted[FillItem]:
    """Put `amount` (> 0) more into a counter, once for `key`. Raises CounterNotFound, KeyReused and Unavailable."""
    if amount <= 0:
        raise ValueError(f"{amount} cannot be put in")
    fill_id = ids.derived("fil", counter.name, key)
    try:
        return put_once(_fill(counter, amount, fill_id, "counter_filled", now), adding(counter, amount, fill_id))
    except Lost as lost:
        raise CounterNotFound from lost


def adding(counter: Counter, amount: int, operation_id: str) -> list[Write]:
    """The writes that put `amount` into a counter, for an operation that has a record of its own."""
    return [
        Write(
            ShardItem(counter.name, shard),
            Act.UPDATE,
            ShardItem.put_in.exists(),
            (ShardItem.put_in.add(part), ShardItem.left.add(part)),
        )
        for shard, part in spread(operation_id, amount, counter.shards).items()
        if part
    ]


def read(name: str) -> Reading:
    """A counter as it is now, all shards in one consistent read. Raises CounterNotFound."""
    shards = read_shards(name)
    if not shards:
        raise CounterNotFound
    return Reading(
        put_in=sum(item.put_in for item in shards),
        taken=sum(item.taken for item in shards),
        left=sum(item.left for item in shards),
        shards=tuple(shards),
    )


def take(claim: Claim, shard: int) -> Write:
    """The write that takes what is claimed from one shard; it fails where the shard holds less."""
    return Write(
        ShardItem(claim.counter.name, shard),
        Act.UPDATE,
        ShardItem.left >= claim.amount,
        (ShardItem.left.add(-claim.amount), ShardItem.taken.add(claim.amount)),
    )


def take_gathered(claim: Claim, shard: int, others: Mapping[int, int]) -> list[Write]:
    """The writes that move what `others` (by shard) give up into one shard, and take what is claimed from there.

    So the last of a counter can be taken though no shard covers it, the amount is still taken from one shard alone, and
    a reversal puts it back there. They fail where a shard holds less than was seen.
    """
    moved = sum(others.values())
    name = claim.counter.name
    taking = (
        *([ShardItem.put_in.add(moved)] if moved else []),
        ShardItem.left.add(moved - claim.amount),
        ShardItem.taken.add(claim.amount),
    )
    giving = [
        Write(
            ShardItem(name, other),
            Act.UPDATE,
            ShardItem.left >= part,
            (ShardItem.put_in.add(-part), ShardItem.left.add(-part)),
        )
        for other, part in others.items()
    ]
    return [Write(ShardItem(name, shard), Act.UPDATE, ShardItem.left >= claim.amount - moved, taking), *giving]


def give_back(name: str, shard: int, amount: int) -> Write:
    """The write by which a reversal puts `amount` back into the shard that it was taken from."""
    return Write(
        ShardItem(name, shard),
        Act.UPDATE,
        ShardItem.taken >= amount,
        (ShardItem.left.add(amount), ShardItem.taken.add(-amount)),
    )


def probing(claim: Claim, act: Callable[[int, Write], T], *, lapses_at: int | None = None, now: int | None = None) -> T:
    """Do `act` with a shard and the write that takes from it, shard after shard until one covers the claim.

    The first try goes to the operation's own shard unseen. If that holds too little, all shards are looked at, so that
    the next try goes where there is enough, lapsed holds included, and nobody is told that there is none while there is
    some. What is only held, until `lapses_at`, is looked for at once: whoever adds a hold clears away lapsed ones.

    Raises whatever `act` does, SoldOut, CounterNotFound, and Unavailable after eight tries.
    """
    at = clock.now() if now is None else now
    shard = probe_order(claim.operation_id, claim.counter.shards)[0]
    write = take(claim, shard) if lapses_at is None else None
    for _attempt in attempts():
        if write is None:
            found = _covering(claim, at)
            shard, write = found.shard, holding.take_from(found, claim.amount, at, lapses_at=lapses_at)
        try:
            return act(shard, write)
        except Lost as lost:
            if lost.model is not write.model:
                raise
        write = None
    raise Unavailable("Many are taking from this at once. Send the same request again.", code="busy")


def post_with_counter(
    member_id: str,
    claim: Claim,
    decide: Callable[[Account, int], Plan[R]],
    *,
    lapses_at: int | None = None,
    now: Callable[[], int] | None = None,
) -> Posted[R]:
    """Post to a member's account and take from a counter in the same transaction, exactly once.

    `decide` is told the shard, for the record to name it. With `lapses_at` the counter's part is only held until then.
    Raises as `post` does, and as `probing` does.
    """

    def act(shard: int, write: Write) -> Posted[R]:
        def taking(account: Account) -> Plan[R]:
            plan = decide(account, shard)
            return msgspec.structs.replace(plan, writes=lambda entry: [*plan.writes(entry), write])

        return post(member_id, taking, now=now)

    return probing(claim, act, lapses_at=lapses_at, now=now() if now else None)


def _covering(claim: Claim, at: int) -> ShardItem:
    """The first shard in probe order that covers a claim at an instant, after a look at all."""
    shards = {item.shard: item for item in read(claim.counter.name).shards}
    shard = covering(claim.operation_id, {number: item.left_at(at) for number, item in shards.items()}, claim.amount)
    if shard is None:
        raise SoldOut(claim.counter)
    return shards[shard]


def _fill(counter: Counter, amount: int, fill_id: str, kind: str, now: int) -> FillItem:
    at = clock.text(now)
    return FillItem(
        fill_id,
        0,
        record_id=fill_id,
        request_hash=ids.request_hash([amount, counter.shards]),
        kind=kind,
        occurred_at=at,
        posted_at=at,
        counter=counter.name,
        amount=amount,
    )
