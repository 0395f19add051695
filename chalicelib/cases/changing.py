"""Changing a case: on condition that nobody has changed it since it was read, with the step that says what was done.

Of two who change a case at once one is faster; for the other it is decided anew on the case as it then is, which
refuses what no longer fits and lets pass what fits all the same, such as a note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.cases import tallies
from chalicelib.cases.outcomes import CaseNotFound
from chalicelib.cases.rules.case import Case
from chalicelib.cases.rules.steps import FACTS, Said
from chalicelib.cases.table import StepItem, Stored, head_write, lead_writes, read_head, read_step, step_part
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.posting import Account, Lost, Plan, Posted, Write, once, post, put_once
from chalicelib.program import service as programs
from chalicelib.program.rules import tiers


class Doing(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody does to a case: `step_id` names it for ever, `request_hash` tells a repetition from another."""

    case_id: str
    step_id: str
    request_hash: str
    kind: str
    actor: str
    now: int


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a case: the case afterwards, what is said of it, and what is written with it.

    `effect` is what a fact does to the member's points, by the account as it is then; `kind` is the step's where it
    depends on the case.
    """

    case: Case
    said: Said = Said()
    writes: Sequence[Write] = ()
    effect: Callable[[Account], Effect] | None = None
    kind: str = ""


class Changed(msgspec.Struct, frozen=True):
    """A case after a change, and whether it was made before."""

    case: Case
    replayed: bool


def read(case_id: str) -> Stored:
    """A case as it is now. Raises CaseNotFound."""
    stored = read_head(case_id) if case_id.startswith("cse_") else None
    if stored is None:
        raise CaseNotFound
    return stored


def followed(case: Case) -> Case:
    """The case that a case has become part of; itself where it was not merged."""
    while case.state == "merged":
        case = read(case.merged_into).case
    return case


def change(doing: Doing, rule: Callable[[Case], Turn]) -> Changed:
    """Make of a case what `rule` says, once. `rule` writes nothing: it is asked again whenever somebody was faster.

    Raises CaseNotFound, whatever `rule` refuses, KeyReused and Unavailable.
    """
    asked = StepItem(doing.case_id, step_part(doing.step_id), record_id=doing.step_id, request_hash=doing.request_hash)
    made: list[Case] = []
    posted = once(asked, lambda: read_step(doing.step_id), lambda: _change(doing, rule, made))
    return Changed(read(doing.case_id).case if posted.replayed else made[-1], posted.replayed)


def _change(doing: Doing, rule: Callable[[Case], Turn], made: list[Case]) -> Posted[StepItem]:
    for _attempt in attempts():
        stored = read(doing.case_id)
        turn = rule(stored.case)
        after = msgspec.structs.replace(turn.case, steps=stored.case.steps + 1)
        made.append(after)
        kept = (*lead_writes(stored.case, after), *tallies.counting(stored.case, after))
        writes = [head_write(after, stored.version + 1), *kept, *turn.writes]
        try:
            return _commit(doing, turn, after, writes)
        except Lost:
            continue
    raise Unavailable("The case is being changed by many at once. Send the same request again.", code="busy")


def _commit(doing: Doing, turn: Turn, after: Case, writes: Sequence[Write]) -> Posted[StepItem]:
    kind = turn.kind or doing.kind
    if not after.member_id or kind not in FACTS:
        return put_once(_step(doing, turn, after, kind), writes)

    def plan(account: Account) -> Plan[StepItem]:
        effect = turn.effect(account) if turn.effect else Effect()
        decision = decided(account, after, kind, doing.step_id, effect, actor=doing.actor, now=doing.now)
        return Plan(decision, _step(doing, turn, after, kind), lambda _entry: writes)

    return post(after.member_id, plan, now=lambda: doing.now)


def decided(account: Account, case: Case, kind: str, record: str, effect: Effect, *, actor: str, now: int) -> Decision:
    """A fact of a case as the ledger takes it. What somebody wrote stays out of it."""
    current = programs.in_force(now, now=now)
    return Decision(
        kind=kind,
        record=record,
        reason=case.kind,
        actor=actor,
        program=current.version,
        occurred_at=now,
        effect=effect,
        tier=tiers.standing(current.program, account.state, account.posted_at).code,
    )


def _step(doing: Doing, turn: Turn, after: Case, kind: str) -> StepItem:
    at = clock.text(doing.now)
    return StepItem(
        doing.case_id,
        step_part(doing.step_id),
        record_id=doing.step_id,
        member_id=after.member_id,
        request_hash=doing.request_hash,
        kind=kind,
        occurred_at=at,
        posted_at=at,
        number=after.steps,
        actor=doing.actor,
        state=after.state,
        body=msgspec.json.encode(turn.said).decode(),
    )
