"""How points come and go, as properties over many accounts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ledger import holds, merging, points
from chalicelib.ledger.effects import Effect, Unbalanced, apply, fold
from chalicelib.ledger.holds import HoldOver
from chalicelib.ledger.points import InsufficientPoints
from chalicelib.ledger.state import (
    HOLDS_MAX,
    NEVER,
    Lifetime,
    Lot,
    Month,
    Purchases,
    State,
    TierRecord,
    pack,
    unpack,
)
from tests.rules.ledger_states import NOW, state_with

EXPIRIES = (NOW + 10, NOW + 20, NOW + 30, NEVER)


@st.composite
def movements(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    kinds = [
        "earn",
        "pend",
        "spend",
        "claw",
        "adjust",
        "cancel",
        "wait",
        "hold",
        "commit",
        "release",
        "mature",
        "merge",
    ]
    movement = st.tuples(st.sampled_from([*kinds, "extend"]), st.integers(0, 300), st.sampled_from(range(4)))
    return draw(st.lists(movement, max_size=25))


def moved(state: State, spent: list[tuple[Lot, ...]], movement: tuple[str, int, int], at: int) -> Effect | None:
    kind, amount, choice = movement
    match kind:
        case "earn":
            return points.earn(state, amount, expires_at=EXPIRIES[choice])
        case "pend":
            return points.earn(state, amount, expires_at=EXPIRIES[choice], available_at=at + choice)
        case "spend" if 0 < amount <= state.available:
            effect = points.spend(state, amount)
            spent.append(effect.debits)
            return effect
        case "claw":
            return points.claw(state, amount, expires_at=EXPIRIES[choice], absorb=amount % 2 == 0)
        case "extend":
            return Effect(extended_to=at + 8 * choice)
        case "adjust" if amount and -amount // 2 + state.available >= 0:
            return points.adjustment(state, amount - 150 or 1, EXPIRIES[choice]) if amount >= 150 else None
        case "cancel" if spent:
            return points.restore(state, tuple(lot for lot in spent.pop() if lot.expires_at > at))
        case "hold" if 0 < amount <= state.available and len(state.holds) < HOLDS_MAX:
            return holds.reserve(state, amount, hold_id=f"hold-{at}-{len(state.holds)}-{amount}", until=at + choice + 1)
        case "commit" if state.holds:
            return holds.commit(state, state.holds[choice % len(state.holds)].hold_id)
        case "release" if state.holds:
            return holds.release(state, state.holds[choice % len(state.holds)].hold_id)
        case "mature" if state.pending:
            waiting = state.pending[choice % len(state.pending)]
            return points.release(state, amount, available_at=waiting.available_at, expires_at=waiting.expires_at)
        case "merge":
            other = state_with((at + 10, amount + 1)) if choice % 2 else state_with(owed=amount)
            return merging.merge_in(state, other)
    return None


@given(movements())
def test_every_point_is_accounted_for_whatever_happens(history: list[tuple[str, int, int]]) -> None:
    state, at = State(), NOW
    spent: list[tuple[Lot, ...]] = []
    for movement in history:
        at += movement[2] if movement[0] == "wait" else 0
        before = fold(state, at).state
        effect = moved(before, spent, movement, at)
        if effect is None:
            continue
        state = apply(before, effect, at)
        assert state.total == state.lifetime.net
        assert effect.net == state.total - before.total + (state.lifetime.expired - before.lifetime.expired)
        assert all(lot.points > 0 and lot.expires_at > at for lot in state.lots)
        assert all(lot.expires_at >= state.active_until for lot in state.lots), "activity has put it off"
        assert state.active_until >= before.active_until
        assert list(state.lots) == sorted(state.lots, key=lambda lot: lot.expires_at)
        assert state.owed >= 0
        assert not (state.owed and state.lots), "whoever owes has no points to spend"


@given(movements(), st.integers(0, 40), st.integers(0, 40))
def test_folding_in_steps_is_folding_at_once(history: list[tuple[str, int, int]], first: int, second: int) -> None:
    state = State()
    for movement in history:
        effect = moved(state, [], movement, NOW)
        state = apply(state, effect, NOW) if effect else state
    stepwise = fold(fold(state, NOW + first).state, NOW + first + second).state
    assert stepwise == fold(state, NOW + first + second).state


def test_points_that_expire_soonest_are_spent_first() -> None:
    state = state_with((NOW + 10, 50), (NOW + 20, 50))
    assert points.spend(state, 70).debits == (Lot(NOW + 10, 50), Lot(NOW + 20, 20))


def test_more_than_is_available_cannot_be_spent() -> None:
    with pytest.raises(InsufficientPoints, match="51 points are needed and 50 are available"):
        points.spend(state_with((NOW + 10, 50)), 51)


def test_a_cancelled_redemption_puts_back_the_very_lots() -> None:
    before = state_with((NOW + 10, 50), (NOW + 20, 50))
    spent = points.spend(before, 70)
    after = apply(before, spent, NOW)
    restored = apply(after, points.restore(after, spent.debits), NOW)
    assert restored.lots == before.lots


def test_what_comes_back_repays_what_is_owed_from_the_shortest_lived_points() -> None:
    state = state_with(owed=30)
    effect = points.restore(state, (Lot(NOW + 10, 20), Lot(NOW + 20, 50)))
    assert (effect.repaid, effect.credits) == (30, (Lot(NOW + 20, 40),))


def test_lots_that_come_back_with_one_date_are_one_lot() -> None:
    """Two lots that had lapsed have the date to which the programme's grace extends both."""
    for owed, left in ((0, 70), (30, 40)):
        state = state_with(owed=owed)
        after = apply(state, points.restore(state, (Lot(NOW + 10, 20), Lot(NOW + 10, 50))), NOW)
        assert (after.lots, after.owed, after.lifetime.net) == ((Lot(NOW + 10, left),), 0, after.total)


