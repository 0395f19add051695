"""The night against the night before: what was told then, what is told now, and alike however often it is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import pytest

from chalicelib.base import clock, objects
from chalicelib.members import night as nights
from chalicelib.scoring import gathering, reducing, tonight
from chalicelib.scoring.report.model import Flow, Report, Since
from tests.api import night, scoring_night, shop

ZONE: Final = ZoneInfo("Asia/Shanghai")

Later = Callable[[int], None]
Segments = tuple[str, str]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Lets so many days pass."""

    def pass_by(days: int) -> None:
        then = clock.now() + days * clock.DAY_S
        monkeypatch.setattr(clock, "now", lambda: then)

    return pass_by


@pytest.fixture
def members() -> list[str]:
    """Members with 0, 1, 2 … purchases, a week apart."""
    found = []
    for number in range(7):
        member = shop.enrol(f"m{number}", phone=f"+861380013800{number}")
        for purchase in range(number):
            buy(member, 2 + 4.5 * purchase)
        night.project(member)
        found.append(member)
    return found


def buy(member: str, days_ago: float, yuan: int = 100) -> None:
    fields = {"member_id": member, "occurred_at": clock.text(clock.now() - int(days_ago * clock.DAY_S))}
    answer = shop.post_order(f"{member}-{fields['occurred_at']}", total_minor=yuan * 100, **fields)
    assert answer.status == 201, answer.text
    night.project(member)


def report() -> Report:
    return msgspec.json.decode(objects.get("reports/latest/report.json") or b"", type=Report)


def since() -> Since:
    found = report().since
    assert found
    return found


def told(members: list[str]) -> dict[str, Segments]:
    found = {member: scoring_night.view(member) for member in members}
    last = {member: scoring_night.last_told(member) for member, item in found.items() if item.score_told}
    return {member: (one.value, one.behaviour) for member, one in last.items()}


def flows(before: dict[str, Segments], now: dict[str, Segments], place: int) -> Counter[Flow]:
    """Who moved, by what the accounts say of each member."""
    pairs = Counter((before[one][place] if one in before else "not_there", now[one][place]) for one in now)
    return Counter({Flow(old, new, count): 1 for (old, new), count in pairs.items() if old != new})


def test_the_first_night_has_nothing_to_compare_with(members: list[str]) -> None:
    scoring_night.whole()
    assert report().since is None
    page = objects.get("reports/latest/report.html") or b""
    assert b"There is no night before this one." in page
    assert "尚无前一夜可比".encode() in page
    assert len(members) == report().members


@pytest.mark.parametrize("twice", [False, True])
def test_flows_are_from_what_was_told_to_what_is_told(members: list[str], later: Later, *, twice: bool) -> None:
    scoring_night.whole()
    for days in (1, 1, 220):
        day = gathering.day_of(clock.now(), ZONE) - 1
        before = told(members)
        later(days)
        if days == 1:
            newcomer = shop.enrol(f"new-{clock.now()}", mail=f"new-{clock.now()}@example.com")
            night.project(newcomer)
            members.append(newcomer)
            buy(members[0], 1)
        scoring_night.whole(twice=twice)
        found, now = since(), told(members)
        assert found.day == date_of(day)
        assert Counter(found.value) == flows(before, now, 0)
        assert Counter(found.behaviour) == flows(before, now, 1)
        assert found.came == len(members) - len(before)
        assert found.members == len(members)
    assert any(flow.now == "lapsed" for flow in found.behaviour)


def date_of(day: int) -> str:
    return clock.text(day * clock.DAY_S)[:10]


def test_a_night_reduced_twice_and_one_more_night_of_a_day_say_the_same(
    members: list[str], later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    scoring_night.whole()
    later(1)
    buy(members[0], 1, yuan=900)
    newcomer = shop.enrol("new", mail="new@example.com")
    night.project(newcomer)
    scoring_night.whole()
    first = since()
    assert first.came == 1
    assert first.risers
    cut = clock.day_start(clock.now(), 0, ZONE)
    # By how many members at a time does not matter.
    monkeypatch.setattr(tonight, "_AT_ONCE", 3)
    reducing.reduce(night.today(), cut, now=clock.now())
    assert since() == first
    with night.queued() as lying:
        nights.again(now=clock.now())
        scoring_night.run(lying)
    again = since()
    assert (again.behaviour, again.value, again.came, again.day) == (
        *(first.behaviour, first.value),
        *(first.came, first.day),
    )


def test_whose_score_time_alone_moves_a_little_is_no_mover(members: list[str], later: Later) -> None:
    scoring_night.whole()
    for _night in range(4):
        later(1)
        scoring_night.whole()
        assert not since().risers
        assert all(mover.before - mover.now >= 5 for mover in since().fallers)
    assert len(members) == since().members
