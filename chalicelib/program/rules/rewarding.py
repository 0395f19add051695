"""Who may take what of the catalogue, from when, how many pieces, and at which price."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from chalicelib.base import clock
from chalicelib.base.errors import Invalid, NotFound
from chalicelib.ledger import limits
from chalicelib.ledger.points import StateRefusal
from chalicelib.ledger.state import Limit
from chalicelib.program.document import Program
from chalicelib.program.document.rewards import PieceLimit, Price, Reward
from chalicelib.program.rules import windows
from chalicelib.program.rules.inputs import Member

HOUR_S = 3600
_FREE = (Price(points=0),)


class RewardNotFound(NotFound):
    """The catalogue has no such reward."""

    code = "reward_not_found"


class PriceNotOffered(StateRefusal):
    """The reward is not to be had, by this member, for this combination of points and money."""

    code = "price_not_offered"


class NotOffered(StateRefusal):
    """A member may not take a reward now. `changes_at` is when that may be otherwise, None where no date is known."""

    code: ClassVar[str] = "not_offered"

    def __init__(self, detail: str, changes_at: int | None = None) -> None:
        super().__init__(detail, field="reward_id")
        self.changes_at = changes_at


class NotYet(NotOffered):
    """It begins later, for this member."""

    code = "reward_not_yet"


class Ended(NotOffered):
    """It is over."""

    code = "reward_ended"


class WrongTier(NotOffered):
    """It is for members of other tiers."""

    code = "wrong_tier"


class NotForYou(NotOffered):
    """It is for other members."""

    code = "reward_not_for_you"


class LimitReached(NotOffered):
    """The member has taken as many as one may."""

    code = "limit_reached"


def find(program: Program, code: str) -> Reward:
    """The reward with this code. Raises RewardNotFound."""
    for reward in program.rewards:
        if reward.code == code:
            return reward
    raise RewardNotFound("The catalogue has no such reward.", field="reward_id")


def opens_at(program: Program, reward: Reward, tier: str | None = None) -> int:
    """When a reward may first be taken, 0 where it always could; a tier may have its early hours."""
    if reward.starts_at is None:
        return 0
    hours = max((reward.early_hours[code] for code in _codes(program, tier) if code in reward.early_hours), default=0)
    return windows.instant(reward.starts_at, program.zone) - hours * HOUR_S


def ends_at(program: Program, reward: Reward) -> int | None:
    """When a reward is over, None for never."""
    return None if reward.ends_at is None else windows.instant(reward.ends_at, program.zone)


def closed(program: Program, reward: Reward, at: int, tier: str | None = None) -> NotOffered | None:
    """Why nobody (of this tier) may take a reward at `at`, or None within its window."""
    opening, end = opens_at(program, reward, tier), ends_at(program, reward)
    if end is not None and at >= end:
        return Ended("The reward is over.")
    if at < opening:
        return NotYet(f"The reward begins at {clock.text(opening)}.", opening)
    return None


def refusal(program: Program, reward: Reward, member: Member, quantity: int) -> NotOffered | None:
    """Why a member may not take so many pieces at `member.at`, or None; points and stock are not looked at.

    `member.limits` must include what the account's holds reserve.
    """
    audience = reward.audience
    if audience.tiers and not set(audience.tiers) & set(_codes(program, member.tier)):
        return WrongTier(f"The reward is for {', '.join(audience.tiers)}.")
    if not _is_among(reward, member):
        return NotForYou("The reward is for other members.")
    shut = closed(program, reward, member.at, member.tier)
    if shut is not None:
        return shut
    for limit in reward.limits:
        end = windows.period_end(limit.per, member.at, program.zone)
        used = limits.used(member.limits, limit_id(reward.code, limit.per), end, member.at)
        taken = used.count if used else limit.pieces
        if taken + quantity > limit.pieces:
            return _reached(limit, taken, quantity, end)
    return None


def pieces_left(program: Program, reward: Reward, member: Member) -> int | None:
    """How many more pieces the limits let a member take at `member.at`, None for any number."""
    rest = []
    for limit in reward.limits:
        end = windows.period_end(limit.per, member.at, program.zone)
        used = limits.used(member.limits, limit_id(reward.code, limit.per), end, member.at)
        rest.append(max(limit.pieces - used.count, 0) if used else 0)
    return min(rest, default=None)


def uses(program: Program, reward: Reward, quantity: int, at: int) -> tuple[Limit, ...]:
    """What taking so many pieces uses up of the member's limits."""
    return tuple(
        Limit(limit_id(reward.code, limit.per), windows.period_end(limit.per, at, program.zone), quantity, 0)
        for limit in reward.limits
    )


def limit_id(code: str, per: str) -> str:
    """The name under which an account remembers how far a limit of a reward is used up."""
    return f"reward:{code}:{per}"


def prices(program: Program, reward: Reward, tier: str | None = None) -> tuple[Price, ...]:
    """What a piece costs, in every way that it may be paid."""
    if set(reward.free_for) & set(_codes(program, tier)):
        return _FREE
    return reward.prices


def points_for(offered: tuple[Price, ...], quantity: int, cash_minor: int | None, currency: str | None) -> int:
    """The points for so many pieces when `cash_minor` of `currency` is paid for all of them beside the points.

    `offered` are the prices for the member. Raises PriceNotOffered.
    """
    for price in offered:
        asked = price.cash_minor.get(currency or "")
        if (not price.cash_minor and not cash_minor) or (asked and asked * quantity == cash_minor):
            return price.points * quantity
    raise PriceNotOffered("The reward is not to be had at this price.", field="cash_minor")


class Worth(msgspec.Struct, frozen=True):
    """What a discount or gift card is worth; 0 of no currency for anything else."""

    amount_minor: int = 0
    currency: str = ""


def worth(reward: Reward, quantity: int, currency: str | None) -> Worth:
    """What so many pieces are worth at the till, in `currency` or else the only one that there is.

    Raises Invalid (`currency_not_offered`) where the reward is worth nothing in it, or could be meant in several.
    """
    if not reward.worth_minor:
        return Worth()
    if currency is None and len(reward.worth_minor) == 1:
        (currency,) = reward.worth_minor
    if currency is None or currency not in reward.worth_minor:
        known = ", ".join(sorted(reward.worth_minor))
        raise Invalid(f"Name one of the currencies {known}.", field="currency", code="currency_not_offered")
    return Worth(reward.worth_minor[currency] * quantity, currency)


def catalogue(program: Program) -> list[Reward]:
    """All rewards as they are shown: by their order, then by their place in the document."""
    return sorted(program.rewards, key=lambda reward: reward.order)


def _codes(program: Program, tier: str | None) -> tuple[str, ...]:
    """The codes by which a document may speak of a tier."""
    found = program.tier(tier) if tier is not None else None
    return () if found is None else (found.code, *found.replaces)


def _is_among(reward: Reward, member: Member) -> bool:
    audience = reward.audience
    return (
        (not audience.segments or not set(audience.segments).isdisjoint(member.segments))
        and (not audience.tags or not set(audience.tags).isdisjoint(member.tags))
        and (not audience.members or member.member_id in audience.members)
    )


def _reached(limit: PieceLimit, taken: int, quantity: int, end: int) -> LimitReached:
    # Whoever asks for more than the limit allows at all is not helped by waiting.
    changes_at = None if limit.per == "ever" or quantity > limit.pieces else end
    return LimitReached(f"{limit.pieces} may be taken ({limit.per}); {taken} are taken already.", changes_at)
