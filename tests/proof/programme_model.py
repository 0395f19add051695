"""The model under a whole programme: limits, budgets, events, benefits, beside all that it knew before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.proof.account_model import Account, Refused
from tests.proof.calendar import month_of
from tests.proof.card_model import Cards
from tests.proof.earning_model import (
    Brought,
    Budgets,
    Limits,
    Takes,
    Uses,
    by_event,
    by_purchase,
    known,
    period_end,
    purchase_of,
    use,
)
from tests.proof.earning_model import Who as Asked
from tests.proof.model import Model, Moved
from tests.proof.order_model import Order, shares
from tests.proof.rules_model import Rules


@dataclass
class Member(Account):
    """An account that remembers limits."""

    limits: Limits = field(default_factory=dict)

    def take_over(self, other: Account, at: int) -> None:
        """What both have used of a limit counts together."""
        assert isinstance(other, Member)
        super().take_over(other, at)
        use(self.limits, [(*key, *used) for key, used in other.limits.items()], at)

    def leave(self) -> None:
        """Nothing is left."""
        super().leave()
        self.limits.clear()


@dataclass
class Basket(Order):
    """An order under a whole programme: its lines less the discount, and what it used up."""

    brought: Brought = field(default_factory=Brought)
    judge: Callable[[str], Brought] = lambda _tier: Brought()

    @property
    def lines(self) -> list[dict[str, int]]:
        """Its lines, less their shares of a discount on the whole."""
        lines: list[dict[str, int]] = self.body.get("lines", [])
        off = shares(self.body.get("discount_minor", 0), [line["amount_minor"] for line in lines])
        return [{**line, "amount_minor": line["amount_minor"] - less} for line, less in zip(lines, off, strict=True)]

    def earn(self, tier: str) -> None:
        """Reckon what it brings a member of a tier."""
        super().earn(tier)
        self.brought = self.judge(tier)
        self.points, self.qualifying = self.brought.points, self.brought.qualifying
        self.spend_minor = self.brought.spend_minor

    def gone(self) -> tuple[int, int, int, int]:
        """Of points, qualifying points, spending and purchases, what went back so far: points by what lines brought."""
        _points, qualifying, spend_minor, purchases = super().gone()
        points = self.points if self.voided else self.part(self.points, self.brought.line_points or None)
        return points, qualifying, spend_minor, purchases

    def still_used(self) -> Uses:
        """What of the limits that it used up is still used up."""
        over = self.voided or self.is_whole
        return [
            (name, until, 0 if over else count, points - self._gained_back(points))
            for name, until, count, points in self.brought.uses
        ]

    def still_taken(self) -> dict[str, tuple[int, int]]:
        """What of budgets is still taken: points, and the award unless all went back."""
        over = self.voided or self.is_whole
        return {
            code: (points - self._gained_back(points), 0 if over else 1) for code, points in self.brought.awards.items()
        }

    def _gained_back(self, points: int) -> int:
        return points if self.voided else self.part(points)


@dataclass
class Happening:
    """An event: what it brought, to whom, and whether it was withdrawn."""

    member: str
    kind: str
    occurred_at: int
    rules: Rules
    brought: Brought
    cancelled: bool = False


@dataclass
class Used:
    """One use of a benefit, and the period in which it was made."""

    member: str
    name: str
    until: int
    cancelled: bool = False


@dataclass
class Programmes(Model):
    """The model, with everything that a programme brings.

    `told` are the campaigns that an operation found exhausted, where that is known: in a race a budget may have been
    short a moment before. None lets the model judge by what is left.
    """

    budgets: Budgets = field(default_factory=Budgets)
    events: dict[str, Happening] = field(default_factory=dict)
    uses: dict[str, Used] = field(default_factory=dict)
    cards: Cards = field(default_factory=Cards)
    told: frozenset[str] | None = None
    was_short: Callable[[str, int], bool] | None = None

    def member(self, name: str) -> Member:
        """The account that stands for a member now."""
        account = self.account(name)
        assert isinstance(account, Member)
        return account

    def enrol(self, member: str, at: int, rules: Rules) -> Moved:
        """Open an account with the welcome points."""
        self.accounts[member] = Member(self.rules_at, at)

        def act(account: Account) -> None:
            account.count("earned", rules.welcome_points)
            account.receive({rules.expiry(at): rules.welcome_points})

        return self.moved(member, at, act)

    def brought(self, judge: Callable[[frozenset[str]], Brought], takes: Callable[[Brought], Takes]) -> Brought:
        """What something brings with the budgets as they are: campaigns that cannot pay give nothing."""
        exhausted = self.told or frozenset()
        for code in exhausted if self.was_short else ():
            wanted = takes(judge(exhausted - {code})).get(code, 0)
            assert not wanted or not self.was_short or self.was_short(code, wanted), f"{code} was never short"
        while short := self.budgets.short(takes(judge(exhausted))) - exhausted:
            assert self.told is None, f"{short} could not pay"
            exhausted |= short
        return judge(exhausted)

    def asked(self, member: str, at: int, tier: str) -> Asked:
        """What the rules ask of a member."""
        account = self.member(member)
        return Asked(tier, account.purchases, dict(account.limits), at)

    def post_order(self, name: str, order: Order, member: str, at: int) -> Moved:
        """An order uses up limits and budgets, less what of it went back before its member was known."""
        assert isinstance(order, Basket)

        def judge(tier: str) -> Brought:
            who = self.asked(member, at, tier)
            bought = purchase_of(order.body, order.lines, order.occurred_at)
            return self.brought(
                lambda exhausted: by_purchase(order.rules, bought, who, exhausted), lambda found: _left_of(order, found)
            )

        order.judge = judge
        moved = super().post_order(name, order, member, at)
        for code, (points, awards) in order.still_taken().items():
            self.budgets.move(code, points, awards)
        back = [
            (*key, now[2] - then[2], now[3] - then[3])
            for then, now in zip(order.brought.uses, order.still_used(), strict=True)
            for key in [then[:2]]
        ]
        use(self.member(member).limits, [*order.brought.uses, *back], at)
        return moved

    def _back(
        self, name: str, at: int, occurred_at: int, rules: Rules, advance: Callable[[Order], None]
    ) -> Moved | None:
        order = self.orders[name]
        assert isinstance(order, Basket)
        used, taken = order.still_used(), order.still_taken()
        moved = super()._back(name, at, occurred_at, rules, advance)
        if order.member is None:
            return moved
        for code, (points, awards) in order.still_taken().items():
            self.budgets.move(code, points - taken[code][0], awards - taken[code][1])
        pairs = zip(used, order.still_used(), strict=True)
        changes = [(*then[:2], now[2] - then[2], now[3] - then[3]) for then, now in pairs]
        use(self.member(order.member).limits, [change for change in changes if change[2] or change[3]], at)
        return moved

    # -- events and benefits

    def guard_event(self, kind: str, rules: Rules) -> None:
        """Only what the programme declares may be posted."""
        if kind not in rules.document()["events"]:
            raise Refused("event_type_unknown")

    def guard_benefit(self, code: str, rules: Rules) -> None:
        """There must be such a benefit."""
        if all(benefit["code"] != code for benefit in rules.document()["benefits"]):
            raise Refused("benefit_not_found")

    def post_event(self, name: str, member: str, kind: str, *, occurred_at: int, at: int, rules: Rules) -> Moved:
        """Something else that a member did."""

        def act(account: Account) -> None:
            who = self.asked(member, at, account.tier(at))
            brought = self.brought(
                lambda exhausted: by_event(rules, kind, occurred_at, who, exhausted), lambda found: found.awards
            )
            self.events[name] = Happening(member, kind, occurred_at, rules, brought)
            account.count("earned", brought.points)
            account.receive({rules.expiry(occurred_at): brought.points})
            self._settle(self.events[name], account, at, 1)

        return self.moved(member, at, act)

    def cancel_event(self, name: str, at: int) -> Moved:
        """Whatever an event brought goes back."""
        event = self.events[name]
        event.cancelled = True

        def act(account: Account) -> None:
            spared = at < event.rules.refundable_until(event.occurred_at)
            account.claw(event.brought.points, event.rules.expiry(event.occurred_at), None, spared=spared)
            self._settle(event, account, at, -1)

        return self.moved(event.member, at, act)

    def _settle(self, event: Happening, account: Account, at: int, sign: int) -> None:
        assert isinstance(account, Member)
        month = (month_of(event.occurred_at), "activity")
        account.months[month] = account.months.get(month, 0) + sign * event.brought.activity
        changes = [(name, until, sign * count, sign * points) for name, until, count, points in event.brought.uses]
        use(account.limits, changes, at)
        for code, points in event.brought.awards.items():
            self.budgets.move(code, sign * points, sign)
        account.retier(at)

    def use_benefit(self, name: str, member: str, code: str, *, occurred_at: int, at: int, rules: Rules) -> Moved:
        """A benefit is used, as often as its period allows."""
        (benefit,) = [benefit for benefit in rules.document()["benefits"] if benefit["code"] == code]

        def act(account: Account) -> None:
            assert isinstance(account, Member)
            if account.tier(at) not in benefit["tiers"]:
                raise Refused("benefit_not_held")
            until = period_end(benefit["per"], occurred_at)
            limit = f"{code}:benefit"
            if known(account.limits, limit, until, at)[0] >= benefit["uses"]:
                raise Refused("benefit_used_up")
            use(account.limits, [(limit, until, 1, 0)], at)
            self.uses[name] = Used(member, limit, until)

        return self.moved(member, at, act)

    def cancel_use(self, name: str, at: int) -> Moved:
        """A use is given back to its period."""
        used = self.uses[name]
        used.cancelled = True
        return self.moved(
            used.member, at, lambda _account: use(self.member(used.member).limits, [(used.name, used.until, -1, 0)], at)
        )

    # -- the punch card

    def hear(self, notice: dict[str, Any], at: int) -> None:
        """A notice reaches the card: a purchase or event as it is now, or that two members are one."""
        if "merged" in notice:
            home = self.cards.unite(notice["member"], notice["merged"])
        else:
            home = self.cards.count(notice["member"], *self._stamp(notice["fact"]))
        if home is not None:
            self.pay_rounds(home, at)

    def _stamp(self, fact: str) -> tuple[int, str, int, Rules] | tuple[()]:
        """When a fact occurred, its name, how many stamps it is worth now, and the rules of its time."""
        if fact in self.events:
            event = self.events[fact]
            if event.kind != "check_in":
                return ()
            return event.occurred_at, fact, int(not event.cancelled), event.rules
        order = self.orders[fact]
        assert isinstance(order, Basket)
        stamps = tea_bought(order)
        return () if stamps is None else (order.occurred_at, fact, stamps, order.rules)

    def pay_rounds(self, home: str, at: int) -> None:
        """Pay what is done and not paid, and take back what is paid and not done."""
        while payment := self.cards.due(home):
            expiry, points = payment
            account = self.account(home)
            account.pass_time(at)
            if points > 0:
                account.count("earned", points)
                account.receive({expiry: points})
            else:
                account.claw(-points, expiry, None, spared=True)
            account.pass_time(at)
            account.retier(at)


def _left_of(order: Basket, found: Brought) -> Takes:
    """What an order takes of budgets, less what has gone back of it before it was claimed."""
    if order.voided or order.is_whole:
        return {}
    return {code: points - order.part(points) for code, points in found.awards.items()}


def tea_bought(order: Basket) -> int | None:
    """The stamps of a purchase: one while some of its tea is left, None where it never had any that cost anything."""
    of_tea = [
        place
        for place, line in enumerate(order.lines)
        if str(line.get("category", "")) == "tea" and str(line["sku"]) != "bag" and line["amount_minor"]
    ]
    if not of_tea:
        return None
    if order.is_whole:
        return 0
    amounts = [line["amount_minor"] - back for line, back in zip(order.lines, order.by_line, strict=True)]
    at_large = min(order.at_large, sum(amounts))
    off = shares(at_large, amounts) if sum(amounts) else [0] * len(amounts)
    return int(any(amounts[place] - off[place] > 0 for place in of_tea))
