"""The state machine's orders and redemptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from chalicelib.base import clock
from chalicelib.counters.table import read_shards
from chalicelib.orders.service import order_id_of
from tests.api.client import Response
from tests.proof.calendar import DAY_S
from tests.proof.machine import PHONES, PICKS, Shop
from tests.proof.model import Moved
from tests.proof.order_model import Order
from tests.proof.rules_model import DISCOUNT_MINOR, STOCK

AMOUNTS = st.sampled_from([0, 1, 99, 1000, 5000, 10_000, 33_333, 70_000])
AGES_S = st.sampled_from([0, 0, 3600, 3 * DAY_S, 9 * DAY_S, 35 * DAY_S, 45 * DAY_S, -200, -900])


@st.composite
def purchases(draw: st.DrawFn) -> dict[str, Any]:
    """What was bought, with or without lines; tax and shipping now and then."""
    amounts = draw(st.lists(AMOUNTS, max_size=3))
    tax, shipping = draw(st.sampled_from([(0, 0), (0, 0), (60, 0), (7, 500)]))
    if not amounts:
        total = draw(AMOUNTS)
        tax, shipping = min(tax, total), 0
        return {"total_minor": total, "tax_minor": tax, "shipping_minor": shipping}
    lines = [
        {"sku": f"sku-{amount}", "quantity": draw(st.integers(1, 3)), "amount_minor": amount} for amount in amounts
    ]
    total = sum(amounts) + shipping + tax
    return {"total_minor": total, "tax_minor": tax, "shipping_minor": shipping, "lines": lines}


class Trade(Shop):
    """Orders and redemptions beside members."""

    # -- orders

    @rule(bought=purchases(), choice=PICKS, age_s=AGES_S, by_phone=st.booleans(), pays=st.booleans())
    def order(self, bought: dict[str, Any], choice: int, age_s: int, *, by_phone: bool, pays: bool) -> None:
        """Somebody buys: a member by id, or anybody by phone, perhaps paying a part with a redemption."""
        if by_phone:
            self.buy(bought, age_s, {"identity": {"phone": self.pick(PHONES, choice)}}, pays=pays)
        else:
            self.buy(bought, age_s, {"member_id": self.pick(self.members, choice)}, pays=pays)

    def buy(self, bought: dict[str, Any], age_s: int, buyer: dict[str, Any], *, pays: bool, number: str = "") -> None:
        """Send an order."""
        number, occurred_at = number or self.number(), self.now - age_s
        body = {"source": "shop", "order_id": number, "occurred_at": clock.text(occurred_at), "currency": "CNY"}
        body |= {**bought, **buyer}
        member = buyer.get("member_id") or self.model.phones.get(buyer["identity"]["phone"])
        if pays and member:
            self.pay(body, member)
        order = self.ordered(body, occurred_at)
        self.judge(
            "order", self.send("/v1/orders", body), lambda: self.place(order_id_of("shop", number), order, member)
        )

    def ordered(self, body: dict[str, Any], occurred_at: int) -> Order:
        """An order as the model keeps it."""
        return Order(body, occurred_at, self.rules_at(occurred_at))

    @precondition(lambda self: self.strangers())
    @rule(bought=purchases(), age_s=AGES_S, back=st.booleans())
    def guest(self, bought: dict[str, Any], age_s: int, *, back: bool) -> None:
        """Somebody buys, perhaps sends a part back, and enrols afterwards."""
        phone = self.strangers()[0]
        self.buy(bought, age_s, {"identity": {"phone": phone}}, pays=False)
        if back and self.model.orders:
            self.refund_by_amount(0, 3, 4)
        self.enrol(phone)

    def strangers(self) -> list[str]:
        """Phones of nobody yet."""
        return [phone for phone in PHONES if phone not in self.model.phones]

    def place(self, name: str, order: Order, member: str | None) -> Moved | None:
        """What the model makes of an order."""
        self.model.guard_time(order.occurred_at, self.now, self.rules_at(self.now))
        if member is None:
            self.model.unclaimed(name, order)
            return None
        self.model.guard_payment(order, self.now)
        return self.model.post_order(name, order, member, self.now)

    def pay(self, body: dict[str, Any], member: str) -> None:
        """Let the latest redemption of a member pay a part, whatever has become of it, if the order is large enough."""
        heir = self.model.heir(member)
        own = [
            name
            for name, found in self.model.redemptions.items()
            if self.model.heir(found.member) == heir and not found.pieces
        ]
        if own and self.model.redemptions[own[-1]].amount_minor <= body["total_minor"]:
            amount = self.model.redemptions[own[-1]].amount_minor
            body["payments"] = [
                {"type": "points", "amount_minor": amount, "redemption_id": own[-1]},
                {"type": "card", "amount_minor": body["total_minor"] - amount},
            ]

    @precondition(lambda self: self.model.orders)
    @rule(choice=PICKS, part=st.sampled_from([1, 3, 10]), of=st.sampled_from([10, 4, 1]))
    def refund_by_amount(self, choice: int, part: int, of: int) -> None:
        """A part of an order, or more than there is, goes back."""
        name = self.pick(list(self.model.orders), choice)
        amount = self.model.orders[name].total * part // (3 * of)
        self.refund(name, {"amount_minor": max(amount, 1)})

    @precondition(lambda self: self.ordered_lines())
    @rule(choice=PICKS, wishes=st.lists(st.sampled_from(["all", "one", "some", "none"]), min_size=1, max_size=3))
    def refund_by_line(self, choice: int, wishes: list[str]) -> None:
        """Of some lines all, a piece or some money goes back at once."""
        name = self.pick(self.ordered_lines(), choice)
        parts = {"all": {}, "one": {"quantity": 1}, "some": {"amount_minor": 700}}
        lines = range(len(self.model.orders[name].lines))
        wanted = [{"line": line, **parts[wish]} for line, wish in zip(lines, wishes, strict=False) if wish in parts]
        if wanted:
            self.refund(name, {"lines": wanted})

    def ordered_lines(self) -> list[str]:
        """The orders that have lines."""
        return [name for name, order in self.model.orders.items() if order.lines]

    def refund(self, name: str, wish: dict[str, Any]) -> None:
        """Send a refund."""
        body = {"refund_id": self.number(), "occurred_at": clock.text(self.now), **wish}
        response = self.send(f"/v1/orders/{name}/refunds", body)
        self.judge(
            "refund", response, lambda: self.model.refund(name, body, self.now, self.now, self.rules_at(self.now))
        )
        self.went_back(name)

    def went_back(self, name: str) -> None:
        """What else follows where something of an order went back: nothing here."""

    @precondition(lambda self: self.model.orders)
    @rule(choice=PICKS)
    def cancel_order(self, choice: int) -> None:
        """An order is cancelled."""
        name = self.pick(list(self.model.orders), choice)
        done = f"/v1/orders/{name}/cancel"
        if any(sent.path == done for sent in self.sent):
            return
        response = self.send(done, {"occurred_at": clock.text(self.now)})
        self.judge(
            "cancel order", response, lambda: self.model.cancel_order(name, self.now, self.now, self.rules_at(self.now))
        )
        self.went_back(name)

    @precondition(lambda self: self.model.orders)
    @rule(choice=PICKS, withdrawing=st.booleans())
    def change_pending(self, choice: int, *, withdrawing: bool) -> None:
        """Waiting points are made available, or taken away."""
        name = self.pick(list(self.model.orders), choice)

        def play() -> Moved | None:
            self.model.guard_pending(name, self.now, withdrawing=withdrawing)
            if withdrawing:
                return self.model.withdraw(name, self.now, self.rules_at(self.now))
            return self.model.release_pending(name, self.now)

        verb = "cancel" if withdrawing else "release"
        self.once(f"{verb} pending", f"/v1/orders/{name}/pending/{verb}", play)

    def once(self, kind: str, path: str, play: Callable[[], Moved | None]) -> None:
        """Send a request without a body, unless it was sent before: that would be a repetition."""
        if all(sent.path != path for sent in self.sent):
            self.judge(kind, self.send(path), play)

    # -- redemptions

    @rule(choice=PICKS, points=st.sampled_from([1, 30, 50, 200]), hold_s=st.sampled_from([None, 30, 86_400]))
    def redeem(self, choice: int, points: int, hold_s: int | None) -> None:
        """Points are spent, or held for a checkout."""
        member = self.pick(self.members, choice)
        body = {"points": points, "currency": "CNY"} | ({"hold_seconds": hold_s} if hold_s else {})
        response = self.send(f"/v1/members/{member}/redemptions", body, key=self.number())
        self.judge(
            "hold" if hold_s else "redeem",
            response,
            lambda: self.model.redeem(_name(response), member, points, self.now, hold_s),
        )
        if _name(response):
            assert response.json["redemption"]["amount_minor"] == points * DISCOUNT_MINOR

    @rule(choice=PICKS, pieces=st.sampled_from([1, 1, 2]), hold_s=st.sampled_from([None, None, 30, 90, 86_400]))
    def take(self, choice: int, pieces: int, hold_s: int | None) -> None:
        """Pieces of the reward are taken, or held."""
        member = self.pick(self.members, choice)
        body = {"reward_id": "piece", "quantity": pieces} | ({"hold_seconds": hold_s} if hold_s else {})
        response = self.send(f"/v1/members/{member}/redemptions", body, key=self.number())
        self.judge(
            "hold reward" if hold_s else "take reward",
            response,
            lambda: self.model.take(_name(response), member, pieces, self.now, hold_s),
        )

    @rule()
    def take_all(self) -> None:
        """Everybody takes what they may have."""
        for number in range(2 * len(self.members)):
            self.take(number, 1, None)

    @invariant()
    def every_piece_is_accounted_for(self) -> None:
        """What was put into the stock is what the model says is had, and what is left."""
        shards = read_shards("stock#piece")
        assert sum(shard.put_in for shard in shards) == STOCK
        assert all(shard.put_in == shard.taken + shard.left and shard.left >= 0 for shard in shards)
        assert sum(shard.left_at(self.now) for shard in shards) == self.model.left(self.now)

    @rule(bought=purchases(), choice=PICKS)
    def check_out(self, bought: dict[str, Any], choice: int) -> None:
        """Points are spent and pay an order at once."""
        self.redeem(choice, 30, None)
        self.order(bought, choice, 0, by_phone=False, pays=True)

    @precondition(lambda self: self.model.redemptions)
    @rule(choice=PICKS, verb=st.sampled_from(["commit", "release", "cancel"]), is_fit=st.sampled_from([1, 1, 0]))
    def end_redemption(self, choice: int, verb: str, is_fit: int) -> None:
        """A redemption is committed, released or cancelled, if it is still time."""
        names = list(self.model.redemptions)
        fit = [
            name for name in names if (self.model.redemptions[name].status(self.now) == "held") == (verb != "cancel")
        ]
        name = self.pick((fit if is_fit else []) or names, choice)

        def play() -> Moved:
            self.model.guard_redemption(name, self.now, *(["issued", "used"] if verb == "cancel" else ["held"]))
            match verb:
                case "commit":
                    return self.model.commit(name, self.now)
                case "release":
                    return self.model.release(name, self.now)
            return self.model.cancel_redemption(name, self.now, self.rules_at(self.now))

        self.once(f"{verb} redemption", f"/v1/redemptions/{name}/{verb}", play)


def _name(response: Response) -> str:
    return str(response.json.get("redemption", {}).get("id", ""))