def test_every_inflow_repays_what_is_owed_first() -> None:
    state = apply(state_with(owed=30), points.earn(state_with(owed=30), 100, expires_at=NOW + 10), NOW)
    assert (state.owed, state.available) == (0, 70)


def test_pending_points_repay_when_they_mature() -> None:
    state = state_with(owed=30)
    state = apply(state, points.earn(state, 100, expires_at=NOW + 100, available_at=NOW + 5), NOW)
    assert (state.owed, state.available) == (30, -30)
    matured = fold(state, NOW + 5)
    assert (matured.matured_points, matured.state.owed, matured.state.available) == (100, 0, 70)


def test_dates_judge_an_expired_lot_without_any_job() -> None:
    state = state_with((NOW + 10, 50), (NOW + 20, 30))
    assert fold(state, NOW + 9).state.available == 80
    assert fold(state, NOW + 10).state.available == 30
    assert fold(state, NOW + 10).expired_points == 50


def test_points_that_arrive_expired_are_gone_at_once() -> None:
    state = apply(State(), points.earn(State(), 80, expires_at=NOW - 1), NOW)
    assert (state.available, state.lifetime.earned, state.lifetime.expired) == (0, 80, 80)


class TestAHold:
    def test_keeps_its_points_from_being_spent_elsewhere(self) -> None:
        state = state_with((NOW + 10, 50), (NOW + 20, 50))
        state = apply(state, holds.reserve(state, 70, hold_id="h", until=NOW + 5), NOW)
        assert (state.available, state.held) == (30, 70)
        with pytest.raises(InsufficientPoints):
            points.spend(state, 31)

    def test_lapses_by_date_and_gives_the_very_lots_back(self) -> None:
        before = state_with((NOW + 10, 50), (NOW + 20, 50))
        state = apply(before, holds.reserve(before, 70, hold_id="h", until=NOW + 5), NOW)
        assert fold(state, NOW + 4).state.available == 30
        assert fold(state, NOW + 5).state == before
        with pytest.raises(HoldOver):
            holds.commit(fold(state, NOW + 5).state, "h")

    def test_keeps_its_points_from_expiring(self) -> None:
        before = state_with((NOW + 10, 50))
        state = fold(apply(before, holds.reserve(before, 50, hold_id="h", until=NOW + 20), NOW), NOW + 15).state
        assert apply(state, holds.commit(state, "h"), NOW + 15).lifetime.redeemed == 50
        lapsed = fold(state, NOW + 20)
        assert (lapsed.expired_points, lapsed.state.available) == (50, 0)

    def test_is_committed_or_released_once(self) -> None:
        state = state_with((NOW + 10, 50))
        state = apply(state, holds.reserve(state, 50, hold_id="h", until=NOW + 5), NOW)
        released = apply(state, holds.release(state, "h"), NOW)
        assert released.available == 50
        for again in (holds.release, holds.commit):
            with pytest.raises(HoldOver):
                again(released, "h")

    def test_is_out_of_reach_of_a_clawback(self) -> None:
        state = state_with((NOW + 10, 50))
        state = apply(state, holds.reserve(state, 50, hold_id="h", until=NOW + 5), NOW)
        clawed = apply(state, points.claw(state, 20, expires_at=NOW + 10), NOW)
        assert (clawed.owed, clawed.held) == (20, 50)
        assert fold(clawed, NOW + 5).state.available == 30


