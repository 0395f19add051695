"""The state machine's referrals: claimed, qualified, paid, taken back, reviewed, heard of late and in any order."""

from __future__ import annotations

import random
from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from chalicelib.ledger.router import Notice
from chalicelib.members.table import read_merge
from chalicelib.orders.reacting import order_id_of
from chalicelib.referrals import reacting
from chalicelib.referrals.table import referral_id_of
from tests.api.client import client
from tests.proof.machine import ACCEPTED, PICKS, REACHED, SHOP, VERSIONS
from tests.proof.machine_vouchers import Vouching
from tests.proof.scenario_referrals import notices

DEVICES = st.sampled_from(["", "", "", "a phone", "a tablet"])


class Referring(Vouching):
    """A shop whose members bring friends."""

    def code(self, member: str) -> str:
        """A member's code."""
        return str(client.get(f"/v1/members/{member}/referral-code", caller=SHOP).json["code"])

    @rule(choice=PICKS, other=PICKS, device=DEVICES)
    def claim(self, choice: int, other: int, device: str) -> None:
        """Somebody says who has brought it."""
        self.claimed(self.pick(self.members, choice), self.pick(self.members, other), device)

    def claimed(self, friend: str, referrer: str, device: str) -> None:
        """Send a claim."""
        referrals = self.model.referrals
        # The code of who was merged leads to the heir, and so is the heir's where there was none before.
        code_of = referrals.codes.setdefault(self.code(referrer), self.model.heir(referrer))
        body = {"code": self.code(referrer), "device": device}
        response = client.post(f"/v1/members/{friend}/referral", caller=SHOP, json=body)
        codes = referrals.why_not(self.model, friend, code_of, self.now)
        told = None if response.status in ACCEPTED else response.code
        assert told == (codes[0] if codes else None), response.text
        REACHED["claim code", told or "accepted"] += 1
        if told:
            return
        name = referral_id_of(self.model.heir(friend))
        assert response.status == (200 if name in referrals.found else 201)
        if name not in referrals.found:
            rules = self.rules_at(self.now)
            referrals.claim(name, self.model, friend, code_of, at=self.now, rules=rules, device=device)
        status = referrals.found[name].status(self.now)
        assert response.json["status"] == ("waiting" if status == "held" else status)

    @precondition(lambda self: self.strangers())
    @rule(choice=PICKS, device=DEVICES, back=st.booleans(), is_new=st.sampled_from([1, 1, 1, 0]), waits=st.booleans())
    def bring(self, choice: int, device: str, *, back: bool, is_new: int, waits: bool) -> None:
        """A friend enrols, claims (too late where it has bought before), buys, and perhaps sends it back.

        Perhaps a return window has to be waited for as well.
        """
        if waits and not self.rules_at(self.now).return_days:
            self.publish(VERSIONS[2], 600)
            self.wait(600)
        # The same few bring many, so that steps and caps matter.
        referrer = self.pick(self.members[:2], choice)
        self.enrol(self.strangers()[0])
        friend = self.members[-1]
        if is_new:
            self.claimed(friend, referrer, device)
        self.buy({"total_minor": 10_000}, 0, {"member_id": friend}, pays=False)
        if not is_new:
            self.claimed(friend, referrer, device)
        self.hear(choice)
        if back:
            self.cancel_order(0)
            self.hear(choice)

    @precondition(lambda self: len(self.strangers()) > 1)
    @rule(choice=PICKS, device=st.sampled_from(["a phone", "a tablet"]))
    def bring_two(self, choice: int, device: str) -> None:
        """Two friends claim a code with one device: the second waits for staff."""
        referrer = self.pick(self.members, choice)
        for _time in range(2):
            self.enrol(self.strangers()[0])
            self.claimed(self.members[-1], referrer, device)

    @precondition(lambda self: len(self.strangers()) > 1)
    @rule(seed=st.integers(0, 99), is_closed=st.booleans())
    def bring_by_till(self, seed: int, *, is_closed: bool) -> None:
        """A friend claims, buys on another account, at the till, and the two turn out to be one person."""
        for _account in range(2):
            self.enrol(self.strangers()[0])
        friend, till = self.members[-2:]
        self.claimed(friend, self.members[0], "")
        self.buy({"total_minor": 10_000}, 0, {"member_id": till}, pays=False)
        self.merge(int(is_closed), int(not is_closed))
        self.hear(seed)

    @rule(seed=st.integers(0, 99))
    def hear(self, seed: int) -> None:
        """All that has ever happened is heard of, in any order."""
        rng = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        found = [notice for member in self.members for notice in notices(member)]
        rng.shuffle(found)
        for notice in found:
            reacting.react(notice, now=self.now)
            self.heard(notice)

    def heard(self, notice: Notice) -> None:
        """What the model makes of a notice: it says where to look, and counts what is there now."""
        referrals = self.model.referrals
        if notice.kind == "merged_in":
            merge = read_merge(notice.record)
            assert merge is not None
            referrals.unite(self.model, str(merge.closed_id), self.now)
            return
        order_id = order_id_of(notice)
        for name in referrals.of(notice.member_id):
            referrals.hear(name, order_id, self.model.orders[order_id])
            referrals.settle(self.model, name, self.now)

    @rule()
    def settle_due(self) -> None:
        """The hour is over."""
        reacting.settle_due(now=self.now)
        for name in self.model.referrals.found:
            self.model.referrals.settle(self.model, name, self.now)

    @precondition(lambda self: self.model.referrals.found)
    @rule(choice=PICKS, verdict=st.sampled_from(["approve", "refuse"]))
    def decide(self, choice: int, verdict: Literal["approve", "refuse"]) -> None:
        """Staff looks at a referral."""
        name = self.pick(list(self.model.referrals.found), choice)
        assert client.post(f"/v1/referrals/{name}/{verdict}", caller=SHOP).status == 200
        self.model.referrals.decide(name, {"approve": "approved", "refuse": "refused"}[verdict])
        self.model.referrals.settle(self.model, name, self.now)
        REACHED[verdict, "accepted"] += 1

    @invariant()
    def every_referral_is_as_the_model_says(self) -> None:
        """How far each is, and what both were paid."""
        for name, referral in self.model.referrals.found.items():
            found = client.get(f"/v1/referrals/{name}", caller=SHOP).json
            status = referral.status(self.now)
            paid = {side: each.points for side, each in referral.paid.items()}
            assert (found["status"], found["friend_points"], found["referrer_points"]) == (
                status,
                paid.get("friend", 0),
                paid.get("referrer", 0),
            )
            REACHED["referral", status] += 1
        REACHED["referral", "taken back"] += self.model.referrals.times_back
