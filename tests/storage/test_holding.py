"""What is held of a counter is left again by its date, and is sold once whatever comes in between."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.base import ids
from chalicelib.counters import holding
from chalicelib.counters import service as counters
from chalicelib.counters.service import Claim, Counter, SoldOut
from chalicelib.counters.table import FillItem, read_shards
from chalicelib.ledger.posting import Lost, Write, put_once

NOW = 1_800_000_000
_names = itertools.count(1)


def put(write: Write) -> None:
    """Send one write in a transaction with a record of its own, as every operation does."""
    name = f"op-{next(_names)}"
    record = FillItem(name, 0, record_id=name, request_hash=name, kind="test", occurred_at="", posted_at="")
    record.counter, record.amount = "", 0
    put_once(record, [write])


def taken(counter: Counter, amount: int, now: int, lapses_at: int | None = None) -> int:
    """Take an amount, or hold it, and give the shard."""

    def act(shard: int, write: Write) -> int:
        put(write)
        return shard

    claim = Claim(counter, amount, ids.request_hash(next(_names)))
    return counters.probing(claim, act, lapses_at=lapses_at, now=now)


def made(total: int, shards: int = 1) -> Counter:
    counter = Counter(f"stock#{next(_names)}", shards)
    counters.create(counter, total, now=NOW)
    return counter


@pytest.mark.parametrize(
    ("hold_s", "lapses_in_s"), [(1, 60), (60, 60), (61, 120), (3600, 3600), (3601, 4500), (86_400, 86_400)]
)
def test_a_hold_lapses_with_a_minute_or_when_it_is_long_with_a_quarter_of_an_hour(
    hold_s: int, lapses_in_s: int
) -> None:
    start = NOW // 900 * 900
    assert holding.lapses_at(start + hold_s, start) == start + lapses_in_s


def test_what_is_held_is_not_there_until_it_lapses() -> None:
    counter = made(1)
    taken(counter, 1, NOW, NOW + 60)
    for now in (NOW, NOW + 59):
        with pytest.raises(SoldOut):
            taken(counter, 1, now)
    taken(counter, 1, NOW + 60)
    with pytest.raises(SoldOut):
        taken(counter, 1, NOW + 120)


def test_a_hold_that_was_taken_over_can_neither_be_kept_nor_freed() -> None:
    counter = made(1)
    shard = taken(counter, 1, NOW, NOW + 60)
    taken(counter, 1, NOW + 60)
    for end in (holding.keep, holding.free):
        with pytest.raises(Lost):
            put(end(counter.name, shard, 1, NOW + 60))
    assert counters.read(counter.name).left == 0


def test_a_hold_that_was_kept_never_lapses() -> None:
    counter = made(1)
    shard = taken(counter, 1, NOW, NOW + 60)
    put(holding.keep(counter.name, shard, 1, NOW + 60))
    with pytest.raises(SoldOut):
        taken(counter, 1, NOW + 60)


def test_of_two_who_take_what_has_lapsed_one_succeeds() -> None:
    counter = made(1)
    taken(counter, 1, NOW, NOW + 60)
    (item,) = read_shards(counter.name)
    put(holding.take_from(item, 1, NOW + 60))
    with pytest.raises(Lost):
        put(holding.take_from(item, 1, NOW + 60))


def test_a_shard_forgets_the_holds_of_before_when_another_one_is_added() -> None:
    counter = made(100)
    for number in range(20):
        now = NOW + 60 * number
        shard = taken(counter, 1, now, now + 60)
        put(holding.keep(counter.name, shard, 1, now + 60))
    (item,) = read_shards(counter.name)
    assert len(item.attribute_values["held"].attribute_values) == 1
    assert (item.taken, item.left) == (20, 80)


@dataclass
class Model:
    """What a counter of one shard should hold: sold for good, and held by the instant at which it lapses."""

    total: int
    sold: int = 0
    holds: list[tuple[int, int]] = field(default_factory=list)

    def left(self, now: int) -> int:
        return self.total - self.sold - sum(amount for amount, until in self.holds if until > now)


STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "hold", "keep", "free", "wait"]), st.integers(1, 3), st.integers(0, 5)),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_story_of_takes_and_holds_is_exact(steps: list[tuple[str, int, int]]) -> None:
    counter, model, now = made(6), Model(6), NOW
    for what, amount, choice in steps:
        if what == "wait":
            now += 25 * amount
        elif what in {"take", "hold"}:
            until = holding.lapses_at(now + 30 + 20 * choice, now) if what == "hold" else None
            covered = amount <= model.left(now)
            if covered:
                taken(counter, amount, now, until)
                model.sold += 0 if until else amount
                model.holds += [(amount, until)] if until else []
            else:
                with pytest.raises(SoldOut):
                    taken(counter, amount, now, until)
        elif live := [hold for hold in model.holds if hold[1] > now]:
            # Whoever ends a hold looks at its date first, as a redemption does.
            held, until = live[choice % len(live)]
            put({"keep": holding.keep, "free": holding.free}[what](counter.name, 0, held, until))
            model.holds.remove((held, until))
            model.sold += held if what == "keep" else 0
        (item,) = read_shards(counter.name)
        assert item.left_at(now) == model.left(now) >= 0
        assert item.put_in == item.taken + item.left == 6
        assert item.left >= 0
