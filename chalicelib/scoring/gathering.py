"""From a member's ledger entries, and the records that they lead to, to what is folded into the member's state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import msgspec

from chalicelib.base import clock, facts
from chalicelib.ledger.effects import unpack_effect
from chalicelib.ledger.records import placed, step_name
from chalicelib.ledger.table import EntryItem, read_chain
from chalicelib.members.table import read_merge
from chalicelib.orders import history
from chalicelib.orders.schema import OrderIn
from chalicelib.orders.table import OrderStep
from chalicelib.program.document import Program
from chalicelib.referrals.table import PaymentStep
from chalicelib.scoring import folding
from chalicelib.scoring.folding import Answered, Bought, Brought, Did, Happening
from chalicelib.scoring.state import State
from chalicelib.surveys import defining
from chalicelib.surveys.document import Answers, Csat, Matrix, Nps
from chalicelib.surveys.table import ResponseItem

_GOING_BACK: Final = frozenset({facts.REFUND, facts.ORDER_CANCELLED})
_LOOKS_BACK: Final = _GOING_BACK | {facts.EVENT_CANCELLED, facts.MERGED_IN, facts.REDEMPTION_CANCELLED}
"""Kinds of entries that change what lies before them."""

_ACTIVITY: Final = {facts.REDEEMED: 1, facts.CHALLENGE_DONE: 1, facts.BENEFIT_USED: 1, facts.SURVEY_ANSWERED: 1}
_RANGES: Final = ("step", "part")
day_of = clock.day_of

_ORDERS = msgspec.json.Decoder(OrderIn)
_ANSWERS = msgspec.json.Decoder(Answers)


def brought_up_to(member_id: str, state: State | None, program: Program) -> State:
    """A member's state with all that the ledger has had since; folded from the beginning where it must be.

    Reads what is new (a page of entries at a time), and the records of new orders, answers and friends.
    """
    if state is not None and state.entries:
        new = list(EntryItem.query(member_id, EntryItem.seq > state.entries))
        if not new:
            return state
        if not any(entry.kind in _LOOKS_BACK for entry in new):
            happenings = _happenings(new, program)
            if folding.may_follow(state, happenings):
                return folding.folded(happenings, entries=int(new[-1].seq), onto=state)
    return from_the_beginning(member_id, program)


def from_the_beginning(member_id: str, program: Program) -> State:
    """A member's state from the whole chain, and from the chains of members who were merged into this one."""
    entries = list(read_chain(member_id, consistent=False))
    happenings = _happenings([*_merged(entries), *entries], program)
    return folding.folded(happenings, entries=int(entries[-1].seq) if entries else 0)


def _merged(entries: Sequence[EntryItem]) -> Iterator[EntryItem]:
    for entry in entries:
        if entry.kind == facts.MERGED_IN and (merge := read_merge(entry.record)) is not None:
            before = list(read_chain(merge.closed_id, consistent=False))
            yield from _merged(before)
            yield from before


def _happenings(entries: Sequence[EntryItem], program: Program) -> list[Happening]:
    """What entries (all of a member's, or those at the end) tell."""
    undone = {_key(entry) for entry in entries if entry.kind in {facts.EVENT_CANCELLED, facts.REDEMPTION_CANCELLED}}
    found: list[Happening] = list(_purchases(entries, program))
    for entry in entries:
        day = day_of(clock.parse(entry.occurred_at), program.zone)
        if entry.kind == facts.EVENT and _key(entry) not in undone:
            found.append(Did(day, sum(month.activity for month in unpack_effect(entry.effect).months)))
        elif entry.kind in _ACTIVITY and _key(entry) not in undone:
            found.append(Did(day, _ACTIVITY[entry.kind]))
    return [*found, *_answers(entries, program), *_friends(entries, program)]


def _purchases(entries: Sequence[EntryItem], program: Program) -> Iterator[Bought]:
    orders = [entry for entry in entries if entry.kind == facts.ORDER]
    back_minor: dict[str, int] = {}
    cancelled = {_key(entry) for entry in entries if entry.kind == facts.ORDER_CANCELLED}
    for entry in entries:
        if entry.kind in _GOING_BACK:
            back_minor[_key(entry)] = back_minor.get(_key(entry), 0) + (entry.amount_minor or 0)
    firsts = OrderStep.batch_get([(_key(entry), step_name(0)) for entry in orders])
    discounted = {str(step.order_id) for step in firsts if _is_discounted(_ORDERS.decode(step.body))}
    for entry in orders:
        order_id, paid_minor = _key(entry), entry.amount_minor or 0
        gone_minor = back_minor.get(order_id, 0) + _gone_before(entry)
        yield Bought(
            day=day_of(clock.parse(entry.occurred_at), program.zone),
            paid_minor=in_base(max(paid_minor - gone_minor, 0), entry.currency or "", program),
            discounted=order_id in discounted,
            is_gone=order_id in cancelled or bool(gone_minor and gone_minor >= paid_minor),
        )


def _gone_before(entry: EntryItem) -> int:
    """What had been refunded of an order before a late claim found its member."""
    if _place(entry)[1] == step_name(0):
        return 0
    told = history.read(_key(entry))
    claim = next(place for place, step in enumerate(told.steps) if step.member_id)
    return history.told(told.steps[: claim + 1]).refunded.total_minor


def _is_discounted(order: OrderIn) -> bool:
    return bool(order.discount_minor) or bool(order.vouchers)


def in_base(amount_minor: int, currency: str, program: Program) -> int:
    """An amount in the base currency, other currencies by what the programme gives for them; floored."""
    rate, base = program.currencies.get(currency), program.currencies.get(program.base_currency)
    if currency == program.base_currency or rate is None or base is None:
        return amount_minor
    worth = Fraction(rate.points, rate.per_minor) / Fraction(base.points, base.per_minor)
    return int(amount_minor * worth)


def _answers(entries: Sequence[EntryItem], program: Program) -> Iterator[Answered]:
    keys = [_place(entry) for entry in entries if entry.kind == facts.SURVEY_ANSWERED]
    for response in ResponseItem.batch_get(keys):
        nps, ratings = None, []
        definition = defining.version(response.survey_id, response.definition)
        answers = _ANSWERS.decode(response.body)
        for question in definition.questions:
            answer = answers.get(question.code)
            if answer is None:
                continue
            if isinstance(question, Nps):
                nps = answer.number
            elif isinstance(question, Csat) and answer.number is not None:
                ratings.append(answer.number)
            elif isinstance(question, Matrix):
                ratings.extend((answer.rows or {}).values())
        yield Answered(day_of(clock.parse(response.occurred_at), program.zone), nps, tuple(ratings))


def _friends(entries: Sequence[EntryItem], program: Program) -> Iterator[Brought]:
    paid = {_place(entry): entry for entry in entries if entry.kind in {facts.REFERRAL_PAID, facts.REFERRAL_TAKEN_BACK}}
    for step in PaymentStep.batch_get(list(paid)):
        entry = paid[step.key, step.part]
        if step.side == "referrer":
            day = day_of(clock.parse(entry.occurred_at), program.zone)
            yield Brought(day, 1 if entry.kind == facts.REFERRAL_PAID else -1)


def _place(entry: EntryItem) -> tuple[str, str]:
    """Hash and range key of an entry's record."""
    key = placed(entry.place or "").key
    range_name = next((name for name in _RANGES if name in key), "")
    return next(value for name, value in key.items() if name != range_name), key.get(range_name, "")


def _key(entry: EntryItem) -> str:
    """The hash key of an entry's record: all steps of an order, or of an event, have it in common."""
    return _place(entry)[0]
