"""The nightly sweep: what time has done is written down once, whatever fires twice, dies or comes again."""

from __future__ import annotations

import msgspec
import pytest

from chalicelib.base import clock, facts
from chalicelib.ledger import chain, nights
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.nights import StartItem
from chalicelib.ledger.table import read_page, read_tail, read_view
from chalicelib.members.sweeping import sweep_member
from chalicelib.program import document
from chalicelib.program import service as programs
from tests import faults
from tests.api import night, shop


@pytest.fixture(autouse=True)
def programme() -> None:
    """A programme whose points wait 14 days."""
    waiting = msgspec.structs.replace(document.default(), pending_days=14)
    programs.publish(document.encode(waiting), by="tests", note="", now=clock.now() - 900)


@pytest.fixture
def member_id() -> str:
    """A member with 100 points that wait."""
    found = shop.enrol()
    shop.post_order(member_id=found)
    night.project(found)
    return found


def later(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    at = clock.now() + days * clock.DAY_S
    monkeypatch.setattr(clock, "now", lambda: at)


def entries(member_id: str) -> list[Entry]:
    found = read_page(member_id, after_seq=None, newest_first=False, limit=100)
    chain.verify(found)
    return found


def kinds(member_id: str) -> list[str]:
    return [entry.kind for entry in entries(member_id)]


class TestTheSweep:
    def test_writes_down_what_has_matured(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        later(monkeypatch, 15)
        with night.queued() as queues:
            night.start()
            queues.run()
        swept = entries(member_id)[-1]
        assert (swept.kind, swept.points, swept.expired, swept.state.pending) == (facts.SWEPT, 0, 0, ())
        assert swept.state.available == shop.available(member_id) == 200

    def test_writes_down_what_has_expired(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        later(monkeypatch, 5 * 366)
        with night.queued() as queues:
            night.start()
            queues.run()
        swept = entries(member_id)[-1]
        assert (swept.kind, swept.expired, swept.state.available) == (facts.SWEPT, 200, 0)

    def test_changes_nothing_that_anybody_reads(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        later(monkeypatch, 5 * 366)
        before = shop.account(member_id)
        assert sweep_member(member_id, now=clock.now())
        assert shop.account(member_id) == before

    def test_leaves_alone_what_time_has_not_changed(self, member_id: str) -> None:
        with night.queued() as queues, faults.calls() as made:
            night.start()
            queues.run()
        assert kinds(member_id) == ["enrolled", "order"]
        # One write begins the night, one says that its messages are sent, and one is each segment's progress.
        assert made.count("UpdateItem") == 1
        assert made.count("PutItem") == 1 + 2 + 2 + 1
        assert "TransactWriteItems" not in made

    @pytest.mark.parametrize(
        "fault",
        [faults.lost_on_the_way, faults.committed_then_timed_out, faults.failing],
        ids=lambda fault: fault.__name__,
    )
    def test_happens_once_whatever_fails(
        self, member_id: str, fault: faults.Fault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later(monkeypatch, 15)
        with faults.calls(fault, operation="PutItem"):
            sweep_member(member_id, now=clock.now())
        assert not sweep_member(member_id, now=clock.now())
        assert kinds(member_id) == ["enrolled", "order", "swept"]

    def test_gives_way_to_a_posting_that_folds_as_well(self, member_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        later(monkeypatch, 15)
        stale = read_tail(member_id, consistent=True)
        shop.post_order("2", member_id=member_id)
        with faults.calls(lambda *_: {"Items": [night.item(stale)], "Count": 1, "ScannedCount": 1}, operation="Query"):
            assert not sweep_member(member_id, now=clock.now())
        assert kinds(member_id) == ["enrolled", "order", "order"]

    def test_is_done_for_everybody_though_one_account_cannot_be(
        self, member_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        others = [shop.enrol(f"other-{number}", phone=f"+861390013900{number}") for number in range(4)]
        for number, other in enumerate(others):
            shop.post_order(f"other-{number}", member_id=other)
        night.project(*others)
        broken = read_view(others[0])
        assert broken
        broken.state = b"\xc1"
        broken.save()
        later(monkeypatch, 15)
        with night.queued() as queues:
            day = night.start()["night"]
            queues.run()
        assert [kinds(member)[-1] for member in [member_id, *others[1:]]] == ["swept"] * 4
        assert sum(item.failed for item in night.progress(day, "sweep")) == 1


class TestTheWalk:
    @pytest.fixture(autouse=True)
    def members(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Ten members with points that have matured."""
        found = [shop.enrol(f"member-{number}", phone=f"+861390013900{number}") for number in range(10)]
        for number, member_id in enumerate(found):
            shop.post_order(str(number), member_id=member_id)
        night.project(*found)
        later(monkeypatch, 15)
        return found

    def swept(self, members: list[str]) -> list[int]:
        return [kinds(member_id).count("swept") for member_id in members]

    def test_goes_on_in_a_new_message_before_its_time_is_up(self, members: list[str]) -> None:
        with night.queued() as queues:
            day = night.start()["night"]
            # With no time left, a leg still visits one account, so that it comes to an end.
            delivered = queues.run(left_ms=0)
        assert self.swept(members) == [1] * 10
        assert delivered >= 18
        assert sum(item.seen for item in night.progress(day, "sweep")) == 10
        assert all(item.is_done for item in night.progress(day, "sweep"))

    def test_takes_as_many_accounts_a_leg_as_it_is_told(self, members: list[str]) -> None:
        with night.queued(nightly_segments=1) as queues:
            night.start(per_leg=4)
            assert queues.run() == 3 + 3
        assert self.swept(members) == [1] * 10

    def test_starts_once_a_day_though_the_schedule_fires_twice(self, members: list[str]) -> None:
        with night.queued() as queues:
            first, again = night.start(), night.start()
            assert (first["messages"], again["messages"]) == (4, 0)
            queues.run()
        assert self.swept(members) == [1] * 10

    def test_starts_again_where_the_first_try_died_half_way(self, members: list[str]) -> None:
        with night.queued() as queues:
            day = night.start()["night"]
            StartItem(day, "start").update(actions=[StartItem.sent_at.remove()])
            assert night.start()["messages"] == 4
            queues.run()
        assert self.swept(members) == [1] * 10

    def test_counts_alike_though_every_message_comes_twice(self, members: list[str]) -> None:
        with night.queued() as queues:
            day = night.start(per_leg=2)["night"]
            queues.run(twice=True)
        assert self.swept(members) == [1] * 10
        assert sum(item.seen for item in night.progress(day, "sweep")) == 10

    def test_stops_a_copy_that_others_have_overtaken(self, members: list[str]) -> None:
        with night.queued(nightly_segments=1) as queues:
            night.start(per_leg=4)
            early = queues.messages[0]
            queues.run()
            assert night.deliver(*early) == []
            assert queues.messages == []
        assert self.swept(members) == [1] * 10

    def test_walks_a_leg_again_whose_worker_died(self, members: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        with night.queued(nightly_segments=1) as queues:
            night.start(per_leg=4)
            name, body = queues.messages.pop(0)
            with monkeypatch.context() as dying:
                dying.setattr(nights, "note", dead)
                assert night.deliver(name, body) == ["m0"]
            assert night.deliver(name, body) == []
            queues.run()
        assert self.swept(members) == [1] * 10

    def test_hands_back_what_is_no_leg(self) -> None:
        with night.queued():
            assert night.deliver("nightly", "{}") == ["m0"]


def dead(*_arguments: object, **_more: object) -> bool:
    raise RuntimeError("the worker died")
