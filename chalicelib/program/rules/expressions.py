"""JMESPath conditions: what they may speak of, and what they say of a purchase or event.

The schema below is the one table from which conditions are checked at publishing, and which the programme reference is
tested against. jmespath is loaded when the first condition is met: most programmes have none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from chalicelib.base import clock
from chalicelib.program.rules.inputs import Event, Member, Purchase

NUMBER: Final = "number"
STRING: Final = "string"
BOOLEAN: Final = "boolean"
ANYTHING: Final = "anything"

_LINE: Final = {"sku": STRING, "category": STRING, "quantity": NUMBER, "amount_minor": NUMBER}
_PAYMENT: Final = {"type": STRING, "amount_minor": NUMBER}
_TIME: Final = {"date": STRING, "hour": NUMBER, "weekday": NUMBER}

SCHEMA: Final[Mapping[str, Mapping[str, Any]]] = {
    "event": {"type": STRING, "channel": STRING, "store": STRING, **_TIME, "properties": ANYTHING},
    "order": {
        "currency": STRING,
        "total_minor": NUMBER,
        "tax_minor": NUMBER,
        "shipping_minor": NUMBER,
        "eligible_minor": NUMBER,
        "quantity": NUMBER,
        "channel": STRING,
        "store": STRING,
        **_TIME,
        "lines": [_LINE],
        "payments": [_PAYMENT],
    },
    "member": {
        "member_id": STRING,
        "tier": STRING,
        "segments": [STRING],
        "tags": [STRING],
        "birthday": STRING,
        "enrolled_days": NUMBER,
        "purchases": NUMBER,
        "spend_minor": NUMBER,
    },
}
"""What a condition may speak of: a kind of value, an object of such, or a list of objects with these fields.

In a rule for purchases `event` is null, and in one for events `order` is.
"""

PROFILE: Final = frozenset({"segments", "tags", "birthday"})
"""The facts about a member that lie in the profile and not in the account."""


def of_purchase(purchase: Purchase, member: Member, eligible_minor: int, zone: ZoneInfo) -> dict[str, Any]:
    """What a condition sees of a purchase."""
    order = {
        "currency": purchase.currency,
        "total_minor": purchase.total_minor,
        "tax_minor": purchase.tax_minor,
        "shipping_minor": purchase.shipping_minor,
        "eligible_minor": eligible_minor,
        "quantity": sum(line.quantity for line in purchase.lines),
        "channel": purchase.channel,
        "store": purchase.store,
        **_time(purchase.occurred_at, zone),
        "lines": [
            {
                "sku": line.sku,
                "category": line.category,
                "quantity": line.quantity,
                "amount_minor": line.amount_minor,
            }
            for line in purchase.lines
        ],
        "payments": [{"type": payment.type, "amount_minor": payment.amount_minor} for payment in purchase.payments],
    }
    return {"event": None, "order": order, "member": _member(member, purchase.occurred_at)}


def of_event(event: Event, member: Member, zone: ZoneInfo) -> dict[str, Any]:
    """What a condition sees of an event."""
    seen = {
        "type": event.type,
        "channel": event.channel,
        "store": event.store,
        **_time(event.occurred_at, zone),
        "properties": dict(event.properties),
    }
    return {"event": seen, "order": None, "member": _member(member, event.occurred_at)}


def _time(at: int, zone: ZoneInfo) -> dict[str, Any]:
    local = datetime.fromtimestamp(at, zone)
    return {"date": local.date().isoformat(), "hour": local.hour, "weekday": local.isoweekday()}


def _member(member: Member, at: int) -> dict[str, Any]:
    return {
        "member_id": member.member_id,
        "tier": member.tier,
        "segments": list(member.segments),
        "tags": list(member.tags),
        "birthday": member.birthday or None,
        "enrolled_days": max(at - member.enrolled_at, 0) // clock.DAY_S if member.enrolled_at else None,
        "purchases": member.purchases,
        "spend_minor": member.spend_minor,
    }


@functools.lru_cache(maxsize=512)
def compiled(expression: str) -> Callable[[dict[str, Any]], bool | None]:
    """What a condition says of such data: true, false, or None where it cannot be reckoned (`'a' < 1`).

    Empty texts, lists and objects, null and false are false, everything else is true, 0 included.
    """
    from jmespath.parser import Parser  # noqa: PLC0415 -- only for programmes that have conditions
    from jmespath.visitor import TreeInterpreter  # noqa: PLC0415

    tree, interpreter = Parser().parse(expression).parsed, TreeInterpreter()

    def holds(data: dict[str, Any]) -> bool | None:
        try:
            value = interpreter.visit(tree, data)
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError):
            # jmespath's own errors are ValueErrors; a comparison of a text with a number is a TypeError of Python.
            return None
        return not (value is None or value is False or value in ("", [], {}))

    return holds


def needs_profile(expression: str) -> bool:
    """Whether a condition may look at a fact that lies in the member's profile; a backslash may spell any name."""
    return "\\" in expression or any(fact in expression for fact in PROFILE)
