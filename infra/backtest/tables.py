"""What an installation has recorded: read from its tables, as a tool may; nothing is written."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from chalicelib.base import clock, facts
from chalicelib.engagement.schema import EventIn
from chalicelib.members.rules import Profile
from chalicelib.orders.schema import OrderIn, RefundIn
from chalicelib.program.document import Program, decode, default
from infra.backtest.recorded import (
    Bought,
    Fact,
    Happened,
    Person,
    PutBack,
    Recorded,
    Spent,
    TakenBack,
    Withdrawn,
    in_order,
    parts_of,
)
from infra.errors import InfraError
from infra.installation import Advance, Installation, scan

_ORDERS = msgspec.json.Decoder(OrderIn)
_REFUNDS = msgspec.json.Decoder(RefundIn)
_EVENTS = msgspec.json.Decoder(EventIn)
_PROFILES = msgspec.json.Decoder(Profile)
_PROFILE_KEY: Final = "mem_"
_POINTER: Final = "unclaimed#"
_EVENT: Final = "evt_"
Item = dict[str, Any]


def program_in_force(installation: Installation, now: int) -> Program:
    """The document that is in force at `now`, the engine's default where none was published."""
    dynamodb = installation.client("dynamodb")
    items = [item for page in scan(dynamodb, installation.prefix + "programs") for item in page]
    started = [item for item in items if clock.parse(item["starts_at"]["S"]) <= now]
    if not started:
        return default()
    return decode(max(started, key=lambda item: int(item["version"]["N"]))["document"]["S"])


def recorded(installation: Installation, advance: Advance, *, as_posted: bool = False) -> Recorded:
    """All orders, refunds, events and redemptions, with what is known of the members.

    They arrive when they occurred, as if nothing had come late or been imported; with `as_posted` when they did come.
    Raises InfraError where there is nothing.
    """
    found = [
        *_orders(_chains(installation, "orders", "order_id", advance)),
        *_redemptions(_chains(installation, "redemptions", "redemption_id", advance)),
        *_events(_chains(installation, "engagement", "key", advance)),
    ]
    if not found:
        raise InfraError(f"The tables {installation.prefix}orders and {installation.prefix}redemptions are empty.")
    if not as_posted:
        found = _in_time(found)
    people, merged = _people(installation, advance)
    # Of what was posted within one second, the sequence of the member's chain tells which came first.
    found.sort(key=lambda pair: pair[0])
    return in_order(installation.prefix.rstrip("-"), [_moved(fact, merged) for _seq, fact in found], people)


def _in_time(found: list[tuple[int, Fact]]) -> list[tuple[int, Fact]]:
    """The facts as if each had been posted when it occurred, but no refund before its order."""
    bought = {fact.key: fact.occurred_at for _seq, fact in found if isinstance(fact, Bought)}
    moved: list[tuple[int, Fact]] = []
    for seq, fact in found:
        match fact:
            case Bought():
                at = fact.occurred_at
            case TakenBack():
                at = max(fact.occurred_at, bought[fact.key])
            case Happened():
                at = clock.seconds(fact.event.occurred_at)
            case _:
                at = fact.posted_at
        moved.append((seq, msgspec.structs.replace(fact, posted_at=at)))
    return moved


def _chains(installation: Installation, table: str, key: str, advance: Advance) -> Iterator[list[Item]]:
    """The steps of each record of a table, in their sequence."""
    chains: defaultdict[str, list[Item]] = defaultdict(list)
    for page in scan(installation.client("dynamodb"), installation.prefix + table):
        advance(len(page))
        for item in page:
            if not item[key]["S"].startswith(_POINTER):
                chains[item[key]["S"]].append(item)
    for steps in chains.values():
        yield sorted(steps, key=lambda item: str(item["part" if "part" in item else "step"]["S"]))


