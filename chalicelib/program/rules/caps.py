"""How often a member may gain by a rule or campaign, and how many points: what is left, and what is used up."""

from __future__ import annotations

import msgspec

from chalicelib.ledger import limits
from chalicelib.ledger.state import Limit
from chalicelib.program.document.earning import Cap
from chalicelib.program.rules.conditions import Facts

_MINUTE_S = 60


class Room(msgspec.Struct, frozen=True):
    """What caps leave. `points` is None where they leave any number; `by` is the narrowest, "" for none.

    `reason` is why nothing is left, "" where something is.
    """

    points: int | None = None
    by: str = ""
    reason: str = ""


OPEN = Room()


def limit_id(code: str, per: str) -> str:
    """The name under which an account remembers how far a cap of a rule or campaign is used up."""
    return f"{code}:{per}"


def room(code: str, caps: tuple[Cap, ...], facts: Facts) -> Room:
    """What the caps of a rule or campaign leave a member now."""
    points: int | None = None
    by = ""
    for cap in caps:
        count = taken = 0
        if cap.per != "order":
            used = limits.used(facts.member.limits, limit_id(code, cap.per), facts.period_end(cap.per), facts.member.at)
            if used is None:
                return Room(None, cap.per, "limit_period_closed")
            count, taken = used.count, used.points
        if cap.times is not None and count >= cap.times:
            return Room(None, cap.per, "capped")
        if cap.points is not None and (points is None or cap.points - taken < points):
            points, by = cap.points - taken, cap.per
    if points is None:
        return OPEN
    return Room(points, by) if points > 0 else Room(0, by, "capped")


def uses(code: str, caps: tuple[Cap, ...], facts: Facts, points: int) -> list[Limit]:
    """What one gain of so many points uses up of the caps of a rule or campaign."""
    return [
        Limit(limit_id(code, cap.per), facts.period_end(cap.per), 1, max(points, 0))
        for cap in caps
        if cap.per != "order"
    ]


def cooling(code: str, cooldown_minutes: int, facts: Facts) -> str:
    """Why a rule with a cooldown may not fire yet, "" where it may.

    Events arrive in any order: one that fired earlier or later, by less than the cooldown, keeps it from firing.
    """
    name, cooldown_s = limit_id(code, "cooldown"), cooldown_minutes * _MINUTE_S
    until = facts.occurred_at + cooldown_s
    known = [limit.until for limit in facts.member.limits if limit.limit_id == name]
    if any(abs(other - until) < cooldown_s for other in known):
        return "cooldown"
    # Of more events than two nothing is known, so none can be fitted in before them.
    return "limit_period_closed" if limits.used(facts.member.limits, name, until, facts.member.at) is None else ""


def cooldown(code: str, cooldown_minutes: int, facts: Facts, points: int) -> Limit:
    """What an account remembers of an event whose rule has a cooldown."""
    return Limit(limit_id(code, "cooldown"), facts.occurred_at + cooldown_minutes * _MINUTE_S, 1, points)
