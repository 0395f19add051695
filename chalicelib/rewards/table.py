"""Table `redemptions`: a redemption is a short chain of steps, never edited.

Step `000` is its issue, or a hold that the next step commits or releases. Then follow its shipment, the order or the
till that used it, what refunds of that order have put back of it, and its cancellation. Since a step is put if absent,
of two who try at once only one succeeds.

The account's state names the member's latest redemption, and each redemption the one before it; so a member's
redemptions are found without an index, which no transaction could keep in step.
"""

from __future__ import annotations

from typing import Any

import msgspec
from pynamodb.attributes import BinaryAttribute, ListAttribute, UnicodeAttribute

from chalicelib.base.dynamo import IntAttribute
from chalicelib.base.settings import settings
from chalicelib.ledger.records import Record
from chalicelib.ledger.state import Limit


class Touch(msgspec.Struct, array_like=True, frozen=True):
    """What a redemption took of a counter, and from which of its shards."""

    counter: str
    shard: int
    amount: int


class RedemptionStep(Record):
    """One step. The first carries the terms and, in `taken`, the lots that were spent (packed).

    `returned_points` is the running total of what refunds have put back. Of a reward, `touched` are the shards of
    counters that it took from, `lapses_at` when they have it back if it is only held, and `limits` what it uses up of
    the member's limits (both packed). `before` is the member's redemption before this one, or several where members
    were merged.
    """

    class Meta:
        table_name = settings().table("redemptions")

    redemption_id = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    spent_points = IntAttribute(null=True)
    amount_minor = IntAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    taken = BinaryAttribute(null=True, legacy_encoding=False)
    held_until = UnicodeAttribute(null=True)
    returned_points = IntAttribute(null=True)
    order_id = UnicodeAttribute(null=True)
    before: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    actor = UnicodeAttribute(null=True)
    reward_id = UnicodeAttribute(null=True)
    program = IntAttribute(null=True)
    quantity = IntAttribute(null=True)
    cash_minor = IntAttribute(null=True)
    cash_currency = UnicodeAttribute(null=True)
    fulfilment = UnicodeAttribute(null=True)
    touched = BinaryAttribute(null=True, legacy_encoding=False)
    lapses_at = IntAttribute(null=True)
    limits = BinaryAttribute(null=True, legacy_encoding=False)
    tracking = UnicodeAttribute(null=True)
    store = UnicodeAttribute(null=True)
    voucher_batch_id = UnicodeAttribute(null=True)


_TOUCHES = msgspec.msgpack.Decoder(tuple[Touch, ...])
_LIMITS = msgspec.msgpack.Decoder(tuple[Limit, ...])


def touches_of(step: RedemptionStep) -> tuple[Touch, ...]:
    """What the redemption took of counters."""
    return _TOUCHES.decode(step.touched) if step.touched else ()


def limits_of(step: RedemptionStep) -> tuple[Limit, ...]:
    """What the redemption uses up of the member's limits."""
    return _LIMITS.decode(step.limits) if step.limits else ()


def read_steps(redemption_id: str, *, consistent: bool) -> list[RedemptionStep]:
    """All steps of a redemption in their sequence; empty where there is none (or none seen yet)."""
    return list(RedemptionStep.query(redemption_id, consistent_read=consistent))
