"""Birthday gifts: once a year for each member, whatever fires twice, dies, comes late or changes meanwhile."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any
from unittest import mock

import pytest

from chalicelib.base import clock
from chalicelib.base.errors import Unavailable
from chalicelib.engagement import birthday_triggers, birthdays
from chalicelib.engagement.rules.birthdays import CATCH_UP_DAYS
from chalicelib.engagement.table import MARKS, BirthdayMark
from chalicelib.ledger import chain
from chalicelib.ledger.table import read_chain, to_entry
from chalicelib.members.rules import BORN_SHARDS
from chalicelib.members.table import ProfileItem, read_profile
from chalicelib.program import service as programs
from tests.api import night, shop
from tests.api import voucher_shop as vouchers
from tests.api.client import client
from tests.api.shop import SHOP
from tests.api.voucher_shop import TILL
from tests.programs import document, texts

Clock = Callable[[str], None]

BORN = "1990-05-17"
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the clock to a time in Shanghai; it begins a month before the birthday of most."""

    def move(local: str) -> None:
        found = clock.seconds(datetime.fromisoformat(f"{local}:00+08:00"))
        monkeypatch.setattr(clock, "now", lambda: found)
        programs.reset_cache()

    move("2026-04-17T12:00")
    return move


@pytest.fixture(autouse=True)
def queues() -> Iterator[night.Queues]:
    with night.queued() as found:
        yield found


@pytest.fixture
def due(queues: night.Queues) -> Callable[[], int]:
    """What the schedule sends every hour, and all that follows from it; gives how many messages it took."""

    def run() -> int:
        queues.send("birthdays", birthday_triggers.GiftsDue(birthdays_due=True))
        return queues.run()

    return run


def publish(*gifts: dict[str, Any], **fields: Any) -> None:
    plain = {"code": "cake", "title": texts("Cake"), "points": 50}
    care = {"gifts": list(gifts) or [plain], **fields}
    programs.publish(document(birthday=care), by="li.wei", now=clock.now() - 2 * programs.LEAD_S)
    programs.reset_cache()


@pytest.fixture
def opened(due: Callable[[], int]) -> None:
    """The programme keeps birthdays, and they are indexed."""
    publish()
    due()


def enrol(birthday: str | None = BORN, **fields: Any) -> str:
    number = next(_numbers)
    profile = {"mail": f"birthday-{number}@example.com", **fields} | ({"birthday": birthday} if birthday else {})
    return shop.enrol(f"birthday-{number}", **profile)


def change(member_id: str, **fields: Any) -> None:
    tag = client.get(f"/v1/members/{member_id}", caller=SHOP).headers["etag"]
    answer = client.patch(
        f"/v1/members/{member_id}",
        json=fields,
        caller=SHOP,
        headers={"If-Match": tag, "Content-Type": "application/merge-patch+json"},
    )
    assert answer.status == 200, answer.text


def gifts(member_id: str) -> list[tuple[str, int]]:
    entries = [to_entry(item) for item in read_chain(member_id, consistent=True)]
    chain.verify(entries)
    return [(entry.reason, entry.points) for entry in entries if entry.kind == "birthday_gift"]


def held(member_id: str) -> list[Any]:
    return list(client.get(f"/v1/members/{member_id}/vouchers", caller=TILL).json["vouchers"])


