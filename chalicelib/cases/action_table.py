"""Corrective actions in table `cases`: each an item of its own, and the lists that lead to them.

`act_…` with the part `action` is one (JSON). `actions:{state}` leads to all that are open or done, by the day on which
they are due or from which they work, and so do `actions:{state}:department:{code}` and `actions:{state}:cause:{code}`.
They are few, a handful a week, so these lists are not spread.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.base.settings import settings
from chalicelib.cases.table import LeadItem
from chalicelib.ledger.posting import Act, Write

ActionState: TypeAlias = Literal["open", "done"]

_PART: Final = "action"


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a department does by the day `due_on` so that a cause does not come again; it works from `works_on`.

    `case_id` is the case with which it was planned.
    """

    action_id: str
    case_id: str
    cause: str
    department: str
    what: str
    due_on: str
    planned_by: str
    planned_at: int
    done_by: str = ""
    done_at: int = 0
    works_on: str = ""
    note: str = ""

    @property
    def state(self) -> ActionState:
        """Whether it is still to be done."""
        return "done" if self.done_at else "open"


_ACTIONS = msgspec.json.Decoder(Action)


class ActionItem(Model):
    """A corrective action (JSON)."""

    class Meta:
        table_name = settings().table("cases")

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    body = UnicodeAttribute()


def read_action(action_id: str) -> Action | None:
    """An action as it is now."""
    items = ActionItem.query(action_id, ActionItem.part == _PART, consistent_read=True)
    return next((_ACTIONS.decode(item.body) for item in items), None)


def read_actions(action_ids: Iterable[str]) -> dict[str, Action]:
    """Actions by their ids, as they were a moment ago; those that are not there are left out."""
    items = ActionItem.batch_get([(action_id, _PART) for action_id in action_ids])
    return {str(item.key): _ACTIONS.decode(item.body) for item in items}


def action_writes(before: Action | None, after: Action) -> Sequence[Write]:
    """What puts an action, and keeps the lists in step with it."""
    item = ActionItem(after.action_id, _PART, body=msgspec.json.encode(after).decode())
    old, new = leads_of(before) if before else set(), leads_of(after)
    gone = [Write(LeadItem(*lead), Act.DELETE) for lead in sorted(old - new)]
    return [Write(item), *gone, *(Write(LeadItem(*lead)) for lead in sorted(new - old))]


def leads_of(action: Action) -> set[tuple[str, str]]:
    """The keys of all that leads to an action."""
    place = f"{action.works_on or action.due_on}#{action.action_id}"
    listed = (list_key(action.state, *of) for of in ((), ("department", action.department), ("cause", action.cause)))
    return {(key, place) for key in listed}


def list_key(state: ActionState, *of: str) -> str:
    """A list of actions: all in a state, or those of them of a department or a cause."""
    return ":".join(("actions", state, *of))


def action_id_in(place: str) -> str:
    """The action that a place in a list leads to."""
    return place.partition("#")[2]
