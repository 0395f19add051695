"""Posting orders, quoting purchases, reading orders."""

from __future__ import annotations

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Invalid, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.posting import Account, Lost, MemberNotFound, Plan, Posted, Write, once, peek, put_once
from chalicelib.ledger.records import step_name
from chalicelib.members import facts as member_facts
from chalicelib.members import service as members
from chalicelib.members.table import still_free
from chalicelib.orders import decisions, history
from chalicelib.orders.decisions import Fact, Rulebook
from chalicelib.orders.giving import Giver
from chalicelib.orders.payments import redemption_uses
from chalicelib.orders.rules import Earnings
from chalicelib.orders.schema import Identity, OrderIn, PurchaseIn, QuoteIn
from chalicelib.orders.table import OrderStep, UnclaimedPointer, read_steps
from chalicelib.program import budgets
from chalicelib.program import service as programs
from chalicelib.program.budgets import Funds
from chalicelib.program.rules.inputs import Earned, Member
from chalicelib.program.rules.takes import Take


class Quote(msgspec.Struct, frozen=True):
    """What a purchase would earn, and why."""

    earnings: Earnings
    earned: Earned
    tier: str


def order_id_of(source: str, order_id: str) -> str:
    """The engine's id of the order that a shop system knows as `order_id`."""
    return ids.derived("ord", source, order_id)


def rulebook(occurred_at: int, now: int) -> Rulebook:
    """The programme as it was when something occurred, and as it is now."""
    return Rulebook(then=programs.in_force(occurred_at, now=now), now=programs.in_force(now, now=now))


def post_order(order: OrderIn, *, actor: str, now: int) -> Posted[OrderStep]:
    """Post a paid order once: earn its points, or keep it unclaimed where its identity leads to nobody.

    Raises Invalid (sums, times, currency), MemberNotFound for an unknown `member_id`, KeyReused when the order was
    posted with another body, Conflict for a redemption that cannot pay it, VoucherUseNotFound for a voucher that was
    not redeemed for it, and Unavailable.
    """
    name = order_id_of(order.source, order.order_id)
    return once(
        _step(order, Earnings(total_minor=0), kind=facts.ORDER, now=now),
        lambda: next(iter(read_steps(name, consistent=True)), None),
        lambda: _post(order, actor=actor, now=now),
    )


def _post(order: OrderIn, *, actor: str, now: int) -> Posted[OrderStep]:
    occurred_at = clock.seconds(order.occurred_at)
    book = rulebook(occurred_at, now)
    _check_addressee(order)
    # Everything that may be refused for the body's sake is refused before anybody is looked up.
    decisions.check_body(order, occurred_at, book)
    decisions.check_time(book.now.program, occurred_at, now)
    if order.vouchers:
        # Vouchers are loaded for orders that have any.
        from chalicelib.orders import vouching  # noqa: PLC0415

        vouching.check(order, order.vouchers)
    for _attempt in attempts():
        member_id = addressee(order)
        if member_id is not None:
            return _earn(order, member_id, book, actor, now)
        try:
            waiting = decisions.earnings_of(order, occurred_at, book, earned=None)
            return put_once(_step(order, waiting, kind=history.UNCLAIMED, now=now), _waiting(order))
        except Lost:
            # Somebody has enrolled with this identity since it was looked up.
            continue
    raise Unavailable("The member is just being enrolled. Send the same request again.", code="busy")


def _earn(order: OrderIn, member_id: str, book: Rulebook, actor: str, now: int) -> Posted[OrderStep]:
    uses = redemption_uses(order, member_id, now=now)
    occurred_at, program = clock.seconds(order.occurred_at), book.then.program
    profile = member_facts.profile_facts(member_id, program)
    name = order_id_of(order.source, order.order_id)
    fact = Fact(facts.ORDER, name, actor, occurred_at, order.total_minor, order.currency)
    giver = Giver(name, now=now)

    def decide(account: Account, funds: Funds) -> tuple[Plan[OrderStep], tuple[Take, ...]]:
        member = member_facts.known(account, program, profile, at=account.posted_at)
        earned = giver.evaluated(
            lambda refused: decisions.earned_of(order, occurred_at, book, member, funds.exhausted, refused=refused)
        )
        takes = funds.takes(earned.awards)
        given, issues = giver.issued(earned.vouchers, account.member_id)
        earnings = decisions.earnings_of(order, occurred_at, book, earned, takes, given=given)
        step = _step(order, earnings, kind=facts.ORDER, now=account.posted_at)
        decision = decisions.order_decision(account, earnings, None, book, fact)
        return Plan(decision, step, lambda entry: [*issues, *(use.write(entry) for use in uses)]), takes

    try:
        return budgets.post(member_id, program, name, decide, now=lambda: now)
    except Lost as lost:
        raise uses[0].refusal() from lost