def _orders(chains: Iterator[list[Item]]) -> Iterator[tuple[int, Fact]]:
    """Orders of members; one that waited for its member counts from the claim, with what went back before it."""
    for steps in chains:
        owned = next((step for step in steps if "member_id" in step), None)
        if owned is None:
            continue
        key, claimed_at, seq = steps[0]["order_id"]["S"], _at(owned), int(owned["seq"]["N"])
        order = _ORDERS.decode(steps[0]["body"]["S"])
        yield seq, Bought(key, owned["member_id"]["S"], clock.seconds(order.occurred_at), claimed_at, order)
        for step in steps[1:]:
            at = max(_at(step), claimed_at)
            occurred_at = clock.parse(step["occurred_at"]["S"])
            # What went back before anybody claimed the order has no entry of its own.
            seq = int(step["seq"]["N"]) if "seq" in step else seq
            match step["kind"]["S"]:
                case facts.REFUND:
                    refund = _REFUNDS.decode(step["body"]["S"])
                    amount_minor = None if refund.amount_minor is msgspec.UNSET else refund.amount_minor
                    yield seq, TakenBack(key, occurred_at, at, parts_of(refund), amount_minor)
                case facts.ORDER_CANCELLED:
                    yield seq, TakenBack(key, occurred_at, at)


def _redemptions(chains: Iterator[list[Item]]) -> Iterator[tuple[int, Fact]]:
    """Redemptions that were paid out, from a hold or at once, and those that were cancelled."""
    for steps in chains:
        issue = steps[0]
        spent = next((step for step in steps if step["kind"]["S"] == facts.REDEEMED), None)
        if spent is None:
            continue
        key = issue["redemption_id"]["S"]
        points = int(issue["spent_points"]["N"])
        yield int(spent["seq"]["N"]), Spent(key, issue["member_id"]["S"], _at(spent), points)
        for step in steps[1:]:
            if step["kind"]["S"] == facts.REDEMPTION_CANCELLED:
                yield int(step["seq"]["N"]), PutBack(key, _at(step))


def _events(chains: Iterator[list[Item]]) -> Iterator[tuple[int, Fact]]:
    """Events, and those that were withdrawn; uses of benefits and challenges lie in the same table."""
    for steps in chains:
        if not steps[0]["key"]["S"].startswith(_EVENT):
            continue
        for step in steps:
            key, seq = step["key"]["S"], int(step["seq"]["N"])
            if step["kind"]["S"] == facts.EVENT:
                yield seq, Happened(key, step["member_id"]["S"], _at(step), _EVENTS.decode(step["body"]["S"]))
            elif step["kind"]["S"] == facts.EVENT_CANCELLED:
                yield seq, Withdrawn(key, _at(step))


def _people(installation: Installation, advance: Advance) -> tuple[dict[str, Person], dict[str, str]]:
    """What profiles say of the members, and into whom those were merged who are no more."""
    people, merged = {}, {}
    for page in scan(installation.client("dynamodb"), installation.prefix + "members"):
        advance(len(page))
        for item in page:
            key = item["key"]["S"]
            if not key.startswith(_PROFILE_KEY):
                continue
            if "merged_into" in item:
                merged[key] = item["merged_into"]["S"]
                continue
            profile = _PROFILES.decode(item["profile"]["S"])
            people[key] = Person(
                enrolled_at=_at(item),
                birthday=profile.birthday.isoformat() if profile.birthday else "",
                tags=profile.tags,
                segments=tuple(segment["S"] for segment in item.get("segments", {}).get("L", [])),
            )
    return people, merged


def _moved(fact: Fact, merged: dict[str, str]) -> Fact:
    """A fact of a member who was merged is one of the member who took over."""
    if not isinstance(fact, Bought | Spent | Happened):
        return fact
    member = fact.member
    while member in merged:
        member = merged[member]
    return fact if member == fact.member else msgspec.structs.replace(fact, member=member)


def _at(step: Item) -> int:
    return clock.parse(step["posted_at"]["S"])
