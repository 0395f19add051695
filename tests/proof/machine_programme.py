"""The state machine under whole programmes: budgets, limits, events, benefits, and a punch card fed out of order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chalicelib.base import clock, ids
from chalicelib.counters import service as counters
from chalicelib.engagement import hearing, reacting
from chalicelib.engagement.events import event_id_of
from chalicelib.ledger.posting import peek
from chalicelib.program import budgets as live
from chalicelib.program import service as programs
from chalicelib.program.validation import InvalidProgram
from tests.api import community
from tests.api.client import Response, client
from tests.proof.calendar import DAY_S
from tests.proof.machine import ACCEPTED, PHONES, PICKS, REACHED, SHOP, STARTED
from tests.proof.machine_trade import AGES_S, Trade
from tests.proof.model import Moved
from tests.proof.order_model import Order
from tests.proof.programme_model import Basket, Happening, Programmes
from tests.proof.programmes import Programme, Whole
from tests.proof.rules_model import Rules

SOON = clock.text(STARTED + DAY_S + 8 * 3600)[:16]
"""The programme's clocks, eight hours ahead: a day after the beginning."""
VERSIONS = (
    Whole(),
    Whole(programme=Programme(ends_at=SOON)),
    Whole(pending_days=7, programme=Programme(stamps=4)),
    Whole(points=3, per_minor=200, expiry_months=1, programme=Programme(status="paused")),
    Whole(programme=Programme(has_rules=False)),
    Whole(expiry_months=None, programme=Programme(has_campaigns=False)),
)
EVENT_AGES_S = st.sampled_from([0, 0, 0, 1800, 3600, DAY_S, 9 * DAY_S, 35 * DAY_S, 45 * DAY_S, -900])


