"""From an order and an account to the entry that is posted: pure, given the programme's versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Invalid
from chalicelib.ledger import points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import Effect, added_months, apply, combined
from chalicelib.ledger.posting import Account
from chalicelib.ledger.state import Limit, Lot, Month, Purchases, State
from chalicelib.orders import amounts, giving, reasons
from chalicelib.orders.history import History
from chalicelib.orders.rules import Earnings, GoneBack, Refunded, gone_back, nothing_refunded, reckoned
from chalicelib.orders.schema import PurchaseIn
from chalicelib.program.document import Program
from chalicelib.program.rules import earning, expiry, tiers
from chalicelib.program.rules.inputs import Earned, Line, Member, Payment, Purchase
from chalicelib.program.rules.takes import Given, Take
from chalicelib.program.service import Versioned

_NOTHING_BACK = GoneBack(points=0, qualifying_points=0, spend_minor=0, purchases=0)
"""What has gone back of an order that is new."""


class Rulebook(msgspec.Struct, frozen=True):
    """The programme's versions that an operation goes by.

    `then` was in force when the purchase occurred and decides what it earns, and by which of its tiers; `now` is in
    force at posting and decides which tier is held after it, and what comes too late.
    """

    then: Versioned
    now: Versioned


def purchase_of(order: PurchaseIn, occurred_at: int) -> Purchase:
    """An order as the earning rules see it. Raises Invalid when its parts do not add up."""
    net = net_amounts(order)
    amounts.check_sums(
        order.total_minor,
        order.tax_minor,
        order.shipping_minor,
        net,
        [payment.amount_minor for payment in order.payments],
    )
    return Purchase(
        currency=order.currency,
        total_minor=order.total_minor,
        tax_minor=order.tax_minor,
        shipping_minor=order.shipping_minor,
        lines=tuple(
            Line(sku=line.sku, category=line.category, quantity=line.quantity, amount_minor=amount_minor)
            for line, amount_minor in zip(order.lines, net, strict=True)
        ),
        payments=tuple(Payment(type=payment.type, amount_minor=payment.amount_minor) for payment in order.payments),
        channel=order.channel,
        store=order.store,
        occurred_at=occurred_at,
    )


def net_amounts(order: PurchaseIn) -> tuple[int, ...]:
    """The amounts of an order's lines, the discount on the order taken off."""
    discount_minor = 0 if order.discount_minor is msgspec.UNSET else order.discount_minor
    return amounts.net_amounts([line.amount_minor for line in order.lines], discount_minor)


def check_time(program: Program, occurred_at: int, now: int) -> None:
    """Raises Invalid for a fact from the future, or from longer ago than the programme takes."""
    if occurred_at > now + 300:
        raise Invalid("This lies more than 5 minutes in the future.", field="occurred_at", code="occurred_in_future")
    if expiry.too_late(program, occurred_at, now):
        raise Invalid(
            f"This lies more than {program.late_days} days back, which is as late as the programme takes it.",
            field="occurred_at",
            code="occurred_too_long_ago",
        )


def check_body(order: PurchaseIn, occurred_at: int, rulebook: Rulebook) -> None:
    """Raises Invalid for an order whose parts do not add up, or whose currency was not taken at the time."""
    purchase_of(order, occurred_at)
    earning.check_currency(rulebook.then.program, order.currency)


def earned_of(
    order: PurchaseIn,
    occurred_at: int,
    rulebook: Rulebook,
    member: Member,
    exhausted: AbstractSet[str] = frozenset(),
    *,
    refused: Mapping[str, str] | None = None,
) -> Earned:
    """What an order earns a member by the rules of its time; `exhausted` campaigns and `refused` batches give nothing.

    Raises Invalid when its parts do not add up, or nobody takes its currency.
    """
    return earning.evaluate(rulebook.then.program, purchase_of(order, occurred_at), member, exhausted, refused or {})


def earnings_of(
    order: PurchaseIn,
    occurred_at: int,
    rulebook: Rulebook,
    earned: Earned | None,
    takes: tuple[Take, ...] = (),
    *,
    given: Sequence[Given] = (),
) -> Earnings:
    """What an order brings, for its record; with nothing `earned` yet, only its amounts are noted."""
    program = rulebook.then.program
    net = net_amounts(order)
    return Earnings(
        total_minor=order.total_minor,
        line_amounts_minor=net,
        line_quantities=tuple(line.quantity for line in order.lines),
        points=earned.points if earned else 0,
        line_points=earned.line_points if earned else (0,) * len(net),
        qualifying_points=earned.qualifying_points if earned else 0,
        spend_minor=earned.spend_minor if earned else 0,
        month=clock.month_of(occurred_at, program.zone),
        expires_at=expiry.expires_at(program, occurred_at),
        available_at=expiry.available_at(program, occurred_at),
        program=rulebook.then.version,
        refundable_until=expiry.refundable_until(program, occurred_at),
        limits=earned.limits if earned else (),
        takes=takes,
        reasons=tuple(reasons.packed(item) for item in giving.named(earned.explanations, given)) if earned else (),
        vouchers=tuple(given),
    )


