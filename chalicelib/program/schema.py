"""What the app may show of the programme."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from chalicelib.base import clock
from chalicelib.program.document import CalendarYear, Inactivity, Program, RollingMonths, localise
from chalicelib.program.document.tiers import Tier
from chalicelib.program.rules import campaigns, windows


class CurrencyOut(msgspec.Struct, frozen=True, kw_only=True):
    """`points` for every `per_minor` minor units of the currency."""

    currency: str
    points: int
    per_minor: int


class EarningOut(msgspec.Struct, frozen=True, kw_only=True):
    """What earns: the rates, whether tax and shipping count, and the kinds of payment that earn nothing."""

    rates: tuple[CurrencyOut, ...]
    on_tax: bool
    on_shipping: bool
    payments_that_earn_nothing: tuple[str, ...]
    rules: tuple[str, ...]
    pending_days: int


class TierOut(msgspec.Struct, frozen=True, kw_only=True):
    """A tier and what reaches it; a threshold that it has not is null. `multiplier` is a decimal as text."""

    code: str
    name: str
    threshold_points: int | None
    threshold_spend_minor: int | None
    threshold_purchases: int | None
    threshold_activity: int | None
    multiplier: str
    benefits: tuple[str, ...]


class DiscountOut(msgspec.Struct, frozen=True, kw_only=True):
    """`points_per` points are worth `amount_minor` of the currency."""

    currency: str
    points_per: int
    amount_minor: int


class RedemptionOut(msgspec.Struct, frozen=True, kw_only=True):
    """Points as a discount: at least `minimum_points` at once, in steps of `step_points`."""

    discounts: tuple[DiscountOut, ...]
    minimum_points: int
    step_points: int


class ExpiryOut(msgspec.Struct, frozen=True, kw_only=True):
    """When points expire.

    With `rolling_months`, `months` whole months after the month in which they were earned; with `inactivity`, so many
    after the month of the last purchase or redemption; with `calendar_year`, at the end of the year `years` after that
    in which they were earned, a year ending with month `year_end_month`. What does not apply is null.
    """

    kind: Literal["rolling_months", "calendar_year", "inactivity", "never"]
    months: int | None = None
    years: int | None = None
    year_end_month: int | None = None


class CampaignOut(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that is live or will be; `tiers` says whose it is, empty for everybody's, and null is an open end."""

    code: str
    title: str
    state: Literal["scheduled", "live"]
    starts_at: str
    ends_at: str | None
    tiers: tuple[str, ...]


class ProgramOut(msgspec.Struct, frozen=True, kw_only=True):
    """The programme in force, in one language.

    A tier is reached by all of its thresholds, or by any (`tier_match`): with what was gathered in `tier_window_months`
    calendar months (`rolling`), or since the year began, with the month `tier_year_start_month` or with the one of the
    enrolment. It is kept for `tier_keep_months` more, or to the end of the next year, and `tier_grace_days` beyond that
    for who has not earned it again. Who falls, falls to the tier that fits, or by one only. Campaigns that are for
    chosen members only are not shown.
    """

    version: int
    starts_at: str | None
    name: str
    time_zone: str
    earning: EarningOut
    welcome_points: int
    tiers: tuple[TierOut, ...]
    tier_window_months: int
    tier_keep_months: int
    tier_grace_days: int
    tier_downgrade: Literal["to_fit", "one_down"]
    tier_match: Literal["all", "any"]
    tier_period: Literal["rolling", "calendar_year", "membership_year"]
    tier_year_start_month: int
    expiry: ExpiryOut
    redemption: RedemptionOut | None
    campaigns: tuple[CampaignOut, ...]


def public_view(program: Program, locale: str, *, version: int, starts_at: int, at: int) -> ProgramOut:
    """What the app may show at an instant, in one of the languages; `starts_at` means nothing for version 0."""
    return ProgramOut(
        version=version,
        starts_at=clock.text(starts_at) if version else None,
        name=localise(program.name, locale),
        time_zone=program.time_zone,
        earning=_earning(program, locale),
        welcome_points=program.welcome_points,
        tiers=tuple(
            TierOut(
                code=tier.code,
                name=localise(tier.name, locale),
                threshold_points=tier.threshold_points,
                threshold_spend_minor=tier.threshold_spend_minor,
                threshold_purchases=tier.threshold_purchases,
                threshold_activity=tier.threshold_activity,
                multiplier=tier.multiplier,
                benefits=_benefits(program, tier, locale),
            )
            for tier in program.tiers
        ),
        tier_window_months=program.tier_policy.window_months,
        tier_keep_months=program.tier_policy.keep_months,
        tier_grace_days=program.tier_policy.grace_days,
        tier_downgrade=program.tier_policy.downgrade,
        tier_match=program.tier_policy.match,
        tier_period=program.tier_policy.period,
        tier_year_start_month=program.tier_policy.year_start_month,
        expiry=_expiry(program),
        redemption=_redemption(program),
        campaigns=tuple(_campaigns(program, locale, at)),
    )


def _benefits(program: Program, tier: Tier, locale: str) -> tuple[str, ...]:
    """What a tier says of itself, and the benefits that name it."""
    named = [benefit.title for benefit in program.benefits if tier in map(program.tier, benefit.tiers)]
    return tuple(localise(text, locale) for text in (*tier.benefits, *named))


def _campaigns(program: Program, locale: str, at: int) -> Iterator[CampaignOut]:
    for campaign in program.campaigns:
        state, audience = campaigns.state_of(program, campaign, at), campaign.audience
        # Whom the merchant has picked out by hand or by behaviour is nobody else's business.
        if state not in {"scheduled", "live"} or audience.segments or audience.tags or audience.members:
            continue
        yield CampaignOut(
            code=campaign.code,
            title=localise(campaign.title, locale),
            state="live" if state == "live" else "scheduled",
            starts_at=clock.text(windows.instant(campaign.starts_at, program.zone)),
            ends_at=clock.text(windows.instant(campaign.ends_at, program.zone)) if campaign.ends_at else None,
            tiers=audience.tiers,
        )


def _earning(program: Program, locale: str) -> EarningOut:
    return EarningOut(
        rates=tuple(
            CurrencyOut(currency=currency, points=rate.points, per_minor=rate.per_minor)
            for currency, rate in sorted(program.currencies.items())
        ),
        on_tax=program.earning.on_tax,
        on_shipping=program.earning.on_shipping,
        payments_that_earn_nothing=program.earning.payments_that_earn_nothing,
        rules=tuple(localise(rule.title, locale) for rule in program.earning_rules),
        pending_days=program.pending_days,
    )


def _expiry(program: Program) -> ExpiryOut:
    match program.expiry:
        case RollingMonths(months=months):
            return ExpiryOut(kind="rolling_months", months=months)
        case Inactivity(months=months):
            return ExpiryOut(kind="inactivity", months=months)
        case CalendarYear(years=years, month=month):
            return ExpiryOut(kind="calendar_year", years=years, year_end_month=month)
        case _:
            return ExpiryOut(kind="never")


def _redemption(program: Program) -> RedemptionOut | None:
    redemption = program.redemption
    if redemption is None:
        return None
    return RedemptionOut(
        discounts=tuple(
            DiscountOut(currency=currency, points_per=redemption.points_per, amount_minor=amount_minor)
            for currency, amount_minor in sorted(redemption.amount_minor.items())
        ),
        minimum_points=redemption.minimum_points,
        step_points=redemption.step_points,
    )
