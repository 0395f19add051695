"""Evaluations a second on one core: the engine's rules against the same rules written by hand in Python.

The hand-written programme is what a developer would write for this one merchant: it knows its rules by heart, explains
nothing and keeps no limits. Both must find the same points for every purchase.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import tests.conftest  # noqa: F401 -- sets the environment that the engine reads when it is imported
from chalicelib.program.document import Program
from chalicelib.program.rules.earning import evaluate
from chalicelib.program.rules.inputs import Line, Member, Purchase
from tests.programs import program, texts

_PURCHASES = 500
_SECONDS = 1.5
_ROUNDS = 3
_RATES = {"member": Fraction(1), "silver": Fraction(6, 5), "gold": Fraction(3, 2), "diamond": Fraction(2)}


def main() -> None:
    """Print one row a programme."""
    bought = _purchases()
    member = Member(tier="gold")
    print("| rules | evaluations/s | us each | by hand, evaluations/s | by hand, us each | engine / by hand |")
    print("|--:|--:|--:|--:|--:|--:|")
    for count in (1, 20, 200):
        document = _rules(count)
        engine, by_hand = program(earning_rules=document), _by_hand(document)
        for purchase in bought:
            assert evaluate(engine, purchase, member).points == by_hand(purchase, member)
        own = _fastest(partial(evaluate, engine), bought, member)
        other = _fastest(by_hand, bought, member)
        print(
            f"| {count} | {own:,.0f} | {1e6 / own:.1f} | {other:,.0f} | {1e6 / other:.1f} | {other / own:.1f} |",
            flush=True,
        )
    print("\n| what else costs | evaluations/s | us each |\n|---|--:|--:|")
    for name, found, purchases in _others(bought):
        own = _fastest(partial(evaluate, found), purchases, member)
        print(f"| {name} | {own:,.0f} | {1e6 / own:.1f} |", flush=True)


def _others(bought: list[Purchase]) -> list[tuple[str, Program, list[Purchase]]]:
    lines = tuple(line for purchase in bought for line in purchase.lines)[:200]
    long = Purchase(
        currency="CNY", total_minor=sum(line.amount_minor for line in lines), lines=lines, occurred_at=1_795_000_000
    )
    condition = {"condition": "order.channel == 'web' && contains(order.lines[].sku, 'sku_7')"}
    asked = [*_rules(20), _rule("bonus", "asked", points=1, when=condition)]
    capped = [rule | {"caps": [{"per": "day", "points": 1_000}]} for rule in _rules(20)]
    best = [rule | {"group": rule["kind"][:3]} for rule in _rules(20)]
    groups = {rule["group"]: "best" for rule in best}
    return [
        ("20 rules and one condition in JMESPath", program(earning_rules=asked), bought),
        ("20 rules, each with a cap per day", program(earning_rules=capped), bought),
        ("20 rules in groups, the best of each", program(earning_rules=best, stacking=groups), bought),
        ("20 rules, a purchase of 200 lines", program(earning_rules=_rules(20)), [long]),
        ("200 rules, a purchase of 200 lines", program(earning_rules=_rules(200)), [long]),
    ]


def _fastest(judge: Callable[[Purchase, Member], object], bought: list[Purchase], member: Member) -> float:
    """Evaluations in a second of CPU, the best of a few rounds."""
    best = 0.0
    for _round in range(_ROUNDS):
        count, begun = 0, time.process_time()
        while (passed := time.process_time() - begun) < _SECONDS:
            for purchase in bought:
                judge(purchase, member)
            count += len(bought)
        best = max(best, count / passed)
    return best


def _purchases() -> list[Purchase]:
    chance = random.Random(11)  # noqa: S311 -- purchases to reckon with
    found = []
    for _ in range(_PURCHASES):
        lines = tuple(
            Line(
                f"sku_{chance.randrange(100)}",
                f"c{chance.randrange(10)}",
                chance.randint(1, 4),
                chance.randint(100, 20_000),
            )
            for _ in range(chance.randint(1, 5))
        )
        total = sum(line.amount_minor for line in lines)
        channel = chance.choice(("web", "shop", "app"))
        occurred_at = 1_795_000_000 + chance.randrange(30 * 86_400)
        found.append(Purchase(currency="CNY", total_minor=total, lines=lines, channel=channel, occurred_at=occurred_at))
    return found


def _rules(count: int) -> list[dict[str, Any]]:
    """A base rule, and after it in turn: a category, an SKU, a day's multiplier, a threshold, an item in a channel."""
    rules: list[dict[str, Any]] = [_rule("per_amount", "base")]
    for number in range(1, count):
        code = f"r{number}"
        match number % 5:
            case 0:
                items = {"categories": [f"c{number % 10}"]}
                rates = {"CNY": {"points": 1, "per_minor": 500}}
                rules.append(_rule("per_amount", code, items=items, rates=rates))
            case 1:
                rules.append(_rule("per_item", code, items={"skus": [f"sku_{number % 100}"]}, points=number % 7 + 1))
            case 2:
                when = {"weekdays": [number % 7 + 1], "tiers": ["gold", "diamond"]}
                rules.append(_rule("multiplier", code, factor="1.25", when=when))
            case 3:
                when = {"minimum_minor": {"CNY": 1_000 * number}}
                rules.append(_rule("bonus", code, points=10, when=when))
            case _:
                items = {"categories": [f"c{number % 10}"]}
                rules.append(_rule("bonus", code, points=3, items=items, when={"channels": ["web"]}))
    return rules


