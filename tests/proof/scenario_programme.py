"""What the writers of the simulation ask for under a whole programme: everybody wants the last of every budget."""

from __future__ import annotations

import msgspec

from chalicelib.base import clock, ids
from chalicelib.engagement import benefits, events
from chalicelib.engagement.schema import BenefitUseIn, EventIn
from tests.proof.areas import Area, Cast, Story
from tests.proof.model import Model, Moved
from tests.proof.programme_model import Programmes
from tests.proof.programmes import Whole
from tests.proof.rules_model import Rules
from tests.proof.scenario import SOON, STARTED, Request, cancel_order, order, present, refund

KINDS = ("check_in", "check_in", "review")


def event(number: str, rules: Rules, member: str, kind: str = "check_in") -> Request:
    """Something else that a member did."""
    occurred_at = STARTED - 1800
    body = {"source": "crm", "event_id": number, "type": kind, "occurred_at": clock.text(occurred_at)}
    request = msgspec.convert(body | {"member_id": member}, EventIn)
    name = events.event_id_of("crm", number)

    def play(model: Model, at: int, _rules: Rules) -> Moved:
        assert isinstance(model, Programmes)
        return model.post_event(name, member, kind, occurred_at=occurred_at, at=at, rules=rules)

    return Request(
        f"event {number}",
        name,
        lambda now: events.post_event(request, None, owner="", actor="system", now=now).record,
        play,
        lambda model, now: model.guard_time(occurred_at, now, rules),
    )


def cancel_event(number: str) -> Request:
    """An event is withdrawn."""
    name = events.event_id_of("crm", number)

    def play(model: Model, at: int, _rules: Rules) -> Moved:
        assert isinstance(model, Programmes)
        return model.cancel_event(name, at)

    def guard(model: Model, _now: int) -> None:
        assert isinstance(model, Programmes)
        present(model.events, name, "event_not_found")

    return Request(
        f"cancel event {number}",
        ids.derived("evc", name),
        lambda now: events.cancel(events.read(name)[0], actor="system", now=now).record,
        play,
        guard,
    )


def use(key: str, rules: Rules, member: str) -> Request:
    """The lounge is used; it may be twice a month."""
    occurred_at = STARTED - 1800
    body = msgspec.convert({"occurred_at": clock.text(occurred_at)}, BenefitUseIn)
    name = ids.derived("use", member, key)

    def play(model: Model, at: int, _rules: Rules) -> Moved:
        assert isinstance(model, Programmes)
        return model.use_benefit(name, member, "lounge", occurred_at=occurred_at, at=at, rules=rules)

    return Request(
        f"use {key}",
        name,
        lambda now: benefits.use(member, "lounge", body, key=key, actor="system", now=now).record,
        play,
        lambda model, now: model.guard_time(occurred_at, now, rules),
    )


def cancel_use(key: str, member: str) -> Request:
    """A use is given back."""
    name = ids.derived("use", member, key)

    def play(model: Model, at: int, _rules: Rules) -> Moved:
        assert isinstance(model, Programmes)
        return model.cancel_use(name, at)

    def guard(model: Model, _now: int) -> None:
        assert isinstance(model, Programmes)
        present(model.uses, name, "benefit_use_not_found")

    return Request(
        f"cancel use {key}",
        ids.derived("usc", name),
        lambda now: benefits.cancel_use(benefits.read_use(name)[0], actor="system", now=now).record,
        play,
        guard,
    )


def stories(rules: Rules, cast: Cast) -> list[Story]:
    """Small orders and events draw on what two budgets have left, and refunds put some of it back."""
    if not isinstance(rules, Whole):
        return []
    member, other = cast.member, cast.other
    budgets = [
        *(order(f"b{total}", rules, member=who, total_minor=total) for total, who in _wishes(member, other)),
        refund("b1100", "half", SOON, rules, amount_minor=550),
        cancel_order("b1900", SOON, rules),
        cancel_order("1", SOON, rules),
        refund("1", "part", SOON, rules, amount_minor=3_300),
        event("1", rules, other),
        event("2", rules, member),
        event("6", rules, other),
        cancel_event("1"),
    ]
    visits = [
        *(
            event(str(number), rules, member, kind)
            for number, kind in ((2, "check_in"), (3, "check_in"), (4, "review"))
        ),
        *(cancel_event(number) for number in ("2", "4")),
        event("5", rules, member, "review"),
        *(use(key, rules, member) for key in ("first", "second", "third")),
        cancel_use("first", member),
    ]
    return [Story(budgets)] * 3 + [Story(visits)]


def _wishes(member: str, other: str) -> list[tuple[int, str]]:
    return [(1_100, member), (1_200, other), (1_900, other), (2_900, member), (800, other)]


AREA = Area(stories=stories)
