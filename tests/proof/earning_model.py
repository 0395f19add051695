"""What purchases and events bring by a whole programme, and what that uses up: limits, budgets. Plain and slow.

Purchases are reckoned by `tests/rules/earning_oracle.py`, which shares no code with the engine's rules; periods, the
memory of limits, events and budgets are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from chalicelib.ledger.state import Limit
from chalicelib.program.rules.inputs import Line, Member, Payment, Purchase
from tests.proof.calendar import DAY_S, NEVER, midnight, month_of, month_start
from tests.proof.order_model import shares
from tests.proof.programmes import Plain, parsed
from tests.proof.rules_model import Rules
from tests.rules import earning_oracle

Limits = dict[tuple[str, int], tuple[int, int]]
"""How often, and for how many points, each limit was used in the period that ends at an instant."""
Uses = list[tuple[str, int, int, int]]
"""Changes of limits: which, its period's end, how often, how many points."""
REMEMBERED_S = 62 * DAY_S
CLOSED = (10**9, 10**12)
"""What is said to be used of a period that nobody knows of any more."""


def period_end(per: str, at: int) -> int:
    """When the period in which an instant falls is over."""
    match per:
        case "ever":
            return NEVER
        case "day":
            return midnight(at, 1)
        case "week":
            weekday = datetime.fromtimestamp(midnight(at, 0) + 8 * 3600, UTC).weekday()
            return midnight(at, 7 - weekday)
        case "month":
            return month_start(month_of(at) + 1)
    raise NotImplementedError(per)


def known(limits: Limits, name: str, until: int, at: int) -> tuple[int, int]:
    """How far a limit is used up in a period; CLOSED where too much time or too many periods have gone by since."""
    if (name, until) in limits:
        return limits[name, until]
    later = [end for other, end in limits if other == name and end > until]
    return CLOSED if len(later) > 1 or until + REMEMBERED_S <= at else (0, 0)


def use(limits: Limits, uses: Uses, at: int) -> None:
    """Change limits. Of each, two periods are remembered, for 62 days after their ends."""
    if not uses:
        return
    for name, until, count, points in uses:
        before = limits.get((name, until), (0, 0))
        limits[name, until] = (max(before[0] + count, 0), max(before[1] + points, 0))
    for name, until in list(limits):
        if limits[name, until] == (0, 0) or (until != NEVER and until + REMEMBERED_S <= at):
            del limits[name, until]
    for name in {name for name, _until in limits}:
        ends = sorted(until for other, until in limits if other == name)
        for until in ends[:-2]:
            del limits[name, until]


@dataclass
class Brought:
    """What a purchase or event brings: its points, what it uses up, and what it takes of campaigns' budgets."""

    points: int = 0
    qualifying: int = 0
    spend_minor: int = 0
    activity: int = 0
    line_points: list[int] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)
    uses: Uses = field(default_factory=list)
    awards: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Who:
    """What the rules ask of a member, and when it is asked."""

    tier: str
    purchases: int
    limits: Limits
    at: int


def purchase_of(body: Mapping[str, Any], lines: list[Plain], occurred_at: int) -> Purchase:
    """A purchase as it was sent, its lines less the discount."""
    return Purchase(
        currency="CNY",
        total_minor=body["total_minor"],
        tax_minor=body.get("tax_minor", 0),
        shipping_minor=body.get("shipping_minor", 0),
        lines=tuple(
            Line(line["sku"], line.get("category", ""), line.get("quantity", 1), line["amount_minor"]) for line in lines
        ),
        payments=tuple(Payment(paid["type"], paid["amount_minor"]) for paid in body.get("payments", [])),
        occurred_at=occurred_at,
    )


def by_purchase(rules: Rules, purchase: Purchase, who: Who, exhausted: frozenset[str]) -> Brought:
    """What a purchase brings; campaigns that are `exhausted` are as if they were not there."""
    program = parsed(rules)
    program = replace(program, campaigns=tuple(one for one in program.campaigns if one.code not in exhausted))
    capped = [*program.earning_rules, *program.campaigns, *(rule for one in program.campaigns for rule in one.rules)]
    now = [
        (f"{what.code}:{cap.per}", period_end(cap.per, purchase.occurred_at))
        for what in capped
        for cap in what.caps
        if cap.per != "order"
    ]
    member = Member(
        tier=who.tier,
        purchases=who.purchases,
        limits=tuple(Limit(name, until, *known(who.limits, name, until, who.at)) for name, until in now),
    )
    found = earning_oracle.reckon(program, purchase, member)
    brought = Brought(points=found.points, qualifying=found.qualifying.__floor__(), told=found.told)
    brought.spend_minor = sum(found.eligible).__floor__()
    brought.line_points = _by_line(found, len(purchase.lines))
    for what in capped:
        gained = found.told.get(what.code, 0)
        if what in program.campaigns:
            gained = sum(found.told.get(rule.code, 0) for rule in what.rules)
            if gained > 0 and what.budget:
                brought.awards[what.code] = gained
        if gained:
            ends = [(f"{what.code}:{cap.per}", period_end(cap.per, purchase.occurred_at)) for cap in what.caps]
            brought.uses += [(name, until, 1, max(gained, 0)) for name, until in ends]
    return brought


