"""Vouchers that rules give for a purchase or an event: issued with its posting, taken out of use when it goes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from chalicelib.ledger.posting import Write
from chalicelib.program.rules.inputs import Explanation, VoucherDue
from chalicelib.program.rules.takes import Given


class _Brought(Protocol):
    @property
    def vouchers(self) -> tuple[VoucherDue, ...]:
        """What is to be issued."""


B = TypeVar("B", bound=_Brought)


class Giver:
    """The vouchers of one operation, known by the id of its record. Batches are looked at once, and only if one fires.

    A batch that is not there, is a shared code or is over gives nothing: its rule says why, and the operation goes on.
    """

    def __init__(self, operation_id: str, *, now: int) -> None:
        self.operation_id = operation_id
        self._now = now
        self._asked: set[str] = set()
        self._refused: dict[str, str] = {}

    def evaluated(self, evaluate: Callable[[Mapping[str, str]], B]) -> B:
        """What `evaluate` gives, told of the batches from which no voucher can be issued, and why."""
        while True:
            found = evaluate(self._refused)
            unseen = {due.batch_id for due in found.vouchers} - self._asked
            if not unseen:
                return found
            self._look(unseen)

    def issued(self, vouchers: Sequence[VoucherDue], member_id: str) -> tuple[tuple[Given, ...], list[Write]]:
        """The vouchers of a member, for the operation's record, and the writes that issue them in its transaction."""
        if not vouchers:
            return (), []
        from chalicelib.vouchers import service  # noqa: PLC0415 -- loaded when a rule gives one

        given: list[Given] = []
        writes: list[Write] = []
        for due in vouchers:
            issue = service.issuing(due.batch_id, member_id, f"{self.operation_id}#{due.rule}", now=self._now)
            given.append(Given(due.rule, due.batch_id, issue.voucher_id))
            writes += issue.writes
        return tuple(given), writes

    def _look(self, batch_ids: set[str]) -> None:
        from chalicelib.vouchers import service  # noqa: PLC0415 -- loaded when a rule gives one

        self._asked |= batch_ids
        self._refused = self._refused | service.unissuable(batch_ids, now=self._now)


def named(explanations: Sequence[Explanation], given: Sequence[Given]) -> tuple[Explanation, ...]:
    """The explanations, those of rules that gave a voucher with its id."""
    ids = {item.rule: item.voucher_id for item in given}
    if not ids:
        return tuple(explanations)
    return tuple(
        msgspec.structs.replace(item, voucher_id=ids[item.rule]) if item.rule in ids else item for item in explanations
    )


def taken_back(given: Sequence[Given], record_id: str, *, now: int) -> list[Write]:
    """The writes that take vouchers out of use, for the transaction by which what they were given for goes back.

    They fail (Lost) if anybody lays hands on one meanwhile. One that was used, or lies in a checkout, stays as it is.
    """
    if not given:
        return []
    from chalicelib.vouchers import withdrawing  # noqa: PLC0415 -- loaded where there is one

    return [write for item in given for write in withdrawing.voiding(item.voucher_id, record_id, now=now)]
