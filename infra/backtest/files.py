"""Recorded purchases from files: the demo's own, CSV, and messages of the intake queue one a line."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.base import clock
from chalicelib.engagement.schema import EventIn
from chalicelib.orders.schema import CancelMessage, Message, OrderIn, OrderMessage, RefundMessage
from infra.backtest import spreadsheet
from infra.backtest.recorded import Bought, Fact, Happened, Person, Recorded, Spent, TakenBack, in_order, parts_of
from infra.errors import InfraError
from infra.local import cdnow, seed

_SHOWN: Final = 3


class RedemptionMessage(msgspec.Struct, frozen=True, kw_only=True, tag="redemption", tag_field="type"):
    """Points that a member redeemed: what a file may tell beside the intake queue's messages."""

    member_id: str
    points: int
    occurred_at: datetime
    redemption_id: str = ""


class EventMessage(msgspec.Struct, frozen=True, kw_only=True, tag="event", tag_field="type"):
    """An event, as `POST /v1/events` takes it."""

    event: EventIn


class PersonIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A line of the file of members."""

    member: str
    enrolled_at: datetime | None = None
    birthday: str = ""
    tags: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


_MESSAGES = msgspec.json.Decoder(Message | RedemptionMessage | EventMessage)
_PEOPLE = msgspec.json.Decoder(PersonIn)


def demo(path: Path, now: datetime, limit: int | None = None) -> Recorded:
    """The demo's purchases, as `make run` posts them."""
    facts = []
    for row in cdnow.read(path, now, limit):
        order = msgspec.convert(seed.order(row, f"mem_{row.customer}"), OrderIn)
        at = clock.seconds(row.occurred_at)
        facts.append(Bought(str(row.line), f"customer {row.customer}", at, at, order))
    return in_order("CDNOW 1997-98", facts)


def read(path: Path, zone: ZoneInfo) -> Recorded:
    """The facts of a file, by its name's ending; times of a CSV file without an offset are those of `zone`.

    Raises InfraError, naming the line that is wrong.
    """
    text = text_of(path)
    facts = spreadsheet.facts(text, zone) if path.suffix == ".csv" else _from_messages(text)
    try:
        return in_order(path.name, facts)
    except InfraError as error:
        raise InfraError(f"{path.name}, {error}") from None


def with_members(recorded: Recorded, path: Path) -> Recorded:
    """The same facts, with what a CSV or JSON-lines file says of the members. Raises InfraError."""
    text = text_of(path)
    lines = spreadsheet.people(text) if path.suffix == ".csv" else (line for line in text.splitlines() if line.strip())
    people = dict(recorded.people)
    for number, line in enumerate(lines, start=1):
        try:
            person = _PEOPLE.decode(line)
        except msgspec.MsgspecError as error:
            raise InfraError(f"{path.name}, member {number}: {error}") from None
        enrolled_at = clock.seconds(person.enrolled_at) if person.enrolled_at else 0
        people[person.member] = Person(enrolled_at, person.birthday, person.tags, person.segments)
    return in_order(recorded.source, recorded.facts, people)


def text_of(path: Path) -> str:
    """What stands in a file. Raises InfraError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise InfraError(f"{path} cannot be read: {error}") from None


def _from_messages(text: str) -> Iterator[Fact]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield _of_message(_MESSAGES.decode(line), number)
        except (msgspec.MsgspecError, InfraError) as error:
            raise InfraError(f"line {number}: {error}") from None


def _of_message(message: Message | RedemptionMessage | EventMessage, number: int) -> Fact:
    match message:
        case OrderMessage(order=order):
            at = clock.seconds(order.occurred_at)
            return Bought(f"{order.source}/{order.order_id}", member_of(order), at, at, order)
        case RefundMessage(refund=refund):
            at = clock.seconds(refund.occurred_at)
            amount_minor = None if refund.amount_minor is msgspec.UNSET else refund.amount_minor
            if bool(refund.lines) == (amount_minor is not None):
                raise InfraError("say what goes back either by lines or by amount_minor")
            return TakenBack(f"{message.source}/{message.order_id}", at, at, parts_of(refund), amount_minor)
        case CancelMessage(cancel=cancel):
            at = clock.seconds(cancel.occurred_at)
            return TakenBack(f"{message.source}/{message.order_id}", at, at)
        case EventMessage(event=event):
            key = f"{event.source}/{event.event_id}"
            return Happened(key, member_of(event), clock.seconds(event.occurred_at), event)
        case _:
            at = clock.seconds(message.occurred_at)
            return Spent(message.redemption_id or f"line {number}", message.member_id, at, message.points)


def member_of(order: OrderIn | EventIn) -> str:
    """What an order or event calls its member; of a phone number or mail only so much that people can be told apart."""
    if order.member_id is not msgspec.UNSET:
        return order.member_id
    if order.identity is msgspec.UNSET:
        raise InfraError("no member is named")
    if order.identity.external is not msgspec.UNSET:
        return order.identity.external.id
    name = str(order.identity.phone if order.identity.phone is not msgspec.UNSET else order.identity.mail)
    # The page may be shown around, so the rest of it is a digest.
    return f"{name[:_SHOWN]}…{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"
