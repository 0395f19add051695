"""Cases as pure rules: which moves there are, when a case is late, and what may be given, whatever comes in."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base.errors import Refusal
from chalicelib.cases.rules import amends, due, merging, moves
from chalicelib.cases.rules.case import CLOSED, OPEN, Case, Compensation
from chalicelib.cases.rules.moves import FROM, MOVES, Assignment, Move
from chalicelib.program.document.cases import CasePolicy
from chalicelib.program.document.cases import Compensation as Limits

HOUR = 3_600
NOW = 1_800_000_000
POLICY = CasePolicy()


def case(**fields: Any) -> Case:
    """A complaint of normal severity, opened at NOW by somebody known."""
    known: dict[str, Any] = {
        "case_id": "cse_a",
        "kind": "complaint",
        "dimension": "product",
        "severity": "normal",
        "state": "new",
        "channel": "app",
        "opened_at": NOW,
        "opened_by": "member",
        "clock_at": NOW,
        "assign_by": NOW + 24 * HOUR,
        "resolve_by": NOW + 120 * HOUR,
        "near_percent": 80,
        "remind_hours": 24,
        "moved_at": NOW,
        "touched_at": NOW,
        "member_id": "mem_a",
    }
    return Case(**(known | fields))


def step(found: Case, move: Move, at: int) -> Case:
    if move == "assign":
        return moves.assigned(found, Assignment(owner="staff:li"), POLICY, at)
    return MOVES[move](found, POLICY, at)


@given(st.lists(st.tuples(st.sampled_from(sorted(FROM)), st.integers(0, 40 * HOUR)), max_size=30))
def test_a_case_moves_only_as_it_says_and_its_deadlines_fit_its_state(walk: list[tuple[Move, int]]) -> None:
    found, at = case(), NOW
    for move, later in walk:
        at += later
        said = moves.allowed(found)
        if move not in said:
            with pytest.raises(Refusal, match=found.state):
                step(found, move, at)
            continue
        after = step(found, move, at)
        assert after.is_open == (after.state in OPEN)
        assert (due.due_at(after) is None) == (after.state in CLOSED) == (due.alert_at(after) is None)
        assert bool(after.resolved_at) == (after.state in CLOSED)
        assert after.owner == "staff:li"
        if move == "reopen":
            assert (after.clock_at, after.resolve_by) == (at, at + 120 * HOUR)
        found = after


def test_every_state_can_be_left_or_is_the_end_of_a_merge() -> None:
    reachable, waiting = {"new"}, [case()]
    while waiting:
        found = waiting.pop()
        for move in moves.allowed(found):
            after = step(found, move, NOW)
            if after.state not in reachable:
                reachable.add(after.state)
                waiting.append(after)
    assert reachable == {*OPEN, *CLOSED}


@pytest.mark.parametrize("severity", sorted(POLICY.service_levels))
def test_deadlines_are_plain_hours_from_the_beginning(severity: Any) -> None:
    level = POLICY.service_levels[severity]
    found = due.deadlines(POLICY, severity, NOW)
    assert found.assign_by == NOW + level.assign_hours * HOUR
    assert found.resolve_by == NOW + level.resolve_hours * HOUR


def test_a_department_is_that_of_the_dimension_or_none() -> None:
    texts = {"en": "a", "zh-Hans": "b", "zh-Hant": "c"}
    shop = {"code": "shop", "title": texts, "dimensions": ["service"]}
    policy = msgspec.convert({"departments": [shop]}, CasePolicy)
    assert due.department_of(policy, "service") == "shop"
    assert due.department_of(policy, "price") == ""


def watched(found: Case, at: int) -> tuple[Case, list[due.Alert]]:
    """A case after a run of the watch, and what it told."""
    told: list[due.Alert] = []
    while alert := due.alert_due(found, at):
        assert len(told) < 3, "a run tells without end"
        found = due.told(found, alert, at)
        told.append(alert)
    return found, told


@given(
    st.lists(st.integers(1, 50 * HOUR), min_size=1, max_size=40),
    st.sets(st.integers(0, 39), max_size=5),
    st.integers(1, 99),
    st.integers(1, 72),
)
def test_however_the_schedule_runs_each_deadline_is_told_of_once_and_reminders_keep_their_distance(
    waits: list[int], touched: set[int], near_percent: int, remind_hours: int
) -> None:
    found, at = case(near_percent=near_percent, remind_hours=remind_hours), NOW
    told: list[tuple[int, due.Alert]] = []
    for number, wait in enumerate(waits):
        at += wait
        if number in touched:
            found = msgspec.structs.replace(found, touched_at=at)
        expected = due.alert_at(found)
        found, said = watched(found, at)
        assert bool(said) == (expected is not None and expected <= at)
        told += [(at, alert) for alert in said]

    for name, instant in (("assign", found.assign_by), ("resolve", found.resolve_by)):
        of_it = [(when, alert) for when, alert in told if alert.name == name]
        levels = [alert.level for _when, alert in of_it]
        assert levels.count("near") <= 1
        assert levels.count("breach") <= 1
        if at >= instant and (name == "resolve" or at < found.resolve_by):
            # That nobody has it is told of until the case itself is late.
            assert levels.count("breach") == 1
        assert all(when >= instant for when, alert in of_it if alert.level != "near")
        assert all(when < instant for when, alert in of_it if alert.level == "near")
        after = [when for when, alert in of_it if alert.level != "near"]
        assert all(later - before >= remind_hours * HOUR for before, later in itertools.pairwise(after))


PEOPLE = ("staff:li", "staff:wang", "staff:boss")
LIMITS = Limits(handler_points=500, points_max=2_000)


@given(
    st.lists(
        st.tuples(st.sampled_from(["ask", "approve", "refuse"]), st.sampled_from(PEOPLE), st.integers(1, 1_200)),
        max_size=25,
    )
)
def test_whoever_asks_and_decides_a_case_costs_no_more_than_its_limits(acts: list[tuple[str, str, int]]) -> None:
    found = case(state="assigned", owner="staff:li")
    for number, (act, who, points) in enumerate(acts):
        waiting = [each for each in found.compensations if each.status == "waiting"]
        try:
            if act == "ask":
                found = amends.asked(found, wanted(str(number), who, points), LIMITS)
            elif waiting:
                target = waiting[points % len(waiting)].compensation_id
                found = amends.decided(found, target, approves=act == "approve", by=who, at=NOW + number, limits=LIMITS)
        except Refusal:
            continue
        alone = sum(each.points for each in given_of(found) if not each.decided_by)
        assert sum(each.points for each in given_of(found)) <= LIMITS.points_max
        assert alone <= LIMITS.handler_points
        assert all(each.asked_by != each.decided_by for each in found.compensations)


def wanted(name: str, who: str, points: int, case_id: str = "cse_a") -> Compensation:
    return Compensation(
        compensation_id=name, case_id=case_id, status="waiting", points=points, asked_by=who, asked_at=NOW
    )


def given_of(found: Case) -> list[Compensation]:
    return [each for each in found.compensations if each.status == "given"]


@given(st.integers(1, 3_000), st.integers(1, 3_000))
def test_the_order_in_which_two_ask_changes_who_waits_and_never_the_sum(first: int, second: int) -> None:
    def after(*asked: int) -> Case:
        found = case(state="assigned")
        for number, points in enumerate(asked):
            try:
                found = amends.asked(found, wanted(f"{points}-{number}", "staff:li", points), LIMITS)
            except amends.LimitExceeded:
                continue
        return found

    for found in (after(first, second), after(second, first)):
        assert sum(each.points for each in found.compensations) <= LIMITS.points_max
        assert sum(each.points for each in given_of(found)) <= LIMITS.handler_points


@given(st.lists(st.integers(1, 900), max_size=4), st.lists(st.integers(1, 900), max_size=4))
def test_a_merge_loses_no_compensation_and_counts_all_for_the_one_case(one: list[int], two: list[int]) -> None:
    def made(case_id: str, amounts: list[int]) -> Case:
        found = case(case_id=case_id, state="assigned", order_id=f"order of {case_id}")
        for number, points in enumerate(amounts):
            given = msgspec.structs.replace(wanted(f"{case_id}{number}", "a", points, case_id), status="given")
            found = amends.with_compensation(found, given)
        return found

    gone, into = merging.merged(made("cse_a", one), made("cse_b", two), NOW)
    assert sum(each.points for each in into.compensations) == sum(one) + sum(two)
    assert gone.compensations == ()
    assert (into.order_id, into.further_orders) == ("order of cse_b", ("order of cse_a",))
    assert (gone.state, gone.merged_into, into.merged) == ("merged", "cse_b", ("cse_a",))
    assert (due.due_at(gone), due.alert_at(gone), moves.allowed(gone)) == (None, None, ())
    with pytest.raises(moves.CaseMerged):
        moves.noted(gone, NOW)


def test_a_case_stored_by_an_earlier_version_is_read_with_what_has_come_since_left_empty() -> None:
    names = {field.name for field in msgspec.structs.fields(Case) if field.required}
    stored = {name: value for name, value in msgspec.to_builtins(case()).items() if name in names}
    found = msgspec.convert(stored, Case)
    assert (found.cause, found.actions, found.ces, found.compensations) == ("", (), None, ())
