"""Table `redemptions`: a redemption is a short chain of steps, never edited.

Step `000` is its issue, or a hold that the next step commits or releases. Then follow the order that used it, what
refunds of that order have put back of it, and its cancellation. Since a step is put if absent, of two who try at once
only one succeeds.
"""

from __future__ import annotations

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.base.dynamo import IntAttribute
from chalicelib.base.settings import settings
from chalicelib.ledger.records import Record


class RedemptionStep(Record):
    """One step. The first carries the terms and, in `taken`, the lots that were spent (packed).

    `returned_points` is the running total of what refunds have put back.
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


def read_steps(redemption_id: str, *, consistent: bool) -> list[RedemptionStep]:
    """All steps of a redemption in their sequence; empty where there is none (or none seen yet)."""
    return list(RedemptionStep.query(redemption_id, consistent_read=consistent))
