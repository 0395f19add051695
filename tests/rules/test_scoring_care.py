"""The care calendar of one member: anniversaries, points about to expire, tiers about to be lost; each told once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.ledger.state import NEVER, Lot, State
from chalicelib.program.document import Program
from chalicelib.program.rules import tiers
from chalicelib.scoring import care, told
from chalicelib.scoring.state import NO_DAY
from chalicelib.scoring.told import ALERTS, NEWS, Before, Told
from tests.programs import program
from tests.rules import tier_members
from tests.rules.tier_members import Member, mid
from tests.scoring import EPOCH, day

ZONES = ("Asia/Shanghai", "America/New_York", "Europe/Lisbon", "Pacific/Apia")
PROGRAMS = {zone: program(time_zone=zone) for zone in ZONES}
DATES = st.dates(date(1990, 1, 1), date(2060, 12, 31))


def at(on: date, zone: str = "Asia/Shanghai", hour: int = 0, minute: int = 0) -> int:
    """An instant of a day."""
    return clock.seconds(datetime(on.year, on.month, on.day, hour, minute, tzinfo=ZoneInfo(zone)))


def number(on: date) -> int:
    return on.toordinal() - EPOCH


def text(found: int) -> str:
    return date.fromordinal(found + EPOCH).isoformat()


def is_anniversary(enrolled: date, on: date) -> bool:
    is_last_of_february = (on + timedelta(days=1)).day == 1
    same = (on.month, on.day) == (enrolled.month, enrolled.day)
    stands_for = (enrolled.month, enrolled.day) == (2, 29) and (on.month, on.day) == (2, 28) and is_last_of_february
    return on.year > enrolled.year and (same or stands_for)


class TestAnniversaries:
    @given(enrolled=DATES, ahead=st.integers(-400, 3_000), zone=st.sampled_from(ZONES), hour=st.integers(0, 23))
    def test_it_is_the_first_day_of_its_date_in_a_later_year(
        self, enrolled: date, ahead: int, zone: str, hour: int
    ) -> None:
        first = enrolled + timedelta(days=ahead)
        # Where the clocks skip an hour, it is on the same day still.
        found = care.anniversary(PROGRAMS[zone], at(enrolled, zone, hour, 30), number(first))
        days = (first + timedelta(days=more) for more in range(800))
        enrolled = datetime.fromtimestamp(at(enrolled, zone, hour, 30), ZoneInfo(zone)).date()
        assert found == number(next(on for on in days if is_anniversary(enrolled, on)))

    def test_who_came_on_a_leap_day_has_it_on_the_28th_in_other_years(self) -> None:
        found = [day("2024-02-29")]
        for _year in range(5):
            found.append(care.anniversary(PROGRAMS["Asia/Shanghai"], at(date(2024, 2, 29)), found[-1] + 1))
        assert [text(one) for one in found[1:]] == [
            *("2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28")
        ]

    def test_the_day_is_that_of_the_programmes_zone(self) -> None:
        late = at(date(2025, 3, 9), "America/New_York", 23, 30)
        assert text(care.anniversary(PROGRAMS["America/New_York"], late, day("2025-05-01"))) == "2026-03-09"
        assert text(care.anniversary(PROGRAMS["Asia/Shanghai"], late, day("2025-05-01"))) == "2026-03-10"

    def test_of_whom_nobody_knows_when_they_came_has_none(self) -> None:
        assert care.anniversary(PROGRAMS["Asia/Shanghai"], 0, day("2025-05-01")) == NO_DAY


class TestPoints:
    def test_the_next_last_day_and_all_points_of_it(self) -> None:
        found, now = PROGRAMS["Asia/Shanghai"], at(date(2026, 11, 22))
        midnight = at(date(2026, 12, 1))
        lots = (Lot(now, 5), Lot(midnight - 3600, 7), Lot(midnight, 30), Lot(at(date(2027, 1, 1)), 400), Lot(NEVER, 9))
        assert care.next_expiry(found, State(lots=lots), now) == (day("2026-11-30"), 37)
        assert care.next_expiry(found, State(lots=lots[4:]), now) == (NO_DAY, 0)
        assert care.next_expiry(found, State(lots=lots), midnight) == (day("2026-12-31"), 400)


def ending(member: Member, on: date, within_days: int = 30) -> str:
    found = care.tier_ending(member.program, member.state, at(on), within_days)
    return "" if found == NO_DAY else text(found)


class TestTiers:
    @pytest.fixture
    def gold(self) -> Member:
        """Gold by January 2025, and so to the end of January 2026."""
        found = Member(tier_members.rules())
        found.post(0, 3_500)
        return found

    def test_a_tier_that_nothing_keeps_ends_with_its_last_day(self, gold: Member) -> None:
        assert ending(gold, date(2026, 1, 10)) == "2026-01-31"
        assert ending(gold, date(2026, 1, 1)) == "2026-01-31"
        assert ending(gold, date(2025, 12, 31)) == ""
        assert ending(gold, date(2025, 12, 31), 31) == "2026-01-31"
        assert ending(gold, date(2026, 1, 31), 0) == "2026-01-31"
        assert ending(gold, date(2026, 2, 1)) == ""

    def test_a_tier_that_is_kept_does_not_end(self, gold: Member) -> None:
        gold.post(6, 3_000)
        assert ending(gold, date(2026, 1, 10)) == ""

    def test_what_is_taken_back_may_end_it_after_all(self, gold: Member) -> None:
        gold.post(6, 3_000)
        gold.post(10, -500, dated=6)
        assert ending(gold, date(2026, 1, 10)) == "2026-01-31"

    def test_a_grace_puts_it_off(self) -> None:
        found = Member(tier_members.rules(grace_days=40))
        found.post(0, 3_500)
        assert ending(found, date(2026, 1, 10)) == ""
        assert ending(found, date(2026, 3, 10)) == "2026-03-31"

    def test_the_first_tier_never_ends(self) -> None:
        found = Member(tier_members.rules())
        found.post(0, 10)
        assert all(ending(found, date(2025, 1, 15) + timedelta(days=30 * month)) == "" for month in range(24))

    @given(
        posts=st.lists(st.tuples(st.integers(0, 14), st.integers(-2_000, 9_000)), max_size=8),
        grace_days=st.sampled_from([0, 20, 60]),
        downgrade=st.sampled_from(["to_fit", "one_down"]),
        month=st.integers(6, 34),
        within_days=st.integers(0, 80),
    )
    # A grace that begins and is over within the days.
    @example(posts=[(6, 1000)], grace_days=20, downgrade="to_fit", month=12, within_days=43)
    def test_it_is_the_day_before_the_tier_first_falls(
        self, posts: list[tuple[int, int]], grace_days: int, downgrade: str, month: int, within_days: int
    ) -> None:
        found = Member(tier_members.rules(6, 6, grace_days, downgrade))
        for posted, points in sorted(posts):
            if found.points.get(posted, 0) + points >= 0:
                found.post(posted, points)
        now = clock.day_start(
            mid(max(month, max((posted for posted, _points in posts), default=0))), 1, tier_members.ZONE
        )
        fell = first_fall(found.program, found.state, now, within_days)
        assert care.tier_ending(found.program, found.state, now, within_days) == fell


def first_fall(rules: Program, state: State, now: int, within_days: int) -> int:
    """By looking at every day."""
    ladder = [tier.code for tier in rules.tiers]
    before = ladder.index(tiers.standing(rules, state, now).code)
    for ahead in range(within_days + 1):
        then = clock.day_start(now, ahead + 1, rules.zone)
        place = ladder.index(tiers.standing(rules, state, then).code)
        if place < before:
            return (datetime.fromtimestamp(then, rules.zone).date().toordinal() - EPOCH) - 1
    return NO_DAY


class TestWhatIsKept:
    STATE = State(enrolled_at=at(date(2024, 12, 3)))

    def ahead(self, **scoring: Any) -> care.Ahead:
        return care.ahead(program(scoring=scoring), self.STATE, at(date(2026, 11, 22)))

    def test_a_programme_without_anniversaries_has_none(self) -> None:
        assert text(self.ahead().anniversary) == "2026-12-03"
        assert self.ahead(anniversaries=False).anniversary == NO_DAY

    def test_a_programme_may_leave_the_end_of_tiers_alone(self) -> None:
        found = Member(tier_members.rules())
        found.post(0, 3_500)
        for days, expected in ((30, "2026-01-31"), (1, "2026-01-31"), (0, "")):
            rules = msgspec.structs.replace(
                found.program, scoring=msgspec.structs.replace(found.program.scoring, tier_ending_days=days)
            )
            seen = care.ahead(rules, found.state, at(date(2026, 1, 20)))
            assert (text(seen.tier_ending) if seen.tier_ending != NO_DAY else "") == expected
            # The calendar looks two weeks ahead in any case, the member is told when it is time.
            first = care.since(seen, rules)[1]
            assert first == {30: day("2025-12-31"), 1: day("2026-01-29"), 0: NO_DAY}[days]

    def test_what_matters_of_points_is_what_something_can_be_had_for(self) -> None:
        assert care.points_least(program()) == 100
        assert care.points_least(program(scoring={"expiring_points_min": 7})) == 7
        assert care.points_least(program(redemption=None)) == 1


def tell(last: Told | None, since: tuple[int, ...], today: int) -> tuple[Told | None, tuple[str, ...]]:
    """One night: what is written down, and what was told."""
    news = told.cares(last, since, today)
    now = Told(day=today, value="mid", behaviour="active")
    return told.next_told(last, now, news, is_new=False) or last, news


class TestTelling:
    @given(nights=st.sets(st.integers(0, 40)), times=st.integers(1, 3), known=st.integers(0, 1))
    def test_an_anniversary_is_told_once_in_the_first_night_up_to_three_days_late(
        self, nights: set[int], times: int, known: int
    ) -> None:
        rules, begins = PROGRAMS["Asia/Shanghai"], day("2026-11-01")
        state, last = (
            State(enrolled_at=at(date(2020, 11, 21))),
            Told(behaviour="active", value="mid") if known else None,
        )
        heard = []
        for night in sorted(nights):
            for _time in range(times):
                seen = care.ahead(rules, state, at(date(2026, 11, 2) + timedelta(days=night)))
                last, news = tell(last, care.since(seen, rules), begins + night)
                heard += [(night, name) for name in news]
        # The night of the 20th tells of the 21st, and those of the three days after it catch up.
        expected = sorted(nights & {19, 20, 21, 22})[:1]
        assert heard == [(night, "anniversary") for night in expected]

    @given(nights=st.sets(st.integers(0, 80)), days=st.integers(1, 60))
    def test_the_end_of_a_tier_is_told_once(self, nights: set[int], days: int) -> None:
        found = Member(tier_members.rules())
        found.post(0, 3_500)
        rules = msgspec.structs.replace(
            found.program, scoring=msgspec.structs.replace(found.program.scoring, tier_ending_days=days)
        )
        last, heard, begins = None, [], day("2025-12-01")
        for night in sorted(nights):
            seen = care.ahead(rules, found.state, at(date(2025, 12, 2) + timedelta(days=night)))
            last, news = tell(last, care.since(seen, rules), begins + night)
            heard += [(begins + night, name) for name in news]
        within = (begins + night for night in sorted(nights) if 0 <= day("2026-01-31") - begins - night - 1 <= days)
        assert heard == [(night, "tier_ending") for night in within][:1]

    def test_another_end_is_told_again_but_not_within_the_cool_down(self) -> None:
        first, second = day("2026-01-01"), day("2026-01-08")
        last, _news = tell(None, (NO_DAY, first), first)
        nights = [second + night for night in range(14)]
        heard = []
        for night in nights:
            last, news = tell(last, (NO_DAY, second), night)
            heard += [night] * bool(news)
        assert heard == [first + told.COOL_DOWN_DAYS]

    def test_what_was_stored_before_there_was_care_reads_on(self) -> None:
        old = msgspec.msgpack.encode([1, 20_000, 7, 55, "mid", "active", 3, [19_990, -1, -1, -1, -1]])
        found = told.unpack(old)
        assert (found.alerted, found.days) == ((19_990, -1, -1, -1, -1), (19_990, *(-1,) * (len(NEWS) - 1)))
        assert told.before(found, 20_001) == Before(55, "mid", "active")
        assert told.onsets(found, (True, True, True, False, False), 20_001) == ("slowing",)
        news = told.cares(found, (20_001, NO_DAY), 20_001)
        assert news == ("anniversary",)
        now = msgspec.structs.replace(found, day=20_001)
        kept = told.next_told(found, now, news, is_new=False)
        assert kept is not None
        assert told.unpack(told.pack(kept)) == kept
        assert kept.alerted == (19_990, -1, -1, -1, -1, 20_001, -1)
        assert NEWS[: len(ALERTS)] == ALERTS

    def test_what_had_been_told_before_a_day_stays_however_often_the_day_is_told_of(self) -> None:
        yesterday = Told(day=9, score=50, value="mid", behaviour="active")
        assert told.before(None, 10) is None
        first = told.next_told(yesterday, Told(day=10, score=80, value="high", behaviour="active"), (), is_new=True)
        assert first is not None
        again = told.next_told(first, Told(day=10, score=20, value="low", behaviour="lapsed"), (), is_new=True)
        assert again is not None
        expected = Before(50, "mid", "active")
        assert [told.before(one, 10) for one in (yesterday, first, again)] == [expected] * 3
        assert told.before(again, 11) == Before(20, "low", "lapsed")
        newcomer = told.next_told(None, Told(day=10, score=20, value="low", behaviour="none"), (), is_new=True)
        assert told.before(newcomer, 10) is None
