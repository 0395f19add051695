"""The nightly audit: every chain that changed since the last one, a share of the others, and the digest of the day."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from chalicelib.base import clock, metrics
from chalicelib.base.settings import settings
from chalicelib.ledger import nights
from chalicelib.ledger.auditing import Finding, Head, audit
from chalicelib.ledger.digest import GENESIS, Heads, digest
from chalicelib.ledger.nights import DigestItem, Progress
from chalicelib.ledger.table import AccountItem
from chalicelib.ledger.walk import Leg

logger = logging.getLogger(__name__)

MISMATCHES: Final = "AuditMismatches"
"""The metric that an alarm watches."""


class Auditor:
    """The visitor that audits. It sums up the heads of all chains twice: as of today's cut and as of the last digest's.

    The second sum must be the one that the last digest was made from: it is made anew from what is there today, so a
    change of older history shows even where somebody has recomputed every hash after it.
    """

    def __init__(self, leg: Leg, carried: Mapping[str, Any]) -> None:
        self._previous = nights.digest_before(leg.night)
        self._night, self._cut = leg.night, leg.cut
        self._mismatches: int = carried.get("mismatches", 0)
        self._chains: int = carried.get("chains", 0)
        self._entries: int = carried.get("entries", 0)
        self._heads = _heads(carried, "heads")
        self._before = _heads(carried, "before")

    def visit(self, account: AccountItem) -> None:
        """Audit one account if it is its turn. Raises Unavailable."""
        last_cut = self._previous.cut if self._previous else 0
        is_sampled = _is_sampled(account.member_id, self._night)
        updated_at = account.updated_at
        if account.head and updated_at and clock.parse(updated_at) < last_cut and not is_sampled:
            unchanged = Head(account.seq, account.head)
            self._add(account.member_id, unchanged, unchanged)
            return
        audited = audit(
            account.member_id,
            account,
            cuts=(self._cut, last_cut),
            records_since=0 if is_sampled else last_cut,
            now=clock.now(),
        )
        self._chains += 1
        self._entries += audited.entries
        self._mismatches += len(audited.findings)
        report(audited.findings)
        self._add(account.member_id, *audited.heads)

    def carry(self) -> dict[str, Any]:
        """Counts so far, and both sums of heads."""
        return {
            "mismatches": self._mismatches,
            "chains": self._chains,
            "entries": self._entries,
            "heads": _plain(self._heads),
            "before": _plain(self._before),
        }

    def _add(self, member_id: str, head: Head | None, before: Head | None) -> None:
        if head:
            self._heads = self._heads.plus_member(member_id, head.seq, head.hash)
        if before and self._previous:
            self._before = self._before.plus_member(member_id, before.seq, before.hash)


def report(findings: tuple[Finding, ...]) -> None:
    """Log what is wrong and count it in the metric."""
    for finding in findings:
        logger.error("mismatch at entry %s of %s: %s", finding.seq, finding.member_id, finding.fault)
    if findings:
        metrics.publish(MISMATCHES, len(findings), now=clock.now())


def finish(leg: Leg, progress: Progress) -> None:
    """After a leg: once the last segment is done, put the digest of the day. May be repeated."""
    if not progress.is_done:
        return
    # An account that could not be audited counts as wrong until somebody has looked at it. Zero says that all is well.
    metrics.publish(MISMATCHES, progress.failed, now=clock.now())
    parts = nights.progress_of(leg.night, leg.walk)
    if len(parts) == leg.segments and all(part.is_done for part in parts):
        _close(leg, parts)


def _close(leg: Leg, parts: list[Progress]) -> None:
    heads, before = Heads(), Heads()
    for part in parts:
        heads = heads.plus(_heads(part.carried["audit"], "heads"))
        before = before.plus(_heads(part.carried["audit"], "before"))
    previous = nights.digest_before(leg.night)
    faults = []
    if previous and before != previous.heads:
        faults.append(f"the ledger up to the digest of {previous.part} is not what it was then")
    made = DigestItem(
        part=leg.night,
        cut=leg.cut,
        members=heads.members,
        total=heads.total,
        previous=previous.digest if previous else GENESIS,
        digest=digest(previous.digest if previous else GENESIS, leg.night, leg.cut, heads),
        put_at=clock.text(clock.now()),
    )
    stored = nights.put_digest(made)
    if stored.digest != made.digest:
        faults.append(f"the digest of {leg.night} was put before and is another")
    report(tuple(Finding("", 0, fault) for fault in faults))
    logger.info("digest of %s over %s members: %s", leg.night, heads.members, stored.digest.hex())


def _is_sampled(member_id: str, night: str) -> bool:
    """Whether it is the turn of a member who has been away: each night's share is another one, until all were there."""
    cycle = settings().audit_cycle_nights
    place = int.from_bytes(hashlib.sha256(member_id.encode()).digest()[:8])
    return place % cycle == date.fromisoformat(night).toordinal() % cycle


def _heads(carried: Mapping[str, Any], name: str) -> Heads:
    found = carried.get(name)
    return Heads(found["members"], base64.b64decode(found["total"])) if found else Heads()


def _plain(heads: Heads) -> dict[str, Any]:
    return {"members": heads.members, "total": base64.b64encode(heads.total).decode()}
