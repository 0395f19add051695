"""What a purchase earns, and why."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from chalicelib.base.errors import Invalid
from chalicelib.program.document import Program
from chalicelib.program.rules import caps, stacking
from chalicelib.program.rules.caps import OPEN
from chalicelib.program.rules.compiled import ReadyCampaign, ReadyProgram, made_ready
from chalicelib.program.rules.conditions import Facts
from chalicelib.program.rules.inputs import Award, Earned, Explanation, Member, Purchase
from chalicelib.program.rules.lines import Basket, Spread, shared
from chalicelib.program.rules.tally import POINTS_MAX, UNLIMITED, Allowance, Tally

TIER_MULTIPLIER: Final = "tier_multiplier"
"""The name under which the tier's multiplier explains itself, beside the codes of the rules."""


_NONE: Final[Mapping[str, str]] = {}


class CurrencyNotAccepted(Invalid):
    """The programme has no rate for this currency."""

    code = "currency_not_accepted"


def check_currency(program: Program, currency: str) -> None:
    """Raises CurrencyNotAccepted where the programme has no rate for a currency."""
    if currency not in program.currencies:
        accepted = ", ".join(sorted(program.currencies))
        raise CurrencyNotAccepted(f"The programme takes {accepted}, not {currency}.", field="currency")


def evaluate(
    program: Program,
    purchase: Purchase,
    member: Member,
    exhausted: AbstractSet[str] = frozenset(),
    refused: Mapping[str, str] = _NONE,
) -> Earned:
    """What `purchase` earns a member; a tier that the programme does not know is the first one.

    Base rules are judged first, then the tier's multiplier, multipliers, bonuses, and the campaigns that are live, each
    in the order of the document; explanations stand in this order. `exhausted` are the campaigns whose budget covers
    no more, and `refused` says of batches from which no voucher can be issued, why (the code of a reason).

    Raises CurrencyNotAccepted.

    Points are floored once, for the whole purchase; so by amount alone two purchases may earn one point less than both
    at once, and never more.
    """
    check_currency(program, purchase.currency)
    ready = made_ready(program)
    basket = Basket(program.earning, ready.selectors, purchase)
    tally = Tally(
        purchase=purchase,
        basket=basket,
        base=Spread(),
        so_far=Spread(),
        facts=_facts(ready, purchase, member, basket, refused),
    )
    if purchase.channel in ready.excluded_channels or purchase.store in ready.excluded_stores:
        basket.exclude()
    _programme(tally, ready)
    for campaign in ready.campaigns:
        _campaign(tally, campaign, exhausted)
    eligible_minor = basket.earning_minor()
    return Earned(
        points=tally.points,
        qualifying_points=min(tally.qualifying_points(), POINTS_MAX),
        eligible_minor=eligible_minor,
        spend_minor=eligible_minor if purchase.currency == program.base_currency else 0,
        line_points=shared(tally.points, tally.so_far, basket, len(purchase.lines)),
        explanations=tuple(tally.explanations),
        limits=tuple(tally.limits),
        awards=tuple(tally.awards),
        vouchers=tuple(tally.vouchers),
    )


def _facts(
    ready: ReadyProgram, purchase: Purchase, member: Member, basket: Basket, refused: Mapping[str, str]
) -> Facts:
    return Facts(
        zone=ready.zone,
        tier=ready.tier(member.tier),
        member=member,
        channel=purchase.channel,
        store=purchase.store,
        occurred_at=purchase.occurred_at,
        purchase=purchase,
        basket=basket,
        refused=refused,
    )


def _programme(tally: Tally, ready: ReadyProgram) -> None:
    for unit in ready.rules.base:
        stacking.judge_base(tally, unit, UNLIMITED)
    _multiply_by_tier(tally, *ready.extras[tally.facts.tier.code])
    for unit in ready.rules.extras:
        stacking.judge_extra(tally, unit, UNLIMITED)


def _multiply_by_tier(tally: Tally, numerator: int, denominator: int) -> None:
    """The tier's multiplier may also take points away, or turn fractions into a whole point."""
    points = tally.add(tally.base.times(numerator, denominator)) if numerator else 0
    reason = "tier" if points else "no_difference"
    tally.explanations.append(Explanation(TIER_MULTIPLIER, bool(points), reason, points))


def _campaign(tally: Tally, campaign: ReadyCampaign, exhausted: AbstractSet[str]) -> None:
    if not campaign.rules.base and not campaign.rules.extras:
        return
    reason = campaign.refusal(tally.facts, exhausted)
    if reason:
        tally.silence(campaign.rules, reason)
        return
    code, limited = campaign.campaign.code, campaign.campaign.caps
    room = caps.room(code, limited, tally.facts) if limited else OPEN
    allowance = Allowance(room, tally.exact()) if limited else UNLIMITED
    before, vouchers = tally.points, len(tally.vouchers)
    for unit in campaign.rules.base:
        stacking.judge_base(tally, unit, allowance)
    for unit in campaign.rules.extras:
        stacking.judge_extra(tally, unit, allowance)
    points = tally.points - before
    has_voucher = len(tally.vouchers) > vouchers
    if points or has_voucher:
        tally.limits += caps.uses(code, limited, tally.facts, points)
    if (points > 0 or has_voucher) and campaign.campaign.budget is not None:
        tally.awards.append(Award(code, max(points, 0)))
