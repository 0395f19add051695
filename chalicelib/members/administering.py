"""What an admin can have done: audit, repair or rebuild one member's ledger, and look at everybody's tier anew."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.base.console import Note, Request, Who
from chalicelib.ledger import projector
from chalicelib.ledger.auditing import audit
from chalicelib.ledger.posting import MemberNotFound
from chalicelib.ledger.schema import account_summary, entry_summary
from chalicelib.ledger.table import read_view
from chalicelib.members import retiering
from chalicelib.members.repairing import AuditReason, Repair, repair

MemberId = Annotated[str, Meta(pattern=r"^mem_[a-z0-9]{1,60}$")]
RepairId = Annotated[str, Meta(min_length=1, max_length=100)]

_HELP = {
    "audit_member": {"action": "audit_member", "member_id": "mem_…"},
    "repair": {
        "action": "repair",
        "member_id": "mem_…",
        "points": -150,
        "reason": "record_without_entry | entry_without_record | wrong_points | counted_twice | chain_broken",
        "repair_id": "a name for this repair, so that sending it again changes nothing",
        "by": "who repairs it",
        "note": "why (optional)",
    },
    "rebuild_member": {"action": "rebuild_member", "member_id": "mem_…"},
    "preview_retier": {"action": "preview_retier", "version": 3, "(without version)": "the one in force"},
    "retier": {"action": "retier", "by": "who has the tiers written down"},
    "retier_progress": {"action": "retier_progress", "run": "as preview_retier or retier answered it"},
}


class Help(Request, frozen=True, kw_only=True, tag="help"):
    """What can be asked for."""


class AuditMember(Request, frozen=True, kw_only=True, tag="audit_member"):
    """Check a member's whole chain, all its records and its view."""

    member_id: MemberId


class RepairMember(Request, frozen=True, kw_only=True, tag="repair"):
    """Post an entry that puts points right."""

    member_id: MemberId
    points: Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]
    reason: AuditReason
    repair_id: RepairId
    by: Who
    note: Note = ""


class RebuildMember(Request, frozen=True, kw_only=True, tag="rebuild_member"):
    """Make a member's view what the ledger says."""

    member_id: MemberId


class PreviewRetier(Request, frozen=True, kw_only=True, tag="preview_retier"):
    """Begin to count who would move to another tier, by the programme in force or by a version that is to start."""

    version: Annotated[int, Meta(ge=0)] | None = None


class Retier(Request, frozen=True, kw_only=True, tag="retier"):
    """Begin to write down every tier that is not what the member's last entry says."""

    by: Who


class RetierProgress(Request, frozen=True, kw_only=True, tag="retier_progress"):
    """How far a preview or a re-tiering is, and who moves."""

    run: Annotated[str, Meta(min_length=1, max_length=100)]


Requests = Help | AuditMember | RepairMember | RebuildMember | PreviewRetier | Retier | RetierProgress


def done(request: Requests, now: int) -> dict[str, Any]:
    """Do what is asked for and say what came of it.

    Raises MemberNotFound, VersionNotFound, RunNotFound and what a repair raises.
    """
    match request:
        case AuditMember():
            return _audited(request.member_id, now)
        case RepairMember():
            return _repaired(request, now)
        case RebuildMember():
            tail = projector.rebuild(request.member_id)
            if tail is None:
                raise MemberNotFound("No member has this id.", field="member_id")
            return {"member_id": request.member_id, "seq": tail.seq, "available": tail.state.available}
        case PreviewRetier() | Retier() | RetierProgress():
            found: dict[str, Any] = msgspec.to_builtins(_retiered(request, now))
            return found
        case Help():
            return {"actions": _HELP}


def _retiered(request: PreviewRetier | Retier | RetierProgress, now: int) -> retiering.Run | retiering.Progress:
    match request:
        case PreviewRetier():
            return retiering.start_preview(version=request.version, now=now)
        case Retier():
            return retiering.start(by=request.by, now=now)
        case RetierProgress():
            return retiering.progress(request.run)


def _audited(member_id: str, now: int) -> dict[str, Any]:
    found = audit(member_id, read_view(member_id), now=now, consistent=True)
    if found.head is None and not found.findings:
        raise MemberNotFound("No member has this id.", field="member_id")
    return {
        "member_id": member_id,
        "entries": found.entries,
        "head": found.head.hash.hex() if found.head else None,
        "mismatches": [{"seq": finding.seq, "fault": finding.fault} for finding in found.findings],
    }


def _repaired(request: RepairMember, now: int) -> dict[str, Any]:
    wanted = Repair(
        repair_id=request.repair_id,
        member_id=request.member_id,
        points=request.points,
        reason=request.reason,
        note=request.note,
    )
    posted = repair(wanted, by=request.by, now=now)
    return {
        "repeated": posted.replayed,
        "entry": msgspec.to_builtins(entry_summary(posted.record)),
        "account": msgspec.to_builtins(account_summary(posted.record)),
    }
