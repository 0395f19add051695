"""Table `cases`: cases, what happened to them, and the lists that lead to them, under the keys `key` and `part`.

- `cse_…`: a case. `head` is the case as it is now (JSON), the one item on which it is decided. `step#{step's id}` are
  its steps, put once and never edited, each with its number: how it was opened, moved, noted, alerted, compensated.
  Attachments are named in it and lie in the bucket (see `attaching`).
- `state#{state}#{shard}`, `department#{code}#{shard}`, `owner#{who}` and `due#{shard}`: lead to open cases by their
  next deadline; `state#resolved#…` and `state#verified#…` to closed ones by the time they came there.
  `unhappy#{shard}`: those of them of which the member said that it was made hard.
- `watch#{shard}`: leads to open cases by the instant at which somebody must be told something next.
- `cases#mem_…`: leads from a member to the cases, by when they were opened.
- `act_…`: a corrective action, and `actions:{state}…`: leads to them (see `action_table`).
- `tally:{month}:{shard}`: counts of the cases of a month (see `tallies`).

All of it is written in the transaction that changes the case, so no list is ever out of step. Lists that everybody
writes to are spread over shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base import clock, ids
from chalicelib.base.dynamo import IntAttribute
from chalicelib.base.settings import settings
from chalicelib.cases.rules import due
from chalicelib.cases.rules.case import CLOSED, Case
from chalicelib.ledger.posting import Act, Write
from chalicelib.ledger.records import Record

_NAME = settings().table("cases")

SHARDS: Final = 8
"""Over how many partitions each list is spread that leads to the cases of everybody."""

UNHAPPY: Final = "unhappy"
HEAD: Final = "head"
STEP: Final = "step#"

_CASES = msgspec.json.Decoder(Case)


class HeadItem(Model):
    """A case as it is now (JSON). `version` counts its changes, each made on condition of the one before."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    version = IntAttribute()
    body = UnicodeAttribute()


class StepItem(Record):
    """One thing that happened to a case; `kind` says what, `number` is its place in the history.

    `body` is what was said (JSON: see `rules.steps`), `state` the state of the case afterwards.
    """

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    number = IntAttribute()
    actor = UnicodeAttribute()
    state = UnicodeAttribute()
    body = UnicodeAttribute()


class LeadItem(Model):
    """Leads from a list to a case; `part` is `{instant}#{case's id}`."""

    class Meta:
        table_name = _NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)

    @property
    def case_id(self) -> str:
        """The case that it leads to."""
        return case_id_in(str(self.part))


class Stored(msgspec.Struct, frozen=True):
    """A case as it lies in the table, with its version."""

    version: int
    case: Case


def case_id_in(part: str) -> str:
    """The case that a place in a list leads to."""
    return part.partition("#")[2]


def case_id_of(record: str) -> str:
    """The case that a fact's record is of: the record of the opening is the case, later ones are `{case's id}.{…}`."""
    return record.partition(".")[0]


def step_id_of(case_id: str, *key: str) -> str:
    """The id of the step that a business key names, within its case."""
    return f"{case_id}.{ids.keyed_hash('case step', case_id, *key)}"


def step_part(step_id: str) -> str:
    """Where a step lies."""
    return f"{STEP}{step_id.partition('.')[2]}"


def read_head(case_id: str) -> Stored | None:
    """A case as it is now."""
    items = HeadItem.query(case_id, HeadItem.part == HEAD, consistent_read=True)
    return next((_stored(item) for item in items), None)


def read_heads(case_ids: Iterable[str]) -> dict[str, Case]:
    """Cases by their ids, as they were a moment ago; those that are not there are left out."""
    items = HeadItem.batch_get([(case_id, HEAD) for case_id in case_ids])
    return {str(item.key): _stored(item).case for item in items}


def read_steps(case_id: str) -> list[StepItem]:
    """All that happened to a case, in its sequence."""
    items = StepItem.query(case_id, StepItem.part.startswith(STEP), consistent_read=True)
    return sorted(items, key=lambda item: int(item.number))


def read_step(step_id: str) -> StepItem | None:
    """One step as it was recorded."""
    items = StepItem.query(case_id_of(step_id), StepItem.part == step_part(step_id), consistent_read=True)
    return next(iter(items), None)


def head_write(case: Case, version: int) -> Write:
    """The write that puts a case in its next `version` (1 for a new one); it fails where another was faster."""
    item = HeadItem(case.case_id, HEAD, version=version, body=msgspec.json.encode(case).decode())
    unchanged = HeadItem.version == version - 1 if version > 1 else HeadItem.key.does_not_exist()
    return Write(item, Act.PUT, unchanged)


def lead_writes(before: Case | None, after: Case) -> Sequence[Write]:
    """What keeps the lists in step with a case: what leads to it no more goes, what now leads to it comes."""
    old, new = leads_of(before) if before else set(), leads_of(after)
    gone = [Write(LeadItem(*lead), Act.DELETE) for lead in sorted(old - new)]
    return [*gone, *(Write(LeadItem(*lead)) for lead in sorted(new - old))]


def member_key(member_id: str) -> str:
    """The list of a member's cases."""
    return f"cases#{member_id}"


def owner_key(owner: str) -> str:
    """The list of the open cases that somebody has."""
    return f"owner#{owner}"


def sharded(listed: str, shard: int) -> str:
    """One partition of a list that is spread."""
    return f"{listed}#{shard}"


def shard_of(case_id: str) -> int:
    """The shard in which a case's leads lie. Any part of a keyed hash is as good as another for spreading."""
    return sum(case_id.encode()) % SHARDS


def leads_of(case: Case) -> set[tuple[str, str]]:
    """The keys of all that leads to a case, on whatever list it stands."""
    shard = shard_of(case.case_id)
    found = {}
    if case.member_id:
        found[member_key(case.member_id)] = case.opened_at
    deadline, alert_at = due.due_at(case), due.alert_at(case)
    if deadline is not None:
        found[sharded("due", shard)] = deadline
        found[sharded(f"state#{case.state}", shard)] = deadline
        if case.department:
            found[sharded(f"department#{case.department}", shard)] = deadline
        if case.owner:
            found[owner_key(case.owner)] = deadline
    elif case.state in CLOSED:
        found[sharded(f"state#{case.state}", shard)] = case.moved_at
        if case.is_unhappy:
            found[sharded(UNHAPPY, shard)] = case.moved_at
    if alert_at is not None:
        found[sharded("watch", shard)] = alert_at
    return {(key, f"{clock.text(at)}#{case.case_id}") for key, at in found.items()}


def _stored(item: HeadItem) -> Stored:
    return Stored(item.version, _CASES.decode(item.body))
