"""Cases against a model of a few lines, in whatever order things happen and whatever fails on the way."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.base import clock, dynamo
from chalicelib.base.errors import Refusal
from chalicelib.cases import acting, compensating, feedback, listing, merging, moving, tallies, watching
from chalicelib.cases.changing import read
from chalicelib.cases.compensating import Amends
from chalicelib.cases.feedback import Sender
from chalicelib.cases.listing import Wanted
from chalicelib.cases.moving import Who, Words
from chalicelib.cases.rules import counting
from chalicelib.cases.rules.case import State
from chalicelib.cases.rules.moves import Assignment, Move
from chalicelib.cases.schema import FeedbackIn
from chalicelib.cases.table import LeadItem, leads_of, read_steps
from chalicelib.ledger.posting import peek
from chalicelib.ledger.table import read_chain
from chalicelib.members import enrolling
from chalicelib.members.schema import ExternalIn, MemberIn
from chalicelib.program import service as programs
from tests import faults
from tests.programs import document, texts

HANDLER, MOST = 500, 2_000
CAUSES = {code: texts(code) for code in ("packaging", "courier")}
HOUR = 3_600
FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]
OPEN = ("new", "assigned", "analysing", "acting", "reopened")
MOVES: dict[str, tuple[tuple[str, ...], str]] = {
    "analyse": (("assigned", "acting", "reopened"), "analysing"),
    "act": (("analysing", "reopened"), "acting"),
    "resolve": (("analysing", "acting"), "resolved"),
    "verify": (("resolved",), "verified"),
    "reopen": (("resolved", "verified"), "reopened"),
}

PEOPLE = st.sampled_from(["staff:li", "staff:wang"])
CASES = st.integers(0, 3)
FAULT = st.sampled_from([None, None, *FAULTS])

_keys = itertools.count(1)


def counted() -> Counter[str]:
    """All that is counted, in whatever month: read by a scan, which costs the tests less than asking for each item."""
    client: Any = dynamo.client()
    found: Counter[str] = Counter()
    for item in client.scan(TableName=tallies.TallyItem.Meta.table_name)["Items"]:
        if item["key"]["S"].startswith("tally:"):
            found.update({name: int(value["N"]) for name, value in item.items() if "N" in value})
    return found


class Told:
    """A case as it must be."""

    def __init__(self, case_id: str, member: int) -> None:
        self.case_id, self.member = case_id, member
        self.state, self.owner, self.into, self.cause = "new", "", "", ""
        self.given: dict[str, list[Any]] = {}
        self.steps = 1

    def points(self, *states: str) -> int:
        return sum(points for points, state, _asker in self.given.values() if state in states)


class CaseMachine(RuleBasedStateMachine):
    """Every answer of the engine is the model's, and so are points, histories and lists."""

    @initialize()
    def begin(self) -> None:
        """Two members, and nothing else."""
        self.now = 1_800_000_000
        for lead in LeadItem.scan():
            # All examples have the same tables, and the watch would see to the cases of those before.
            lead.delete()
        limits = {"handler_points": HANDLER, "points_max": MOST}
        programs.publish(
            document(welcome_points=0, cases={"compensation": limits, "causes": CAUSES}),
            by="tests",
            now=self.now - clock.DAY_S,
        )
        programs.reset_cache()
        tag = str(next(_keys))
        self.members = [self.enrolled(f"{tag}-{number}") for number in range(2)]
        self.cases: list[Told] = []
        self.facts: dict[int, list[str]] = {0: [], 1: []}
        # What was counted before, by other examples on the same tables.
        self.counted = counted()

    def enrolled(self, name: str) -> str:
        body = MemberIn(external=(ExternalIn(source="tests", id=name),))
        return str(enrolling.enrol(body, client_id="t", key=name, actor="system:t", now=self.now).member_id)

    def who(self, actor: str) -> Who:
        return Who(actor, f"key {next(_keys)}", self.now)

    def case(self, number: int) -> Told:
        return self.cases[number % len(self.cases)]

    def tried(self, act: Callable[[], Any], refusal: str | None, fault: faults.Fault | None) -> Any:
        """Do it, through a fault where it is to succeed; and again, which must change nothing."""
        if refusal:
            with pytest.raises(Refusal) as refused:
                act()
            assert refused.value.reason_code == refusal
            return None
        with faults.calls(*([fault] if fault else [])):
            found = act()
        act()
        return found

    @precondition(lambda self: len(self.cases) < 4)
    @rule(member=st.integers(0, 1), fault=FAULT)
    def complain(self, member: int, fault: faults.Fault | None) -> None:
        """A member complains."""
        body = FeedbackIn(kind="complaint", text="Broken.", member_id=self.members[member])
        sender = Sender(actor="system:t", key=f"key {next(_keys)}")
        found = self.tried(lambda: feedback.receive(body, sender, now=self.now), None, fault)
        self.cases.append(Told(found.case.case_id, member))
        self.facts[member].append("case_opened")

    @precondition(lambda self: self.cases)
    @rule(number=CASES, actor=PEOPLE, takes_over=st.booleans(), fault=FAULT)
    def assign(self, number: int, actor: str, takes_over: bool, fault: faults.Fault | None) -> None:  # noqa: FBT001
        """Somebody takes a case."""
        case, who = self.case(number), self.who(actor)
        refusal = self.refused(case, OPEN)
        if not refusal and case.owner not in {"", actor} and not takes_over:
            refusal = "case_taken"
        wanted = Assignment(owner=actor, instead_of=case.owner if takes_over else None)
        self.tried(lambda: moving.assign(case.case_id, wanted, Words(), who), refusal, fault)
        if not refusal:
            case.owner, case.steps = actor, case.steps + 1
            case.state = "assigned" if case.state in {"new", "reopened"} else case.state

    @precondition(lambda self: self.cases)
    @rule(number=CASES, move=st.sampled_from(sorted(MOVES)), actor=PEOPLE, fault=FAULT)
    def move(self, number: int, move: Move, actor: str, fault: faults.Fault | None) -> None:
        """Somebody moves a case on."""
        case, who = self.case(number), self.who(actor)
        sources, target = MOVES[move]
        refusal = self.refused(case, sources)
        if not refusal and move == "resolve" and case.points("waiting"):
            refusal = "compensation_waiting"
        self.tried(lambda: moving.move(case.case_id, move, Words(), who), refusal, fault)
        if not refusal:
            case.state, case.steps = target, case.steps + 1
            if move in {"resolve", "reopen"}:
                self.facts[case.member].append(f"case_{target}")

    @precondition(lambda self: self.cases)
    @rule(number=CASES, actor=PEOPLE, points=st.sampled_from([100, 400, 900, 1_500]), fault=FAULT)
    def compensate(self, number: int, actor: str, points: int, fault: faults.Fault | None) -> None:
        """Somebody would give points."""
        case, who = self.case(number), self.who(actor)
        refusal = self.refused(case, OPEN[1:])
        if not refusal and case.points("given", "waiting") + points > MOST:
            refusal = "compensation_limit_exceeded"
        wanted = Amends(points=points, reason="Sorry.")
        found = self.tried(lambda: compensating.ask(case.case_id, wanted, who), refusal, fault)
        if found:
            state = "given" if case.points("given") + points <= HANDLER else "waiting"
            case.given[found[1]] = [points, state, actor]
            case.steps += 1
            if state == "given":
                self.facts[case.member].append("case_compensated")

    @precondition(lambda self: any(case.points("waiting") for case in self.cases))
    @rule(number=CASES, actor=PEOPLE, approves=st.booleans(), fault=FAULT)
    def decide(self, number: int, actor: str, approves: bool, fault: faults.Fault | None) -> None:  # noqa: FBT001
        """Somebody decides on what waits."""
        waiting = [(case, name) for case in self.cases for name, each in case.given.items() if each[1] == "waiting"]
        case, name = waiting[number % len(waiting)]
        points, _state, asker = case.given[name]
        refusal = "compensation_own" if asker == actor else None
        if not refusal and approves and case.points("given") + points > MOST:
            refusal = "compensation_limit_exceeded"
        who = self.who(actor)
        self.tried(lambda: compensating.decide(case.case_id, name, approves=approves, text="", who=who), refusal, fault)
        if not refusal:
            case.given[name][1] = "given" if approves else "refused"
            case.steps += 1
            if approves:
                self.facts[case.member].append("case_compensated")

    @precondition(lambda self: self.cases)
    @rule(number=CASES, cause=st.sampled_from(sorted(CAUSES)), fault=FAULT)
    def put_down(self, number: int, cause: str, fault: faults.Fault | None) -> None:
        """Somebody finds a case's cause, or another one."""
        case, who = self.case(number), self.who("staff:li")
        refusal = "case_merged" if case.state == "merged" else None
        self.tried(lambda: acting.put_down(case.case_id, cause, "", who), refusal, fault)
        if not refusal:
            case.cause, case.steps = cause, case.steps + 1

    @precondition(lambda self: len(self.cases) > 1)
    @rule(number=CASES, other=CASES, fault=FAULT)
    def merge(self, number: int, other: int, fault: faults.Fault | None) -> None:
        """Two cases become one."""
        case, into = self.case(number), self.case(other)
        refusal = self.unmergeable(case, into)
        who = self.who("staff:li")
        # What was merged before is answered without a word to the database that a fault could meet.
        met = None if case.state == "merged" else fault
        self.tried(lambda: merging.merge(case.case_id, into.case_id, "", who), refusal, met)
        if not refusal and case.state != "merged":
            into.given |= case.given
            case.state, case.into, case.given = "merged", into.case_id, {}
            case.steps, into.steps = case.steps + 1, into.steps + 1

    def unmergeable(self, case: Told, into: Told) -> str | None:
        """Why two cases are not merged; None where they are, or were."""
        if case is into:
            return "case_same"
        if case.state == "merged":
            return None if case.into == into.case_id else "case_merged"
        if into.state == "merged":
            return "case_merged"
        if into.state not in OPEN:
            return "case_not_open"
        return "case_members_differ" if case.member != into.member else None

    @rule(hours=st.integers(1, 60))
    def pass_time(self, hours: int) -> None:
        """Time passes, and the schedule runs twice: the second time there is nothing to be told."""
        self.now += hours * HOUR
        told = watching.watch(now=self.now)
        assert told["failed"] == told["left"] == 0
        assert sum(watching.watch(now=self.now).values()) == 0
        for case in self.cases:
            case.steps = len(read_steps(case.case_id))

    @invariant()
    def every_case_is_as_it_must_be(self) -> None:
        """State, owner, compensations, and a history without a gap."""
        for case in self.cases:
            found = read(case.case_id).case
            assert (found.state, found.owner, found.merged_into) == (case.state, case.owner, case.into)
            given = {each.compensation_id: [each.points, each.status, each.asked_by] for each in found.compensations}
            assert given == case.given
            steps = read_steps(case.case_id)
            assert [int(step.number) for step in steps] == list(range(1, case.steps + 1))

    @invariant()
    def the_ledger_says_what_was_done(self) -> None:
        """Points were given as the cases say, and the facts are those of the cases, in their order."""
        for number, member_id in enumerate(self.members):
            chain = [item.kind for item in read_chain(member_id, consistent=True) if item.kind.startswith("case_")]
            assert chain == self.facts[number]
            given = sum(case.points("given") for case in self.cases if case.member == number)
            assert peek(member_id, now=self.now, consistent=True).state.available == given

    @invariant()
    def the_months_count_the_cases_that_there_are(self) -> None:
        """Each case once, for its last cause, and those that became part of others not at all."""
        counts = counted()
        counts.subtract(self.counted)
        alive = [case for case in self.cases if case.state != "merged"]
        known = Counter(case.cause for case in alive if case.cause)
        assert counts[counting.CASES] == counts[counting.kind("complaint")] == len(alive)
        assert counts[counting.KNOWN] == sum(known.values())
        assert {cause: counts[counting.cause(cause)] for cause in CAUSES} == {cause: known[cause] for cause in CAUSES}

    @invariant()
    def every_list_has_what_it_must(self) -> None:
        """Each state's list has its cases and no others, and no lead is left behind."""
        ours = {case.case_id for case in self.cases}
        for state in get_args(State):
            if state != "merged":
                found = listing.page(Wanted(state=state), after=None, limit=20).cases
                listed = {case.case_id for case in found} & ours
                assert listed == {case.case_id for case in self.cases if case.state == state}
        leads = {(str(item.key), str(item.part)) for item in LeadItem.scan() if item.case_id in ours}
        assert leads == {lead for case_id in ours for lead in leads_of(read(case_id).case)}

    def refused(self, case: Told, sources: tuple[str, ...]) -> str | None:
        """Why a case in this state cannot be moved so."""
        if case.state == "merged":
            return "case_merged"
        return None if case.state in sources else "case_state_forbids"


TestCases = CaseMachine.TestCase
TestCases.settings = settings(
    max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
