"""Table `vouchers`: batches, their vouchers, and what became of them, under the keys `key` and `step`.

- `vbt_…`: a batch. `000` is its definition, `state` whether it is active. `batches` leads to all of them.
- `vch_…`: a voucher, named by the keyed hash of its code. `000` is its issue, `slot` who has it: a session or a use.
- `vlk_…`: the slot of one session on a shared code, which has many.
- `vor_…`: an order. Its steps `000`, `001` … are the uses of vouchers on it and what was rolled back of them.
- `vlm_…`: how often one member has used vouchers of one batch.
- `vjb_…`, `vim_…`: a bulk job and its legs, an import.
- `wallet#…`: leads from a member to what was issued to it. `due#…`: leads to locks by their end. `tally#…`: counts of a
  batch in shards. `try#…`: failed attempts of one caller in some minutes.

Issues, uses and legs are put if absent and never edited. Slots and limits are replaced whole, under the condition that
they are as they were read (`version`).
"""

from __future__ import annotations

from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base.dynamo import IntAttribute
from chalicelib.base.settings import settings
from chalicelib.ledger.records import Record, step_name

NAME: Final = settings().table("vouchers")

FIRST: Final = step_name(0)
SLOT: Final = "slot"
STATE: Final = "state"
LIMIT: Final = "limit"


class BatchItem(Record):
    """A batch's definition. `zone` is the time zone that it goes by, `code` that of a shared voucher."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    document = UnicodeAttribute()
    zone = UnicodeAttribute()
    code = UnicodeAttribute(null=True)
    actor = UnicodeAttribute()


class ListedItem(Model):
    """Leads to a batch from the list of all; `step` is `{created_at}#{batch's id}`."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    batch_id = UnicodeAttribute()


class StateItem(Model):
    """Whether a batch is `active` or `paused`, since when, and who said so."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    state = UnicodeAttribute()
    changed_at = UnicodeAttribute()
    changed_by = UnicodeAttribute()


class VoucherItem(Record):
    """A voucher's issue. Its code is made again from `origin` and `number`; of one made elsewhere nothing is kept.

    `origin` is the bulk job, the issue to a member, the import, or the batch of a shared code.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    batch_id = UnicodeAttribute()
    origin = UnicodeAttribute()
    number = IntAttribute()
    ends_at = UnicodeAttribute(null=True)


class SlotItem(Model):
    """Who has a voucher: the `use` of an order, or a `session` `until` an instant.

    `shard` is where the batch's total was taken from for the session; it stays with the slot until it is used or given
    back, though the session's time is up. `limit_key` leads to the member's count that the lock is in.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    version = IntAttribute()
    batch_id = UnicodeAttribute()
    use = UnicodeAttribute(null=True)
    session = UnicodeAttribute(null=True)
    until = UnicodeAttribute(null=True)
    shard = IntAttribute(null=True)
    gone_at = IntAttribute(null=True)
    limit_key = UnicodeAttribute(null=True)

    @property
    def held(self) -> int | None:
        """The shard of the batch's total that it holds one of, if any."""
        found: int | None = self.attribute_values.get("shard")
        return found


class LimitItem(Model):
    """How often a member has used a batch; `leases` are its locks, as JSON: `[[name, until], …]`."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    version = IntAttribute()
    used = IntAttribute()
    leases = UnicodeAttribute()


class DueItem(Model):
    """Leads from a shard of a batch's total to a slot that holds a part of it; `step` is `{until}#{slot's key}`."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)


class UseStep(Record):
    """A use of a voucher on an order, or its rolling back, which names it in `undoes`.

    `worth` is what it was worth (JSON). `shard`, `limit_key` and `wallet` say where it was counted, so that it goes
    back there; `lot_expires_at` is the expiry of the points that it brought.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    voucher_id = UnicodeAttribute()
    batch_id = UnicodeAttribute()
    source = UnicodeAttribute()
    order_id = UnicodeAttribute()
    actor = UnicodeAttribute()
    worth = UnicodeAttribute()
    currency = UnicodeAttribute()
    redeemed_at = UnicodeAttribute()
    stacking = UnicodeAttribute()
    limit_key = UnicodeAttribute(null=True)
    wallet = UnicodeAttribute(null=True)
    wallet_step = UnicodeAttribute(null=True)
    shard = IntAttribute(null=True)
    lot_expires_at = IntAttribute(null=True)
    is_single = IntAttribute()
    undoes = UnicodeAttribute(null=True)


class WalletItem(Model):
    """A voucher that was issued to a member; `step` is `{issued_at}#{voucher's id}`."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    voucher_id = UnicodeAttribute()
    batch_id = UnicodeAttribute()
    origin = UnicodeAttribute()
    issued_at = UnicodeAttribute()
    ends_at = UnicodeAttribute(null=True)
    used_at = UnicodeAttribute(null=True)


class TallyItem(Model):
    """One shard of a batch's counts; `step` is its number. Each count only grows."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    issued = IntAttribute(null=True)
    locked = IntAttribute(null=True)
    redeemed = IntAttribute(null=True)
    rolled_back = IntAttribute(null=True)


class JobStep(Record):
    """A bulk job (`000`), or one of its legs, which made the codes from `first` on, `codes` in number."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    batch_id = UnicodeAttribute()
    codes = IntAttribute()
    first = IntAttribute(null=True)
    per_leg = IntAttribute(null=True)
    ends_at = UnicodeAttribute(null=True)
    actor = UnicodeAttribute(null=True)


class ImportStep(Record):
    """An import as it was begun (`000`), and what came of it (`001`, `result` as JSON)."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    batch_id = UnicodeAttribute()
    actor = UnicodeAttribute(null=True)
    result = UnicodeAttribute(null=True)


class TryItem(Model):
    """Failed attempts of one caller in the minutes that began at `step`; DynamoDB removes it after `gone_at`."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    failures = IntAttribute(null=True)
    gone_at = IntAttribute(null=True)
