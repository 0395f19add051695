"""Redemptions and the catalogue as the API shows them."""

from __future__ import annotations

from typing import Literal

from chalicelib.base import clock, facts
from chalicelib.ledger.posting import Posted
from chalicelib.ledger.schema import account_summary, entry_summary
from chalicelib.program import service as programs
from chalicelib.program.document import localise
from chalicelib.program.document.rewards import Price, Reward
from chalicelib.program.rules import rewarding
from chalicelib.rewards.catalogue import Shown
from chalicelib.rewards.history import USED, Redemption, Status
from chalicelib.rewards.schema import (
    AmountOut,
    OfferOut,
    PriceOut,
    RedemptionOut,
    RedemptionPosted,
    RewardOut,
    RewardTaken,
    StepOut,
)
from chalicelib.rewards.table import RedemptionStep


def posted(redemption: Redemption, result: Posted[RedemptionStep], locale: str) -> RedemptionPosted:
    """An answer as of the moment when its step was put, so that a replay shows the same."""
    return RedemptionPosted(
        redemption=shown(redemption, clock.parse(result.record.posted_at), locale),
        entry=entry_summary(result.record),
        account=account_summary(result.record),
    )


def shown(redemption: Redemption, at: int, locale: str) -> RedemptionOut:
    """A redemption at an instant."""
    issue = redemption.issue
    use, cancellation = redemption.find(USED), redemption.find(facts.REDEMPTION_CANCELLED)
    return RedemptionOut(
        id=redemption.redemption_id,
        status=redemption.status(at),
        member_id=redemption.member_id,
        points=issue.spent_points,
        amount_minor=issue.amount_minor,
        currency=issue.currency,
        issued_at=issue.posted_at,
        held_until=issue.held_until,
        returned_points=redemption.returned_points,
        order_id=use.order_id if use else None,
        cancelled_at=cancellation.posted_at if cancellation else None,
        reward=_taken(issue, redemption.status(at), locale) if issue.reward_id else None,
        history=tuple(_step(step) for step in redemption.steps),
    )


def reward(found: Shown, locale: str) -> RewardOut:
    """A reward of the catalogue."""
    entry = found.reward
    return RewardOut(
        id=entry.code,
        kind=entry.kind,
        title=localise(entry.title, locale),
        description=_description(entry, locale),
        picture_urls=entry.picture_urls,
        tags=entry.tags,
        fulfilment=entry.fulfilment,
        prices=tuple(part for price in found.prices for part in _price(price)),
        worth=tuple(
            AmountOut(amount_minor=amount_minor, currency=currency)
            for currency, amount_minor in sorted(entry.worth_minor.items())
        ),
        tiers=entry.audience.tiers,
        opens_at=_instant(found.opens_at or None),
        ends_at=_instant(found.ends_at),
        left=found.left,
        offer=OfferOut(
            available=not found.offer.reason,
            reason=found.offer.reason or None,  # type: ignore[arg-type]
            changes_at=_instant(found.offer.changes_at),
            missing_points=found.offer.missing_points,
            max_quantity=found.offer.max_quantity,
        ),
    )


def _price(price: Price) -> list[PriceOut]:
    if not price.cash_minor:
        return [PriceOut(points=price.points, cash_minor=0, currency=None)]
    return [
        PriceOut(points=price.points, cash_minor=amount_minor, currency=currency)
        for currency, amount_minor in sorted(price.cash_minor.items())
    ]


def _taken(issue: RedemptionStep, status: Status, locale: str) -> RewardTaken:
    terms = rewarding.find(programs.version(issue.program).program, issue.reward_id)
    return RewardTaken(
        id=issue.reward_id,
        title=localise(terms.title, locale),
        quantity=issue.quantity,
        fulfilment=terms.fulfilment,
        cash_minor=issue.cash_minor or 0,
        cash_currency=issue.cash_currency,
        voucher_code=_voucher_code(issue) if issue.voucher_batch_id and status == "issued" else None,
    )


def _voucher_code(issue: RedemptionStep) -> str:
    # Few redemptions are vouchers, and only they need that area.
    from chalicelib.rewards import vouching  # noqa: PLC0415

    return vouching.code_of(issue)


def _step(step: RedemptionStep) -> StepOut:
    return StepOut(
        kind=step.kind,
        at=step.posted_at,
        by=_kind_of(step.actor),
        order_id=step.order_id,
        store=step.store,
        tracking=step.tracking,
    )


def _kind_of(actor: str | None) -> Literal["member", "staff", "system"] | None:
    """Who it was, but not by name: that is the staff's own affair."""
    kind = (actor or "").partition(":")[0]
    if kind == "member":
        return "member"
    if kind == "staff":
        return "staff"
    return "system" if kind == "system" else None


def _description(entry: Reward, locale: str) -> str:
    texts = entry.description
    if texts is None:
        return ""
    if locale == "zh-Hans":
        return texts.zh_hans
    return texts.zh_hant if locale == "zh-Hant" else texts.en


def _instant(at: int | None) -> str | None:
    return None if at is None else clock.text(at)