@pytest.mark.usefixtures("opened")
class TestTheGift:
    def test_is_given_on_the_day_from_the_hour_on_and_once(self, at: Clock, due: Callable[[], int]) -> None:
        member_id, other = enrol(), enrol("1990-05-18")
        for local in ("2026-05-16T20:00", "2026-05-17T08:00"):
            at(local)
            due()
            assert gifts(member_id) == []
        for local in ("2026-05-17T09:00", "2026-05-17T10:00", "2026-05-17T20:00"):
            at(local)
            due()
            assert (gifts(member_id), gifts(other)) == ([("cake", 50)], [])
        at("2026-05-18T09:00")
        due()
        assert (gifts(member_id), gifts(other)) == ([("cake", 50)], [("cake", 50)])

    def test_comes_again_every_year(self, at: Clock, due: Callable[[], int]) -> None:
        member_id = enrol()
        for year in (2026, 2027):
            at(f"{year}-05-17T09:00")
            due()
        assert gifts(member_id) == [("cake", 50)] * 2

    def test_stands_in_the_statement_by_its_title(self, at: Clock, due: Callable[[], int]) -> None:
        member_id = enrol()
        at("2026-05-17T09:00")
        due()
        found = client.get(f"/v1/members/{member_id}/entries", caller=SHOP).json["entries"][0]
        assert (found["kind"], found["title"], found["points"]) == ("birthday_gift", "Cake", 50)
        assert shop.available(member_id) == 150

    def test_is_for_nobody_without_a_birthday(self, at: Clock, due: Callable[[], int]) -> None:
        unknown, taken_off = enrol(None), enrol()
        change(taken_off, birthday=None)
        at("2026-05-17T09:00")
        due()
        assert (gifts(unknown), gifts(taken_off)) == ([], [])
        assert {item.born for item in ProfileItem.scan()} == {None}

    def test_follows_a_birthday_that_was_put_right_and_is_given_once_a_year(
        self, at: Clock, due: Callable[[], int]
    ) -> None:
        member_id = enrol("1990-12-01")
        change(member_id, birthday=BORN)
        at("2026-05-17T09:00")
        due()
        assert gifts(member_id) == [("cake", 50)]
        change(member_id, birthday="1990-06-01")
        at("2026-06-01T09:00")
        due()
        assert gifts(member_id) == [("cake", 50)]
        at("2027-06-01T09:00")
        due()
        assert len(gifts(member_id)) == 2

    def test_of_29_february_is_given_on_the_28th(self, at: Clock, due: Callable[[], int]) -> None:
        leap, plain = enrol("1992-02-29"), enrol("1992-02-28")
        at("2027-02-28T09:00")
        due()
        assert gifts(leap) == gifts(plain) == [("cake", 50)]
        at("2028-02-28T09:00")
        due()
        assert (len(gifts(leap)), len(gifts(plain))) == (1, 2)
        at("2028-02-29T09:00")
        due()
        assert len(gifts(leap)) == 2

    def test_is_not_given_for_the_same_year_by_any_number_of_messages(self, at: Clock) -> None:
        member_id = enrol()
        at("2026-05-17T09:00")
        given = [birthdays.give(member_id, date(2026, 5, 17), now=clock.now()) for _again in range(3)]
        assert (given, gifts(member_id)) == ([True, False, False], [("cake", 50)])


@pytest.mark.usefixtures("opened")
class TestMerging:
    def test_gives_the_survivor_one_gift(self, at: Clock, due: Callable[[], int]) -> None:
        first, second = enrol(), enrol()
        client.post(f"/v1/members/{first}/merge", json={"into": second}, caller=SHOP)
        at("2026-05-17T09:00")
        due()
        assert (gifts(first), gifts(second)) == ([], [("cake", 50)])

    def test_after_the_gift_brings_no_second_one_by_the_other_birthday(self, at: Clock, due: Callable[[], int]) -> None:
        first, second = enrol(), enrol("1990-08-01")
        at("2026-05-17T09:00")
        due()
        client.post(f"/v1/members/{first}/merge", json={"into": second}, caller=SHOP)
        at("2026-08-01T09:00")
        due()
        assert (gifts(first), gifts(second)) == ([("cake", 50)], [])

    def test_between_the_look_and_the_gift_gives_one(self, at: Clock) -> None:
        """The profile was read before the merge, so the gift is decided on anew."""
        first, second = enrol(), enrol()
        at("2026-05-17T09:00")
        day = date(2026, 5, 17)
        assert birthdays.give(first, day, now=clock.now())
        stale = read_profile(second)
        client.post(f"/v1/members/{first}/merge", json={"into": second}, caller=SHOP)
        with mock.patch.object(birthdays, "read_profile", side_effect=[stale, read_profile(second)]):
            assert not birthdays.give(second, day, now=clock.now())
        assert gifts(second) == []


