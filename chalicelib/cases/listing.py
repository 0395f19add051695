"""Lists of cases: by state, department, owner or due time, and those of a member. Nothing is scanned for them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

import msgspec
from pynamodb.expressions.condition import Condition

from chalicelib.base import clock
from chalicelib.base.errors import Invalid
from chalicelib.cases.rules.case import CLOSED, Case, Kind, State
from chalicelib.cases.table import SHARDS, UNHAPPY, LeadItem, case_id_in, member_key, owner_key, read_heads, sharded
from chalicelib.members import service as members
from chalicelib.program.document.cases import Severity

_ROUNDS: Final = 5
"""How often a page is read on for cases that fit, before a short one is given with a cursor to go on."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases are wanted; open ones unless a closed `state` is named, and due before an instant where that is.

    `is_unhappy` are closed ones whose member said that it was made hard.
    """

    state: State | None = None
    owner: str | None = None
    department: str | None = None
    kind: Kind | None = None
    severity: Severity | None = None
    due_before: int | None = None
    is_unhappy: bool = False


class Page(msgspec.Struct, frozen=True):
    """Some cases, and the place in the list behind which there may be more; None where there is nothing more."""

    cases: tuple[Case, ...]
    last: str | None


def page(wanted: Wanted, *, after: str | None, limit: int) -> Page:
    """A page of cases after a place in the list: open ones by their due time, closed ones the latest first.

    It may be shorter than `limit` though there is more, where few of the list fit. Raises Invalid (`query_invalid`).
    """
    is_closed = wanted.state in CLOSED or wanted.is_unhappy
    if is_closed and (wanted.owner or wanted.department or wanted.due_before is not None):
        raise Invalid("Closed cases are listed by their state alone.", field="state", code="query_invalid")
    keys = _keys(wanted)
    found: list[Case] = []
    for _round in range(_ROUNDS):
        places, is_more = _places(keys, after, wanted.due_before, limit, newest_first=is_closed)
        heads = read_heads(case_id_in(place) for place in places)
        for place in places:
            case = heads.get(case_id_in(place))
            if case and _fits(case, wanted):
                found.append(case)
            after = place
            if len(found) == limit:
                return Page(tuple(found), after if is_more or place != places[-1] else None)
        if not is_more:
            return Page(tuple(found), None)
    return Page(tuple(found), after)


def of_member(member_id: str, *, after: str | None, limit: int) -> Page:
    """A member's cases, the latest first; those from before a merge of members as well."""
    keys = [member_key(found) for found in members.ids_of(member_id)]
    places, is_more = _places(keys, after, None, limit, newest_first=True)
    heads = read_heads(case_id_in(place) for place in places)
    cases = tuple(heads[case_id_in(place)] for place in places if case_id_in(place) in heads)
    return Page(cases, places[-1] if is_more else None)


def _keys(wanted: Wanted) -> list[str]:
    """The partitions of the shortest list in which all that is wanted stands."""
    if wanted.is_unhappy:
        return [sharded(UNHAPPY, shard) for shard in range(SHARDS)]
    if wanted.owner:
        return [owner_key(wanted.owner)]
    if wanted.department:
        listed = f"department#{wanted.department}"
    else:
        listed = f"state#{wanted.state}" if wanted.state else "due"
    return [sharded(listed, shard) for shard in range(SHARDS)]


def _places(
    keys: Sequence[str], after: str | None, before: int | None, limit: int, *, newest_first: bool
) -> tuple[list[str], bool]:
    """The next places of a list, in its order, and whether there are more."""
    condition: Condition | None = None
    if newest_first:
        condition = LeadItem.part < after if after else None
    elif before is not None:
        # A blank sorts before every character of an id, and after the end of it.
        condition = LeadItem.part.between(f"{after} " if after else "0", clock.text(before))
    elif after:
        condition = LeadItem.part > after
    queries = [
        LeadItem.query(key, condition, scan_index_forward=not newest_first, limit=limit + 1, page_size=limit + 1)
        for key in keys
    ]
    places = sorted((str(item.part) for item in itertools.chain(*queries)), reverse=newest_first)
    return places[:limit], len(places) > limit


def _fits(case: Case, wanted: Wanted) -> bool:
    """Whether a case is as wanted. A list may be a moment behind, so it is asked of the case itself."""
    asked = (wanted.state, wanted.owner, wanted.department, wanted.kind, wanted.severity)
    is_so = (case.state, case.owner, case.department, case.kind, case.severity)
    fits = all(wish in {None, found} for wish, found in zip(asked, is_so, strict=True))
    if wanted.is_unhappy:
        return fits and case.is_unhappy
    return fits and (case.is_open or case.state == wanted.state)
