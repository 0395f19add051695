"""Table `referrals`: codes, claims and what became of them, under the keys `key` and `part`.

- `mem_…`: a member. `code` is the member's referral code; `code#{code}` leads back from it.
- `rfl_…`: a referral, named after the friend's id, so that a friend has one. `claim` is the claim as it was accepted,
  `state` the one item on which it is decided, `pay#{turn}` the records of what was paid or taken back. `state#{id}`
  leads to the referral of a member who was merged into this one.
- `friends#mem_…`: leads from a referrer to the referrals, by the time of the claim.
- `held#{shard}`: leads to what waits for review; `due#{shard}` to what is to be paid, by the date.
- `seen#{keyed hash}`: who has used a device, a means of payment, an address or a mailbox to claim a code.

A claim puts items of its own and changes none that another claim changes, so a code that many claim heats no item.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base import clock, ids
from chalicelib.base.dynamo import IntAttribute, unchanged
from chalicelib.base.settings import settings
from chalicelib.ledger.posting import Act, Write
from chalicelib.ledger.records import Record
from chalicelib.referrals.rules import Referral

_NAME = settings().table("referrals")

SHARDS: Final = 8
"""Over how many partitions the lists of what is held and what is due are spread."""

CODE: Final = "code"
CLAIM: Final = "claim"
STATE: Final = "state"

_STATES = msgspec.json.Decoder(Referral)


class CodeItem(Model):
    """Leads from a code (`code#{code}`, `code`) to its member."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    member_id = UnicodeAttribute()


class OwnCodeItem(Model):
    """A member's code."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    code = UnicodeAttribute()


class ClaimStep(Record):
    """A claim as it was accepted; `request_hash` is that of the code."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)


class StateItem(Model):
    """A referral as it is now (JSON). `version` counts its changes, each made on condition of the one before.

    An item whose part is `state#{id}` holds nothing, and leads to the referral of that id.
    """

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    version = IntAttribute(null=True)
    body = UnicodeAttribute(null=True)


class PaymentStep(Record):
    """What one of the two was paid, or what was taken back."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    side = UnicodeAttribute()


class LeadItem(Model):
    """Leads from a list (`friends#…`, `held#…`, `due#…`) to a referral; `part` is `{instant}#{referral's id}`."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)

    @property
    def referral_id(self) -> str:
        """The referral that it leads to."""
        return str(self.part).partition("#")[2]


class SeenItem(Model):
    """That a member (`part`) has claimed a code with something that others might claim with as well."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)


class Stored(msgspec.Struct, frozen=True):
    """A referral as it lies in the table, with its version."""

    version: int
    referral: Referral


def referral_id_of(friend_id: str) -> str:
    """The id of the referral that a member is the friend of."""
    return ids.derived("rfl", friend_id)


def read_state(referral_id: str) -> Stored | None:
    """A referral as it is now."""
    items = StateItem.query(referral_id, StateItem.part == STATE, consistent_read=True)
    return next((_stored(item) for item in items), None)


def read_states(referral_ids: Iterable[str]) -> dict[str, Referral]:
    """Referrals by their ids, as they were a moment ago; those that are not there are left out."""
    items = StateItem.batch_get([(referral_id, STATE) for referral_id in referral_ids])
    return {str(item.key): _stored(item).referral for item in items}


def referrals_of(friend_id: str) -> list[str]:
    """The ids of the referrals that a member is the friend of: its own, and those of members merged into it."""
    own = referral_id_of(friend_id)
    items = StateItem.query(own, StateItem.part.startswith(STATE), consistent_read=True)
    return [str(item.part).partition("#")[2] or own for item in items]


def read_claim(referral_id: str) -> ClaimStep | None:
    """A claim as it was accepted."""
    items = ClaimStep.query(referral_id, ClaimStep.part == CLAIM, consistent_read=True)
    return next(iter(items), None)


def state_write(referral: Referral, version: int) -> Write:
    """The write that puts a referral in its next `version` (1 for a new one); it fails where another was faster."""
    body = msgspec.json.encode(referral).decode()
    item = StateItem(referral.referral_id, STATE, version=version, body=body)
    return Write(item, Act.PUT, unchanged(StateItem, version - 1))


def friends_key(referrer_id: str) -> str:
    """The list of a referrer's friends."""
    return f"friends#{referrer_id}"


def sharded(listed: str, shard: int) -> str:
    """One partition of the lists `held` and `due`."""
    return f"{listed}#{shard}"


def lead(listed: str, referral_id: str, instant: int) -> LeadItem:
    """The item of a referral in the list `held` or `due`."""
    # Any part of a keyed hash is as good as another for spreading.
    shard = sum(referral_id.encode()) % SHARDS
    return LeadItem(sharded(listed, shard), f"{clock.text(instant)}#{referral_id}")


def _stored(item: StateItem) -> Stored:
    return Stored(item.version or 0, _STATES.decode(item.body or ""))
