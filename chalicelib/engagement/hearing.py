"""From a notice to the fact that challenges count: a purchase or event, read from its record as that is now."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chalicelib.base import clock, money
from chalicelib.engagement import events
from chalicelib.engagement.rules import marks
from chalicelib.engagement.rules.marks import Marks
from chalicelib.engagement.rules.progress import Fact
from chalicelib.engagement.table import EventStep, read_events
from chalicelib.ledger.posting import Account, account_at
from chalicelib.ledger.records import placed
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import EntryItem, to_entry
from chalicelib.members.facts import UNASKED, known, profile_facts
from chalicelib.orders import decisions, history
from chalicelib.orders.history import History
from chalicelib.orders.table import OrderStep
from chalicelib.program import service as programs
from chalicelib.program.document import Program
from chalicelib.program.rules.inputs import Line, Member, Payment, Purchase


class Heard(msgspec.Struct, frozen=True):
    """A purchase or event that may count: what it can count for at the most, by what is left of it.

    `judge` tells what it does count for. It is asked once, when the fact is new: of one that is known, a later notice
    only takes away, for the member may have changed since. `asks_profile`: what it finds may be other tomorrow. `owner`
    is the member to whom it was posted.
    """

    fact_id: str
    occurred_at: int
    program: int
    left: Marks
    judge: Callable[[], Marks]
    owner: str = ""
    asks_profile: bool = False

    def fact(self) -> Fact:
        """The fact as it is when it is new."""
        return Fact(fact_id=self.fact_id, occurred_at=self.occurred_at, program=self.program, marks=self.judge())


def heard(notice: Notice, *, now: int) -> Heard | None:
    """The purchase or event that a notice is about; None where no challenge could count it."""
    table, key = _place(notice)
    if table == "orders":
        return _purchase(history.read(key, consistent=True), now)
    return _event(read_events(key, consistent=True), now)


def left_of(past: History, purchase: Purchase) -> Purchase | None:
    """A purchase without what refunds have taken back; None where nothing is left.

    What was refunded by amount comes off the lines in proportion to what is left of them.
    """
    refunded = past.refunded
    left_minor = purchase.total_minor - refunded.total_minor
    if refunded.cancelled or (purchase.total_minor and not left_minor):
        return None
    if not refunded.total_minor and not any(refunded.by_line_quantity):
        return purchase
    amounts = [line.amount_minor - gone for line, gone in zip(purchase.lines, refunded.by_line_minor, strict=True)]
    at_large = min(refunded.at_large_minor, sum(amounts))
    shares = list(money.share(at_large, amounts)) if sum(amounts) else [0] * len(amounts)
    return msgspec.structs.replace(
        purchase,
        total_minor=left_minor,
        tax_minor=_part(purchase.tax_minor, left_minor, purchase),
        shipping_minor=min(purchase.shipping_minor, left_minor),
        lines=tuple(
            Line(line.sku, line.category, line.quantity - gone, amount - share)
            for line, gone, amount, share in zip(
                purchase.lines, refunded.by_line_quantity, amounts, shares, strict=True
            )
        ),
        payments=tuple(
            Payment(payment.type, _part(payment.amount_minor, left_minor, purchase)) for payment in purchase.payments
        ),
    )


def _part(amount_minor: int, left_minor: int, purchase: Purchase) -> int:
    """The part of an amount that is left with the purchase; of a free one, pieces may go back all the same."""
    return amount_minor * left_minor // purchase.total_minor if purchase.total_minor else amount_minor


def _place(notice: Notice) -> tuple[str, str]:
    """The table and key of the record that a notice leads to: for a refund its order, for a cancellation its event."""
    prefix = notice.record.partition("_")[0]
    if prefix == "ord":
        return "orders", notice.record
    if prefix == "evt":
        return "engagement", notice.record
    place = placed(_entry(notice.member_id, notice.seq).place or "")
    return place.table, place.key["order_id"] if place.table == "orders" else place.key["key"]


def _purchase(past: History, now: int) -> Heard | None:
    occurred_at = clock.seconds(past.order.occurred_at)
    then = programs.in_force(occurred_at, now=now)
    owner = next((step for step in past.steps if step.has_entry), None)
    if not then.program.challenges or owner is None:
        return None
    purchase = decisions.purchase_of(past.order, occurred_at)
    left = left_of(past, purchase)
    found = marks.of_purchase(then.program, purchase, left, None)
    if not found:
        return None
    return Heard(
        past.order_id,
        occurred_at,
        then.version,
        found,
        lambda: marks.of_purchase(then.program, purchase, left, _member(owner, then.program)),
        str(owner.member_id),
        marks.needs_profile(then.program),
    )


def _event(steps: list[EventStep], now: int) -> Heard | None:
    event = events.event_of(steps[0])
    then = programs.in_force(event.occurred_at, now=now)
    if not then.program.challenges:
        return None
    is_cancelled = len(steps) > 1
    found = marks.of_event(then.program, event, None, is_cancelled=is_cancelled)
    if not found:
        return None
    return Heard(
        str(steps[0].key),
        event.occurred_at,
        then.version,
        found,
        lambda: marks.of_event(then.program, event, _member(steps[0], then.program), is_cancelled=is_cancelled),
        str(steps[0].member_id),
        marks.needs_profile(then.program),
    )


def _member(step: OrderStep | EventStep, program: Program) -> Member:
    """What was known of the member when the purchase or event was posted: the account as it was just before."""
    account = _account_before(step)
    asked = marks.needs_profile(program)
    profile = profile_facts(account.member_id, program, asked=True) if asked else UNASKED
    return known(account, program, profile, at=account.posted_at)


def _account_before(step: OrderStep | EventStep) -> Account:
    before = to_entry(_entry(str(step.member_id), step.seq - 1))
    return account_at(before, clock.parse(step.posted_at))


def _entry(member_id: str, seq: int) -> EntryItem:
    """An entry as it lies in the ledger. One that was put a moment ago is found at the price of a second read."""
    try:
        return EntryItem.get(member_id, seq)
    except EntryItem.DoesNotExist:
        return EntryItem.get(member_id, seq, consistent_read=True)
