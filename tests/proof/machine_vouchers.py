"""The state machine's vouchers: issued, locked, used on orders, rolled back, and over when their time is up."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from chalicelib.base import clock
from chalicelib.vouchers import batches
from tests.api.client import Response, client
from tests.proof.machine import ACCEPTED, PICKS, REACHED, SHOP
from tests.proof.machine_trade import Trade
from tests.proof.model import Moved
from tests.proof.scenario_vouchers import definition
from tests.proof.voucher_model import Terms, Wish

TTL_S = 60
BATCHES = {
    "shared": Terms(is_single=False, total=2, per_member=1),
    "coins": Terms(points=25, is_personal=True, days=3),
    "tenth": Terms(total=3, days=10),
}
CODE = "SUMMER26"
SESSIONS = st.sampled_from([None, "till", "web"])
TOTAL_MINOR = 10_000


class Vouching(Trade):
    """A shop that takes vouchers."""

    # What these try has nothing to do with vouchers, and the other machine tries it.
    adjust = take = take_all = write_down = check_out = redeem = end_redemption = change_pending = None  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.batches: dict[str, str] = {}
        self.codes: dict[str, str] = {}
        self.keys: dict[str, tuple[str, dict[str, Any], str]] = {}

    def batch(self, name: str) -> str:
        """A batch, made when it is first needed."""
        if name not in self.batches:
            terms = BATCHES[name]
            batch = definition(terms, "" if terms.is_single else CODE)
            made = batches.create(batch, key=name, actor="tests", now=self.now)
            batch_id = self.batches[name] = str(made.record.key)
            self.model.vouchers.batches[batch_id] = terms
            if not terms.is_single:
                found = batches.read(batch_id)
                voucher = client.post(f"/v1/vouchers/{CODE}/validate", caller=SHOP, json=self.sketch(self.members[0]))
                self.learn(voucher.json["id"], CODE, found.batch_id, None)
        return self.batches[name]

    def learn(self, name: str, code: str, batch: str, owner: str | None) -> None:
        """A voucher is there."""
        self.codes[name] = code
        self.model.vouchers.issue(name, batch, owner, self.now)

    def sketch(self, member: str | None, **fields: Any) -> dict[str, Any]:
        """What a voucher is asked about."""
        whose = {"member_id": member} if member else {}
        return {"currency": "CNY", "total_minor": TOTAL_MINOR, **whose, **fields}

    @rule(choice=PICKS, name=st.sampled_from(["coins", "coins", "tenth"]))
    def issue(self, choice: int, name: str) -> None:
        """A member is given a voucher, once for the key."""
        batch, member, key = self.batch(name), self.pick(self.members, choice), self.number()
        path = f"/v1/members/{member}/vouchers"
        first, again = (client.post(path, caller=SHOP, key=key, json={"batch_id": batch}) for _time in range(2))
        assert (first.status, again.status, again.json) == (201, 200, first.json)
        self.learn(first.json["id"], first.json["code"], batch, self.model.heir(member))
        REACHED["issue voucher", "accepted"] += 1

    @rule()
    def hand_out(self) -> None:
        """There is a code that all may use."""
        self.batch("shared")

    def wish(self, choice: int, who: int, session: str | None, *, is_own: bool, order: str = "") -> Wish:
        """One of the vouchers, for its owner or for anybody, by one of the member's checkouts."""
        voucher = self.pick(list(self.codes), choice)
        owner = self.model.vouchers.vouchers[voucher].owner
        member = owner if is_own and owner else self.pick(self.members, who)
        return Wish(voucher, member, f"{session} {member}" if session else None, order)

    @precondition(lambda self: self.codes)
    @rule(choice=PICKS, who=PICKS, session=st.sampled_from(["till", "web"]))
    def lock(self, choice: int, who: int, session: str) -> None:
        """A checkout keeps a voucher."""
        wish = self.wish(choice, who, session, is_own=True)
        body = self.sketch(wish.member, session=wish.session, ttl_seconds=TTL_S)
        response = client.post(f"/v1/vouchers/{self.codes[wish.voucher]}/lock", caller=SHOP, json=body)
        had = self.model.vouchers.has(wish, self.now)
        if self.agrees("lock voucher", response, wish):
            lock = self.model.vouchers.lock(self.model, wish, self.now, TTL_S)
            assert response.json["locked_until"] == clock.text(lock.until)
            assert response.status == (200 if had else 201)

    @precondition(lambda self: self.codes)
    @rule(choice=PICKS, who=PICKS, session=st.sampled_from(["till", "web"]))
    def unlock(self, choice: int, who: int, session: str) -> None:
        """A checkout lets a voucher go, if it has it."""
        wish = self.wish(choice, who, session, is_own=True)
        path = f"/v1/vouchers/{self.codes[wish.voucher]}/unlock"
        assert client.post(path, caller=SHOP, json={"session": wish.session}).status == 200
        self.model.vouchers.free(wish.voucher, wish.session)

    @rule(choice=PICKS, order=st.sampled_from(["v1", "v2"]), is_locked=st.booleans())
    def contend(self, choice: int, order: str, *, is_locked: bool) -> None:
        """A voucher is tried that another checkout has; or in the second in which it is over."""
        if not self.singles():
            self.issue(choice, "coins")
        name = self.pick(self.singles(), choice)
        voucher = self.model.vouchers.vouchers[name]
        place = list(self.codes)[::-1].index(name)
        if is_locked:
            self.lock(place, choice, "till")
        elif voucher.ends_at is not None:
            self.now = max(self.now, voucher.ends_at)
        self.used(Wish(name, voucher.owner, None, order))
        if is_locked:
            self.used(Wish(name, voucher.owner, f"till {voucher.owner}", order))
        self.lock(place, choice, "web")

    def singles(self) -> list[str]:
        """The vouchers that can be used once, and are not used."""
        vouchers = self.model.vouchers
        used = {use.voucher for use in vouchers.uses.values() if use.is_live}
        return [
            name
            for name in self.codes
            if name not in used and vouchers.batches[vouchers.vouchers[name].batch].is_single
        ]

    def agrees(self, kind: str, response: Response, wish: Wish) -> bool:
        """Whether a voucher may be had, as the model and the answer say."""
        codes = self.model.vouchers.why_not(self.model, wish, self.now)
        told = None if response.status in ACCEPTED else response.code
        assert told == (codes[0] if codes else None), response.text
        REACHED[kind, told or "accepted"] += 1
        return told is None

    @precondition(lambda self: self.codes)
    @rule(
        choice=PICKS,
        who=PICKS,
        session=SESSIONS,
        order=st.sampled_from(["v1", "v2"]),
        is_own=st.sampled_from([1, 1, 1, 0]),
    )
    def use(self, choice: int, who: int, session: str | None, order: str, is_own: int) -> None:
        """A voucher is used on an order that nobody has posted."""
        self.used(self.wish(choice, who, session, is_own=bool(is_own), order=order))

    def used(self, wish: Wish) -> str | None:
        """Use a voucher, once for the key; gives the use's id."""
        if wish.member and self.model.vouchers.vouchers[wish.voucher].owner not in (None, wish.member):
            # Whoever tries it ten times within some minutes is answered no more.
            self.now += 60
        key, path = self.number(), f"/v1/vouchers/{self.codes[wish.voucher]}/redeem"
        body = self.sketch(wish.member, source="shop", order_id=wish.order)
        body |= {"session": wish.session} if wish.session else {}
        response = client.post(path, caller=SHOP, key=key, json=body)
        name = response.json["redemption"]["id"] if response.status in ACCEPTED else ""

        def play() -> Moved | None:
            return self.model.vouchers.redeem(self.model, name, wish, self.now, self.rules_at(self.now))

        self.judge("use voucher", response, play)
        if not name:
            return None
        self.keys[name] = (path, body, key)
        return name

    @precondition(lambda self: self.keys)
    @rule(choice=PICKS, is_changed=st.booleans())
    def use_again(self, choice: int, *, is_changed: bool) -> None:
        """A use sent again is that use, whatever has become of it; for another amount it is refused."""
        name = self.pick(list(self.keys), choice)
        path, body, key = self.keys[name]
        answer = client.post(path, caller=SHOP, key=key, json={**body, "total_minor": TOTAL_MINOR + is_changed})
        if is_changed:
            assert (answer.status, answer.code) == (409, "key_reused")
            return
        is_live = self.model.vouchers.uses[name].is_live
        assert (answer.status, answer.json["redemption"]["id"]) == (200, name)
        assert answer.json["redemption"]["status"] == ("redeemed" if is_live else "rolled_back")

    @precondition(lambda self: self.codes)
    @rule(choice=PICKS, is_known=st.sampled_from([1, 1, 1, 0]))
    def roll_back(self, choice: int, is_known: int) -> None:
        """The latest use of a voucher on an order is taken back, once."""
        vouchers = self.model.vouchers
        voucher, order = self.pick(list(self.codes), choice), "v1"
        if is_known and vouchers.uses:
            known = vouchers.uses[self.pick(list(vouchers.uses), choice)]
            voucher, order = known.voucher, known.order
        body = {"source": "shop", "order_id": order}
        response = client.post(f"/v1/vouchers/{self.codes[voucher]}/rollback", caller=SHOP, json=body)
        found = [name for name, use in vouchers.uses.items() if (use.voucher, use.order) == (voucher, order)]
        if not found:
            assert response.code == "voucher_use_not_found"
            REACHED["roll back voucher", response.code] += 1
            return
        name = found[-1]
        if not vouchers.uses[name].is_live:
            assert (response.status, response.json["redemption"]["id"]) == (200, name)
            REACHED["roll back voucher", "done before"] += 1
            return
        self.judge("roll back voucher", response, lambda: vouchers.roll_back(self.model, name, self.now))
        again = client.post(f"/v1/vouchers/{self.codes[voucher]}/rollback", caller=SHOP, json=body)
        assert (again.status, again.json["redemption"]["id"]) == (200, name)
        REACHED["roll back voucher", "done before"] += 1

    @precondition(lambda self: self.codes)
    @rule(choice=PICKS, who=PICKS, back=st.sampled_from(["cancel", "half", "whole", ""]))
    def buy_with(self, choice: int, who: int, back: str) -> None:
        """An order uses a voucher and names it; perhaps it goes back at once, and the voucher with all of it."""
        number = self.number()
        wish = self.wish(choice, who, None, is_own=True, order=number)
        use = self.used(wish)
        if use is None or wish.member is None:
            return
        named = {"total_minor": TOTAL_MINOR, "vouchers": [{"redemption_id": use}]}
        self.buy(named, 0, {"member_id": wish.member}, pays=False, number=number)
        if back == "cancel":
            self.cancel_order(0)
        elif back:
            self.refund_by_amount(0, 3, 2 if back == "half" else 1)

    def went_back(self, name: str) -> None:
        """The vouchers of an order go back with all of it."""
        order = self.model.orders[name]
        if order.is_whole:
            for use in order.vouchers:
                if self.model.vouchers.uses[use].is_live:
                    self.model.vouchers.roll_back(self.model, use, self.now)
                    REACHED["voucher", "went back"] += 1

    @invariant()
    def every_voucher_is_accounted_for(self) -> None:
        """The counts of each batch, and what members are shown of theirs."""
        vouchers = self.model.vouchers
        for name, batch in self.batches.items():
            tally = batches.tally(batch)
            told = {what: vouchers.counts.get((batch, what), 0) for what in ("locked", "redeemed", "rolled_back")}
            assert {what: getattr(tally, what) for what in told} == told
            total = BATCHES[name].total
            if total is not None:
                # What lapsed locks hold is given back when somebody needs it.
                most = total - len(vouchers.live(batch)) - len(vouchers.locked(batch, self.now))
                assert 0 <= (batches.left(batches.read(batch)) or 0) <= most
        for member in self.members[-1:]:
            found = client.get(f"/v1/members/{member}/vouchers?limit=100", caller=SHOP).json["vouchers"]
            heir = self.model.heir(member)
            own = {
                name for name, each in vouchers.vouchers.items() if each.owner and self.model.heir(each.owner) == heir
            }
            assert {each["id"]: each["status"] for each in found} == {name: self.status(name) for name in own}

    def status(self, name: str) -> str:
        """What has become of a voucher."""
        if any(use.is_live and use.voucher == name for use in self.model.vouchers.uses.values()):
            return "used"
        ends_at = self.model.vouchers.vouchers[name].ends_at
        return "expired" if ends_at is not None and self.now >= ends_at else "open"
