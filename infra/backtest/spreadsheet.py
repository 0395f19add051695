"""Purchases and members as a spreadsheet saves them.

A row is a purchase, or one line of it: further rows with the same `order_id` are further lines. Columns: `member`,
`order_id`, `occurred_at`, `currency`, `total_minor`; where known also `tax_minor`, `shipping_minor`, `channel`,
`store`, and of a line `sku`, `category`, `quantity`, `amount_minor`. With a column `type` a row may also be a `refund`
(of `amount_minor`) or a `cancel` of the purchase with its `order_id`, an `event` (its type in the column `event`), or a
`redemption` of `points`.
"""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.base import clock
from chalicelib.engagement.schema import EventIn
from chalicelib.orders.schema import OrderIn
from infra.backtest.recorded import Bought, Fact, Happened, Spent, TakenBack
from infra.errors import InfraError

_COLUMNS: Final = ("currency", "total_minor", "tax_minor", "shipping_minor", "channel", "store")
_LINE_COLUMNS: Final = ("sku", "category", "quantity", "amount_minor")
_LISTS: Final = ("tags", "segments")
Row = dict[str, str]


def facts(text: str, zone: ZoneInfo) -> Iterator[Fact]:
    """The facts of all rows. Raises InfraError, naming the line."""
    purchase: list[Row] = []
    rows = csv.DictReader(text.splitlines())
    for row in rows:
        number = rows.line_num
        try:
            kind = _cell(row, "type") or "order"
            if kind == "order" and purchase and _cell(row, "order_id") == _cell(purchase[0], "order_id"):
                purchase.append(row)
                continue
            if purchase:
                yield _bought(purchase, zone)
            purchase = [row] if kind == "order" else []
            if kind != "order":
                yield _other(kind, row, number, zone)
        except (msgspec.MsgspecError, ValueError, InfraError) as error:
            raise InfraError(f"line {number} or the purchase before it: {error}") from None
    if purchase:
        try:
            yield _bought(purchase, zone)
        except (msgspec.MsgspecError, ValueError, InfraError) as error:
            raise InfraError(f"the last purchase: {error}") from None


def people(text: str) -> Iterator[str]:
    """The rows of a file of members as JSON; of several tags or segments in a cell, semicolons stand between them."""
    for row in csv.DictReader(text.splitlines()):
        found: dict[str, Any] = {name: cell for name in row if name and (cell := _cell(row, name))}
        for name in _LISTS:
            if name in found:
                found[name] = [part.strip() for part in found[name].split(";") if part.strip()]
        if "T" not in found.get("enrolled_at", "T"):
            found["enrolled_at"] += "T00:00:00Z"
        yield msgspec.json.encode(found).decode()


def _bought(rows: list[Row], zone: ZoneInfo) -> Bought:
    first = rows[0]
    fields: dict[str, Any] = {name: cell for name in _COLUMNS if (cell := _cell(first, name))}
    fields["lines"] = [
        {name: cell for name in _LINE_COLUMNS if (cell := _cell(row, name))} for row in rows if _cell(row, "sku")
    ]
    at = _instant(first, zone)
    order_id = _needed(first, "order_id")
    fields |= {"source": "file", "order_id": order_id, "occurred_at": clock.text(at)}
    # Cells are text, so numbers are read from it; everything else is held to what the API takes.
    order = msgspec.convert(fields, OrderIn, strict=False)
    return Bought(order_id, _needed(first, "member"), at, at, order)


def _other(kind: str, row: Row, number: int, zone: ZoneInfo) -> Fact:
    at = _instant(row, zone)
    match kind:
        case "refund":
            return TakenBack(_needed(row, "order_id"), at, at, (), int(_needed(row, "amount_minor")))
        case "cancel":
            return TakenBack(_needed(row, "order_id"), at, at)
        case "event":
            fields = {"source": "file", "event_id": f"line {number}", "type": _needed(row, "event")}
            event = msgspec.convert(fields | {"occurred_at": clock.text(at)}, EventIn)
            return Happened(event.event_id, _needed(row, "member"), at, event)
        case "redemption":
            return Spent(f"line {number}", _needed(row, "member"), at, int(_needed(row, "points")))
        case _:
            raise InfraError(f"{kind} is no type; there are order, refund, cancel, event and redemption")


def _instant(row: Row, zone: ZoneInfo) -> int:
    moment = datetime.fromisoformat(_needed(row, "occurred_at"))
    return clock.seconds(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _needed(row: Row, name: str) -> str:
    cell = _cell(row, name)
    if not cell:
        raise InfraError(f"{name} is missing")
    return cell


def _cell(row: Row, name: str) -> str:
    return (row.get(name) or "").strip()
