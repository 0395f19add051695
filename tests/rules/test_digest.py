"""One figure for all heads: the same in any order, and another one for any other ledger."""

from __future__ import annotations

import functools
import random

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ledger.digest import GENESIS, SIZE, Heads, digest

members = st.lists(
    st.tuples(st.text(max_size=8), st.integers(1, 99), st.binary(min_size=32, max_size=32)),
    max_size=6,
    unique_by=lambda member: member[0],
)


def summed(found: list[tuple[str, int, bytes]]) -> Heads:
    return functools.reduce(lambda heads, member: heads.plus_member(*member), found, Heads())


@given(members, st.randoms(), st.integers(0, 6))
def test_members_may_come_in_any_order_and_in_any_parts(
    found: list[tuple[str, int, bytes]], dice: random.Random, cut: int
) -> None:
    shuffled = [*found]
    dice.shuffle(shuffled)
    assert summed(shuffled[:cut]).plus(summed(shuffled[cut:])) == summed(found)


@given(members, members)
def test_other_heads_have_another_sum(one: list[tuple[str, int, bytes]], other: list[tuple[str, int, bytes]]) -> None:
    assert (summed(one) == summed(other)) == (sorted(one) == sorted(other))


def test_a_sum_keeps_its_size() -> None:
    heads = Heads(1, b"\xff" * SIZE).plus_member("mem_a", 1, bytes(32))
    assert len(heads.total) == SIZE


def test_a_digest_depends_on_everything_in_it() -> None:
    heads = Heads().plus_member("mem_a", 1, bytes(32))
    made = {
        digest(GENESIS, "2026-11-21", 5, heads),
        digest(bytes(32), "2026-11-21", 5, heads),
        digest(GENESIS, "2026-11-22", 5, heads),
        digest(GENESIS, "2026-11-21", 6, heads),
        digest(GENESIS, "2026-11-21", 5, Heads()),
    }
    assert len(made) == 5