@st.composite
def baskets(draw: st.DrawFn) -> dict[str, Any]:
    """What was bought: tea, cups and bags, with a discount on the whole now and then."""
    lines = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "sku": st.sampled_from(["oolong", "oolong", "cup", "bag"]),
                    "category": st.sampled_from(["tea", "tea", "ware"]),
                    "quantity": st.integers(1, 3),
                    "amount_minor": st.sampled_from([0, 99, 1000, 3333, 7000, 24_000]),
                }
            ),
            max_size=3,
        )
    )
    if not lines:
        return {"total_minor": draw(st.sampled_from([0, 1000, 21_000]))}
    goods = sum(int(str(line["amount_minor"])) for line in lines)
    discount = draw(st.sampled_from([0, 0, 0, goods // 7, goods]))
    shipping = draw(st.sampled_from([0, 0, 500]))
    body = {"total_minor": goods - discount + shipping, "shipping_minor": shipping, "lines": lines}
    return {**body, "discount_minor": discount} if discount else body


VERSIONS_MAX = 20
"""So many are published in a run: the list of all of them has to fit one page."""


class Community(Trade):
    """A shop with a whole programme."""

    model: Programmes

    # What these try has nothing to do with the programme, and the other machine tries it.
    adjust = take = take_all = write_down = check_out = None  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        live.reset_memory()
        self.model = Programmes(self.rules_at)
        self.newest: Rules = VERSIONS[0]

    # -- the programme

    @initialize(version=st.sampled_from(VERSIONS))
    def open_shop(self, version: Rules) -> None:
        """The first programme starts at once, and somebody enrols."""
        programs.publish(version.document(), starts_at=self.now, by="tests", now=self.now)
        self.published(version, self.now)
        self.enrol(PHONES[0])

    @precondition(lambda self: len(self.history) < VERSIONS_MAX)
    @rule(version=st.sampled_from(VERSIONS), ahead_s=st.sampled_from([600, DAY_S]))
    def publish(self, version: Rules, ahead_s: int) -> None:
        """Another programme will be in force. A campaign that was away cannot come back with a budget half spent."""
        starts_at, before = self.now + ahead_s, len(programs.versions())
        try:
            programs.publish(version.document(), starts_at=starts_at, by="tests", now=self.now)
        except InvalidProgram:
            REACHED["publish", "spent_before"] += 1
            assert _has_campaigns(version)
            assert not _has_campaigns(self.newest)
            assert self.model.budgets.left != self.model.budgets.put_in
            return
        spent = self.model.budgets.left != self.model.budgets.put_in
        assert not (spent and _has_campaigns(version) and not _has_campaigns(self.newest))
        if len(programs.versions()) > before:
            self.published(version, starts_at)

    @precondition(lambda self: len(self.history) < VERSIONS_MAX)
    @rule()
    def do_without(self) -> None:
        """The campaigns go, and are to come back."""
        self.publish(VERSIONS[-1], 600)
        self.publish(VERSIONS[1], DAY_S)

    @precondition(lambda self: len(self.versions) > 1)
    @rule(choice=PICKS)
    def roll_back(self, choice: int) -> None:
        """An earlier version will be in force again, as a copy; what budgets hold stays in them."""
        count = len(programs.versions())
        number = 1 + choice % count
        starts_at = self.now + programs.LEAD_S
        programs.roll_back(number, starts_at=starts_at, by="tests", now=self.now)
        if len(programs.versions()) > count:
            REACHED["roll back", "accepted"] += 1
            self.published(self.history[number - 1], starts_at)

    def published(self, version: Rules, starts_at: int) -> None:
        """Note a version."""
        self.versions = [known for known in self.versions if known[0] < starts_at] + [(starts_at, version)]
        self.newest = version
        self.history = [*getattr(self, "history", []), version]
        self.model.budgets.fill(version)

    def judge(self, kind: str, response: Response, play: Callable[[], Moved | None]) -> None:
        """Hold an answer against the model: what it explains rule by rule as well, and that this adds up."""
        super().judge(kind, response, play)
        if kind not in ("order", "event") or response.status != 201:
            return
        answer = response.json[kind]
        found = (self.model.orders if kind == "order" else self.model.events)[answer["id"]]
        assert isinstance(found, Basket | Happening)
        told = {item["rule"]: item["points"] for item in answer["explanations"] if item["points"]}
        assert told == {code: points for code, points in found.brought.told.items() if points}
        assert sum(told.values()) == answer["earned_points" if kind == "order" else "points"]
        REACHED.update({("explained", item["reason"]): 1 for item in answer["explanations"]})

    # -- orders, events, benefits

    def ordered(self, body: dict[str, Any], occurred_at: int) -> Order:
        """An order as the model keeps it."""
        return Basket(body, occurred_at, self.rules_at(occurred_at))

    @rule(bought=baskets(), choice=PICKS, age_s=AGES_S, by_phone=st.booleans(), pays=st.booleans())
    def order(self, bought: dict[str, Any], choice: int, age_s: int, *, by_phone: bool, pays: bool) -> None:
        """Somebody buys."""
        if by_phone:
            self.buy(bought, age_s, {"identity": {"phone": self.pick(PHONES, choice)}}, pays=pays)
        else:
            self.buy(bought, age_s, {"member_id": self.pick(self.members, choice)}, pays=pays)

    @rule(bought=baskets(), choice=PICKS)
    def ask_and_buy(self, bought: dict[str, Any], choice: int) -> None:
        """What a quote promises, the order brings."""
        member = self.pick(self.members, choice)
        body = {"currency": "CNY", "member_id": member, **bought}
        quote = client.post("/v1/quotes", caller=SHOP, json=body).json
        self.buy(bought, 0, {"member_id": member}, pays=False)
        brought = list(self.model.orders.values())[-1]
        assert quote["points"] == brought.points
        assert sum(told["points"] for told in quote["explanations"]) == quote["points"]

    @rule(choice=PICKS, kind=st.sampled_from(["check_in", "check_in", "review", "wave", "dance"]), age_s=EVENT_AGES_S)
    def event(self, choice: int, kind: str, age_s: int) -> None:
        """A member does something else."""
        member, number, occurred_at = self.pick(self.members, choice), self.number(), self.now - age_s
        body = {"source": "crm", "event_id": number, "type": kind, "occurred_at": clock.text(occurred_at)}
        response = self.send("/v1/events", body | {"member_id": member})
        name = event_id_of("crm", number)

        def play() -> Any:
            rules = self.rules_at(occurred_at)
            self.model.guard_event(kind, rules)
            self.model.guard_time(occurred_at, self.now, self.rules_at(self.now))
            return self.model.post_event(name, member, kind, occurred_at=occurred_at, at=self.now, rules=rules)

        self.judge("event", response, play)

    @precondition(lambda self: self.model.events)
    @rule(choice=PICKS)
    def cancel_event(self, choice: int) -> None:
        """An event is withdrawn."""
        self.withdraw_event(self.pick(list(self.model.events), choice))

    def withdraw_event(self, name: str) -> None:
        """Withdraw an event, unless it was done before."""
        self.once("cancel event", f"/v1/events/{name}/cancel", lambda: self.model.cancel_event(name, self.now))

    @rule(choice=PICKS, code=st.sampled_from(["lounge", "lounge", "suite", "cellar"]), age_s=EVENT_AGES_S)
    def use_benefit(self, choice: int, code: str, age_s: int) -> None:
        """A member uses a benefit."""
        member, occurred_at, key = self.pick(self.members, choice), self.now - age_s, self.number()
        path = f"/v1/members/{member}/benefits/{code}/uses"
        response = self.send(path, {"occurred_at": clock.text(occurred_at)}, key=key)
        name = str(response.json.get("use", {}).get("id", ""))

        def play() -> Any:
            self.model.guard_benefit(code, self.rules_at(occurred_at))
            self.model.guard_time(occurred_at, self.now, self.rules_at(self.now))
            rules = self.rules_at(occurred_at)
            return self.model.use_benefit(name, member, code, occurred_at=occurred_at, at=self.now, rules=rules)

        self.judge("use benefit", response, play)

    @precondition(lambda self: self.model.uses)
    @rule(choice=PICKS)
    def cancel_use(self, choice: int) -> None:
        """A use is given back."""
        name = self.pick(list(self.model.uses), choice)
        self.once("cancel use", f"/v1/benefit-uses/{name}/cancel", lambda: self.model.cancel_use(name, self.now))

    @rule(
        choice=PICKS,
        kinds=st.lists(st.sampled_from(["check_in", "check_in", "review"]), min_size=2, max_size=5),
        order=st.randoms(use_true_random=False),
        withdrawn=st.booleans(),
    )
    def come_often(self, choice: int, kinds: list[str], order: Any, *, withdrawn: bool) -> None:
        """A regular: every hour something, and the lounge every time; perhaps nothing of it was true."""
        before = len(self.model.events)
        for hours, kind in enumerate(kinds):
            self.event(choice, kind, hours * 3600)
            self.use_benefit(choice, "lounge", 0)
        self.event(choice, "review", 0)
        self.event(choice, "review", 600)
        if withdrawn:
            self.hear(order, 99)
            for name in list(self.model.events)[before:]:
                self.withdraw_event(name)
            self.hear(order, 99)
            if self.model.uses:
                self.cancel_use(0)

    @rule(order=st.randoms(use_true_random=False), times=st.sampled_from([1, 4, 99]))
    def hear(self, order: Any, times: int) -> None:
        """The queue of challenges brings notices of any time before, in any order, some of them twice."""
        known = [notice for member in self.members for notice in community.notices(member)]
        order.shuffle(known)
        for notice in [*known[:times], *known[:1]]:
            reacting.react(notice, now=self.now)
            told: dict[str, Any] = {"member": notice.member_id}
            if notice.kind == "merged_in":
                (told["merged"],) = [name for name in self.members if ids.derived("mrg", name) == notice.record]
            else:
                told["fact"] = hearing._place(notice)[1]
            rounds = self.model.cards.rounds_paid()
            self.model.hear(told, self.now)
            more = self.model.cards.rounds_paid() - rounds
            REACHED["round", "paid" if more > 0 else "taken back" if more < 0 else "heard"] += 1

    @precondition(lambda self: len(self.model.orders) + len(self.model.events) > 4)
    @rule()
    def take_everything_back(self) -> None:
        """Once all orders are cancelled and all events withdrawn, every budget holds what was put in."""
        for name, order in self.model.orders.items():
            if not order.cancelled:
                path = f"/v1/orders/{name}/cancel"
                assert self.send(path, {"occurred_at": clock.text(self.now)}).status in ACCEPTED
                self.model.cancel_order(name, self.now, self.now, self.rules_at(self.now))
        for name, event in self.model.events.items():
            if not event.cancelled:
                assert self.send(f"/v1/events/{name}/cancel").status in ACCEPTED
                self.model.cancel_event(name, self.now)
        assert self.model.budgets.left == self.model.budgets.put_in
        REACHED["everything", "taken back"] += 1

    # -- after every step

    @invariant()
    def every_limit_is_accounted_for(self) -> None:
        """What accounts remember of the programme's limits is what the model says."""
        for member in self.members:
            state = peek(member, now=self.now, consistent=True).state
            account = self.model.member(member)
            found = {(limit.limit_id, limit.until): (limit.count, limit.points) for limit in state.limits}
            # What a reward's limits need is the other machine's.
            assert {key: used for key, used in found.items() if "piece" not in key[0]} == account.limits

    @invariant()
    def every_award_is_accounted_for(self) -> None:
        """Counters hold what the live orders and events have taken, and what is left."""
        taken: Counter[tuple[str, str]] = Counter()
        for order in self.model.orders.values():
            assert isinstance(order, Basket)
            if order.member is not None:
                for code, (points, awards) in order.still_taken().items():
                    taken.update({(code, "points"): points, (code, "awards"): awards})
        for event in self.model.events.values():
            if not event.cancelled:
                for code, points in event.brought.awards.items():
                    taken.update({(code, "points"): points, (code, "awards"): 1})
        for (code, unit), put_in in self.model.budgets.put_in.items():
            found = counters.read(live.counter_name(code, unit))
            assert (found.put_in, found.taken) == (put_in, taken[code, unit])
            assert all(shard.put_in == shard.taken + shard.left and shard.left >= 0 for shard in found.shards)


def _has_campaigns(rules: Rules) -> bool:
    return isinstance(rules, Whole) and rules.programme.has_campaigns
