"""Which rules what was recorded says too little for: they may never fire in a backtest, and fire all the same live."""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from chalicelib.program.document import Program, Texts
from chalicelib.program.document.earning import (
    Audience,
    EarningRule,
    Items,
    Multiplier,
    PerEvent,
    PerItem,
    Voucher,
    When,
)
from infra.backtest.recorded import Happened, Recorded

Missing = Literal["birthdays", "tags", "segments", "channels", "stores", "lines", "categories", "events"]

_WHEN: Final[dict[str, Missing]] = {
    "birthday": "birthdays",
    "tags": "tags",
    "segments": "segments",
    "channels": "channels",
    "stores": "stores",
    "minimum_quantity": "lines",
    "combination": "lines",
}
_ITEMS: Final[dict[str, Missing]] = {
    "skus": "lines",
    "excluded_skus": "lines",
    "categories": "categories",
    "excluded_categories": "categories",
}
_AUDIENCE: Final[dict[str, Missing]] = {"tags": "tags", "segments": "segments"}
# A condition is text; whoever writes one names things in the plain way.
_CONDITION: Final[dict[str, Missing]] = {
    "member.birthday": "birthdays",
    "member.tags": "tags",
    "member.segments": "segments",
    "order.channel": "channels",
    "order.store": "stores",
    "order.lines": "lines",
    "order.quantity": "lines",
}


class Unjudged(msgspec.Struct, frozen=True):
    """A rule of a document, and what nobody told of the purchases or the members."""

    document: Literal["today", "candidate"]
    title: Texts
    missing: tuple[Missing, ...]


def unjudged(recorded: Recorded, today: Program, candidate: Program) -> tuple[Unjudged, ...]:
    """The rules of both documents that need what is unknown of everybody."""
    known = _known(recorded)
    documents: tuple[tuple[Literal["today", "candidate"], Program], ...] = (("today", today), ("candidate", candidate))
    return tuple(
        Unjudged(name, title, missing)
        for name, program in documents
        for title, needs in _needs(program)
        if (missing := tuple(sorted(needs - known)))
    )


def _known(recorded: Recorded) -> set[Missing]:
    known: set[Missing] = set()
    for person in recorded.people.values():
        known |= {"birthdays"} if person.birthday else set()
        known |= {"tags"} if person.tags else set()
        known |= {"segments"} if person.segments else set()
    known |= {"events"} if any(type(fact) is Happened for fact in recorded.facts) else set()
    for purchase in recorded.purchases:
        order = purchase.order
        known |= {"channels"} if order.channel else set()
        known |= {"stores"} if order.store else set()
        if order.lines:
            known.add("lines")
            known |= {"categories"} if any(line.category for line in order.lines) else set()
    return known


def _needs(program: Program) -> Iterator[tuple[Texts, set[Missing]]]:
    for rule in program.earning_rules:
        yield rule.title, _rule(rule)
    for campaign in program.campaigns:
        audience = _given(campaign.audience, _AUDIENCE)
        for rule in campaign.rules:
            yield rule.title, _rule(rule) | audience


def _rule(rule: EarningRule) -> set[Missing]:
    if isinstance(rule, PerEvent) or (isinstance(rule, Voucher) and rule.events):
        return {"events"}
    needs = _given(rule.when, _WHEN) | _given(rule.items, _ITEMS)
    needs |= {needed for path, needed in _CONDITION.items() if path in rule.when.condition}
    for piece in rule.when.combination:
        needs |= _given(piece.items, _ITEMS)
    if isinstance(rule, PerItem) or (isinstance(rule, Multiplier) and rule.steps):
        needs.add("lines")
    return needs


def _given(part: When | Items | Audience, fields: dict[str, Missing]) -> set[Missing]:
    """What the fields of a part that are given look at."""
    return {needed for name, needed in fields.items() if getattr(part, name)}