def quote(purchase: QuoteIn, member_id: str | None, *, now: int) -> Quote:
    """What a purchase would earn if it were posted now; nothing is written. Raises Invalid and MemberNotFound."""
    occurred_at = now if purchase.occurred_at is msgspec.UNSET else clock.seconds(purchase.occurred_at)
    book = rulebook(occurred_at, now)
    decisions.check_time(book.now.program, occurred_at, now)
    program = book.then.program
    if member_id is None:
        member = Member(tier=program.tiers[0].code, at=now)
    else:
        account = peek(member_id, now=now)
        member = member_facts.rule_facts(member_id, account, program, at=account.posted_at)

    giver = Giver("quote", now=now)

    def earned_without(exhausted: frozenset[str]) -> Earned:
        return giver.evaluated(
            lambda refused: decisions.earned_of(purchase, occurred_at, book, member, exhausted, refused=refused)
        )

    funds = budgets.affordable(program, "quote", lambda exhausted: earned_without(exhausted).awards)
    earned = earned_without(funds.exhausted)
    return Quote(decisions.earnings_of(purchase, occurred_at, book, earned), earned, member.tier)


def addressee(purchase: PurchaseIn) -> str | None:
    """The member that a purchase names, by id or identity; None where it names nobody or nobody known."""
    return _member_of(purchase)


def _check_addressee(order: OrderIn) -> None:
    if (order.member_id is msgspec.UNSET) == (order.identity is msgspec.UNSET):
        raise Invalid("Name the member either by member_id or by identity.", field="member_id")


def _member_of(purchase: PurchaseIn) -> str | None:
    if purchase.member_id is not msgspec.UNSET:
        return purchase.member_id
    if purchase.identity is msgspec.UNSET:
        return None
    return members.find(members.identity_key(*named(purchase.identity)))


def named(identity: Identity) -> tuple[str, str, str]:
    """The one way in which an identity names somebody, as (kind, value, source)."""
    ways = []
    if identity.phone is not msgspec.UNSET:
        ways.append(("phone", identity.phone, ""))
    if identity.mail is not msgspec.UNSET:
        ways.append(("mail", identity.mail, ""))
    if identity.external is not msgspec.UNSET:
        ways.append(("external", identity.external.id, identity.external.source))
    if len(ways) != 1:
        raise Invalid("Give exactly one of phone, mail and external.", field="identity")
    return ways[0]


def _step(order: OrderIn, earnings: Earnings, *, kind: str, now: int) -> OrderStep:
    order_id = order_id_of(order.source, order.order_id)
    return OrderStep(
        order_id,
        step_name(0),
        record_id=order_id,
        kind=kind,
        request_hash=ids.request_hash(order),
        occurred_at=clock.text(clock.seconds(order.occurred_at)),
        posted_at=clock.text(now),
        body=msgspec.json.encode(order).decode(),
        figures=msgspec.json.encode(earnings).decode(),
    )


def pointer_key(identity_key: str) -> str:
    """Where orders wait for an identity: a keyed hash, so the table shows nobody's phone."""
    return f"unclaimed#{ids.keyed_hash('unclaimed', identity_key)}"


def _waiting(order: OrderIn) -> list[Write]:
    """The pointer by which whoever enrols finds the order, written only while nobody has the identity."""
    if order.identity is msgspec.UNSET:
        raise MemberNotFound("No member has this id.", field="member_id")
    order_id = order_id_of(order.source, order.order_id)
    identity_key = members.identity_key(*named(order.identity))
    occurred_at = clock.text(clock.seconds(order.occurred_at))
    pointer = UnclaimedPointer(pointer_key(identity_key), f"{occurred_at}#{order_id}", waiting=order_id)
    return [still_free(identity_key), Write(pointer)]