def _by_line(found: earning_oracle.Reckoning, lines: int) -> list[int]:
    if lines != len(found.total):
        return [found.points, *[0] * (lines - 1)] if lines else []
    return shares(found.points, found.total)  # type: ignore[arg-type]


def by_event(rules: Rules, kind: str, occurred_at: int, who: Who, exhausted: frozenset[str]) -> Brought:
    """What an event brings, by the document as plain data."""
    document = rules.document()
    brought = Brought()
    for rule in document["earning_rules"]:
        _judge_event(rule, kind, occurred_at, who, brought)
    for campaign in document["campaigns"]:
        of_events = [rule for rule in campaign["rules"] if rule["kind"] == "per_event"]
        before = brought.points
        if not of_events or campaign["code"] in exhausted or not is_live(campaign, occurred_at):
            continue
        room = _room(campaign, occurred_at, who)
        fired = False
        for rule in of_events:
            left = None if room is None else room - (brought.points - before)
            fired = _judge_event(rule, kind, occurred_at, who, brought, campaign_left=left) or fired
        gained = brought.points - before
        if fired:
            brought.uses += _uses(campaign, occurred_at, gained)
        if gained and campaign.get("budget"):
            brought.awards[campaign["code"]] = gained
    return brought


def is_live(campaign: Plain, at: int) -> bool:
    """Whether a campaign may give; its window takes in its first minute and not its last."""
    local = datetime.fromtimestamp(at + 8 * 3600, UTC).strftime("%Y-%m-%dT%H:%M")
    return (
        campaign["status"] == "active"
        and campaign["starts_at"] <= local
        and (campaign.get("ends_at") is None or local < campaign["ends_at"])
    )


def _judge_event(
    rule: Plain, kind: str, at: int, who: Who, brought: Brought, *, campaign_left: int | None = None
) -> bool:
    if rule["kind"] != "per_event" or kind not in rule["events"]:
        return False
    cooldown_s = rule.get("cooldown_minutes", 0) * 60
    name = f"{rule['code']}:cooldown"
    if cooldown_s:
        near = [end for other, end in who.limits if other == name and abs(end - at - cooldown_s) < cooldown_s]
        if near or known(who.limits, name, at + cooldown_s, who.at) == CLOSED:
            return False
    rooms = [left for left in (_room(rule, at, who), campaign_left) if left is not None]
    points = min([rule["points"], *rooms])
    if points <= 0:
        return False
    brought.points += points
    brought.activity += rule.get("activity", 1)
    brought.told[rule["code"]] = points
    brought.uses += _uses(rule, at, points)
    if cooldown_s:
        brought.uses.append((name, at + cooldown_s, 1, points))
    return True


def _room(what: Plain, at: int, who: Who) -> int | None:
    """The points that caps leave; None for any number, 0 for none."""
    rooms: list[int] = []
    for cap in what.get("caps", []):
        count, points = known(who.limits, f"{what['code']}:{cap['per']}", period_end(cap["per"], at), who.at)
        if count >= cap.get("times", CLOSED[0]):
            return 0
        if "points" in cap:
            rooms.append(cap["points"] - points)
    return min(rooms) if rooms else None


def _uses(what: Plain, at: int, points: int) -> Uses:
    return [(f"{what['code']}:{cap['per']}", period_end(cap["per"], at), 1, points) for cap in what.get("caps", [])]


Takes = dict[str, int]
"""Points that something takes of campaigns with budgets; each is one award."""


@dataclass
class Budgets:
    """What is left of every campaign's budget, by campaign and unit, and what was put in."""

    put_in: dict[tuple[str, str], int] = field(default_factory=dict)
    left: dict[tuple[str, str], int] = field(default_factory=dict)

    def fill(self, rules: Rules) -> None:
        """A version says what is to be in the budgets; they are only ever raised."""
        for campaign in rules.document()["campaigns"]:
            for unit in ("points", "awards"):
                total = (campaign.get("budget") or {}).get(unit)
                more = (total or 0) - self.put_in.get((campaign["code"], unit), 0)
                if more > 0 and campaign["status"] != "draft":
                    self.put_in[campaign["code"], unit] = total or 0
                    self.left[campaign["code"], unit] = self.left.get((campaign["code"], unit), 0) + more

    def short(self, takes: Takes) -> set[str]:
        """The campaigns that cannot pay for what is to be taken."""
        wanted = [(code, unit, amount) for code, points in takes.items() for unit, amount in _units(points, 1)]
        return {code for code, unit, amount in wanted if self.left.get((code, unit), amount) < amount}

    def move(self, code: str, points: int, awards: int) -> None:
        """Take points and awards, or (negative) put them back."""
        for unit, amount in _units(points, awards):
            if (code, unit) in self.left:
                self.left[code, unit] -= amount
                assert 0 <= self.left[code, unit] <= self.put_in[code, unit], "more was given than there was"


def _units(points: int, awards: int) -> list[tuple[str, int]]:
    return [("points", points), ("awards", awards)]
