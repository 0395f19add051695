"""The nightly audit finds whatever does not hold, and the digest of the day shows a later change of history."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.base.settings import settings
from chalicelib.ledger import auditing
from chalicelib.ledger.auditing import audit
from chalicelib.ledger.chain import Entry, entry_hash
from chalicelib.ledger.digest import GENESIS, Heads, digest
from chalicelib.ledger.records import step_name
from chalicelib.ledger.table import AccountItem, EntryItem, read_page, read_view, to_item
from chalicelib.members.sweeping import sweep_member
from chalicelib.orders.table import OrderStep
from tests.api import night, shop
from tests.api.client import client
from tests.api.shop import SHOP
from tests.faults import calls


@pytest.fixture
def member_id() -> str:
    """A member with an enrolment, an order, its refund and a redemption, all in the view."""
    found = shop.enrol()
    order_id = shop.post_order(member_id=found).json["order"]["id"]
    shop.refund(order_id, amount_minor=10_00)
    shop.redeem(found, 100)
    night.project(found)
    return found


def faults_of(member_id: str, *, now: int | None = None) -> list[tuple[int, str]]:
    found = audit(member_id, read_view(member_id), now=now or clock.now())
    return [(finding.seq, finding.fault) for finding in found.findings]


def faults_at(member_id: str, seq: int) -> str:
    """What is wrong at one entry."""
    return "; ".join(fault for at, fault in faults_of(member_id) if at == seq)


def later(monkeypatch: pytest.MonkeyPatch, days: int = 1) -> None:
    at = clock.now() + days * clock.DAY_S
    monkeypatch.setattr(clock, "now", lambda: at)


def change(member_id: str, seq: int, **fields: Any) -> None:
    """Change a stored entry behind the engine's back."""
    item = EntryItem.get(member_id, seq)
    item.update(actions=[getattr(EntryItem, name).set(value) for name, value in fields.items()])


def rewrite(member_id: str, seq: int, actor: str) -> None:
    """Change an entry and make every hash after it right again, as somebody would who wants it to go unnoticed."""
    tail: Entry | None = None
    for entry in read_page(member_id, after_seq=None, newest_first=False, limit=100):
        changed = msgspec.structs.replace(entry, actor=actor) if entry.seq == seq else entry
        if tail:
            changed = msgspec.structs.replace(changed, prev=entry_hash(tail))
        change(member_id, entry.seq, actor=changed.actor, prev=changed.prev)
        tail = changed


