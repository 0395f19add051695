"""Reads the programme guide: its steps, and the stories that it tells after each.

A step is a block of JSON. A story is a table whose first column begins with a date: what one member bought or did, one
after the other, and the points of it. Both languages write dates, goods, amounts and codes alike.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib.ledger.limits import added_limits
from chalicelib.ledger.state import Limit
from chalicelib.program.document import Program
from chalicelib.program.rules import earning, events
from chalicelib.program.rules.inputs import Event, Line, Member, Purchase

DOCS = Path(__file__).parents[2] / "docs"
GROWING_LISTS = ("earning_rules", "campaigns", "benefits", "challenges")
GROWING_MAPS = ("stacking", "events")

_BLOCK = re.compile(r"```(\w+)\n(.*?)```|(^(?:\|[^\n]*\|\n)+)", re.DOTALL | re.MULTILINE)
_GOODS = re.compile(r"(\d+) × (\w+) \((\w+)\) ¥([\d,.]+)")
_SAID = re.compile(r"`(\w+)=([\w.-]+)`")
_TYPE = re.compile(r"^`(\w+)`$")


class Row(NamedTuple):
    """One line of a story, and the points that the guide says it brings."""

    when: str
    what: str
    who: str
    points: int


class Step(NamedTuple):
    """The document as it is after a step, and the stories told of it."""

    document: dict[str, Any]
    stories: list[list[Row]]


def text(locale: str) -> str:
    """The guide in `en` or `zh`."""
    name = "programme.md" if locale == "en" else "programme.zh-CN.md"
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(guide: str, language: str) -> list[str]:
    """The guide's blocks of code in a language."""
    return [match[2] for match in _BLOCK.finditer(guide) if match[1] == language]


def steps(guide: str, document: dict[str, Any]) -> list[Step]:
    """The steps of a guide that begins with `document`."""
    found: list[Step] = []
    for match in _BLOCK.finditer(guide):
        if match[1] == "json":
            document = merged(document, json.loads(match[2]))
            found.append(Step(document, []))
        elif match[3] and found and (rows := list(_rows(match[3]))):
            found[-1].stories.append(rows)
    return found


def merged(document: dict[str, Any], fragment: dict[str, Any]) -> dict[str, Any]:
    """The document with a step's fragment, as the guide says that it is put in."""
    whole = copy.deepcopy(document)
    for name, value in fragment.items():
        if name in GROWING_LISTS:
            codes = {item["code"] for item in value}
            whole[name] = [item for item in whole.get(name, []) if item["code"] not in codes] + value
        elif name in GROWING_MAPS:
            whole[name] = whole.get(name, {}) | value
        else:
            whole[name] = value
    return whole


def told(program: Program, story: list[Row]) -> list[int]:
    """The points that a story's facts bring by the engine's own rules; the member remembers what came before."""
    limits: tuple[Limit, ...] = ()
    purchases, points = 0, []
    for row in story:
        at = int(datetime.fromisoformat(row.when).replace(tzinfo=program.zone).timestamp())
        facts = dict(_SAID.findall(row.who))
        member = Member(
            tier=facts["tier"], birthday=facts.get("birthday", ""), purchases=purchases, limits=limits, at=at
        )
        kind = _TYPE.match(row.what)
        if kind:
            gained = events.evaluate(program, Event(type=kind[1], occurred_at=at), member)
            points.append(gained.points)
            limits = added_limits(limits, gained.limits, at)
        else:
            earned = earning.evaluate(program, _purchase(row, facts, at), member)
            points.append(earned.points)
            limits = added_limits(limits, earned.limits, at)
            purchases += 1
    return points


def _purchase(row: Row, facts: dict[str, str], at: int) -> Purchase:
    goods = _GOODS.findall(row.what)
    assert goods, row
    lines = tuple(
        Line(sku=sku, category=category, quantity=int(count), amount_minor=_minor(amount))
        for count, sku, category, amount in goods
    )
    return Purchase(
        currency="CNY",
        total_minor=sum(line.amount_minor for line in lines),
        lines=lines,
        channel=facts.get("channel", "store"),
        occurred_at=at,
    )


def _minor(amount: str) -> int:
    whole, _, cents = amount.replace(",", "").partition(".")
    return int(whole) * 100 + int(cents.ljust(2, "0"))


def _rows(table: str) -> Iterator[Row]:
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.match(r"\d{4}-\d\d-\d\d", cells[0]):
            yield Row(cells[0], cells[1], cells[2], int(cells[3].strip("*").replace(",", "")))
