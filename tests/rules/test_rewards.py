"""Whether a catalogue can be published, who may take what of it, and what holds do to limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base.errors import Invalid
from chalicelib.ledger import holds, merging
from chalicelib.ledger.effects import apply, fold
from chalicelib.ledger.state import NEVER, Hold, Limit, Lot, State, unpack
from chalicelib.program.document.rewards import Reward
from chalicelib.program.rules import rewarding
from chalicelib.program.rules.inputs import Member
from chalicelib.program.rules.rewarding import PriceNotOffered
from chalicelib.program.validation import InvalidProgram
from tests.programs import program, texts

ZONE = ZoneInfo("Asia/Shanghai")
NOON = int(datetime(2026, 11, 21, 12, tzinfo=ZONE).timestamp())
DAY_S = 86_400
PRICES = [{"points": 500}, {"points": 200, "cash_minor": {"CNY": 30_00}}]
LIMIT: dict[str, Any] = {"limits": [{"per": "day", "pieces": 3}]}


def plain(**fields: Any) -> dict[str, Any]:
    return {"code": "mug", "kind": "goods", "title": texts("mug"), "prices": [{"points": 100}]} | fields


def published(**fields: Any) -> tuple[Any, Reward]:
    found = program(rewards=[plain(**fields)])
    return found, found.rewards[0]


def why(at: int = NOON, tier: str = "member", quantity: int = 1, used: tuple[Limit, ...] = (), **fields: Any) -> str:
    found, reward = published(**fields)
    member = Member(member_id="mem_a", tier=tier, limits=used, at=at)
    refused = rewarding.refusal(found, reward, member, quantity)
    return refused.reason_code if refused else ""


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"prices": []}, "rewards[0].prices"),
        ({"prices": [{"points": 1}, {"points": 2}]}, "rewards[0].prices[1]"),
        (
            {"prices": [{"points": 1, "cash_minor": {"CNY": 5}}, {"points": 2, "cash_minor": {"CNY": 5}}]},
            "rewards[0].prices[1]",
        ),
        ({"prices": [{"points": 1, "cash_minor": {"USD": 5}}]}, "rewards[0].prices[0].cash_minor"),
        ({"prices": [{"points": -1}]}, "rewards[0].prices[0].points"),
        ({"free_for": ["platinum"]}, "rewards[0].free_for"),
        ({"audience": {"tiers": ["platinum"]}}, "rewards[0].audience.tiers"),
        ({"early_hours": {"gold": 1}}, "rewards[0].early_hours"),
        ({"early_hours": {"platinum": 1}, "starts_at": "2026-11-11T00:00"}, "rewards[0].early_hours"),
        ({"kind": "gift_card"}, "rewards[0].worth_minor"),
        ({"worth_minor": {"CNY": 1}}, "rewards[0].worth_minor"),
        ({"kind": "discount", "worth_minor": {"USD": 1}}, "rewards[0].worth_minor"),
        ({"starts_at": "2026-02-30T00:00"}, "rewards[0].starts_at"),
        ({"starts_at": "2026-11-12T00:00", "ends_at": "2026-11-12T00:00"}, "rewards[0].ends_at"),
        ({"limits": [{"per": "day", "pieces": 1}, {"per": "day", "pieces": 2}]}, "rewards[0].limits[1].per"),
        ({"limits": [{"per": "order", "pieces": 1}]}, "rewards[0].limits[0].per"),
        ({"picture_urls": ["http://shop.example/a.jpg"]}, "rewards[0].picture_urls[0]"),
        ({"stock": {"total": -1}}, "rewards[0].stock.total"),
        ({"stock": {"total": 1, "shards": 21}}, "rewards[0].stock.shards"),
        ({"colour": "red"}, "rewards[0]"),
    ],
)
def test_a_reward_that_cannot_be_sold_is_not_published(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidProgram) as refusal:
        program(rewards=[plain(**fields)])
    assert path in {problem.field for problem in refusal.value.problems}


def test_two_rewards_do_not_share_a_code() -> None:
    with pytest.raises(InvalidProgram, match="mug stands twice"):
        program(rewards=[plain(), plain()])


def test_the_catalogue_has_as_many_limits_as_accounts_remember() -> None:
    rewards = [plain(code=f"r{number}", limits=[{"per": "ever", "pieces": 1}]) for number in range(41)]
    program(rewards=rewards[:40])
    with pytest.raises(InvalidProgram, match="40 limits"):
        program(rewards=rewards)


class TestAWindow:
    def test_takes_in_its_first_second_and_not_its_last(self) -> None:
        window: dict[str, Any] = {"starts_at": "2026-11-21T12:00", "ends_at": "2026-11-21T13:00"}
        found = {at: why(NOON + at, **window) for at in (-1, 0, 3599, 3600)}
        assert found == {-1: "reward_not_yet", 0: "", 3599: "", 3600: "reward_ended"}

    def test_opens_earlier_for_a_tier_and_for_the_one_that_took_its_place(self) -> None:
        window: dict[str, Any] = {"starts_at": "2026-11-21T14:00", "early_hours": {"gold": 2, "silver": 1}}
        assert [why(tier=tier, **window) for tier in ("gold", "silver", "member")] == [
            "",
            "reward_not_yet",
            "reward_not_yet",
        ]

    def test_that_a_day_without_that_hour_has_begins_after_the_gap(self) -> None:
        found = program(time_zone="America/New_York", rewards=[plain(starts_at="2026-03-08T02:30")])
        opens_at = rewarding.opens_at(found, found.rewards[0])
        assert datetime.fromtimestamp(opens_at, found.zone).isoformat() == "2026-03-08T03:00:00-04:00"


class TestAPrice:
    @given(st.integers(1, 1000))
    def test_is_paid_for_every_piece(self, quantity: int) -> None:
        _found, reward = published(prices=PRICES)
        assert rewarding.points_for(reward.prices, quantity, None, None) == 500 * quantity
        assert rewarding.points_for(reward.prices, quantity, 0, "CNY") == 500 * quantity
        assert rewarding.points_for(reward.prices, quantity, 30_00 * quantity, "CNY") == 200 * quantity
        for cash_minor, currency in (
            (30_00 * quantity + 1, "CNY"),
            (30_00 * quantity, "USD"),
            (30_00 * quantity, None),
        ):
            with pytest.raises(PriceNotOffered):
                rewarding.points_for(reward.prices, quantity, cash_minor, currency)

    def test_is_nothing_for_the_tiers_that_have_it_free(self) -> None:
        found, reward = published(free_for=["gold"])
        costs = {tier: [price.points for price in rewarding.prices(found, reward, tier)] for tier in ("gold", "silver")}
        assert costs == {"gold": [0], "silver": [100]}

    def test_buys_a_gift_card_in_the_currency_that_is_asked_for(self) -> None:
        currencies = {"CNY": {"points": 1, "per_minor": 100}, "USD": {"points": 7, "per_minor": 100}}
        card = plain(kind="gift_card", worth_minor={"CNY": 100_00, "USD": 14_00})
        found = program(currencies=currencies, rewards=[card]).rewards[0]
        assert rewarding.worth(found, 2, "USD").amount_minor == 28_00
        with pytest.raises(Invalid):
            rewarding.worth(found, 1, None)


class TestALimit:
    def test_counts_pieces_of_its_day(self) -> None:
        midnight = NOON + DAY_S // 2
        used = (Limit("reward:mug:day", midnight, 2, 0),)
        assert [why(quantity=quantity, used=used, **LIMIT) for quantity in (1, 2)] == ["", "limit_reached"]
        assert why(midnight, quantity=3, used=used, **LIMIT) == ""

    def test_is_no_use_waiting_for_where_more_is_asked_than_it_allows(self) -> None:
        found, reward = published(**LIMIT)
        refused = rewarding.refusal(found, reward, Member(tier="member", at=NOON), 4)
        assert refused is not None
        assert refused.changes_at is None


class TestAHoldWithLimits:
    USED = (Limit("reward:mug:ever", NEVER, 2, 0),)

    def held(self) -> State:
        return apply(State(), holds.reserve(State(), 0, hold_id="red_a", until=NOON + 60, limits=self.USED), NOON)

    def test_uses_them_while_it_lasts(self) -> None:
        state = self.held()
        assert (state.limits, holds.limits_with_holds(state, NOON)) == ((), self.USED)
        lapsed = fold(state, NOON + 60).state
        assert (lapsed.holds, holds.limits_with_holds(lapsed, NOON + 60)) == ((), ())

    def test_uses_them_for_good_once_it_is_committed(self) -> None:
        state = self.held()
        after = apply(state, holds.commit(state, "red_a"), NOON)
        assert (after.limits, holds.limits_with_holds(after, NOON)) == (self.USED, self.USED)

    def test_takes_them_along_in_a_merge(self) -> None:
        state = self.held()
        assert apply(state, merging.close(state, into="mem_b"), NOON).holds == ()
        taken_over = apply(State(), merging.merge_in(State(), state), NOON)
        assert holds.limits_with_holds(taken_over, NOON) == self.USED

    def test_of_before_there_were_any_reads_as_one_without(self) -> None:
        old = msgspec.msgpack.encode((1, (), (), (), (("red_a", NOON, ((NOON, 5),)),)))
        assert unpack(old).holds == (Hold("red_a", NOON, (Lot(NOON, 5),), ()),)
