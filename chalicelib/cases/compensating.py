"""Making it good: points or a voucher, committed with the case, by its handler alone or with somebody else's word."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.base import facts, ids
from chalicelib.base.errors import Invalid, KeyReused
from chalicelib.cases.changing import Changed, Doing, Turn, change
from chalicelib.cases.moving import Who, policy_at
from chalicelib.cases.rules import amends, steps
from chalicelib.cases.rules.amends import AlreadyDecided
from chalicelib.cases.rules.case import Case, Compensation
from chalicelib.cases.rules.steps import Said
from chalicelib.cases.table import step_id_of
from chalicelib.ledger import points
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.posting import Account, Write
from chalicelib.members import service as members
from chalicelib.program import service as programs
from chalicelib.program.rules import expiry
from chalicelib.vouchers import service as vouchers


class Amends(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler would give, and why: points, or a voucher of a batch."""

    points: int = 0
    batch_id: str = ""
    reason: str


def ask(case_id: str, wanted: Amends, who: Who) -> tuple[Changed, str]:
    """Compensate a case's member, at once where the handler may, else as soon as another person agrees.

    Gives the case and the compensation's id. Raises CaseNotFound, what `amends.asked` refuses, Invalid, KeyReused and
    Unavailable.
    """
    if bool(wanted.points) == bool(wanted.batch_id):
        raise Invalid("Give either points or a voucher.", field="points", code="compensation_invalid")
    limits = policy_at(who.now).compensation
    step_id = step_id_of(case_id, "compensation", who.actor, who.key)
    compensation_id = f"cmp_{step_id.partition('.')[2]}"
    doing = Doing(
        case_id=case_id,
        step_id=step_id,
        request_hash=ids.request_hash(wanted),
        kind=steps.COMPENSATION_ASKED,
        actor=who.actor,
        now=who.now,
    )

    def rule(case: Case) -> Turn:
        asked = Compensation(
            compensation_id=compensation_id,
            case_id=case_id,
            status="waiting",
            points=wanted.points,
            batch_id=wanted.batch_id,
            asked_by=who.actor,
            asked_at=who.now,
        )
        after = amends.asked(case, asked, limits)
        found = amends.find(after, compensation_id)
        return _turn(after, found, wanted.reason, who.now)

    return change(doing, rule), compensation_id


def decide(case_id: str, compensation_id: str, *, approves: bool, text: str, who: Who) -> Changed:
    """Approve or refuse a compensation that waits, once: the first decision stands, and repeated answers the same.

    Raises CaseNotFound, what `amends.decided` refuses, and Unavailable.
    """
    limits = policy_at(who.now).compensation
    doing = Doing(
        case_id=case_id,
        step_id=step_id_of(case_id, "decision", compensation_id),
        request_hash=ids.request_hash([compensation_id, approves, who.actor]),
        kind=steps.COMPENSATION_REFUSED,
        actor=who.actor,
        now=who.now,
    )

    def rule(case: Case) -> Turn:
        after = amends.decided(case, compensation_id, approves=approves, by=who.actor, at=who.now, limits=limits)
        return _turn(after, amends.find(after, compensation_id), text, who.now)

    try:
        return change(doing, rule)
    except KeyReused:
        raise AlreadyDecided from None


def _turn(after: Case, found: Compensation, text: str, now: int) -> Turn:
    """What goes with a compensation: where it is given, the fact with its points, or the voucher."""
    said = Said(text=text, compensation_id=found.compensation_id, points=found.points, batch_id=found.batch_id)
    if found.status != "given":
        return Turn(case=after, said=said)

    def effect(account: Account) -> Effect:
        if not found.points:
            return Effect()
        program = programs.in_force(now, now=now).program
        return points.adjustment(account.state, found.points, expiry.expires_at(program, account.posted_at))

    writes = _issuing(found, after.member_id or "", now) if found.batch_id else ()
    return Turn(case=after, said=said, kind=facts.CASE_COMPENSATED, effect=effect, writes=writes)


def _issuing(found: Compensation, member_id: str, now: int) -> Sequence[Write]:
    """The writes that issue a voucher to the member. Raises Invalid where the batch can give none."""
    if vouchers.unissuable([found.batch_id], now=now):
        raise Invalid(
            "No voucher of this batch can be issued now.", field="voucher_batch_id", code="compensation_voucher_ended"
        )
    # A voucher lies with a member and follows no merge, so it goes to whoever there is now.
    owner = members.survivor_of(member_id)
    return vouchers.issuing(found.batch_id, owner, found.compensation_id, now=now).writes
