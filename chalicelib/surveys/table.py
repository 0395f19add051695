"""Table `surveys`: definitions, invitations and answers, under the keys `key` and `part`.

- `srv_…`: a survey. `head` says which version is in force and whether it is open; `v000001` … are its definitions.
  `list` leads to all of them, by the time at which they were made.
- `inv_…`: an invitation. `state` is the one item on which it is decided: open, answered, or withdrawn.
- `contact#…`, `due#…`, `sent#…`, `asked#…`: what invitations need beside; see `invitation_table`.
- `rsp_…`: an answer. `response` is its record, `draft` what was saved of it so far (it goes by itself). Where a member
  answered elsewhere and that was read in, the `response` under the member's own key only leads to it.
- `answers#{survey's id}#{month}#{shard}`: the answers of a month, by their time, as exports and the night read them.
- `totals#{survey's id}#{month}#{shard}`: exact counts, `sound` and `flagged`.
- `crossed#{survey's id}`: what the night has made of the months, by month.

An answer puts items of its own and counts in one shard of many, so a burst of them heats no item.
"""

from __future__ import annotations

from typing import Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base.dynamo import IntAttribute
from chalicelib.base.settings import settings
from chalicelib.counters.rules import probe_order
from chalicelib.ledger.records import Record

NAME: Final = settings().table("surveys")

HEAD: Final = "head"
RESPONSE: Final = "response"
DRAFT: Final = "draft"
STATE: Final = "state"

SHARDS: Final = 16
"""Over how many partitions the answers of a month are spread, and over how many items their counts."""


class HeadItem(Model):
    """A survey as it is now. `version` counts its changes, each made on condition of the one before.

    `status` is draft, open or closed, `definition` the number of the version in force (the draft's while it is one).
    `opened` is the first version that was open to answers: those before it were never more than drafts.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    version = IntAttribute()
    code = UnicodeAttribute()
    status = UnicodeAttribute()
    definition = IntAttribute()
    opened = IntAttribute(null=True)
    created_at = UnicodeAttribute()
    changed_at = UnicodeAttribute()
    changed_by = UnicodeAttribute()


class DefinitionItem(Record):
    """One version of a survey (`document`, JSON), put once; `based_on` is the version of the head that it replaced."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    document = UnicodeAttribute()
    based_on = IntAttribute()
    actor = UnicodeAttribute()


class ListedItem(Model):
    """Leads to a survey from the list of all; `part` is `{created_at}#{survey's id}`."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)

    @property
    def survey_id(self) -> str:
        """The survey that it leads to."""
        return str(self.part).partition("#")[2]


class ResponseItem(Record):
    """An answer as it was accepted. `body` are the answers, `context` what was known of the member then (JSON).

    `invitation_id` is what it answers, `case_id` the case that it opened. Only here are the words that people wrote, so
    that they can be erased.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    survey_id = UnicodeAttribute()
    definition = IntAttribute()
    channel = UnicodeAttribute()
    actor = UnicodeAttribute()
    invitation_id = UnicodeAttribute(null=True)
    case_id = UnicodeAttribute(null=True)
    flags = UnicodeAttribute()
    body = UnicodeAttribute()
    context = UnicodeAttribute()


class StandInItem(Model):
    """In the place of a member's answer: leads to the one that was read in from elsewhere, `record_id`."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    record_id = UnicodeAttribute()


class DraftItem(Model):
    """What was saved of an answer (`answers`, JSON) by the definition on which it was begun; it goes at `gone_at`.

    `version` counts the times that it was saved, each on condition of the one before.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    version = IntAttribute()
    definition = IntAttribute()
    answers = UnicodeAttribute()
    begun_at = UnicodeAttribute()
    saved_at = UnicodeAttribute()
    gone_at = IntAttribute()


class AnswerItem(Model):
    """An answer among those of its month (`part` is `{occurred_at}#{its id}`); `answers` and `context` are JSON.

    The words of free texts, and those that go with an option, are left out of it: they stand in the record alone.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    definition = IntAttribute()
    answers = UnicodeAttribute()
    context = UnicodeAttribute()


def version_part(number: int) -> str:
    """The range key of a definition."""
    return f"v{number:06d}"


def shard_of(response_id: str) -> int:
    """The shard in which an answer lies and counts."""
    return probe_order(response_id, SHARDS)[0]


def answers_key(survey_id: str, month: str, shard: int) -> str:
    """One partition of a month's answers; `month` is such as `2026-11`, in the programme's zone."""
    return f"answers#{survey_id}#{month}#{shard:02d}"


def totals_key(survey_id: str, month: str, shard: int) -> str:
    """One partition of a month's counts."""
    return f"totals#{survey_id}#{month}#{shard:02d}"
