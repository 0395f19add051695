"""The chain outlives the releases that write it."""

from __future__ import annotations

import msgspec
import pytest

from chalicelib.ledger import chain, points
from chalicelib.ledger.chain import BrokenChain, Decision, Entry
from chalicelib.ledger.state import NEVER, State

NOW = 1_800_000_000


def linked(tail: Entry | None, number: int) -> Entry:
    state = tail.state if tail else State()
    decision = Decision(
        kind="adjusted",
        record=f"adj_{number}",
        reason="promotion",
        actor="system:tests",
        program=1,
        occurred_at=NOW,
        effect=points.adjustment(state, 100, NEVER),
        tier="base",
    )
    return chain.link("mem_a", tail, decision, NOW + number)


def of_an_earlier_release(entry: Entry) -> Entry:
    """The entry as a release would have packed it that did not know the last field of state and effect yet."""
    shorter = [
        msgspec.msgpack.encode(msgspec.msgpack.decode(packed)[:-1])
        for packed in (entry.packed_state, entry.packed_effect)
    ]
    fields = {name: getattr(entry, name) for name in Entry.__struct_fields__}
    return Entry(**{**fields, "packed_state": shorter[0], "packed_effect": shorter[1]})


def test_a_chain_that_an_earlier_release_began_is_continued_and_verified() -> None:
    first = of_an_earlier_release(linked(None, 1))
    second = of_an_earlier_release(linked(first, 2))
    entries = [first, second, linked(second, 3)]
    assert entries[-1].state.available == 300
    chain.verify(entries)


def test_the_very_bytes_are_hashed() -> None:
    first = linked(None, 1)
    second = linked(first, 2)
    repacked = of_an_earlier_release(first)
    assert repacked.state == first.state
    with pytest.raises(BrokenChain, match="entry 2"):
        chain.verify([repacked, second])