def mismatches(printed: str) -> list[int]:
    """What the metric says, line by line."""
    lines = [json.loads(line) for line in printed.splitlines()]
    assert all(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Stage"]] for line in lines)
    return [line["AuditMismatches"] for line in lines]


def one_night(**changes: Any) -> None:
    """A whole night, with one segment."""
    with night.queued(nightly_segments=1, **changes) as queues:
        night.start()
        queues.run()


class TestAChain:
    def test_that_the_engine_wrote_is_in_order(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        later(monkeypatch, 5 * 366)
        sweep_member(member_id, now=clock.now())
        night.project(member_id)
        found = audit(member_id, read_view(member_id), now=clock.now())
        assert (found.entries, found.findings) == (5, ())

    def test_is_read_once_and_its_records_at_once(self, member_id: str) -> None:
        view = read_view(member_id)
        with calls() as made:
            audit(member_id, view, now=clock.now())
        assert made == ["Query", "BatchGetItem"]

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"points": 1_000_000}, "the points do not match the entry's effect"),
            ({"available": 1_000_000}, "the available points written beside its state are others"),
            ({"prev": bytes(32)}, "the hash of the entry before does not match"),
            ({"state": b"\xc1"}, "it cannot be read"),
            ({"place": "nowhere"}, "it does not say where its record lies"),
            ({"record": "ord_another"}, "the record ord_another stands for something else"),
        ],
    )
    def test_that_was_changed_is_wrong_at_the_change(self, member_id: str, fields: dict[str, Any], fault: str) -> None:
        change(member_id, 3, **fields)
        assert fault in faults_at(member_id, 3)
        assert faults_at(member_id, 2) == ""

    def test_with_an_actor_changed_is_wrong_from_the_next_entry_on(self, member_id: str) -> None:
        change(member_id, 2, actor="somebody else")
        assert [seq for seq, _fault in faults_of(member_id)] == [3]

    def test_with_an_entry_missing_is_wrong(self, member_id: str) -> None:
        EntryItem.get(member_id, 2).delete()
        assert "expected entry 2" in faults_at(member_id, 3)

    def test_whose_points_are_counted_twice_is_wrong_though_its_hashes_are_right(self, member_id: str) -> None:
        """An engine gone wrong could write this: every hash matches, but one record stands behind two entries."""
        entries = read_page(member_id, after_seq=None, newest_first=False, limit=10)
        again = msgspec.structs.replace(
            entries[-1],
            seq=5,
            record=entries[1].record,
            packed_effect=entries[1].packed_effect,
            prev=entry_hash(entries[-1]),
        )
        item = to_item(again)
        item.place = EntryItem.get(member_id, 2).place
        item.save()
        found = faults_at(member_id, 5)
        assert "has an entry already" in found
        assert "does not follow" in found
        assert "stands for something else" in found

    def test_whose_record_is_missing_is_wrong(self, member_id: str) -> None:
        order_id = EntryItem.get(member_id, 2).record
        OrderStep.get(order_id, step_name(1)).delete()
        ((seq, fault),) = faults_of(member_id)
        assert (seq, fault.endswith("is not there")) == (3, True)

    def test_with_a_sweep_of_another_id_is_wrong(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        later(monkeypatch, 5 * 366)
        sweep_member(member_id, now=clock.now())
        night.project(member_id)
        change(member_id, 5, record="swp_another")
        assert "another id" in faults_at(member_id, 5)


class TestTheView:
    def test_that_shows_something_else_is_wrong(self, member_id: str) -> None:
        AccountItem(member_id).update(actions=[AccountItem.available.set(7)])
        assert faults_of(member_id) == [(4, "the view shows something else than the entry")]

    def test_may_be_a_little_behind(self, member_id: str) -> None:
        shop.post_order("2", member_id=member_id)
        assert faults_of(member_id) == []
        assert faults_of(member_id, now=clock.now() + auditing.LAG_S + 60) == [(4, "the view is behind the ledger")]

    def test_of_nobody_is_wrong(self) -> None:
        AccountItem("mem_nobody", seq=1).update(actions=[AccountItem.seq.set(1)])
        assert faults_of("mem_nobody") == [(0, "the view shows an account without a chain")]

    def test_that_claims_an_entry_too_many_is_wrong(self, member_id: str) -> None:
        AccountItem(member_id).update(actions=[AccountItem.seq.set(9)])
        assert faults_of(member_id) == [(9, "the view shows an entry that is not there")]


class TestARecord:
    def table(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = boto3.client("dynamodb").scan(TableName=settings().table(name))["Items"]
        return found

    def orphans(self) -> list[str]:
        found = [
            auditing.orphan(name, item) for name in ("members", "orders", "redemptions") for item in self.table(name)
        ]
        return [finding.fault for finding in found if finding]

    def test_with_its_entry_is_in_order(self, member_id: str) -> None:
        assert read_view(member_id)
        assert self.orphans() == []

    def test_without_its_entry_is_wrong(self, member_id: str) -> None:
        EntryItem.get(member_id, 4).delete()
        (fault,) = self.orphans()
        assert "of redemptions stands for an entry that is not there" in fault

    def test_of_another_entry_is_wrong(self, member_id: str) -> None:
        change(member_id, 4, record="red_another")
        (fault,) = self.orphans()
        assert "stands for an entry of another record" in fault


class TestTheNight:
    def test_finds_nothing_and_says_so(self, member_id: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert read_view(member_id)
        one_night()
        assert mismatches(capsys.readouterr().out) == [0]

    def test_counts_what_it_finds_in_the_metric_and_names_it_in_the_log(
        self, member_id: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        change(member_id, 3, available=7)
        one_night()
        assert mismatches(capsys.readouterr().out) == [1, 0]
        assert f"mismatch at entry 3 of {member_id}" in caplog.text

    def test_counts_an_account_that_could_not_be_audited(
        self, member_id: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert read_view(member_id)
        monkeypatch.setattr("chalicelib.ledger.audit_walk.audit", impossible)
        one_night()
        assert mismatches(capsys.readouterr().out) == [1]

    def test_looks_only_at_what_has_changed_since_the_last_one(
        self, member_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later(monkeypatch)
        one_night()
        later(monkeypatch)
        busy = shop.enrol("busy", phone="+8613900139000")
        night.project(busy)
        with calls() as made:
            one_night()
        assert made.count("BatchGetItem") == 1
        assert AccountItem.count() == 2
        assert member_id != busy

    def test_comes_by_everybody_in_the_nights_of_a_cycle(
        self, member_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        later(monkeypatch)
        one_night()
        OrderStep.get(EntryItem.get(member_id, 2).record, step_name(1)).delete()
        for _night in range(3):
            later(monkeypatch)
            one_night(audit_cycle_nights=3)
        assert sum(mismatches(capsys.readouterr().out)) == 1

    def test_is_counted_the_same_in_any_number_of_segments_and_legs(
        self, member_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        others = [shop.enrol(f"other-{number}", phone=f"+861390013900{number}") for number in range(5)]
        night.project(member_id, *others)
        later(monkeypatch)
        totals = []
        for segments, left_ms in ((1, 600_000), (3, 0)):
            with night.queued(nightly_segments=segments) as queues:
                day = night.start()["night"]
                queues.run(left_ms=left_ms)
            (found,) = night.digests()
            totals.append(found.total)
            found.delete()
            for part in [*night.progress(day, "a"), *night.progress(day, "s")]:
                part.delete()
        assert totals[0] == totals[1]
        assert found.members == 6


class TestTheDigest:
    def test_is_put_once_a_day_and_chained_to_the_one_before(
        self, member_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later(monkeypatch)
        one_night()
        shop.post_order("2", member_id=member_id)
        night.project(member_id)
        later(monkeypatch)
        one_night()
        first, second = night.digests()
        assert (first.members, first.previous, second.previous) == (1, GENESIS, first.digest)
        assert first.total != second.total
        assert second.digest == digest(first.digest, second.part, second.cut, second.heads)

    def test_can_be_made_again_from_the_ledger(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        later(monkeypatch)
        one_night()
        (found,) = night.digests()
        *_before, last = [
            entry
            for entry in read_page(member_id, after_seq=None, newest_first=False, limit=10)
            if entry.posted_at < found.cut
        ]
        heads = Heads().plus_member(member_id, last.seq, entry_hash(last))
        assert found.digest == digest(GENESIS, found.part, found.cut, heads)

    @pytest.mark.parametrize("is_projected", [True, False])
    def test_shows_a_change_of_history_though_every_hash_was_made_right_again(
        self,
        member_id: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        is_projected: bool,  # noqa: FBT001 - pytest hands it over by name
    ) -> None:
        later(monkeypatch)
        one_night()
        (first,) = night.digests()
        rewrite(member_id, 2, actor="system:nobody")
        if is_projected:
            night.project(member_id)
        else:
            shop.post_order("2", member_id=member_id)
            night.project(member_id)
        later(monkeypatch)
        one_night()
        assert f"the ledger up to the digest of {first.part} is not what it was then" in caplog.text

    def test_does_not_take_another_one_for_the_same_day(
        self, member_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        later(monkeypatch)
        with night.queued(nightly_segments=1) as queues:
            night.start()
            copies = list(queues.messages)
            queues.run()
            (first,) = night.digests()
            rewrite(member_id, 2, actor="system:nobody")
            night.project(member_id)
            for name, body in copies:
                assert night.deliver(name, body) == []
        assert [item.digest for item in night.digests()] == [first.digest]
        assert f"the digest of {first.part} was put before and is another" in caplog.text


def impossible(*_arguments: object, **_more: object) -> Callable[..., object]:
    raise RuntimeError("nothing can be read")


class TestMergedAccounts:
    def test_are_in_order_on_both_chains(self, member_id: str) -> None:
        other = shop.enrol("other", phone="+8613900139000")
        shop.post_order("other's", member_id=other)
        answer = client.post(f"/v1/members/{other}/merge", json={"into": member_id}, caller=SHOP)
        assert answer.status == 201, answer.text
        shop.post_order("later", member_id=other)
        night.project(member_id, other)
        assert faults_of(member_id) == faults_of(other) == []
        assert TestARecord().orphans() == []

    def test_that_were_closed_are_never_swept(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        other = shop.enrol("other", phone="+8613900139000")
        client.post(f"/v1/members/{other}/merge", json={"into": member_id}, caller=SHOP)
        later(monkeypatch, 5 * 366)
        assert not sweep_member(other, now=clock.now())
        assert sweep_member(member_id, now=clock.now())
