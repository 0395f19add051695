"""What a purchase earns, reckoned a second time: slowly, line by line, with fractions, from the programme reference.

It shares no code with the engine's rules but the document and the facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.program.document import Program
from chalicelib.program.document.earning import Bonus, Campaign, Items, Multiplier, PerAmount, PerItem, When
from chalicelib.program.rules.inputs import Member, Purchase

Points = list[Fraction]
"""What something brings on each line; a purchase without lines is one line of which nothing is known."""


@dataclass
class Reckoning:
    """How far the second reckoning has come; `told` is what each rule brought, floored as it went."""

    program: Program
    purchase: Purchase
    member: Member
    eligible: Points = field(default_factory=list)
    base: Points = field(default_factory=list)
    total: Points = field(default_factory=list)
    qualifying: Fraction = Fraction(0)
    told: dict[str, int] = field(default_factory=dict)
    used: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def points(self) -> int:
        return sum(self.total, Fraction(0)).__floor__()


def reckon(program: Program, purchase: Purchase, member: Member) -> Reckoning:
    found = Reckoning(program, purchase, member)
    found.eligible = eligible_by_line(program, purchase)
    found.base = [Fraction(0)] * len(found.eligible)
    found.total = [Fraction(0)] * len(found.eligible)
    judge_base(found, program.earning_rules, None)
    rate = Fraction(tier_of(program, member.tier).multiplier)
    record(found, "tier_multiplier", [points * (rate - 1) for points in found.base])
    judge_extras(found, program.earning_rules, None)
    for campaign in program.campaigns:
        if is_live(program, campaign, purchase, member):
            before, exact = found.points, sum(found.total, Fraction(0))
            judge_base(found, campaign.rules, (campaign, exact))
            judge_extras(found, campaign.rules, (campaign, exact))
            for cap in campaign.caps:
                found.used[campaign.code, cap.per] = found.points - before
    return found


def record(found: Reckoning, code: str, points: Points) -> None:
    before = found.points
    found.total = [old + new for old, new in zip(found.total, points, strict=True)]
    found.told[code] = found.points - before


def eligible_by_line(program: Program, purchase: Purchase) -> Points:
    """What of the purchase earns, on each line."""
    earning = program.earning
    whole = purchase.total_minor
    whole -= 0 if earning.on_tax else purchase.tax_minor
    whole -= 0 if earning.on_shipping else purchase.shipping_minor
    whole -= sum(paid.amount_minor for paid in purchase.payments if paid.type in earning.payments_that_earn_nothing)
    if whole < 0 or purchase.channel in earning.excluded_channels or purchase.store in earning.excluded_stores:
        whole = 0
    amount = sum(line.amount_minor for line in purchase.lines)
    if not amount:
        return [Fraction(whole)]
    shares = [Fraction(whole * line.amount_minor, amount) for line in purchase.lines]
    return [
        Fraction(0) if line.sku in earning.excluded_skus or line.category in earning.excluded_categories else share
        for line, share in zip(purchase.lines, shares, strict=True)
    ]


def meant(found: Reckoning, items: Items) -> list[int]:
    """The lines that `items` means and that earn."""
    lines = found.purchase.lines
    if len(lines) != len(found.eligible) or not sum(line.amount_minor for line in lines):
        return [0] if found.eligible[0] and not items.skus and not items.categories else []
    return [
        place
        for place, line in enumerate(lines)
        if found.eligible[place]
        and (line.sku in items.skus or line.category in items.categories or not (items.skus or items.categories))
        and line.sku not in items.excluded_skus
        and line.category not in items.excluded_categories
    ]


def pieces(found: Reckoning, items: Items) -> int:
    lines = found.purchase.lines
    if not sum(line.amount_minor for line in lines):
        return 0
    return sum(lines[place].quantity for place in meant(found, items))


def times(found: Reckoning, when: When, items: Items) -> int:
    """How often a threshold is met; 1 where there is none."""
    reached = []
    if when.minimum_minor:
        amount = sum((found.eligible[place] for place in meant(found, items)), Fraction(0))
        minimum = when.minimum_minor.get(found.purchase.currency)
        reached.append(int(amount // minimum) if minimum else 0)
    if when.minimum_quantity:
        reached.append(pieces(found, items) // when.minimum_quantity)
    if when.combination:
        count = 0
        while serves(found, when, count + 1):
            count += 1
        reached.append(count)
    return min(reached, default=1)


def serves(found: Reckoning, when: When, count: int) -> bool:
    """Whether the pieces bought serve every part of a combination so many times, tried piece by piece."""
    wanted = [index for index, part in enumerate(when.combination) for _ in range(part.quantity * count)]
    supply = []
    if sum(line.amount_minor for line in found.purchase.lines):
        fitting = [set(meant(found, part.items)) for part in when.combination]
        for place, line in enumerate(found.purchase.lines):
            fits = frozenset(index for index, places in enumerate(fitting) if place in places)
            supply += [fits] * line.quantity
    taken: dict[int, int] = {}

    def assign(want: int, seen: set[int]) -> bool:
        for piece, fits in enumerate(supply):
            if wanted[want] in fits and piece not in seen:
                seen.add(piece)
                if piece not in taken or assign(taken[piece], seen):
                    taken[piece] = want
                    return True
        return False

    return all(assign(want, set()) for want in range(len(wanted)))


def fits(found: Reckoning, rule: Any) -> bool:
    when: When = rule.when
    member, purchase = found.member, found.purchase
    local = local_time(found.program, purchase)
    asked = [
        not when.tiers or tier_of(found.program, member.tier).code in when.tiers,
        not when.segments or bool(set(when.segments) & set(member.segments)),
        not when.tags or bool(set(when.tags) & set(member.tags)),
        not when.channels or purchase.channel in when.channels,
        not when.stores or purchase.store in when.stores,
        not when.weekdays or local.isoweekday() in when.weekdays,
        not when.month_days or local.day in when.month_days,
        not when.dates or local.strftime("%m-%d") in when.dates,
        not when.birthday or has_birthday(member.birthday, local.date(), when.birthday),
        not when.first_purchase or member.purchases == 0,
        bool(meant(found, rule.items)),
        times(found, when, rule.items) > 0,
    ]
    return all(asked)


def has_birthday(birthday: str, today: date, period: str) -> bool:
    if not birthday:
        return False
    _year, month, day = map(int, birthday.split("-"))
    days = {"day": [today], "month": [today.replace(day=1) + timedelta(n) for n in range(31)]}.get(
        period, [today - timedelta(today.isoweekday() - 1) + timedelta(n) for n in range(7)]
    )
    days = [one for one in days if period != "month" or one.month == today.month]
    return any(
        (one.month, one.day) == (month, day)
        or ((month, day) == (2, 29) and (one.month, one.day) == (2, 28) and (one + timedelta(1)).day == 1)
        for one in days
    )


def brings(found: Reckoning, rule: Any) -> Points:
    """What a rule would bring on each line, without caps and groups."""
    nothing = [Fraction(0)] * len(found.eligible)
    if not fits(found, rule):
        return nothing
    places = meant(found, rule.items)
    count = pieces(found, rule.items)
    match rule:
        case PerAmount():
            rate = rule.rates.get(found.purchase.currency) or found.program.currencies[found.purchase.currency]
            each = {place: found.eligible[place] * rate.points / rate.per_minor for place in places}
        case PerItem():
            points = max([(0, rule.points), *((s.quantity, s.points) for s in rule.steps if s.quantity <= count)])[1]
            each = {place: Fraction(points * found.purchase.lines[place].quantity) for place in places if count}
        case Multiplier():
            steps = [(s.quantity, Fraction(s.factor)) for s in rule.steps if s.quantity <= count]
            more = max([(0, Fraction(rule.factor)), *steps])[1] - 1
            source = found.base if rule.of == "base" else found.total
            each = {place: max(source[place] * more, -found.total[place]) for place in places}
        case Bonus():
            points = rule.points * (times(found, rule.when, rule.items) if rule.repeats else 1)
            amount = sum(found.eligible[place] for place in places)
            each = {place: points * found.eligible[place] / amount for place in places}
    return [each.get(place, zero) for place, zero in enumerate(nothing)]


def cut(found: Reckoning, rule: Any, points: Points, within: tuple[Campaign, Fraction] | None) -> Points:
    """What caps leave. Nothing is used up yet when a history begins; `at` says which limits are."""
    most = [left(found, rule.code, cap) for cap in rule.caps]
    if within is not None:
        campaign, begun = within
        most += [
            None if room is None else room - (sum(found.total, Fraction(0)) - begun)
            for room in (left(found, campaign.code, cap) for cap in campaign.caps)
        ]
    total = sum(points, Fraction(0))
    rooms = [room for room in most if room is not None]
    if rooms and total > min(rooms):
        return [part * max(min(rooms), Fraction(0)) / total for part in points]
    return points


def left(found: Reckoning, code: str, cap: Any) -> Fraction | None:
    known = {limit.limit_id: limit for limit in found.member.limits}.get(f"{code}:{cap.per}")
    if cap.times is not None and known and known.count >= cap.times:
        return Fraction(0)
    return None if cap.points is None else Fraction(cap.points - (known.points if known else 0))


def units(program: Program, rules: Any, kinds: Any) -> list[list[Any]]:
    """The rules of these kinds, those that share a choosing group together."""
    found: dict[Any, list[Any]] = {}
    for rule in rules:
        if isinstance(rule, kinds):
            chooses = rule.group and program.stacking[rule.group] != "stack"
            found.setdefault(rule.group if chooses else ("alone", rule.code), []).append(rule)
    return list(found.values())


def judge_base(found: Reckoning, rules: Any, within: Any) -> None:
    for unit in units(found.program, rules, PerAmount | PerItem):
        offers = [brings(found, rule) for rule in unit]
        if len(unit) > 1:
            is_best = found.program.stacking[unit[0].group] == "best"
            offers = [
                points if any(cut(found, rule, points, within)) else [Fraction(0)] * len(points)
                for rule, points in zip(unit, offers, strict=True)
            ]
            for place, index in product(range(len(found.eligible)), range(len(unit))):
                here = [points[place] for points in offers]
                best = here.index(max(here)) if is_best else next((n for n, value in enumerate(here) if value), 0)
                if index != best and any(here):
                    offers[index][place] = Fraction(0)
        for rule, offer in zip(unit, offers, strict=True):
            points = cut(found, rule, offer, within)
            found.base = [old + new for old, new in zip(found.base, points, strict=True)]
            found.qualifying += sum(points, Fraction(0)) if rule.qualifies else 0
            record(found, rule.code, points)


def judge_extras(found: Reckoning, rules: Any, within: Any) -> None:
    ordered = sorted(rules, key=lambda rule: not isinstance(rule, Multiplier))
    for unit in units(found.program, ordered, Multiplier | Bonus):
        offers = [cut(found, rule, brings(found, rule), within) for rule in unit]
        chosen = list(range(len(unit)))
        sums = [sum(points, Fraction(0)) for points in offers]
        if len(unit) > 1:
            firing = [index for index, total in enumerate(sums) if total]
            is_best = found.program.stacking[unit[0].group] == "best"
            chosen = firing[:1] if not is_best else [max(firing, key=lambda index: sums[index])] if firing else []
        for index, rule in enumerate(unit):
            record(found, rule.code, offers[index] if index in chosen else [Fraction(0)] * len(found.eligible))


def is_live(program: Program, campaign: Campaign, purchase: Purchase, member: Member) -> bool:
    local = local_time(program, purchase).strftime("%Y-%m-%dT%H:%M")
    audience = campaign.audience
    return (
        campaign.status == "active"
        and campaign.starts_at <= local
        and (campaign.ends_at is None or local < campaign.ends_at)
        and (not audience.tiers or tier_of(program, member.tier).code in audience.tiers)
        and (not audience.segments or bool(set(audience.segments) & set(member.segments)))
        and (not audience.tags or bool(set(audience.tags) & set(member.tags)))
        and (not audience.members or member.member_id in audience.members)
    )


def tier_of(program: Program, code: str) -> Any:
    return next((tier for tier in program.tiers if tier.code == code), program.tiers[0])


def local_time(program: Program, purchase: Purchase) -> datetime:
    return datetime.fromtimestamp(purchase.occurred_at, ZoneInfo(program.time_zone))
