"""Orders that came before their member: claimed once the member enrols with the identity they name."""

from __future__ import annotations

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.posting import Account, Lost, Plan
from chalicelib.members import facts as member_facts
from chalicelib.members import service as members
from chalicelib.orders import decisions, history, rules
from chalicelib.orders.decisions import Fact
from chalicelib.orders.giving import Giver
from chalicelib.orders.history import History
from chalicelib.orders.service import pointer_key, rulebook
from chalicelib.orders.table import OrderStep, read_pointers
from chalicelib.program import budgets
from chalicelib.program import service as programs
from chalicelib.program.budgets import Funds
from chalicelib.program.rules.takes import Take

_PAGE = 100


def claim_all(member_id: str, *, now: int) -> int:
    """Post the orders that wait for any of a member's identities, as far back as the programme takes late orders.

    Answers how many were claimed; what was claimed before is passed over, so this may be repeated.
    """
    late_days = programs.in_force(now, now=now).program.late_days
    since = clock.text(now - late_days * clock.DAY_S)
    claimed = 0
    for identity_key in members.identities_of(member_id):
        key = pointer_key(identity_key)
        is_last = False
        while not is_last:
            pointers = read_pointers(key, since=since, limit=_PAGE)
            is_last = len(pointers) < _PAGE
            for pointer in pointers:
                claimed += claim(pointer.waiting, member_id, now=now)
                pointer.delete()
    return claimed


def claim(order_id: str, member_id: str, *, now: int) -> bool:
    """Post one unclaimed order to a member; False if it is somebody's already, or was cancelled or refunded whole."""
    for _attempt in attempts():
        past = history.read(order_id, consistent=True)
        if past.member_id is not None or past.refunded.cancelled:
            return False
        try:
            _post(past, member_id, now=now)
        except Lost:
            continue
        return True
    raise Unavailable("The order is being changed by many at once.", code="busy")


def _post(past: History, member_id: str, *, now: int) -> None:
    occurred_at = clock.seconds(past.order.occurred_at)
    book = rulebook(occurred_at, now)
    record_id = ids.derived("clm", past.order_id)
    fact = Fact(facts.ORDER, record_id, "system:claims", occurred_at, past.order.total_minor, past.order.currency)
    program = book.then.program
    profile = member_facts.profile_facts(member_id, program)
    giver = Giver(past.order_id, now=now)

    def decide(account: Account, funds: Funds) -> tuple[Plan[OrderStep], tuple[Take, ...]]:
        member = member_facts.known(account, program, profile, at=account.posted_at)
        earned = giver.evaluated(
            lambda refused: decisions.earned_of(past.order, occurred_at, book, member, funds.exhausted, refused=refused)
        )
        takes = funds.takes(earned.awards)
        # Of an order that went back before its member was known there is no voucher.
        is_gone = rules.is_over(decisions.earnings_of(past.order, occurred_at, book, earned, takes), past.refunded)
        given, issues = giver.issued(() if is_gone else earned.vouchers, account.member_id)
        earnings = decisions.earnings_of(past.order, occurred_at, book, earned, takes, given=given)
        step = OrderStep(
            past.order_id,
            past.next_step,
            request_hash=record_id,
            body="{}",
            figures=msgspec.json.encode(earnings).decode(),
        )
        decision = decisions.order_decision(account, earnings, past.refunded, book, fact)
        plan = Plan(decision, step, lambda _entry: issues)
        return plan, rules.still_taken(earnings, past.refunded)

    budgets.post(member_id, program, record_id, decide, now=lambda: now)