class TestVouchers:
    def test_come_with_the_points_in_one_transaction(self, at: Clock, due: Callable[[], int]) -> None:
        batch = vouchers.make(owner="member")
        publish(
            {"code": "gold", "title": texts("Gold"), "points": 500, "audience": {"tiers": ["gold", "diamond"]}},
            {"code": "mug", "title": texts("Mug"), "voucher_batch_id": batch},
        )
        due()
        member_id = enrol()
        at("2026-05-17T09:00")
        for _again in range(2):
            due()
        assert (gifts(member_id), len(held(member_id)), vouchers.counts(batch)["issued"]) == ([("mug", 0)], 1, 1)
        assert vouchers.redeem(held(member_id)[0]["code"], member_id=member_id).status == 201

    def test_that_cannot_be_issued_hold_all_gifts_up_until_the_programme_is_put_right(
        self, at: Clock, due: Callable[[], int], queues: night.Queues
    ) -> None:
        publish({"code": "mug", "title": texts("Mug"), "points": 5, "voucher_batch_id": "vbt_" + "a" * 26})
        due()
        member_id = enrol()
        at("2026-05-17T09:00")
        assert night.deliver("birthdays", '{"birthdays_due": true}') == ["m0"]
        assert (gifts(member_id), queues.messages) == ([], [])
        publish()
        at("2026-05-19T09:00")
        due()
        assert gifts(member_id) == [("cake", 50)]


