"""Which shard an operation tries first, and which next."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.counters.rules import SHARDS_MAX, covering, gathering, probe_order, spread

ids = st.text(min_size=1, max_size=40)
counts = st.integers(1, SHARDS_MAX)


@given(ids, counts)
def test_an_operation_tries_every_shard_once_and_always_in_the_same_order(operation_id: str, shards: int) -> None:
    order = probe_order(operation_id, shards)
    assert sorted(order) == list(range(shards))
    assert order == probe_order(operation_id, shards)


def test_operations_begin_evenly_at_all_shards() -> None:
    first = Counter(probe_order(f"red_{number}", 8)[0] for number in range(8000))
    assert set(first) == set(range(8))
    assert all(800 <= times <= 1200 for times in first.values())


@given(ids, st.dictionaries(st.integers(0, 9), st.integers(0, 20)), st.integers(1, 20))
def test_the_next_shard_is_the_first_in_order_that_holds_enough(
    operation_id: str, left: dict[int, int], amount: int
) -> None:
    able = [shard for shard in probe_order(operation_id, 10) if left.get(shard, 0) >= amount]
    assert covering(operation_id, left, amount) == (able[0] if able else None)


@given(ids, st.dictionaries(st.integers(0, 9), st.integers(0, 20)), st.integers(1, 90))
def test_what_no_shard_covers_is_gathered_in_one_of_them_if_all_together_do(
    operation_id: str, left: dict[int, int], amount: int
) -> None:
    found = gathering(operation_id, left, amount)
    if found is None:
        assert sum(left.values()) < amount
        return
    shard, moved = found
    assert shard not in moved
    assert all(0 < part <= left[other] for other, part in moved.items())
    assert left[shard] + sum(moved.values()) >= amount
    if moved:
        assert covering(operation_id, left, amount) is None
        assert left[shard] + sum(moved.values()) == amount


@given(ids, st.integers(0, 10_000), counts)
def test_what_is_put_in_is_spread_evenly_to_the_last_unit(operation_id: str, amount: int, shards: int) -> None:
    parts = spread(operation_id, amount, shards)
    assert (sum(parts.values()), len(parts)) == (amount, shards)
    assert max(parts.values()) - min(parts.values()) <= 1
