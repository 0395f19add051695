"""How events, benefits and challenges are shown. An answer to a posting is made from its record alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from chalicelib.base import clock
from chalicelib.engagement import events
from chalicelib.engagement.benefits import Benefits
from chalicelib.engagement.challenges import Challenges
from chalicelib.engagement.rules.benefits import Held
from chalicelib.engagement.rules.views import View
from chalicelib.engagement.schema import (
    BadgeOut,
    BenefitOut,
    BenefitsOut,
    BenefitUseOut,
    BenefitUsePosted,
    ChallengeOut,
    ChallengesOut,
    EventOut,
    EventPosted,
    GainOut,
    StepOut,
    StreakOut,
)
from chalicelib.engagement.table import EventStep, UseStep
from chalicelib.ledger.schema import account_summary, entry_summary
from chalicelib.ledger.state import NEVER
from chalicelib.orders.render import given_vouchers
from chalicelib.program.document import localise
from chalicelib.program.document.engagement import PunchCard, Streak


def event(steps: Sequence[EventStep]) -> EventOut:
    """An event as its steps tell it."""
    posted = steps[0]
    body, gain = events.body_of(posted), events.gain_of(posted)
    return EventOut(
        id=posted.key,
        status="cancelled" if len(steps) > 1 else "posted",
        source=body.source,
        event_id=body.event_id,
        type=body.type,
        member_id=posted.member_id or "",
        occurred_at=posted.occurred_at,
        posted_at=posted.posted_at,
        cancelled_at=steps[1].posted_at if len(steps) > 1 else None,
        points=gain.points,
        activity=gain.activity,
        points_expire_at=_instant(gain.expires_at) if gain.points else None,
        program_version=gain.program,
        explanations=tuple(
            GainOut(
                rule=item.rule,
                campaign=item.campaign,
                fired=item.fired,
                reason=item.reason,
                points=item.points,
                cut_points=item.cut_points,
                cut_by=item.cut_by,
                voucher_id=item.voucher_id,
            )
            for item in gain.explanations
        ),
        given_vouchers=given_vouchers(gain.vouchers),
    )


def posted_event(steps: Sequence[EventStep]) -> EventPosted:
    """The answer to an event, or to its cancellation, from the steps up to the one that was put."""
    last = steps[-1]
    return EventPosted(event=event(steps), entry=entry_summary(last), account=account_summary(last))


def benefits(found: Benefits, locale: str) -> BenefitsOut:
    """A member's benefits in one language."""
    return BenefitsOut(
        member_id=found.member_id,
        tier=found.tier,
        next_tier=found.next_tier,
        benefits=tuple(_benefit(held, locale) for held in found.held),
    )


def posted_use(steps: Sequence[UseStep]) -> BenefitUsePosted:
    """The answer to a use, or to its cancellation, from the steps up to the one that was put."""
    used, last = steps[0], steps[-1]
    shown = BenefitUseOut(
        id=used.key,
        status="cancelled" if len(steps) > 1 else "recorded",
        member_id=used.member_id or "",
        benefit=used.benefit,
        uses_left=used.uses_left,
        period_ends_at=_instant(used.period_until),
        occurred_at=used.occurred_at,
        posted_at=used.posted_at,
        cancelled_at=last.posted_at if len(steps) > 1 else None,
    )
    return BenefitUsePosted(use=shown, entry=entry_summary(last), account=account_summary(last))


def challenges(found: Challenges, locale: str) -> ChallengesOut:
    """A member's challenges in one language."""
    return ChallengesOut(
        member_id=found.member_id,
        challenges=tuple(_challenge(view, locale) for view in found.views),
        badges=tuple(
            BadgeOut(
                code=item.badge.code,
                title=localise(item.badge.title, locale),
                picture_url=item.badge.picture_url,
                challenge=item.challenge,
                earned_at=clock.text(item.at),
            )
            for item in found.badges
        ),
    )


def _benefit(held: Held, locale: str) -> BenefitOut:
    benefit = held.benefit
    return BenefitOut(
        code=benefit.code,
        kind=benefit.kind,
        title=localise(benefit.title, locale),
        detail=localise(benefit.detail, locale) if benefit.detail else None,
        status=held.status,
        tiers=benefit.tiers,
        uses=benefit.uses,
        uses_left=held.uses_left,
        period_ends_at=_instant(held.period_until),
        starts_at=_instant(held.window.starts_at),
        ends_at=_instant(held.window.ends_at),
    )


def _challenge(view: View, locale: str) -> ChallengeOut:
    challenge = view.challenge
    return ChallengeOut(
        code=challenge.code,
        kind=_kind(view),
        title=localise(challenge.title, locale),
        status=view.status,
        done=view.done,
        needed=view.needed,
        given=view.given,
        earned=view.earned,
        rounds=view.rounds,
        repeats=challenge.repeats,
        points=challenge.points,
        badge=localise(challenge.badge.title, locale) if challenge.badge else None,
        steps=tuple(
            StepOut(
                code=item.step.code,
                title=localise(item.step.title, locale),
                done=item.done,
                count=item.step.count,
                open=item.is_open,
            )
            for item in view.steps
        ),
        streak=_streak(view),
        starts_at=_instant(view.window.starts_at) or "",
        ends_at=_instant(view.window.ends_at),
    )


def _kind(view: View) -> Literal["punch_card", "streak", "quest"]:
    if isinstance(view.challenge, PunchCard):
        return "punch_card"
    return "streak" if isinstance(view.challenge, Streak) else "quest"


def _streak(view: View) -> StreakOut | None:
    if view.run is None or not isinstance(view.challenge, Streak):
        return None
    return StreakOut(
        period=view.challenge.period,
        current=view.run.current,
        length=view.challenge.length,
        longest=view.run.longest,
        keep_by=_instant(view.run.keep_by),
    )


def _instant(at: int | None) -> str | None:
    return None if at is None or at == NEVER else clock.text(at)
