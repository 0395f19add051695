"""What invitations make of the ledger's facts, of the night's sample, and of what has come due.

A notice may come twice, late, or before an earlier one. So it only says where to look: an invitation is named after its
rule and its occasion and is made once; a purchase is read as it is now; and what goes out later is judged again then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

import msgspec

from chalicelib.base import clock, facts
from chalicelib.cases import table as cases
from chalicelib.cases.rules.case import CLOSED
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.posting import MemberNotFound, peek
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import EntryItem, to_entry
from chalicelib.members import service as members
from chalicelib.members.facts import known, profile_facts
from chalicelib.members.table import ProfileItem
from chalicelib.orders import history
from chalicelib.program import service as programs
from chalicelib.program.document import Program
from chalicelib.program.document.surveys import Invite
from chalicelib.program.rules import campaigns, conditions
from chalicelib.program.rules.conditions import Facts
from chalicelib.surveys import defining, sampling, sending
from chalicelib.surveys.defining import Survey, SurveyNotFound
from chalicelib.surveys.invitation_table import DUE_SHARDS, DueItem, due_item, due_key
from chalicelib.surveys.sampler import Drawn
from chalicelib.surveys.sending import ContactRefused, Wanted

logger = logging.getLogger(__name__)

LATE_S: Final = 3 * clock.DAY_S
"""An invitation that comes later than this is not sent any more: purchases that are brought in from the past set off
none, nor does a message that was stuck for days."""

AT_ONCE: Final = 25
"""How many due invitations of each shard one message sends."""

_CHURN: Final = "churn"
_OWN_OCCASIONS: Final = {
    facts.ORDER: ("order",),
    facts.CASE_RESOLVED: ("case_resolved",),
    facts.ALERT: ("churn_alert",),
    facts.CARE: ("anniversary", "tier_ending"),
}


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That a member is to be asked by a rule of the programme (`invite`, its code), on an occasion, at an instant."""

    member_id: str
    invite: str
    occasion: str
    due: int
    order_id: str = ""
    case_id: str = ""

    @property
    def invitation_id(self) -> str:
        """The invitation that this makes, always the same one."""
        return sending.invitation_id_of(self.member_id, self.invite, self.occasion)


class _Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """Something that sets off invitations: `on` what, its name, and when it was. A purchase has a `number` (1, 2 …)."""

    on: str
    name: str
    at: int
    number: int = 0
    order_id: str = ""
    case_id: str = ""


_ASKED: Final = msgspec.json.Decoder(Asked)


def react(notice: Notice, *, now: int) -> None:
    """Ask whoever is to be asked after a fact, now or later. Doing it again changes nothing. Raises Unavailable."""
    program = programs.in_force(now, now=now).program
    wanted: set[str] = {invite.on for invite in program.surveys.invites}
    if wanted.isdisjoint(_set_off_by(notice.kind)):
        return
    for occasion in _occasions(_entry(notice.member_id, notice.seq), wanted):
        for invite in program.surveys.invites:
            asked = _asked(invite, occasion, notice.member_id)
            if asked is not None:
                take(asked, now=now)


def drawn(found: Drawn, *, now: int) -> None:
    """Invite whom the night has drawn. Doing it again changes nothing. Raises Unavailable."""
    take(Asked(member_id=found.member_id, invite=found.invite, occasion=found.quarter, due=found.due), now=now)


def take(asked: Asked, *, now: int) -> None:
    """Invite a member, at once or when it is due. Doing it again changes nothing. Raises Unavailable."""
    if asked.due > now:
        due_item(asked.invitation_id, asked.due, msgspec.json.encode(asked).decode()).save()
        return
    why_not = _invite(asked, now)
    logger.info("%s: %s", asked.invitation_id, why_not or "sent")


def work_due(*, now: int) -> bool:
    """Send what has come due by now; whether there may be more."""
    is_more = False
    for shard in range(DUE_SHARDS):
        due = DueItem.query(due_key(shard), DueItem.part < clock.text(now + 1), limit=AT_ONCE, consistent_read=True)
        found = list(due)
        for item in found:
            _work(item, now)
        is_more = is_more or len(found) == AT_ONCE
    return is_more


def _work(item: DueItem, now: int) -> None:
    """Send what has come due. What cannot be sent now is tried again in an hour, and holds up nothing meanwhile."""
    asked = _ASKED.decode(item.body)
    try:
        take(asked, now=now)
    except Exception:
        logger.exception("%s could not be sent", asked.invitation_id)
        due_item(asked.invitation_id, now + 3_600, item.body).save()
    item.delete()


