"""Vouchers against a model of a few lines, in whatever order things happen and however much time passes between."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chalicelib.base.errors import Refusal
from chalicelib.vouchers import batches, document, importing, locking, undoing, using
from chalicelib.vouchers.guessing import Guesser
from chalicelib.vouchers.looking import Ask
from chalicelib.vouchers.rules import Sketch
from chalicelib.vouchers.tallies import Tally
from chalicelib.vouchers.uses import OrderName
from chalicelib.vouchers.using import Who

SHARED = "SUMMER26"
SINGLES = ("GIFT-AAAA", "GIFT-BBBB", "GIFT-CCCC")
TOTAL = {"shared": 2, "single": 2}
PER_MEMBER = {"shared": 1, "single": 2}
TTL_S = 60

CODES = st.sampled_from([SHARED, SHARED, *SINGLES])
SESSIONS = st.sampled_from(["one", "two", "three"])
MEMBERS = st.sampled_from(["mem_a", "mem_b"])
ORDERS = st.sampled_from(["1", "2", "3"])
KEYS = st.sampled_from(["k1", "k2"])


_tags = itertools.count(1)


def kind_of(code: str) -> str:
    return "shared" if code == SHARED else "single"


class Model:
    """What must be so. Uses by (order, key): [code, member, is live]; locks by (code, session): (until, member)."""

    def __init__(self) -> None:
        self.now = 1_800_000_000
        self.uses: dict[tuple[str, str], list[Any]] = {}
        self.locks: dict[tuple[str, str], tuple[int, str]] = {}
        self.leases: dict[tuple[str, str, str], int] = {}
        self.tally = {"shared": [1, 0, 0, 0], "single": [3, 0, 0, 0]}

    def live(self, kind: str) -> list[tuple[str, str]]:
        return [name for name, use in self.uses.items() if use[2] and kind_of(use[0]) == kind]

    def has(self, code: str, session: str | None) -> bool:
        return session is not None and self.now < self.locks.get((code, session), (0, ""))[0]

    def refusal(self, code: str, session: str | None, member: str, order: str | None = None) -> str | None:
        """Why a voucher may not be used or locked now; None where it may."""
        kind = kind_of(code)
        others = [name for name in self.locks if self.has(*name) and name != (code, session)]
        if kind == "single":
            if any(self.uses[name][0] == code for name in self.live(kind)):
                return "voucher_used_up"
            if any(name[0] == code for name in others):
                return "voucher_locked"
        used = sum(self.uses[name][1] == member for name in self.live(kind))
        used += sum(
            self.now < until and kind_of(name[0]) == kind and name[2] == member and name[:2] != (code, session)
            for name, until in self.leases.items()
        )
        if used >= PER_MEMBER[kind]:
            return "voucher_member_limit"
        if order and any(name[0] == order and self.uses[name][0] == code for name in self.live(kind)):
            return "voucher_on_order"
        taken = len(self.live(kind)) + sum(kind_of(name[0]) == kind for name in others)
        return "voucher_used_up" if taken >= TOTAL[kind] else None


class VoucherMachine(RuleBasedStateMachine):
    """Every answer of the engine is the model's."""

    def __init__(self) -> None:
        super().__init__()
        # All examples share the tables, so each has names of its own.
        self.tag = f"-{next(_tags):05d}"
        self.model = Model()
        self.batches: dict[str, str] = {}

    def teardown(self) -> None:
        self.drained()

    @initialize()
    def made(self) -> None:
        for kind, total in TOTAL.items():
            definition = {
                "title": {"en": "a", "zh-Hans": "b", "zh-Hant": "c"},
                "kind": kind,
                "effect": {"type": "percentage", "percent": "10"},
                "limits": {"total": total, "per_member": PER_MEMBER[kind]},
                "code": SHARED + self.tag if kind == "shared" else "",
            }
            batch = document.read(definition)
            made = batches.create(batch, key=kind + self.tag, actor="system:tests", now=self.model.now)
            self.batches[kind] = str(made.record.key)
        codes = [code + self.tag for code in SINGLES]
        importing.import_codes(self.batches["single"], codes, key="a", actor="system:tests", now=self.model.now)

    @rule(seconds=st.sampled_from([1, 30, TTL_S, 100]))
    def time_passes(self, seconds: int) -> None:
        self.model.now += seconds

    @rule(code=CODES, session=SESSIONS, member=MEMBERS)
    def locks(self, code: str, session: str, member: str) -> None:
        model = self.model
        expected = model.refusal(code, session, member)
        found = outcome(lambda: locking.lock(self.ask(code, session, member), TTL_S, now=model.now))
        assert told(found) == expected
        if expected is None:
            assert found.is_new != model.has(code, session)
        if expected is None and not model.has(code, session):
            model.locks[code, session] = (model.now + TTL_S, member)
            if kind_of(code) == "single":
                model.locks = {
                    name: lock for name, lock in model.locks.items() if name[0] != code or name[1] == session
                }
            model.leases[code, session, member] = model.now + TTL_S
            model.tally[kind_of(code)][1] += 1

    @rule(code=CODES, session=SESSIONS)
    def unlocks(self, code: str, session: str) -> None:
        model = self.model
        locking.unlock(code + self.tag, session, Guesser("till", session, is_system=True), now=model.now)
        _until, member = model.locks.pop((code, session), (0, ""))
        model.leases.pop((code, session, member), None)

    @rule(code=CODES, session=SESSIONS | st.none(), member=MEMBERS, order=ORDERS, key=KEYS)
    def redeems(self, code: str, session: str | None, member: str, order: str, key: str) -> None:
        model = self.model
        who = Who(key, "system:tests", model.now)
        found = outcome(lambda: using.redeem(self.ask(code, session, member), OrderName("shop", order + self.tag), who))
        before = model.uses.get((order, key))
        if before:
            is_same = before[3] == (code, session, member)
            assert told(found) == (None if is_same else "key_reused")
            assert not is_same or found.replayed
            return
        expected = model.refusal(code, session, member, order)
        assert told(found) == expected
        if expected is None:
            assert not found.replayed
            model.uses[order, key] = [code, member, True, (code, session, member)]
            gone = [name for name in model.locks if name == (code, session) or kind_of(code) == name[0] == "single"]
            for name in gone:
                model.locks.pop(name)
            model.leases.pop((code, session or "", member), None)
            model.tally[kind_of(code)][2] += 1

    @rule(code=CODES, order=ORDERS)
    def rolls_back(self, code: str, order: str) -> None:
        model = self.model
        found = outcome(
            lambda: undoing.roll_back(
                code + self.tag, OrderName("shop", order + self.tag), actor="system:tests", now=model.now
            )
        )
        uses = [use for name, use in model.uses.items() if name[0] == order and use[0] == code]
        assert told(found) == (None if uses else "voucher_use_not_found")
        if uses:
            assert found.replayed == (not uses[-1][2])
            model.tally[kind_of(code)][3] += uses[-1][2]
            uses[-1][2] = False

    @rule(code=CODES, session=SESSIONS | st.none(), member=MEMBERS)
    def validates(self, code: str, session: str | None, member: str) -> None:
        found = outcome(lambda: locking.validate(self.ask(code, session, member), now=self.model.now))
        assert told(found) == self.model.refusal(code, session, member)

    @invariant()
    def counts(self) -> None:
        for kind, batch_id in self.batches.items():
            assert batches.tally(batch_id) == Tally(*self.model.tally[kind])

    def ask(self, code: str, session: str | None, member: str) -> Ask:
        sketch = Sketch(currency="CNY", total_minor=10_000)
        guesser = Guesser("till")
        return Ask(code=code + self.tag, sketch=sketch, guesser=guesser, session=session, member_id=member + self.tag)

    def drained(self) -> None:
        """When all locks have lapsed, just what is left of each total can still be used."""
        self.model.now += 10_000
        for kind, codes in (("shared", [SHARED] * 4), ("single", list(SINGLES))):
            if kind not in self.batches:
                continue
            free = TOTAL[kind] - len(self.model.live(kind))
            done = 0
            for number, code in enumerate(codes):
                who = Who("end", "system:tests", self.model.now)
                asked = self.ask(code, None, f"mem_end_{number}")
                done += told(outcome(lambda: using.redeem(asked, OrderName(kind, f"{number}{self.tag}"), who))) is None  # noqa: B023
            assert done == free
            assert batches.left(batches.read(self.batches[kind])) == 0


def outcome(act: Any) -> Any:
    try:
        return act()
    except Refusal as refusal:
        return refusal


def told(found: Any) -> str | None:
    return found.reason_code if isinstance(found, Refusal) else None


TestVouchers = VoucherMachine.TestCase
TestVouchers.settings = settings(
    max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
