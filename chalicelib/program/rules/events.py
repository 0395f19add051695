"""What an event brings, and why: check-ins, reviews, shares, whatever the shop system reports."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from chalicelib.ledger.state import Limit
from chalicelib.program.document import Program
from chalicelib.program.document.earning import PerEvent, Voucher
from chalicelib.program.rules import caps, conditions
from chalicelib.program.rules.caps import OPEN, Room
from chalicelib.program.rules.compiled import ReadyCampaign, ReadyRule, Unit, made_ready
from chalicelib.program.rules.conditions import Facts
from chalicelib.program.rules.inputs import Award, Event, Explanation, Gained, Member, VoucherDue

_OTHER: Final = {"best": "other_rule_better", "exclusive": "other_rule_first"}
_NONE: Final[Mapping[str, str]] = {}


class _Offer(msgspec.Struct, frozen=True):
    """What an event rule brings: `points` after caps, of `uncut`. `reason` says why it may not fire, "" if it may."""

    points: int = 0
    uncut: int = 0
    reason: str = ""
    by: str = ""


class _Tally(msgspec.Struct, kw_only=True):
    """How far the judging of an event has come."""

    event: Event
    facts: Facts
    points: int = 0
    activity: int = 0
    explanations: list[Explanation] = msgspec.field(default_factory=list)
    limits: list[Limit] = msgspec.field(default_factory=list)
    awards: list[Award] = msgspec.field(default_factory=list)
    vouchers: list[VoucherDue] = msgspec.field(default_factory=list)


def evaluate(
    program: Program,
    event: Event,
    member: Member,
    exhausted: AbstractSet[str] = frozenset(),
    refused: Mapping[str, str] = _NONE,
) -> Gained:
    """What `event` brings a member; a tier that the programme does not know is the first one.

    The programme's event rules are judged first, then those of the campaigns that are live, in the order of the
    document. `exhausted` are the campaigns whose budget covers no more, and `refused` says of batches from which no
    voucher can be issued, why. The tier's multiplier is for purchases alone.
    """
    ready = made_ready(program)
    facts = Facts(
        zone=ready.zone,
        tier=ready.tier(member.tier),
        member=member,
        channel=event.channel,
        store=event.store,
        occurred_at=event.occurred_at,
        event=event,
        refused=refused,
    )
    tally = _Tally(event=event, facts=facts)
    for unit in ready.rules.events:
        _judge(tally, unit, OPEN)
    for campaign in ready.campaigns:
        _campaign(tally, campaign, exhausted)
    return Gained(
        points=tally.points,
        activity=tally.activity,
        explanations=tuple(tally.explanations),
        limits=tuple(tally.limits),
        awards=tuple(tally.awards),
        vouchers=tuple(tally.vouchers),
    )


def _campaign(tally: _Tally, campaign: ReadyCampaign, exhausted: AbstractSet[str]) -> None:
    units = campaign.rules.events
    if not units:
        return
    reason = campaign.refusal(tally.facts, exhausted)
    if reason:
        tally.explanations.extend(rule.silent(reason) for unit in units for rule in unit.rules)
        return
    code, limited = campaign.campaign.code, campaign.campaign.caps
    room = caps.room(code, limited, tally.facts) if limited else OPEN
    before, told, vouchers = tally.points, len(tally.explanations), len(tally.vouchers)
    for unit in units:
        gained = tally.points - before
        _judge(tally, unit, room if room.points is None else Room(room.points - gained, room.by, room.reason))
    points = tally.points - before
    if any(explanation.fired for explanation in tally.explanations[told:]):
        tally.limits += caps.uses(code, limited, tally.facts, points)
    if (points or len(tally.vouchers) > vouchers) and campaign.campaign.budget is not None:
        tally.awards.append(Award(code, points))


def _judge(tally: _Tally, unit: Unit, room: Room) -> None:
    """Judge an event rule, or those of a group: all of them give, or the one that brings most, or the first."""
    offers = [_offer(tally, rule, room) for rule in unit.rules]
    chosen = _chosen(offers, unit)
    for place, (rule, offer) in enumerate(zip(unit.rules, offers, strict=True)):
        if offer.reason:
            tally.explanations.append(
                rule.silent(offer.reason)
                if not offer.by
                else Explanation(rule.code, False, offer.reason, 0, rule.campaign, offer.uncut, offer.by)  # noqa: FBT003
            )
        elif place == chosen:
            _give(tally, rule, offer)
        else:
            tally.explanations.append(rule.silent(_OTHER[unit.mode]))


def _chosen(offers: list[_Offer], unit: Unit) -> int | None:
    """The place of the first rule that fires, or of the one that brings most, the first of equals."""
    firing = [place for place, offer in enumerate(offers) if not offer.reason]
    if unit.mode == "best" and firing:
        return max(firing, key=lambda place: offers[place].points)
    return firing[0] if firing else None


def _offer(tally: _Tally, rule: ReadyRule, campaign: Room) -> _Offer:
    document = rule.rule
    if not isinstance(document, PerEvent | Voucher) or tally.event.type not in document.events:
        return _Offer(reason="other_event")
    reason = conditions.first_unmet(rule.checks, tally.facts)
    if not reason and rule.last_check is not None:
        reason = rule.last_check(tally.facts)
    if not reason:
        reason = conditions.voucher_refusal(tally.facts, rule.batch_id)
    if not reason and isinstance(document, PerEvent) and document.cooldown_minutes:
        reason = caps.cooling(rule.code, document.cooldown_minutes, tally.facts)
    if reason:
        return _Offer(reason=reason)
    points = document.points if isinstance(document, PerEvent) else 0
    return _capped(points, caps.room(rule.code, rule.caps, tally.facts), campaign)


def _capped(points: int, own: Room, campaign: Room) -> _Offer:
    """What caps leave of an event's points; one that brings none anyway is held back by the number of times alone."""
    for room, before in ((own, ""), (campaign, "campaign_")):
        if room.reason and (points or room.points is None):
            return _Offer(0, points, room.reason, before + room.by)
    left, by = points, ""
    for room, before in ((own, ""), (campaign, "campaign_")):
        if room.points is not None and room.points < left:
            left, by = max(room.points, 0), before + room.by
    if points and not left:
        return _Offer(0, points, "capped", by)
    return _Offer(left, points, "", by)


def _give(tally: _Tally, rule: ReadyRule, offer: _Offer) -> None:
    document, reason = rule.rule, "event"
    tally.points += offer.points
    tally.limits += caps.uses(rule.code, rule.caps, tally.facts, offer.points)
    if isinstance(document, PerEvent):
        tally.activity += document.activity
        if document.cooldown_minutes:
            tally.limits.append(caps.cooldown(rule.code, document.cooldown_minutes, tally.facts, offer.points))
    else:
        reason = "voucher"
        tally.vouchers.append(VoucherDue(rule.code, rule.batch_id))
    tally.explanations.append(
        Explanation(rule.code, True, reason, offer.points, rule.campaign, offer.uncut - offer.points, offer.by)  # noqa: FBT003
    )
