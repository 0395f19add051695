"""Campaigns: what they are at an instant, whom they are for, and what the rules need to know of a member."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from chalicelib.program.document import Program
from chalicelib.program.document.earning import Audience, Campaign
from chalicelib.program.rules import conditions, windows
from chalicelib.program.rules.conditions import Check, Facts

CampaignState: TypeAlias = Literal["draft", "scheduled", "live", "paused", "ended"]
LIVE: Final = "live"


def state_of(program: Program, campaign: Campaign, at: int) -> CampaignState:
    """What a campaign is at an instant: a draft whatever the time, and else over when its window is, though paused.

    The window takes in its first instant and not its last, on the programme's clocks.
    """
    zone = program.zone
    starts_at = windows.instant(campaign.starts_at, zone)
    ends_at = windows.instant(campaign.ends_at, zone) if campaign.ends_at is not None else None
    return state_within(campaign.status, starts_at, ends_at, at)


def state_within(
    status: Literal["draft", "active", "paused"], starts_at: int, ends_at: int | None, at: int
) -> CampaignState:
    """What a campaign with this status and window is at an instant."""
    if status == "draft":
        return "draft"
    if ends_at is not None and at >= ends_at:
        return "ended"
    if status == "paused":
        return "paused"
    return "scheduled" if at < starts_at else "live"


def audience_checks(program: Program, audience: Audience) -> tuple[Check, ...]:
    """What an audience asks of a member: each that is given must fit. Every check answers `not_in_audience`."""
    found: list[Check] = []
    if audience.tiers:
        codes = conditions.tier_codes(program, audience.tiers)
        found.append(lambda facts: "" if facts.tier.code in codes else "not_in_audience")
    if audience.segments:
        found.append(_shares(frozenset(audience.segments), "segments"))
    if audience.tags:
        found.append(_shares(frozenset(audience.tags), "tags"))
    if audience.members:
        members = frozenset(audience.members)
        found.append(lambda facts: "" if facts.member.member_id in members else "not_in_audience")
    return tuple(found)


def _shares(wanted: frozenset[str], field: str) -> Check:
    def shares(facts: Facts) -> str:
        return "not_in_audience" if wanted.isdisjoint(getattr(facts.member, field)) else ""

    return shares


def needs_profile(program: Program) -> bool:
    """Whether earning rules or campaigns look at what lies in a member's profile: birthday, segments, tags.

    Where they do not, callers need not read it.
    """
    rules = [*program.earning_rules, *(rule for campaign in program.campaigns for rule in campaign.rules)]
    return any(conditions.needs_profile(rule.when) for rule in rules) or any(
        campaign.audience.segments or campaign.audience.tags for campaign in program.campaigns
    )
