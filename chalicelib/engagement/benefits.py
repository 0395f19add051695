"""Benefits: what a member has, and the use of those that are counted, recorded once."""

from __future__ import annotations

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import NotFound
from chalicelib.engagement.rules import benefits as rules
from chalicelib.engagement.rules.benefits import Held
from chalicelib.engagement.schema import BenefitUseIn
from chalicelib.engagement.table import UseStep, read_uses
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.points import StateRefusal
from chalicelib.ledger.posting import Account, Plan, Posted, once, peek, post
from chalicelib.ledger.records import step_name
from chalicelib.orders import decisions
from chalicelib.orders.decisions import Fact, Rulebook
from chalicelib.orders.service import rulebook
from chalicelib.program import service as programs
from chalicelib.program.document.engagement import Benefit
from chalicelib.program.rules import windows
from chalicelib.program.service import Versioned


class BenefitNotFound(NotFound):
    """The programme has no such benefit."""

    code = "benefit_not_found"


class BenefitUseNotFound(NotFound):
    """No use of a benefit has this id."""

    code = "benefit_use_not_found"

    def __init__(self) -> None:
        super().__init__("No use of a benefit has this id.", field="use_id")


class BenefitNotHeld(StateRefusal):
    """The member's tier does not have the benefit."""

    code = "benefit_not_held"


class BenefitUsedUp(StateRefusal):
    """The member has used the benefit as often as it may be in the period."""

    code = "benefit_used_up"


class BenefitNotOpen(StateRefusal):
    """The benefit's window has not begun, or is over."""

    code = "benefit_not_open"


class BenefitNotCounted(StateRefusal):
    """The benefit may be used at will, so its use is not recorded."""

    code = "benefit_not_counted"


class Benefits(msgspec.Struct, frozen=True):
    """A member's benefits; `version` is the programme's that says so, and `next_tier` the one above, if any."""

    member_id: str
    tier: str
    next_tier: str | None
    held: list[Held]
    version: Versioned


def of_member(member_id: str, *, with_next: bool, now: int) -> Benefits:
    """What a member has now, read consistently; for an id that was merged, what the one who took over has.

    `with_next` adds what the next tier would bring. Raises MemberNotFound.
    """
    current = programs.in_force(now, now=now)
    account = peek(member_id, now=now, consistent=True)
    tier = decisions.tier_code(account.state, current.program, account.posted_at)
    codes = [other.code for other in current.program.tiers]
    following = codes[codes.index(tier) + 1 :]
    held = rules.held(current.program, tier, account.state.limits, account.posted_at, next_too=with_next)
    return Benefits(account.member_id, tier, following[0] if following else None, held, current)


def use(member_id: str, code: str, request: BenefitUseIn, *, key: str, actor: str, now: int) -> Posted[UseStep]:
    """Record that a member used a benefit, once for the Idempotency-Key `key` and the member.

    Raises BenefitNotFound, BenefitNotCounted, BenefitNotHeld, BenefitNotOpen, BenefitUsedUp, Invalid (times),
    MemberNotFound, KeyReused and Unavailable.
    """
    use_id = ids.derived("use", member_id, key)
    asked = UseStep(use_id, step_name(0), record_id=use_id, request_hash=ids.request_hash(request, code))
    return once(
        asked,
        lambda: next(iter(read_uses(use_id, consistent=True)), None),
        lambda: _use(asked, member_id, code, request, actor=actor, now=now),
    )


def cancel_use(used: UseStep, *, actor: str, now: int) -> Posted[UseStep]:
    """Give a use, by its first step, back to the period in which it was made, once; repeated, it answers the same.

    Raises Unavailable.
    """
    record_id = ids.derived("usc", used.key)
    current = programs.in_force(now, now=now)

    def plan(account: Account) -> Plan[UseStep]:
        step = UseStep(
            used.key,
            step_name(1),
            request_hash=record_id,
            benefit=used.benefit,
            uses_left=used.uses_left,
            period_until=used.period_until,
            actor=actor,
        )
        fact = Fact(facts.BENEFIT_USE_CANCELLED, record_id, actor, now, 0, "")
        effect = Effect(limits=rules.use(used.benefit, used.period_until, -1))
        tier = decisions.tier_code(account.state, current.program, account.posted_at)
        decision = fact.decision(effect, tier, current.version)
        return Plan(msgspec.structs.replace(decision, reason=used.benefit), step)

    return post(str(used.member_id), plan, now=lambda: now)


def read_use(use_id: str) -> list[UseStep]:
    """The steps of a use. Raises BenefitUseNotFound, which only a consistent read may say."""
    steps = read_uses(use_id, consistent=False) or read_uses(use_id, consistent=True)
    # Events lie in the same table; only a use may be read as one.
    if not steps or not use_id.startswith("use_"):
        raise BenefitUseNotFound
    return steps


def _use(asked: UseStep, member_id: str, code: str, request: BenefitUseIn, *, actor: str, now: int) -> Posted[UseStep]:
    occurred_at = now if request.occurred_at is msgspec.UNSET else clock.seconds(request.occurred_at)
    book = rulebook(occurred_at, now)
    benefit = _counted(book.then, code)
    decisions.check_time(book.now.program, occurred_at, now)

    def plan(account: Account) -> Plan[UseStep]:
        until = windows.period_end(benefit.per, occurred_at, book.then.program.zone)
        left = _left(benefit, account, book, occurred_at, until)
        step = UseStep(
            asked.key,
            asked.part,
            request_hash=asked.request_hash,
            benefit=code,
            uses_left=left - 1,
            period_until=until,
            actor=actor,
            note=request.note or None,
        )
        fact = Fact(facts.BENEFIT_USED, asked.key, actor, occurred_at, 0, "")
        tier = decisions.tier_code(account.state, book.now.program, account.posted_at)
        decision = fact.decision(Effect(limits=rules.use(code, until)), tier, book.then.version)
        return Plan(msgspec.structs.replace(decision, reason=code), step)

    return post(member_id, plan, now=lambda: now)


def _counted(then: Versioned, code: str) -> Benefit:
    benefit = next((benefit for benefit in then.program.benefits if benefit.code == code), None)
    if benefit is None:
        raise BenefitNotFound("The programme has no such benefit.", field="code")
    if benefit.uses is None:
        raise BenefitNotCounted("This benefit may be used at will; its use is not recorded.")
    return benefit


def _left(benefit: Benefit, account: Account, book: Rulebook, occurred_at: int, until: int) -> int:
    """How often the benefit may be used, this time included (> 0). Raises why it may not."""
    program = book.then.program
    tier = decisions.tier_code(account.state, program, account.posted_at)
    if tier not in rules.tiers_of(program, benefit):
        raise BenefitNotHeld(f"A member of the tier {tier} does not have this benefit.")
    window = rules.as_held(program, benefit, account.state.limits, occurred_at).window
    if not window.begun(occurred_at) or window.over(occurred_at):
        raise BenefitNotOpen("The benefit could not be used then: its time had not begun, or was over.")
    left = rules.uses_left(benefit, account.state.limits, until, account.posted_at)
    if not left:
        period = "" if benefit.per == "ever" else f" in this {benefit.per}"
        raise BenefitUsedUp(f"This benefit may be used {benefit.uses} times{period}, and was.")
    return left