def _rule(kind: str, code: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "code": code, "title": texts(code), **fields}


def _by_hand(rules: list[dict[str, Any]]) -> Callable[[Purchase, Member], int]:
    """The same rules as one Python function, written out rule by rule and compiled."""
    sorts = ("per_amount", "per_item", "multiplier", "bonus")
    body = [_written(rule) for sort in sorts for rule in rules if rule["kind"] == sort]
    base = [text for text, rule in zip(body, sorted(rules, key=lambda rule: sorts.index(rule["kind"])), strict=True)]
    after = sum(rule["kind"].startswith("per_") for rule in rules)
    source = "\n".join(
        [
            "def judge(purchase, member):",
            "    total = purchase.total_minor",
            "    day = datetime.fromtimestamp(purchase.occurred_at, ZONE).isoweekday()",
            "    points = Fraction(0)",
            *base[:after],
            "    base = points",
            "    points += base * (RATES[member.tier] - 1)",
            *base[after:],
            "    return points.__floor__()",
        ]
    )
    names: dict[str, Any] = {"Fraction": Fraction, "RATES": _RATES}
    exec("from datetime import datetime\nfrom zoneinfo import ZoneInfo\nZONE = ZoneInfo('Asia/Shanghai')", names)  # noqa: S102
    exec(source, names)  # noqa: S102 -- our own text
    judge: Callable[[Purchase, Member], int] = names["judge"]
    return judge


def _written(rule: dict[str, Any]) -> str:
    """One rule as a statement."""
    match rule:
        case {"kind": "per_amount", "items": {"categories": [category]}}:
            amount = f"sum(line.amount_minor for line in purchase.lines if line.category == {category!r})"
            return f"    points += Fraction({amount}, 500)"
        case {"kind": "per_amount"}:
            return "    points += Fraction(total, 100)"
        case {"kind": "per_item", "items": {"skus": [sku]}, "points": points}:
            return f"    points += {points} * sum(line.quantity for line in purchase.lines if line.sku == {sku!r})"
        case {"kind": "multiplier", "when": {"weekdays": [day]}}:
            return f"    if day == {day} and member.tier in ('gold', 'diamond'): points += base * Fraction(1, 4)"
        case {"kind": "bonus", "when": {"minimum_minor": {"CNY": minimum}}, "points": points}:
            return f"    if total >= {minimum}: points += {points}"
        case {"items": {"categories": [category]}, "points": points}:
            any_line = f"any(line.category == {category!r} for line in purchase.lines)"
            return f"    if purchase.channel == 'web' and {any_line}: points += {points}"
    raise ValueError(rule)
