"""What a member is shown of a challenge."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.base import clock
from chalicelib.engagement.rules import views
from chalicelib.engagement.rules.progress import Walk
from chalicelib.engagement.rules.views import View
from tests.challenges import card, quest, streak
from tests.programs import program

ZONE = ZoneInfo("Asia/Shanghai")


def at(*moment: int) -> int:
    return clock.seconds(datetime(*moment, tzinfo=ZONE))  # type: ignore[arg-type,misc]


NOW = at(2026, 11, 20, 12)
TODAY = datetime(2026, 11, 20, tzinfo=ZONE).toordinal()
FRESH = Walk()
DONE = Walk(rounds=1, rewards=((50, 1),))


def shown(challenge: dict[str, Any], walk: Walk = FRESH, now: int = NOW) -> View:
    document = program(challenges=[challenge])
    return views.view(document, document.challenges[0], walk, now)


def test_a_new_card_has_the_gift_on_it_and_accounts_for_it_apart() -> None:
    found = shown(card())
    assert (found.status, found.done, found.needed, found.given, found.earned) == ("open", 2, 10, 2, 0)


def test_a_card_shows_what_was_earned_beside_the_gift() -> None:
    found = shown(card(), Walk(counts={"": 3}))
    assert (found.done, found.given, found.earned) == (5, 2, 3)


def test_a_card_that_is_done_is_full() -> None:
    found = shown(card(), DONE)
    assert (found.status, found.done, found.earned, found.rounds) == ("done", 10, 8, 1)
    again = shown(card(repeats=True), DONE)
    assert (again.status, again.done, again.earned, again.rounds) == ("open", 2, 0, 1)


@pytest.mark.parametrize(("last", "current"), [(TODAY, 2), (TODAY - 1, 2), (TODAY - 2, 0)])
def test_a_streak_lives_until_the_day_after_its_last_is_over(last: int, current: int) -> None:
    run = shown(streak(), Walk(counts={"": 2}, period=last, best=2)).run
    assert run is not None
    assert (run.current, run.longest) == (current, 2)
    expected = at(2026, 11, 20 + last - TODAY + 2) if current else None
    assert run.keep_by == expected


def test_weeks_and_months_are_kept_up_to_their_ends() -> None:
    week = shown(streak(period="week"), Walk(counts={"": 1}, period=(TODAY - 1) // 7)).run
    month = shown(streak(period="month"), Walk(counts={"": 1}, period=2026 * 12 + 10)).run
    assert week is not None
    assert week.keep_by == at(2026, 11, 30)
    assert month is not None
    assert month.keep_by == at(2027, 1, 1)


def test_a_quest_tells_whose_turn_it_is() -> None:
    walk = Walk(counts={"share": 1})
    free, ordered = shown(quest(), walk), shown(quest(in_order=True), walk)
    assert [(step.done, step.is_open) for step in free.steps] == [(0, True), (1, True)]
    assert [step.is_open for step in ordered.steps] == [True, False]
    assert (free.done, free.needed) == (0, 2)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "status"),
    [
        ("2026-11-20T12:01", None, "upcoming"),
        ("2026-11-20T12:00", "2026-11-20T12:01", "open"),
        ("2026-11-01T00:00", "2026-11-20T12:00", "ended"),
    ],
)
def test_the_window_says_what_it_is(starts_at: str, ends_at: str | None, status: str) -> None:
    assert shown(card(starts_at=starts_at, ends_at=ends_at)).status == status


def test_one_that_is_not_meant_for_a_member_shows_only_who_took_part() -> None:
    assert not views.is_shown(shown(card()), is_meant=False)
    assert views.is_shown(shown(card(), Walk(counts={"": 1})), is_meant=False)


def test_one_that_is_over_shows_only_who_took_part() -> None:
    over = card(ends_at="2026-11-20T12:00")
    assert not views.is_shown(shown(over), is_meant=True)
    assert views.is_shown(shown(over, DONE), is_meant=True)
