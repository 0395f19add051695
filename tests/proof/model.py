"""A plain model of the whole engine, the oracle of the proof: what must come of every operation.

It shares no code with the engine. A method without a guard in its name does what the engine does once it has accepted
an operation; `guard_…` methods say for which reason it may not be accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.proof.account_model import HOLDS, Account, Lots, Refused
from tests.proof.calendar import month_of
from tests.proof.case_model import Cases
from tests.proof.order_model import Order, Redemption
from tests.proof.referral_model import Referrals
from tests.proof.rules_model import DISCOUNT_MINOR, PIECE_POINTS, PIECES_EACH, STOCK, Rules
from tests.proof.survey_model import Surveys
from tests.proof.voucher_model import Vouchers


@dataclass(frozen=True)
class Moved:
    """What an operation did to an account: its net points, what lapsed on the way, and the tier after it."""

    points: int
    expired: int
    tier: str


@dataclass
class Model:
    """All accounts, orders and redemptions, by the engine's ids; `rules_at` gives the programme in force at an instant.

    `phones` leads from a phone to its member, `closed` from a merged account to its heir. `lapses_at` is when the
    stock has the piece back that is held next, where that is known: in a race it is by the clock of whoever holds it.
    `stock_seen_at` is the latest instant at which somebody took of the stock.
    """

    rules_at: Callable[[int], Rules]
    accounts: dict[str, Account] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    redemptions: dict[str, Redemption] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    phones: dict[str, str] = field(default_factory=dict)
    vouchers: Vouchers = field(default_factory=Vouchers)
    referrals: Referrals = field(default_factory=Referrals)
    surveys: Surveys = field(default_factory=Surveys)
    cases: Cases = field(default_factory=Cases)
    lapses_at: int | None = None
    stock_seen_at: int = 0

    def heir(self, member: str) -> str:
        """The account that stands for a member now."""
        while member in self.closed:
            member = self.closed[member]
        return member

    def heirs(self, member: str) -> tuple[str, ...]:
        """The accounts that have stood for a member after its own."""
        following = self.closed.get(member)
        return (following, *self.heirs(following)) if following else ()

    def account(self, member: str) -> Account:
        """The account that stands for a member now."""
        return self.accounts[self.heir(member)]

    def at(self, member: str, at: int) -> Account:
        """A member's account at an instant."""
        account = self.account(member)
        account.pass_time(at)
        return account

    def moved(self, member: str, at: int, act: Callable[[Account], object]) -> Moved:
        """Do something to an account at an instant, and tell what that did."""
        account = self.account(member)
        lapsed = account.counted.get("expired", 0)
        account.pass_time(at)
        before, lapsed_before = account.total, account.counted.get("expired", 0)
        act(account)
        account.pass_time(at)
        lapsed_after = account.counted.get("expired", 0)
        points = account.total - before + lapsed_after - lapsed_before
        return Moved(points, lapsed_after - lapsed, account.tier(at))

    def enrol(self, member: str, at: int, rules: Rules) -> Moved:
        """Open an account with the welcome points."""
        self.accounts[member] = Account(self.rules_at, at)

        def act(account: Account) -> None:
            account.count("earned", rules.welcome_points)
            account.receive({rules.expiry(at): rules.welcome_points})

        return self.moved(member, at, act)

    def merge(self, closing: str, into: str, at: int) -> Moved:
        """Make two accounts one: what each has repays what the other owes."""
        if not {closing, into} <= self.accounts.keys():
            raise Refused("member_not_found")
        if closing in self.closed:
            raise Refused("same_member" if self.heir(into) == self.heir(closing) else "already_merged")
        if self.heir(into) == closing:
            raise Refused("same_member")
        other = self.at(closing, at)
        # Time passes there in the operation itself, which says what lapsed.
        still_held = [until for until, _lots in self.account(into).holds.values() if until > at]
        if len(other.holds) + len(still_held) > HOLDS:
            raise Refused("too_many_holds")
        moved = self.moved(into, at, lambda account: account.take_over(other, at))
        other.leave()
        self.closed[closing] = self.heir(into)
        return moved

    def guard_time(self, occurred_at: int, now: int, rules: Rules) -> None:
        """Nothing from the future, nothing from too long ago."""
        if rules.too_early(occurred_at, now):
            raise Refused("occurred_in_future")
        if rules.too_late(occurred_at, now):
            raise Refused("occurred_too_long_ago")

    def guard_payment(self, order: Order, now: int) -> None:
        """Every voucher must have been used for it, and every redemption that pays must be open."""
        if any(name not in self.vouchers.uses for name in order.vouchers):
            raise Refused("voucher_use_not_found")
        if any(self.redemptions[name].status(now) != "issued" for name in order.paid_with):
            raise Refused("redemption_not_open")

    def unclaimed(self, name: str, order: Order) -> None:
        """Keep an order of nobody known."""
        self.orders[name] = order

    def post_order(self, name: str, order: Order, member: str, at: int) -> Moved:
        """An order earns and uses up what pays it; an unclaimed one does so when it is claimed."""
        self.orders[name] = order
        order.member, order.posted_to = member, self.heir(member)
        for redemption in order.paid_with:
            self.redemptions[redemption].used_by = name

        def act(account: Account) -> None:
            order.earn(account.tier(at))
            points, qualifying, spend_minor, purchases = order.gone()
            earned = order.points - points
            account.count("earned", earned)
            if order.maturity is None:
                account.receive({order.expiry: earned})
            elif earned:
                key = (order.maturity, order.expiry)
                account.waiting[key] = account.waiting.get(key, 0) + earned
            month = month_of(order.occurred_at)
            account.qualify(month, order.qualifying - qualifying, order.spend_minor - spend_minor, 1 - purchases)
            account.retier(at)

        return self.moved(member, at, act)

    def refund(self, name: str, body: dict[str, Any], at: int, occurred_at: int, rules: Rules) -> Moved | None:
        """Take back what a refund takes back, and give back what paid."""
        return self._back(name, at, occurred_at, rules, lambda order: order.refund(body))

    def cancel_order(self, name: str, at: int, occurred_at: int, rules: Rules) -> Moved | None:
        """Take everything back."""
        return self._back(name, at, occurred_at, rules, lambda order: order.cancel())

    def withdraw(self, name: str, at: int, rules: Rules) -> Moved | None:
        """Take an order's points back though it stands."""
        return self._back(name, at, at, rules, lambda order: setattr(order, "voided", True))

    def _back(
        self, name: str, at: int, occurred_at: int, rules: Rules, advance: Callable[[Order], None]
    ) -> Moved | None:
        order = self.orders[name]
        before = order.gone()
        advance(order)
        if order.member is None:
            return None
        after = order.gone()
        points, qualifying, spend_minor, purchases = (now - then for now, then in zip(after, before, strict=True))

        def act(account: Account) -> None:
            spared = occurred_at < order.rules.refundable_until(order.occurred_at)
            account.claw(points, order.expiry, order.maturity, spared=spared)
            account.qualify(month_of(order.occurred_at), -qualifying, -spend_minor, -purchases)
            self._give_back(order, account, at, rules)
            account.retier(at)

        return self.moved(order.member, at, act)

    def _give_back(self, order: Order, account: Account, at: int, rules: Rules) -> None:
        back: dict[int, int] = {}
        for name in order.paid_with:
            redemption = self.redemptions[name]
            due = redemption.points * order.refunded // order.total - redemption.returned
            if redemption.cancelled or due <= 0:
                continue
            for expiry, points in redemption.give_back(due).items():
                alive = rules.alive_again(expiry, at)
                back[alive] = back.get(alive, 0) + points
        account.count("restored", sum(back.values()))
        account.receive(back)

    def guard_pending(self, name: str, now: int, *, withdrawing: bool) -> None:
        """There must be points that still wait."""
        order = self.orders[name]
        if order.member is None or order.maturity is None or order.maturity <= now:
            raise Refused("nothing_pending")
        if withdrawing and (order.voided or order.cancelled):
            raise Refused("nothing_pending")

    def release_pending(self, name: str, at: int) -> Moved:
        """Let an order's points be spent at once."""
        order = self.orders[name]
        assert order.member is not None

        def act(account: Account) -> None:
            assert order.maturity is not None
            key = (order.maturity, order.expiry)
            points = min(order.points - order.gone()[0], account.waiting.get(key, 0))
            if points:
                account.waiting[key] -= points
                if not account.waiting[key]:
                    del account.waiting[key]
                account.receive({order.expiry: points})

        moved = self.moved(order.member, at, act)
        order.maturity = None
        return moved

    def redeem(self, name: str, member: str, points: int, at: int, hold_s: int | None = None) -> Moved:
        """Spend points, or hold them."""
        return self._redeem(name, member, points, at, at + hold_s if hold_s else None)

    def _redeem(self, name: str, member: str, points: int, at: int, until: int | None) -> Moved:
        redemption = Redemption(member, points, {}, points * DISCOUNT_MINOR)

        def act(account: Account) -> None:
            account.need(points)
            if until and len(account.holds) >= HOLDS:
                raise Refused("too_many_holds")
            redemption.taken = account.take(points)
            if until:
                redemption.held_until = until
                account.holds[name] = (until, dict(redemption.taken))
            else:
                account.count("redeemed", points)

        moved = self.moved(member, at, act)
        self.redemptions[name] = redemption
        return moved

    def left(self, now: int) -> int:
        """The pieces of the reward that nobody has."""
        return STOCK - sum(found.pieces for found in self.redemptions.values() if found.has_pieces(now))

    def why_not_take(self, member: str, pieces: int, now: int) -> list[str]:
        """Every reason not to give a member so many pieces, in no order."""
        have = sum(
            found.pieces
            for found in self.redemptions.values()
            if self.heir(found.member) == self.heir(member) and found.status(now) in {"held", "issued"}
        )
        is_poor = self.at(member, now).available < PIECE_POINTS * pieces
        found = {
            "sold_out": self.left(now) < pieces,
            "limit_reached": have + pieces > PIECES_EACH,
            "insufficient_points": is_poor,
        }
        return [code for code, applies in found.items() if applies]

    def take(self, name: str, member: str, pieces: int, at: int, hold_s: int | None = None) -> Moved:
        """Take pieces of the reward, or hold them; whoever holds learns first that there are none."""
        # Whose clock is behind finds in the stock what others have found to be lapsed.
        reasons = {*self.why_not_take(member, pieces, at)} - {"sold_out"}
        self.stock_seen_at = max(self.stock_seen_at, at)
        reasons |= {"sold_out"} if self.left(self.stock_seen_at) < pieces else set()
        order = ("sold_out", "limit_reached", "insufficient_points")
        for code in order if hold_s else order[1:] + order[:1]:
            if code in reasons:
                raise Refused(code)
        lapses_at = _on_grid(at + hold_s, hold_s) if hold_s else 0
        if hold_s and self.lapses_at is not None:
            assert self.lapses_at <= lapses_at
            lapses_at = self.lapses_at
        until = min(at + hold_s, lapses_at) if hold_s else None
        moved = self._redeem(name, member, PIECE_POINTS * pieces, at, until)
        redemption = self.redemptions[name]
        redemption.amount_minor, redemption.pieces, redemption.lapses_at = 0, pieces, lapses_at
        return moved

    def guard_redemption(self, name: str, now: int, *allowed: str) -> None:
        """The redemption must be in one of these states."""
        if self.redemptions[name].status(now) not in allowed:
            raise Refused("redemption_not_open")

    def commit(self, name: str, at: int) -> Moved:
        """Spend what is held."""
        redemption = self.redemptions[name]

        def act(account: Account) -> None:
            _unhold(account, name)
            account.count("redeemed", redemption.points)

        moved = self.moved(redemption.member, at, act)
        redemption.committed = True
        return moved

    def release(self, name: str, at: int) -> Moved:
        """Give back what is held."""
        redemption = self.redemptions[name]
        moved = self.moved(redemption.member, at, lambda account: account.receive(_unhold(account, name)))
        redemption.released = True
        return moved

    def cancel_redemption(self, name: str, at: int, rules: Rules) -> Moved:
        """Put back what a redemption took and no refund has put back yet."""
        redemption = self.redemptions[name]
        lots = redemption.give_back(redemption.points - redemption.returned)
        # What refunds have put back stays what it was: they put back no more.
        redemption.cancelled = True

        def act(account: Account) -> None:
            account.count("restored", sum(lots.values()))
            alive: dict[int, int] = {}
            for expiry, points in lots.items():
                back = rules.alive_again(expiry, at)
                alive[back] = alive.get(back, 0) + points
            account.receive(alive)

        return self.moved(redemption.member, at, act)

    def adjust(self, member: str, points: int, at: int, rules: Rules) -> Moved:
        """Correct points by hand."""

        def act(account: Account) -> None:
            if points > 0:
                account.receive({rules.expiry(at): points})
            else:
                account.need(-points)
                account.take(-points)
            account.count("adjusted", points)

        return self.moved(member, at, act)


def _unhold(account: Account, name: str) -> Lots:
    """End a hold that is still there."""
    if name not in account.holds:
        raise Refused("hold_over")
    return account.holds.pop(name)[1]


def _on_grid(until: int, hold_s: int) -> int:
    """When the stock has a held piece back: with the end of the minute, of a long hold with that of the quarter."""
    grid = 60 if hold_s <= 3600 else 900
    return -(-until // grid) * grid
