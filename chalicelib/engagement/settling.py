"""Paying the rounds of challenges that are done, and taking back the reward of those that no longer are."""

from __future__ import annotations

import msgspec

from chalicelib.base import facts, ids
from chalicelib.base.errors import KeyReused, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.engagement.rules.progress import Payment, next_payment, settled
from chalicelib.engagement.table import ProgressItem, RoundStep, Stored, progress_item, read_progress
from chalicelib.ledger import points
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.posting import Account, Act, Lost, Plan, Write, post
from chalicelib.orders import decisions
from chalicelib.orders.service import rulebook
from chalicelib.program import service as programs
from chalicelib.program.rules import expiry

ACTOR = "system:challenges"


class _Terms(msgspec.Struct, frozen=True):
    """When a payment counts as made, under which version of the programme, and when its points expire."""

    occurred_at: int
    program: int
    expires_at: int


def settle(member_id: str, stored: Stored, *, now: int) -> None:
    """Pay and take back until what is paid is what is done.

    `stored` is the progress as it was read or written last, and `member_id` the member under whose id it lies. Raises
    Unavailable.
    """
    tries = attempts()
    next(tries)
    while payment := next_payment(stored.progress.walks, stored.progress.paid):
        try:
            stored = _settle(member_id, stored, payment, now=now)
        except (Lost, KeyReused):
            # Another fact has come in between, or another process has settled: look again.
            if next(tries, None) is None:
                raise Unavailable("The member's challenges are being changed by many at once.", code="busy") from None
            stored = read_progress(member_id)


def _settle(member_id: str, stored: Stored, payment: Payment, *, now: int) -> Stored:
    """Make one payment; gives the progress after it. Raises Lost and KeyReused where it has changed."""
    turn = stored.progress.turns
    terms = _terms(stored, payment, now)
    after = msgspec.structs.replace(
        stored.progress, paid=settled(stored.progress.paid, payment, terms.expires_at), turns=turn + 1
    )
    move = Write(progress_item(member_id, stored.version + 1, after), Act.PUT, ProgressItem.version == stored.version)
    record_id = ids.derived("rnd", member_id, str(turn))

    def plan(account: Account) -> Plan[RoundStep]:
        record = RoundStep(
            member_id,
            f"round#{turn:06d}",
            request_hash=ids.request_hash([payment.challenge, payment.points, payment.is_done]),
            challenge=payment.challenge,
        )
        return Plan(_decision(account, payment, terms, record_id, now=now), record, lambda _entry: [move])

    post(member_id, plan, now=lambda: now)
    # If it had been made before, the next one finds out.
    return Stored(stored.version + 1, after)


def _terms(stored: Stored, payment: Payment, now: int) -> _Terms:
    if not payment.is_done:
        return _Terms(now, programs.in_force(now, now=now).version, payment.expires_at)
    walk = stored.progress.walks[payment.challenge]
    program = programs.version(walk.program).program
    return _Terms(walk.done_at, walk.program, expiry.expires_at(program, walk.done_at))


def _decision(account: Account, payment: Payment, terms: _Terms, record_id: str, *, now: int) -> Decision:
    effect, tier = decisions.retiered(account, _effect(account, payment, terms), rulebook(now, now))
    kind = facts.CHALLENGE_DONE if payment.is_done else facts.CHALLENGE_UNDONE
    return Decision(
        kind=kind,
        record=record_id,
        reason=payment.challenge,
        actor=ACTOR,
        program=terms.program,
        occurred_at=terms.occurred_at,
        effect=effect,
        tier=tier,
    )


def _effect(account: Account, payment: Payment, terms: _Terms) -> Effect:
    if payment.is_done:
        return points.earn(account.state, payment.points, expires_at=terms.expires_at)
    return points.claw(account.state, payment.points, expires_at=terms.expires_at)