@given(movements(), movements())
def test_a_merge_takes_everything_over_and_nets_to_zero(
    history: list[tuple[str, int, int]], others: list[tuple[str, int, int]]
) -> None:
    states = []
    for movement_list in (history, others):
        state = State()
        for movement in movement_list:
            effect = moved(state, [], movement, NOW)
            state = apply(state, effect, NOW) if effect else state
        states.append(state)
    into, closed = states
    if len(into.holds) + len(closed.holds) > HOLDS_MAX:
        return
    closing, merged = merging.close(closed, into="mem_b"), merging.merge_in(into, closed)
    after_closed, after = apply(closed, closing, NOW), apply(into, merged, NOW)
    assert closing.net + merged.net == 0
    assert after.total == into.total + closed.total
    assert (after_closed.total, after_closed.closed_into) == (0, "mem_b")
    assert not any((after_closed.lots, after_closed.pending, after_closed.holds, after_closed.months))


def test_an_effect_that_does_not_balance_is_refused() -> None:
    with pytest.raises(Unbalanced):
        apply(State(), Effect(credits=(Lot(NOW + 1, 5),)), NOW)
    with pytest.raises(Unbalanced):
        apply(State(), Effect(debits=(Lot(NOW + 1, 5),), lifetime=Lifetime(redeemed=5)), NOW)


@given(movements())
def test_a_packed_state_reads_back_the_same(history: list[tuple[str, int, int]]) -> None:
    state = State()
    for movement in history:
        effect = moved(state, [], movement, NOW)
        state = apply(state, effect, NOW) if effect else state
    assert unpack(pack(state)) == state


def test_a_typical_state_packs_into_600_bytes() -> None:
    """Two years of monthly lots, one of months that count, three tiers, and what goes with them."""
    now = 1_800_000_000
    state = State(
        lots=tuple(Lot(now + 2_600_000 * month, 1200) for month in range(1, 25)),
        months=tuple(Month(24_300 + month, 1200, 120_000, 3) for month in range(12)),
        tiers=(TierRecord("silver", now, now + 10**7, 2000, 12), TierRecord("gold", now, now + 10**7, 6000, 12)),
        purchases=Purchases(72, 2_880_000, now - 10**8, now),
        lifetime=Lifetime(earned=60_000, redeemed=20_000, expired=11_000),
        active_until=now,
    )
    assert len(pack(state)) <= 600
