"""Paying both sides of a referral that is due, and taking back what was paid for one that no longer stands."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.base import facts, ids
from chalicelib.base.errors import KeyReused, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger import points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.posting import Account, Lost, Plan, Write, post
from chalicelib.ledger.state import Limit
from chalicelib.members import service as members
from chalicelib.orders import decisions
from chalicelib.orders.service import rulebook
from chalicelib.program import service as programs
from chalicelib.program.document import Program
from chalicelib.program.rules import expiry
from chalicelib.referrals import terms, vouching
from chalicelib.referrals.changing import read
from chalicelib.referrals.rules import (
    Due,
    Paid,
    Payment,
    Referral,
    Side,
    friend_due,
    next_payment,
    referrer_due,
    settled,
)
from chalicelib.referrals.table import PaymentStep, Stored, state_write

ACTOR = "system:referrals"


def settle(stored: Stored, *, now: int) -> Stored:
    """Pay and take back until what is paid is what should be. Doing it again changes nothing. Raises Unavailable.

    `stored` is the referral as it was read or written last; gives it as it is then.
    """
    tries = attempts()
    next(tries)
    policy = terms.policy_of(stored.referral)
    while payment := next_payment(stored.referral, policy, now):
        try:
            stored = _settle(stored, payment, now)
        except (Lost, KeyReused):
            # Another process has changed it, or has settled it itself: look again.
            if next(tries, None) is None:
                raise Unavailable("The referral is being changed by many at once.", code="busy") from None
            stored = read(stored.referral.referral_id)
    return stored


def _settle(stored: Stored, payment: Payment, now: int) -> Stored:
    """Make one payment; gives the referral after it. Raises Lost and KeyReused where it has changed."""
    referral = stored.referral
    turn = _Turn(referral, payment.side, ids.derived("rpy", referral.referral_id, str(referral.turns)), now)
    # A voucher lies with a member and follows no merge, so it goes to whoever there is now.
    owner = members.survivor_of(turn.member_id)
    after = referral

    def plan(account: Account) -> Plan[PaymentStep]:
        nonlocal after
        record = PaymentStep(
            referral.referral_id,
            f"pay#{referral.turns:06d}",
            request_hash=ids.request_hash([payment.side, payment.is_done, stored.version]),
            side=payment.side,
        )
        decision, paid, writes = _paying(account, turn, owner) if payment.is_done else _taking_back(account, turn)
        after = settled(referral, payment.side, paid)
        move = state_write(after, stored.version + 1)
        return Plan(decision, record, lambda _entry: [move, *writes])

    posted = post(owner, plan, now=lambda: now)
    # If it was made before, the state has moved on as well: look at that.
    return read(referral.referral_id) if posted.replayed else Stored(stored.version + 1, after)


class _Turn(msgspec.Struct, frozen=True):
    """One payment of a referral, or the taking back of one; `key` is the id of its record."""

    referral: Referral
    side: Side
    key: str
    now: int

    @property
    def member_id(self) -> str:
        """Whom it is for."""
        return self.referral.friend_id if self.side == "friend" else self.referral.referrer_id

    @property
    def program(self) -> Program:
        """The programme that it goes by."""
        return programs.version(self.referral.program).program


def _paying(account: Account, turn: _Turn, owner: str) -> tuple[Decision, Paid, Sequence[Write]]:
    due = _due(account, turn)
    batch_id = due.reward.voucher_batch
    paid = Paid(
        points=due.reward.points,
        expires_at=expiry.expires_at(turn.program, turn.now),
        key=turn.key,
        voucher_batch=batch_id,
        limits=due.limits,
        is_capped=due.is_capped,
    )
    writes = vouching.issuing(batch_id, owner, turn.key, now=turn.now) if batch_id else ()
    effect = points.earn(account.state, paid.points, expires_at=paid.expires_at)
    return _decision(account, turn, facts.REFERRAL_PAID, effect, paid.limits), paid, writes


def _taking_back(account: Account, turn: _Turn) -> tuple[Decision, None, Sequence[Write]]:
    paid = turn.referral.paid(turn.side)
    assert paid is not None
    writes = vouching.voiding(paid.voucher_batch, paid.key, now=turn.now) if paid.voucher_batch else ()
    effect = points.claw(account.state, paid.points, expires_at=paid.expires_at)
    less = tuple(Limit(limit.limit_id, limit.until, -limit.count, -limit.points) for limit in paid.limits)
    return _decision(account, turn, facts.REFERRAL_TAKEN_BACK, effect, less), None, writes


def _due(account: Account, turn: _Turn) -> Due:
    policy = terms.policy_of(turn.referral)
    if turn.side == "friend":
        return friend_due(policy)
    return referrer_due(turn.program, policy, account.state.limits, account.posted_at)


def _decision(account: Account, turn: _Turn, kind: str, effect: Effect, limits: tuple[Limit, ...]) -> Decision:
    moved = msgspec.structs.replace(effect, limits=limits)
    moved, tier = decisions.retiered(account, moved, rulebook(turn.now, turn.now))
    return Decision(
        kind=kind,
        record=turn.key,
        reason=turn.side,
        actor=ACTOR,
        program=turn.referral.program,
        occurred_at=turn.now,
        effect=moved,
        tier=tier,
    )