def tier_code(state: State, program: Program, at: int) -> str:
    """The tier that a member holds at an instant, on this programme's ladder."""
    return tiers.judged(program, state, at)[1]


def earn(account: Account, earnings: Earnings, back: GoneBack, occurred_at: int) -> Effect:
    """The effect of an order that earns, less what of it has gone back before its member was known."""
    effect = points.earn(
        account.state,
        earnings.points - back.points,
        expires_at=earnings.expires_at,
        available_at=earnings.available_at,
    )
    month = Month(
        earnings.month,
        points=earnings.qualifying_points - back.qualifying_points,
        spend_minor=earnings.spend_minor - back.spend_minor,
        purchases=1 - back.purchases,
    )
    purchases = Purchases(month.purchases, month.spend_minor, occurred_at, occurred_at)
    limits = (*earnings.limits, *_moved(back.limits))
    return msgspec.structs.replace(effect, months=(month,), purchases=purchases, limits=limits)


def take_back(account: Account, earnings: Earnings, back: GoneBack, occurred_at: int) -> Effect:
    """The effect of a refund or cancellation that occurred at this instant."""
    effect = points.claw(
        account.state,
        back.points,
        expires_at=earnings.expires_at,
        available_at=earnings.available_at,
        absorb=occurred_at < earnings.refundable_until,
    )
    month = Month(
        earnings.month, points=-back.qualifying_points, spend_minor=-back.spend_minor, purchases=-back.purchases
    )
    purchases = Purchases(-back.purchases, -back.spend_minor)
    return msgspec.structs.replace(effect, months=(month,), purchases=purchases, limits=_moved(back.limits))


def _moved(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    """Deltas of limits without those that change nothing."""
    return tuple(limit for limit in limits if limit.count or limit.points)


def retiered(account: Account, effect: Effect, rulebook: Rulebook) -> tuple[Effect, str]:
    """The effect completed by the tier records that it leads to, and the tier code after it."""
    program = rulebook.now.program
    after = msgspec.structs.replace(account.state, months=added_months(account.state.months, effect.months))
    records, code = tiers.judged(program, after, account.posted_at)
    changed = records if records != account.state.tiers else None
    return msgspec.structs.replace(effect, tiers=changed), code


def order_decision(
    account: Account, earnings: Earnings, refunded: Refunded | None, rulebook: Rulebook, fact: Fact
) -> Decision:
    """The entry of an order; `refunded` is what went back before a late claim."""
    back = gone_back(earnings, nothing_refunded(earnings), reckoned(earnings, refunded)) if refunded else _NOTHING_BACK
    effect, tier = retiered(account, earn(account, earnings, back, fact.occurred_at), rulebook)
    extended_to = expiry.extended_to(rulebook.then.program, fact.occurred_at)
    effect = msgspec.structs.replace(effect, extended_to=extended_to)
    return fact.decision(effect, tier, rulebook.then.version)


class Returned(msgspec.Struct, frozen=True):
    """What goes back of redemptions that paid an order: the lots that were spent, and deltas of the member's limits."""

    lots: tuple[Lot, ...] = ()
    limits: tuple[Limit, ...] = ()


def refund_decision(
    account: Account, past: History, after: Refunded, returned: Returned, rulebook: Rulebook, *, fact: Fact
) -> Decision:
    """The entry of whatever takes points back, and gives back what paid."""
    back = gone_back(past.earnings, past.refunded, after)
    effect = take_back(account, past.earnings, back, fact.occurred_at)
    if returned.lots:
        # What comes back repays what the points taken back have left owed.
        left = apply(account.state, effect, account.posted_at)
        effect = combined(effect, points.restore(left, returned.lots))
    effect = msgspec.structs.replace(effect, limits=(*effect.limits, *returned.limits))
    effect, tier = retiered(account, effect, rulebook)
    return fact.decision(effect, tier, past.earnings.program)


def release_decision(account: Account, past: History, rulebook: Rulebook, fact: Fact) -> Decision:
    """The entry that makes an order's pending points available."""
    earnings = past.earnings
    effect = points.release(
        account.state,
        earnings.points - past.refunded.clawed_points,
        available_at=earnings.available_at or 0,
        expires_at=earnings.expires_at,
    )
    tier = tier_code(account.state, rulebook.now.program, account.posted_at)
    return fact.decision(effect, tier, earnings.program)


class Fact(msgspec.Struct, frozen=True):
    """What an entry says beside its effect."""

    kind: str
    record: str
    actor: str
    occurred_at: int
    amount_minor: int
    currency: str

    def decision(self, effect: Effect, tier: str, program: int) -> Decision:
        """The decision to post this fact with `effect`."""
        return Decision(
            kind=self.kind,
            record=self.record,
            reason=self.kind,
            actor=self.actor,
            program=program,
            occurred_at=self.occurred_at,
            effect=effect,
            tier=tier,
            amount_minor=self.amount_minor,
            currency=self.currency,
        )