def _invite(asked: Asked, now: int) -> str:
    """Judge and send; gives why it was not sent, or an empty text."""
    program = programs.in_force(now, now=now).program
    invite = next((found for found in program.surveys.invites if found.code == asked.invite), None)
    survey = _open_survey(invite.survey, now) if invite else None
    owner = _owner(asked.member_id)
    if invite is None or survey is None or owner is None:
        return "its rule, its survey or its member is there no more"
    if now >= asked.due + LATE_S:
        return "too late"
    if not _stands(asked):
        return "what it is about was taken back"
    if not _is_meant(program, invite, owner, now):
        return "not in the audience"
    try:
        sending.send(_wanted(asked, invite, survey), owner, program, now=now)
    except ContactRefused as refused:
        return refused.reason_code
    return ""


def _owner(member_id: str) -> ProfileItem | None:
    try:
        return members.read(member_id)
    except MemberNotFound:
        return None


def _wanted(asked: Asked, invite: Invite, survey: Survey) -> Wanted:
    return Wanted(
        invitation_id=asked.invitation_id,
        survey_id=survey.survey_id,
        invite=invite.code,
        occasion=asked.occasion,
        due=asked.due,
        open_days=invite.open_days,
        order_id=asked.order_id,
        case_id=asked.case_id,
    )


def _set_off_by(kind: str) -> set[str]:
    """What a fact of this kind may set off; with every one of them the tier may have changed."""
    return {*_OWN_OCCASIONS.get(kind, ()), "tier_change"}


def _occasions(entry: Entry, wanted: set[str]) -> Iterator[_Occasion]:
    """What an entry may set off of all that is wanted."""
    if entry.kind == facts.ORDER:
        number = entry.state.purchases.count
        yield _Occasion(on="order", name=entry.record, at=entry.occurred_at, number=number, order_id=entry.record)
    elif entry.kind == facts.CASE_RESOLVED:
        case_id = cases.case_id_of(entry.record)
        yield _Occasion(on="case_resolved", name=entry.record, at=entry.posted_at, case_id=case_id)
    elif entry.kind == facts.ALERT and entry.reason == _CHURN:
        yield _Occasion(on="churn_alert", name=entry.record, at=entry.posted_at)
    elif entry.kind == facts.CARE:
        yield _Occasion(on=entry.reason, name=entry.record, at=entry.posted_at)
    if "tier_change" in wanted and entry.seq > 1 and _entry(entry.member_id, entry.seq - 1).tier != entry.tier:
        yield _Occasion(on="tier_change", name=f"tier#{entry.seq}", at=entry.posted_at)


def _asked(invite: Invite, occasion: _Occasion, member_id: str) -> Asked | None:
    """Whom a rule asks on an occasion, if anybody. A counted purchase is an occasion by its number, and so but once."""
    if invite.on != occasion.on or (invite.nth_orders and occasion.number not in invite.nth_orders):
        return None
    name = f"order#{occasion.number}" if invite.nth_orders else occasion.name
    if not sampling.is_drawn(invite.percent, member_id, invite.code, name):
        return None
    return Asked(
        member_id=member_id,
        invite=invite.code,
        occasion=name,
        due=occasion.at + invite.after_days * clock.DAY_S,
        order_id=occasion.order_id,
        case_id=occasion.case_id,
    )


def _entry(member_id: str, seq: int) -> Entry:
    for consistent in (False, True):
        try:
            return to_entry(EntryItem.get(member_id, seq, consistent_read=consistent))
        except EntryItem.DoesNotExist:
            continue
    raise LookupError(f"{member_id} has no entry {seq}")


def _open_survey(code: str, now: int) -> Survey | None:
    try:
        survey = defining.by_code(code, now=now)
    except SurveyNotFound:
        logger.warning("the programme invites to the survey %s, which there is not", code)
        return None
    return survey if survey.status == "open" else None


def _stands(asked: Asked) -> bool:
    """Whether what an invitation is about is still so: an order that was not taken back, a case that is resolved."""
    if asked.order_id:
        past = history.read(asked.order_id, consistent=True)
        total_minor = past.order.total_minor
        return not past.refunded.cancelled and not (total_minor and past.refunded.total_minor >= total_minor)
    if asked.case_id:
        stored = cases.read_head(asked.case_id)
        return stored is not None and stored.case.state in CLOSED
    return True


def _is_meant(program: Program, invite: Invite, owner: ProfileItem, now: int) -> bool:
    checks = campaigns.audience_checks(program, invite.audience)
    if not checks:
        return True
    member_id = str(owner.key)
    account = peek(member_id, now=now)
    asks_profile = bool(invite.audience.segments or invite.audience.tags)
    member = known(account, program, profile_facts(member_id, program, asked=asks_profile), at=now)
    told = Facts(
        zone=program.zone,
        tier=program.tier(member.tier) or program.tiers[0],
        member=member,
        channel="",
        store="",
        occurred_at=now,
    )
    return not conditions.first_unmet(checks, told)
