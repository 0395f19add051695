"""How many vouchers of a batch were issued, locked, redeemed and rolled back: exact counts in shards."""

from __future__ import annotations

from typing import Literal

import msgspec

from chalicelib.counters.rules import probe_order
from chalicelib.ledger.posting import Act, Write
from chalicelib.vouchers.store import read_steps
from chalicelib.vouchers.table import TallyItem

SHARDS = 16

Event = Literal["issued", "locked", "redeemed", "rolled_back"]


class Tally(msgspec.Struct, frozen=True):
    """What happened in a batch so far. What was redeemed and not rolled back is in use."""

    issued: int = 0
    locked: int = 0
    redeemed: int = 0
    rolled_back: int = 0


def counting(batch_id: str, event: Event, operation_id: str, amount: int = 1) -> Write:
    """The write that counts what an operation does, for its own transaction."""
    shard = probe_order(operation_id, SHARDS)[0]
    field = getattr(TallyItem, event)
    return Write(TallyItem(_key(batch_id), f"{shard:02d}"), Act.UPDATE, None, (field.add(amount),))


def read(batch_id: str) -> Tally:
    """The counts as they are now."""
    shards = read_steps(TallyItem, _key(batch_id))
    events = Tally.__struct_fields__
    return Tally(**{event: sum(getattr(shard, event) or 0 for shard in shards) for event in events})


def _key(batch_id: str) -> str:
    return f"tally#{batch_id}"