class TestWorkingADayOff:
    @pytest.mark.usefixtures("opened")
    def test_hands_on_what_there_is_no_time_for(self, at: Clock, queues: night.Queues) -> None:
        members = [enrol() for _each in range(9)]
        at("2026-05-17T09:00")
        queues.send("birthdays", birthday_triggers.GiftsDue(birthdays_due=True))
        delivered = queues.run(twice=True, left_ms=0)
        assert [gifts(member_id) for member_id in members] == [[("cake", 50)]] * 9
        assert delivered > 9

    @pytest.mark.usefixtures("opened")
    def test_goes_on_where_a_leg_died_once_it_has_been_silent(self, at: Clock, queues: night.Queues) -> None:
        members = [enrol() for _each in range(9)]
        at("2026-05-17T09:00")
        queues.send("birthdays", birthday_triggers.GiftsDue(birthdays_due=True))
        for name, body in [queues.messages.pop(0)]:
            night.deliver(name, body)
        for name, body in list(queues.messages):
            night.deliver(name, body, left_ms=0)
        # Everything that was handed on is lost.
        queues.messages.clear()
        before = sum(len(gifts(member_id)) for member_id in members)
        assert 0 < before < 9
        queues.send("birthdays", birthday_triggers.GiftsDue(birthdays_due=True))
        assert queues.run() <= 1 + CATCH_UP_DAYS * BORN_SHARDS
        assert sum(len(gifts(member_id)) for member_id in members) == before
        at("2026-05-17T10:00")
        queues.send("birthdays", birthday_triggers.GiftsDue(birthdays_due=True))
        queues.run()
        assert [gifts(member_id) for member_id in members] == [[("cake", 50)]] * 9

    @pytest.mark.usefixtures("opened")
    def test_looks_at_nobody_twice_once_it_is_done(self, at: Clock, due: Callable[[], int]) -> None:
        enrol()
        at("2026-05-17T09:00")
        due()
        at("2026-05-17T10:00")
        assert due() == 1
        assert all(mark.is_done for mark in BirthdayMark.query(MARKS))

    @pytest.mark.usefixtures("opened")
    def test_comes_back_to_who_could_not_be_given_theirs(self, at: Clock, due: Callable[[], int]) -> None:
        members = [enrol() for _each in range(3)]
        at("2026-05-17T09:00")
        real = birthdays.give

        def failing(member_id: str, day: date, *, now: int) -> bool:
            if member_id == members[0]:
                raise Unavailable("not now", code="busy")
            return real(member_id, day, now=now)

        with mock.patch.object(birthdays, "give", failing):
            due()
        assert [len(gifts(member_id)) for member_id in members] == [0, 1, 1]
        at("2026-05-17T10:00")
        due()
        assert [len(gifts(member_id)) for member_id in members] == [1, 1, 1]

    @pytest.mark.usefixtures("opened")
    def test_stops_at_night_and_goes_on_in_the_morning(self, at: Clock, queues: night.Queues) -> None:
        member_id = enrol()
        at("2026-05-17T20:59")
        queues.send("birthdays", birthday_triggers.GiftsDue(birthdays_due=True))
        name, body = queues.messages.pop(0)
        night.deliver(name, body)
        at("2026-05-17T21:00")
        queues.run()
        assert gifts(member_id) == []
        at("2026-05-18T09:00")
        queues.send("birthdays", birthday_triggers.GiftsDue(birthdays_due=True))
        queues.run()
        assert gifts(member_id) == [("cake", 50)]

    @pytest.mark.usefixtures("opened")
    @pytest.mark.parametrize(("local", "expected"), [("2026-05-24T09:00", 1), ("2026-05-25T09:00", 0)])
    def test_catches_up_with_days_that_were_missed_for_a_week(
        self, at: Clock, due: Callable[[], int], local: str, expected: int
    ) -> None:
        member_id = enrol()
        at(local)
        due()
        assert len(gifts(member_id)) == expected

    def test_gives_nothing_for_days_before_the_programme_kept_birthdays(
        self, at: Clock, due: Callable[[], int]
    ) -> None:
        past, today = enrol(), enrol("1990-05-19")
        at("2026-05-19T09:00")
        publish()
        due()
        due()
        assert (gifts(past), gifts(today)) == ([], [("cake", 50)])

    def test_begins_as_many_days_before_as_the_programme_says(self, at: Clock, due: Callable[[], int]) -> None:
        publish(days_before=7)
        due()
        member_id, turn = enrol(), enrol("1990-01-03")
        at("2026-05-09T20:00")
        due()
        assert gifts(member_id) == []
        at("2026-05-10T09:00")
        due()
        assert gifts(member_id) == [("cake", 50)]
        for local in ("2026-12-27T09:00", "2027-01-03T09:00"):
            at(local)
            due()
            assert gifts(turn) == [("cake", 50)]

    def test_gives_nothing_where_the_programme_keeps_no_birthdays(self, at: Clock, due: Callable[[], int]) -> None:
        member_id = enrol()
        at("2026-05-17T09:00")
        assert (due(), gifts(member_id)) == (1, [])


class TestTheIndex:
    def test_is_made_once_of_profiles_from_before_it(self, at: Clock, due: Callable[[], int]) -> None:
        old, none = enrol(), enrol(None)
        for member_id in (old, none):
            night.project(member_id)
            ProfileItem(member_id).update(actions=[ProfileItem.born.remove()])
        publish()
        version = read_profile(old).version  # type: ignore[union-attr]
        at("2026-05-17T09:00")
        due()
        found = read_profile(old)
        assert found
        assert (found.born is not None, found.version, gifts(old)) == (True, version, [])
        due()
        assert (gifts(old), gifts(none)) == ([("cake", 50)], [])
        assert due() == 1

    def test_holds_nobody_who_is_merged(self) -> None:
        first, second = enrol(), enrol(None)
        client.post(f"/v1/members/{first}/merge", json={"into": second}, caller=SHOP)
        held_by = {item.key: item.born for item in ProfileItem.scan(ProfileItem.key.startswith("mem_"))}
        assert held_by[first] is None
        assert held_by[second].startswith("05-17#")
