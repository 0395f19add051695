"""The contact policy: nobody is asked more often than it says, however invitations fall."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base.clock import DAY_S
from chalicelib.program.document.surveys import ContactPolicy
from chalicelib.surveys import contact
from chalicelib.surveys.contact import Contact

NOW = 1_800_000_000
POLICIES = st.builds(ContactPolicy, gap_days=st.integers(0, 60), per_year=st.integers(1, 12))


def made(*days: float) -> tuple[Contact, ...]:
    """Contacts so many days after NOW."""
    return tuple(Contact(NOW + int(day * DAY_S), f"inv_{day}", 0) for day in days)


def refusal(policy: ContactPolicy, contacts: tuple[Contact, ...], day: float = 0, late_days: float = 0) -> str:
    now = NOW + int(day * DAY_S)
    return contact.refusal(policy, contacts, due=now - int(late_days * DAY_S), now=now)


def test_the_gap_is_over_to_the_second() -> None:
    policy = ContactPolicy(gap_days=30, per_year=9)
    assert refusal(policy, made(0), day=30) == ""
    assert refusal(policy, made(0), day=30 - 1 / DAY_S) == "too_soon"


def test_a_year_is_365_days() -> None:
    policy = ContactPolicy(gap_days=0, per_year=2)
    assert refusal(policy, made(0, 100), day=365 - 1 / DAY_S) == "too_many"
    assert refusal(policy, made(0, 100), day=365) == ""


def test_without_a_gap_several_may_be_sent_at_once() -> None:
    policy = ContactPolicy(gap_days=0, per_year=3)
    assert refusal(policy, made(0, 0)) == ""
    assert refusal(policy, made(0, 0, 0)) == "too_many"


def test_what_somebody_else_has_just_sent_counts_though_their_clock_is_ahead() -> None:
    policy = ContactPolicy(gap_days=0, per_year=1)
    assert refusal(policy, made(1 / DAY_S)) == "too_many"


def test_what_came_late_is_not_put_in_between() -> None:
    policy = ContactPolicy(gap_days=30, per_year=9)
    assert refusal(policy, made(-29), day=2, late_days=2) == "too_soon"


@given(POLICIES, st.lists(st.integers(0, 800), min_size=1, max_size=60))
def test_in_no_stretch_of_time_are_more_sent_than_the_policy_says(policy: ContactPolicy, days: list[int]) -> None:
    sent: tuple[Contact, ...] = ()
    for number, day in enumerate(sorted(days)):
        now = NOW + day * DAY_S
        if not contact.refusal(policy, sent, due=now, now=now):
            sent = contact.remembered([*sent, Contact(now, f"inv_{number}", 0)], now)
    times = [one.at for one in sent]
    assert sent
    assert all(later - earlier >= policy.gap_days * DAY_S for earlier, later in itertools.pairwise(times))
    assert all(sum(at <= other < at + 365 * DAY_S for other in times) <= policy.per_year for at in times)


@given(POLICIES, st.lists(st.integers(-400, 0), max_size=20), st.integers(0, 3), st.integers(0, 3))
def test_what_was_refused_is_refused_when_it_comes_again(
    policy: ContactPolicy, days: list[int], late: int, later: int
) -> None:
    contacts = made(*days)
    if refusal(policy, contacts, day=late, late_days=late):
        assert refusal(policy, contacts, day=late + later, late_days=late + later)


@given(st.lists(st.integers(-500, 0), max_size=30))
def test_what_counts_for_something_is_remembered_and_nothing_else(days: list[int]) -> None:
    kept = contact.remembered(made(*days), NOW)
    assert [one.at for one in kept] == sorted({NOW + day * DAY_S for day in days if day > -367})


def test_an_invitation_is_remembered_once() -> None:
    assert contact.remembered([*made(-1), *made(-1)], NOW) == made(-1)
