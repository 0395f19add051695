"""What the rules look at, and what they answer."""

from __future__ import annotations

import msgspec

from chalicelib.ledger.state import Limit


class Line(msgspec.Struct, frozen=True):
    """One line of a purchase; `amount_minor` is that of the whole quantity, discounts taken off."""

    sku: str
    category: str
    quantity: int
    amount_minor: int


class Payment(msgspec.Struct, frozen=True):
    """A part of the total and what paid it, such as `card`, `points` or `gift_card`."""

    type: str
    amount_minor: int


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """A purchase. Its sums were checked by who made it; `occurred_at` is in seconds."""

    currency: str
    total_minor: int
    tax_minor: int = 0
    shipping_minor: int = 0
    lines: tuple[Line, ...] = ()
    payments: tuple[Payment, ...] = ()
    channel: str = ""
    store: str = ""
    occurred_at: int


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something else that a member did; `properties` are what the shop system says of it."""

    type: str
    occurred_at: int
    channel: str = ""
    store: str = ""
    properties: dict[str, str | int | bool] = msgspec.field(default_factory=dict)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a member before the purchase or event; everything is empty for somebody who is none.

    `birthday` is a date such as "1990-05-17", `tier` a code, and `limits` what the account remembers of the programme's
    limits at `at`, the time of posting.
    """

    member_id: str = ""
    tier: str = ""
    segments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    birthday: str = ""
    enrolled_at: int = 0
    purchases: int = 0
    spend_minor: int = 0
    limits: tuple[Limit, ...] = ()
    at: int = 0


class Explanation(msgspec.Struct, frozen=True):
    """What one rule did: whether it fired, a stable code saying why, and the points it brought.

    The points of all explanations add up to those of the purchase or event. `campaign` is that of the rule, if any;
    `cut_points` is what a cap took off, and `cut_by` says which: `order`, `day`, `week`, `month`, `year` or `ever`,
    with `campaign_` before it where it is the campaign's. `voucher_id` is the voucher that was issued, once it is.
    """

    rule: str
    fired: bool
    reason: str
    points: int
    campaign: str = ""
    cut_points: int = 0
    cut_by: str = ""
    voucher_id: str = ""


class Award(msgspec.Struct, frozen=True):
    """What a campaign with a budget gives by one purchase or event."""

    campaign: str
    points: int


class VoucherDue(msgspec.Struct, frozen=True):
    """That a rule gives a voucher of a batch."""

    rule: str
    batch_id: str


class Earned(msgspec.Struct, frozen=True, kw_only=True):
    """What a purchase earns.

    `points` go to the account; `qualifying_points`, those of the base rules that qualify, before any multiplier, count
    towards the tier. `spend_minor` is what the purchase adds to spending in the base currency. `line_points` runs
    parallel to the lines and adds up to `points`; it is empty without lines. `limits` is how much of the programme's
    limits it uses up, `awards` what it takes from the budgets of campaigns, and `vouchers` what is to be issued.
    """

    points: int
    qualifying_points: int
    eligible_minor: int
    spend_minor: int
    line_points: tuple[int, ...]
    explanations: tuple[Explanation, ...]
    limits: tuple[Limit, ...] = ()
    awards: tuple[Award, ...] = ()
    vouchers: tuple[VoucherDue, ...] = ()


class Gained(msgspec.Struct, frozen=True, kw_only=True):
    """What an event brings; `activity` counts towards tiers that are reached by it."""

    points: int
    activity: int
    explanations: tuple[Explanation, ...]
    limits: tuple[Limit, ...] = ()
    awards: tuple[Award, ...] = ()
    vouchers: tuple[VoucherDue, ...] = ()
