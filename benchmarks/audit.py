"""How many entries a second one core audits: the arithmetic alone, and everything but the network.

`huike-verify` does the first, the nightly audit both. Reading the entries and records comes on top: DynamoDB's time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from unittest import mock

import tests.conftest  # noqa: F401 - sets the environment that the engine reads when it is imported
from chalicelib.base import clock
from chalicelib.ledger import auditing, chain, points
from chalicelib.ledger.chain import Decision, Entry
from chalicelib.ledger.digest import Heads
from chalicelib.ledger.effects import Effect, fold
from chalicelib.ledger.state import State
from chalicelib.ledger.table import EntryItem, to_item

_CHAINS = 40
_ENTRIES = 100
_MONTH_S = 30 * clock.DAY_S
_START = 1_700_000_000


def main() -> None:
    """Audit the same chains in each way and print the table."""
    chains = [_chain(f"mem_{number}") for number in range(_CHAINS)]
    stored = {entries[0].member_id: [_stored(entry) for entry in entries] for entries in chains}

    def audit() -> None:
        for member_id in stored:
            # There is no view here, which is no fault as long as the first entry was posted just now.
            if auditing.audit(member_id, None, now=_START).findings:
                raise SystemExit("The audit finds fault with chains that are in order.")

    def read(member_id: str, *, consistent: bool) -> list[EntryItem]:  # noqa: ARG001 - as the real one
        items = []
        for raw in stored[member_id]:
            item = EntryItem()
            item.deserialize(raw)
            items.append(item)
        return items

    print("| what | entries | seconds | entries a second |\n|---|--:|--:|--:|")
    _time("chain.verify: numbers, dates, hashes, states", lambda: _verify(chains))
    with (
        mock.patch.object(auditing, "read_chain", read),
        mock.patch.object(auditing, "_records", return_value=[]),
        mock.patch.object(auditing, "read_view", return_value=None),
    ):
        _time("the audit: the same, from DynamoDB's form, with totals", audit)
    _time("the digest: a head added to the sum", lambda: _digest(chains))


def _time(what: str, work: Callable[[], object]) -> None:
    begun = time.process_time()
    work()
    seconds = time.process_time() - begun
    count = _CHAINS * _ENTRIES
    print(f"| {what} | {count:,} | {seconds:.2f} | {count / seconds:,.0f} |", flush=True)


def _verify(chains: list[list[Entry]]) -> None:
    for entries in chains:
        chain.verify(entries)


def _digest(chains: list[list[Entry]]) -> Heads:
    heads = Heads()
    for entries in chains:
        for entry in entries:
            heads = heads.plus_member(entry.member_id, entry.seq, entry.prev)
    return heads


def _stored(entry: Entry) -> dict[str, dict[str, object]]:
    item = to_item(entry)
    item.place = '["orders",{"order_id":"ord_x","step":"000"}]'
    return item.serialize()


def _chain(member_id: str) -> list[Entry]:
    """A hundred entries over eight years: points earned every month, and spent every third time."""
    entries: list[Entry] = []
    for number in range(_ENTRIES):
        tail = entries[-1] if entries else None
        at = _START + number * _MONTH_S
        state = fold(tail.state if tail else State(), at).state
        entries.append(chain.link(member_id, tail, _decision(number, _effect(number, state, at), at), at))
    return entries


def _effect(number: int, state: State, at: int) -> Effect:
    if number % 3 == 2:
        return points.spend(state, state.available // 2)
    return points.earn(state, 100 + number, expires_at=at + 24 * _MONTH_S)


def _decision(number: int, effect: Effect, at: int) -> Decision:
    return Decision(
        kind="order",
        record=f"ord_{number}",
        reason="order",
        actor="system:bench",
        program=1,
        occurred_at=at,
        effect=effect,
        tier="member",
    )


if __name__ == "__main__":
    main()
