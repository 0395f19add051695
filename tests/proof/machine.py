"""The state machine: requests to the real API beside the model, and every invariant after every step."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import UNSET

from chalicelib.base import clock
from chalicelib.ledger.posting import peek
from chalicelib.members.retiering import retier_member
from chalicelib.members.sweeping import sweep_member
from chalicelib.orders import claims
from chalicelib.program import service as programs
from tests.api.client import Response, client, system
from tests.proof import store
from tests.proof.account_model import Refused
from tests.proof.calendar import DAY_S
from tests.proof.invariants import Watch, balances, expected
from tests.proof.model import Model, Moved
from tests.proof.rules_model import MEMBERSHIP, YEAR, Rules

STARTED = 1_800_000_000
SHOP = system(
    *("members.write", "members.read", "orders.write", "redemptions.write", "adjustments.write"),
    *("events.write", "benefits.write", "vouchers.write", "vouchers.admin", "referrals.write", "referrals.review"),
)
PHONES = [f"+861380013800{number}" for number in range(5)]
VERSIONS = (
    Rules(points=3, per_minor=200, pending_days=7),
    Rules(points=2, expiry_months=1),
    Rules(points=2, expiry_months=1, pending_days=21, return_days=2),
    Rules(pending_days=14, expiry_months=None),
    Rules(welcome_points=0, grace_days=0, late_days=10),
    Rules(points=1, per_minor=30, expiry_months=3, pending_days=1),
    Rules(ladder=YEAR),
    Rules(expiry_months=3, ladder=MEMBERSHIP),
)
PICKS = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5, 8])
ACCEPTED = (200, 201, 202)
REACHED: Counter[tuple[str, str]] = Counter()
"""What came of the requests so far, by their kind: so that a test can see that everything was tried."""
STEP = ("step", "checked")


@dataclass(frozen=True)
class Sent:
    """A request that was accepted, and its answer."""

    path: str
    body: dict[str, Any] | None
    key: str | None
    response: Response


class Shop(RuleBasedStateMachine):
    """One run: some members, a programme that changes, and a clock that goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = STARTED
        self.model = Model(self.rules_at)
        self.versions: list[tuple[int, Rules]] = []
        self.sent: list[Sent] = []
        self.watch = Watch()
        self.count = 0
        self._open = contextlib.ExitStack()
        self._open.enter_context(self.tables())
        self._open.enter_context(mock.patch.object(clock, "now", self.time))

    @contextlib.contextmanager
    def tables(self) -> Iterator[object]:
        """The tables of this run."""
        with store.in_memory() as found:
            yield found

    def time(self) -> int:
        """The present of this run."""
        return self.now

    def teardown(self) -> None:
        """Close the tables."""
        self._open.close()

    # -- what the rules are made from

    def rules_at(self, instant: int) -> Rules:
        """The programme in force at an instant."""
        started = [rules for starts_at, rules in self.versions if starts_at <= instant]
        return started[-1] if started else self.versions[0][1]

    def post(self, path: str, body: dict[str, Any] | None, key: str | None) -> Response:
        """Send a request."""
        return client.post(path, caller=SHOP, key=key, json=UNSET if body is None else body)

    def send(self, path: str, body: dict[str, Any] | None = None, key: str | None = None) -> Response:
        """Send a request and keep it if it was accepted."""
        response = self.post(path, body, key)
        if response.status in ACCEPTED:
            self.sent.append(Sent(path, body, key, response))
        return response

    def judge(self, kind: str, response: Response, play: Callable[[], Moved | None]) -> None:
        """Hold an answer against what the model does, and count what came of it."""
        refusal, moved = None, None
        try:
            moved = play()
        except Refused as refused:
            refusal = refused.code
        told_code = None if response.status in ACCEPTED else response.code
        assert told_code == refusal, response.text
        REACHED[kind, refusal or "accepted"] += 1
        if refusal:
            return
        if moved is None:
            assert response.json["entry"] is None
            return
        answer = response.json
        account = self.model.account(answer["account"]["member_id"])
        assert answer["entry"]["points"] == moved.points
        told = {name: answer["account"][name] for name in ("available", "owed", "pending", "tier")}
        assert told == {
            "available": account.available,
            "owed": account.owed,
            "pending": account.pending,
            "tier": moved.tier,
        }

    def number(self) -> str:
        """A name not used before."""
        self.count += 1
        return str(self.count)

    def pick(self, names: list[str], choice: int) -> str:
        """One of some names, the latest for 0."""
        return names[-1 - choice % len(names)]

    # -- time and programme

    @initialize(version=st.sampled_from(VERSIONS))
    def open_shop(self, version: Rules) -> None:
        """The first programme starts at once, and somebody enrols."""
        programs.publish(version.document(), starts_at=self.now, by="tests", now=self.now)
        self.versions.append((self.now, version))
        self.enrol(PHONES[0])

    @rule(seconds=st.sampled_from([1, 5, 60, 3600, 3600, DAY_S, 8 * DAY_S, 31 * DAY_S, 62 * DAY_S]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += seconds

    @rule(version=st.sampled_from(VERSIONS), ahead_s=st.sampled_from([600, DAY_S]))
    def publish(self, version: Rules, ahead_s: int) -> None:
        """Another programme will be in force."""
        starts_at = self.now + ahead_s
        before = len(programs.versions())
        programs.publish(version.document(), starts_at=starts_at, by="tests", now=self.now)
        if len(programs.versions()) > before:
            self.versions = [known for known in self.versions if known[0] < starts_at] + [(starts_at, version)]

    # -- members

    @property
    def members(self) -> list[str]:
        """Everybody who has enrolled, whether merged into another one since or not."""
        return list(self.model.accounts)

    @rule(phone=st.sampled_from(PHONES))
    def enrol(self, phone: str) -> None:
        """Somebody enrols; orders that waited for the phone are claimed, and claimed again."""
        response = self.send("/v1/members", {"phone": phone}, key=self.number())
        if phone in self.model.phones:
            assert (response.status, response.code) == (409, "identity_taken")
            return
        member = response.json["member"]["id"]
        self.model.phones[phone] = member
        self.judge("enrol", response, lambda: self.model.enrol(member, self.now, self.rules_at(self.now)))
        waiting = self.waiting(phone)
        assert claims.claim_all(member, now=self.now) == len(waiting)
        assert claims.claim_all(member, now=self.now) == 0
        REACHED["claim", "accepted"] += len(waiting)
        for name in waiting:
            self.model.post_order(name, self.model.orders[name], member, self.now)

    @precondition(lambda self: len(self.members) > 1)
    @rule(choice=PICKS, other=PICKS)
    def merge(self, choice: int, other: int) -> None:
        """Two members turn out to be one person."""
        closing, into = self.pick(self.members, choice), self.pick(self.members, other)
        path = f"/v1/members/{closing}/merge"
        if any(sent.path == path for sent in self.sent):
            return
        response = self.send(path, {"into": into})
        self.judge("merge", response, lambda: self.model.merge(closing, into, self.now))

    def waiting(self, phone: str) -> list[str]:
        """The orders that an enrolment claims: those that name the phone and are neither cancelled nor too old."""
        oldest = self.now - self.rules_at(self.now).late_days * DAY_S
        found = [
            (order.occurred_at, name)
            for name, order in self.model.orders.items()
            if order.member is None and not order.cancelled and order.occurred_at >= oldest
            if order.body.get("identity", {}).get("phone") == phone
        ]
        return [name for _occurred_at, name in sorted(found)]

    @rule(choice=PICKS, points=st.sampled_from([-500, -60, -1, 1, 40, 700]))
    def adjust(self, choice: int, points: int) -> None:
        """Points are corrected by hand."""
        member = self.pick(self.members, choice)
        body = {"points": points, "reason": "goodwill"}
        response = self.send(f"/v1/members/{member}/adjustments", body, key=self.number())
        self.judge("adjust", response, lambda: self.model.adjust(member, points, self.now, self.rules_at(self.now)))

    @rule(choice=PICKS, waited_s=st.sampled_from([0, 0, 0, 31 * DAY_S]), by_night=st.booleans())
    def write_down(self, choice: int, waited_s: int, *, by_night: bool) -> None:
        """A nightly sweep comes by, or an admin has tiers written down: nothing that anybody can see changes.

        What the sweep says of a tier leaves the terms as they were; an admin's entry is judged as a purchase is.
        """
        self.now += waited_s
        member = self.model.heir(self.pick(self.members, choice))
        if by_night:
            REACHED["sweep", "written" if sweep_member(member, now=self.now) else "nothing due"] += 1
            assert not sweep_member(member, now=self.now)
            return
        entry = retier_member(member, actor="admin:tests", now=self.now)
        REACHED["retier", "written" if entry else "nothing due"] += 1
        if entry:
            assert (entry.points, entry.tier) == (0, self.model.account(member).retier(self.now))
        assert retier_member(member, actor="admin:tests", now=self.now) is None

    # -- what is sent again

    @precondition(lambda self: self.sent)
    @rule(choice=st.integers(0, 99))
    def repeat(self, choice: int) -> None:
        """A request of any time before is answered as it was, and nothing happens."""
        sent = self.sent[choice % len(self.sent)]
        again = self.post(sent.path, sent.body, sent.key)
        assert again.status == (202 if sent.response.status == 202 else 200)
        assert again.json == sent.response.json

    @precondition(lambda self: self.sent)
    @rule(choice=st.integers(0, 99))
    def change(self, choice: int) -> None:
        """The same key with another body is refused, whatever has happened since."""
        # A request without a body cannot be changed, and a note makes no other merge.
        with_body = [sent for sent in self.sent if sent.body is not None and "into" not in sent.body]
        sent = with_body[choice % len(with_body)]
        assert sent.body is not None
        field = {"/v1/orders": "store", "/v1/events": "store", "/v1/members": "locale"}.get(sent.path, "note")
        changed = self.post(sent.path, {**sent.body, field: "zh-Hans"}, sent.key)
        assert (changed.status, changed.code) == (409, "key_reused")

    # -- after every step

    @invariant()
    def every_point_is_accounted_for(self) -> None:
        """The chains hold, and every account is what the model says."""
        REACHED[STEP] += 1
        found = self.watch.look()
        assert set(found) == set(self.model.accounts)
        for member in self.members:
            account = self.model.at(member, self.now)
            assert balances(peek(member, now=self.now, consistent=True).state) == expected(account)
            if member in self.model.closed:
                assert balances(found[member][-1].state) == expected(self.model.accounts[member])
            assert self.shown(member) == (account.available, account.owed, account.pending, account.tier(self.now))

    def shown(self, member: str) -> tuple[int, int, int, str]:
        """What the member sees."""
        answer = client.get(f"/v1/members/{member}/account", caller=SHOP).json
        return answer["available"], answer["owed"], sum(x["points"] for x in answer["pending"]), answer["tier"]["code"]
