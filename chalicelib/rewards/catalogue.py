"""The catalogue as a member sees it: what may be taken now, and if not, why and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from chalicelib.counters.service import SoldOut
from chalicelib.counters.table import ShardItem, read_many
from chalicelib.ledger.points import InsufficientPoints
from chalicelib.ledger.posting import peek
from chalicelib.members import facts
from chalicelib.program import service as programs
from chalicelib.program.document import Program
from chalicelib.program.document.rewards import Price, Reward
from chalicelib.program.rules import rewarding, windows
from chalicelib.program.rules.inputs import Member
from chalicelib.program.service import Versioned
from chalicelib.program.stocking import stock_counter
from chalicelib.rewards.taking import SoldOutToday, daily_counter, member_facts

SHARDS_MAX: Final = 100
"""How many shards a page may look at: as many as one request to the table reads."""


class Viewer(msgspec.Struct, frozen=True):
    """The member for whom the catalogue is shown, and the points that may be spent."""

    member: Member
    available: int


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one piece may be taken now. `reason` is the code of the refusal, "" where there is none."""

    reason: str = ""
    changes_at: int | None = None
    missing_points: int = 0
    max_quantity: int | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A reward as it is shown: its prices for the member, its window, what is in stock, and the offer."""

    reward: Reward
    prices: tuple[Price, ...]
    opens_at: int
    ends_at: int | None
    left: int | None
    offer: Offer


class Page(msgspec.Struct, frozen=True):
    """A part of the catalogue, and the code after which the next one begins (None: there is none)."""

    shown: tuple[Shown, ...]
    after: str | None


class Filter(msgspec.Struct, frozen=True):
    """Which rewards to show; None for all of them."""

    kind: str | None = None
    tag: str | None = None

    def admits(self, reward: Reward) -> bool:
        """Whether a reward is among them."""
        return (self.kind is None or reward.kind == self.kind) and (self.tag is None or self.tag in reward.tags)


def page(member_id: str | None, wanted: Filter, *, after: str | None, limit: int, now: int) -> Page:
    """A page of the catalogue for a member, or for nobody in particular, behind the reward `after`.

    One read of the account's tail, and one of all shards of the rewards shown; both may be a moment behind, for what
    counts is decided when a reward is taken. Raises MemberNotFound.
    """
    current = programs.in_force(now, now=now)
    found = [reward for reward in rewarding.catalogue(current.program) if wanted.admits(reward)]
    if member_id is None:
        found = [reward for reward in found if not reward.members_only]
    codes = [reward.code for reward in found]
    start = codes.index(after) + 1 if after in codes else 0
    shown = _readable(found[start : start + limit])
    last = shown[-1].code if shown and start + len(shown) < len(found) else None
    viewer = _viewer(member_id, shown, current, now) if member_id else None
    return Page(_shown(shown, viewer, current, now), last)


def one(member_id: str | None, code: str, *, now: int) -> Shown:
    """One reward, as `page` shows it. Raises RewardNotFound and MemberNotFound."""
    current = programs.in_force(now, now=now)
    reward = rewarding.find(current.program, code)
    if member_id is None and reward.members_only:
        raise rewarding.RewardNotFound("The catalogue has no such reward.", field="reward_id")
    viewer = _viewer(member_id, [reward], current, now) if member_id else None
    return _shown([reward], viewer, current, now)[0]


def _readable(rewards: Sequence[Reward]) -> list[Reward]:
    """As many of the rewards as one request can read the shards of, and one at least."""
    found: list[Reward] = []
    shards = 0
    for reward in rewards:
        shards += sum(part.shards for part in (reward.stock, reward.daily) if part)
        if found and shards > SHARDS_MAX:
            break
        found.append(reward)
    return found


def _viewer(member_id: str, rewards: Sequence[Reward], current: Versioned, now: int) -> Viewer:
    account = peek(member_id, now=now)
    is_asked = any(reward.audience.segments or reward.audience.tags for reward in rewards)
    profile = facts.profile_facts(account.member_id, current.program, asked=is_asked)
    return Viewer(member_facts(account, current, profile), max(account.state.available, 0))


def _shown(rewards: Sequence[Reward], viewer: Viewer | None, current: Versioned, now: int) -> tuple[Shown, ...]:
    day_end = windows.period_end("day", now, current.program.zone)
    keys = [
        (counter.name, shard)
        for reward in rewards
        for counter in (stock_counter(reward), daily_counter(reward, reward.daily, day_end) if reward.daily else None)
        if counter
        for shard in range(counter.shards)
    ]
    shards = read_many(keys) if keys else {}
    return tuple(_show(reward, viewer, current.program, shards, now) for reward in rewards)


Shards = Mapping[str, Sequence[ShardItem]]


def _show(reward: Reward, viewer: Viewer | None, program: Program, shards: Shards, now: int) -> Shown:
    tier = viewer.member.tier if viewer else None
    counter = stock_counter(reward)
    stock = [item.left_at(now) for item in shards.get(counter.name, ())] if counter else None
    offer = _offer(reward, viewer, program, shards, now)
    return Shown(
        reward=reward,
        prices=rewarding.prices(program, reward, tier),
        opens_at=rewarding.opens_at(program, reward, tier),
        ends_at=rewarding.ends_at(program, reward),
        left=None if stock is None else sum(stock),
        offer=offer,
    )


def _offer(reward: Reward, viewer: Viewer | None, program: Program, shards: Shards, now: int) -> Offer:
    """What comes first hides what comes after: whom it is for and when, limits, stock, and points at last."""
    refused = rewarding.refusal(program, reward, viewer.member, 1) if viewer else rewarding.closed(program, reward, now)
    if refused:
        return Offer(reason=refused.reason_code, changes_at=refused.changes_at, max_quantity=0)
    at_once = _stocked(reward, shards, now)
    if at_once == 0:
        return Offer(reason=SoldOut.code, max_quantity=0)
    day_end = windows.period_end("day", now, program.zone)
    today = _today(reward, day_end, shards, now)
    if today == 0:
        return Offer(reason=SoldOutToday.code, changes_at=day_end, max_quantity=0)
    if viewer is None:
        return Offer(reason="not_a_member", max_quantity=0)
    return _afforded(reward, viewer, program, [at_once, today])


def _afforded(reward: Reward, viewer: Viewer, program: Program, bounds: Sequence[int | None]) -> Offer:
    cheapest = min(price.points for price in rewarding.prices(program, reward, viewer.member.tier))
    if cheapest > viewer.available:
        return Offer(reason=InsufficientPoints.code, missing_points=cheapest - viewer.available, max_quantity=0)
    limits = rewarding.pieces_left(program, reward, viewer.member)
    points = viewer.available // cheapest if cheapest else None
    known = [bound for bound in (*bounds, limits, points) if bound is not None]
    return Offer(max_quantity=min(known, default=None))


def _stocked(reward: Reward, shards: Shards, now: int) -> int | None:
    """How many pieces can be taken at once: what lies in the fullest shard, for nothing is taken from two."""
    counter = stock_counter(reward)
    if counter is None:
        return None
    return max((item.left_at(now) for item in shards.get(counter.name, ())), default=0)


def _today(reward: Reward, day_end: int, shards: Shards, now: int) -> int | None:
    if reward.daily is None:
        return None
    found = shards.get(daily_counter(reward, reward.daily, day_end).name)
    if not found:
        # Nobody has taken any today, so the day's counter is yet to be made.
        return -(-reward.daily.total // reward.daily.shards)
    return max(item.left_at(now) for item in found)
