"""Surveys against a model of a few lines, in whatever order things happen and whatever fails on the way."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.base import clock
from chalicelib.base.errors import Refusal
from chalicelib.ledger.posting import peek
from chalicelib.members import enrolling, uniting
from chalicelib.members import service as members
from chalicelib.members.schema import ExternalIn, MemberIn, MergeIn
from chalicelib.program import service as programs
from chalicelib.surveys import by_hand, changing, defining, respondents, responding, tallies
from chalicelib.surveys.document import Answer, Definition
from chalicelib.surveys.preparing import Submission
from chalicelib.surveys.respondents import Respondent
from chalicelib.surveys.table import SHARDS, AnswerItem, answers_key
from tests import faults
from tests.programs import document
from tests.proof.store import in_memory
from tests.rules.survey_cases import definition, question

NOW, MONTH = 1_800_000_000, "2027-01"
FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]

FAULT = st.sampled_from([None, None, *FAULTS])
MEMBERS = st.integers(0, 3)
ANSWERS = st.tuples(st.sampled_from([2, 9]), st.booleans())
VERSIONS = st.sampled_from([0, 0, 0, 1, 2, 3])

_keys = itertools.count(1)


class SurveyMachine(RuleBasedStateMachine):
    """Every answer of the engine is the model's, and so are points and counts."""

    @initialize()
    def begin(self) -> None:
        """Four members and a draft."""
        self.stack = contextlib.ExitStack()
        # The store of the proof, which is quicker than moto by far.
        self.stack.enter_context(in_memory())
        programs.reset_cache()
        members.forget_all()
        defining.forget_all()
        programs.publish(document(welcome_points=0), by="tests", now=NOW - clock.DAY_S)
        programs.reset_cache()
        self.tag = str(next(_keys))
        self.members = [self.enrolled(f"{self.tag}-{number}") for number in range(4)]
        self.survivor = {number: number for number in range(4)}
        self.versions = [(10, False)]
        made, _replayed = changing.create(self.definition(10, more=False), actor="staff:li", now=NOW)
        self.survey_id, self.status, self.opened = made.survey_id, "draft", 0
        # What was answered under which name: a member's own, a row's, an invitation's.
        self.given: dict[str, tuple[int, bool]] = {}
        self.points = Counter[int]()
        self.taken: list[tuple[int, bool]] = []
        self.invitations: dict[int, str] = {}

    def definition(self, points: int, *, more: bool) -> Definition:
        further = [question("csat", "more")] if more else []
        return definition(question("nps", "recommend"), *further, code=f"poll_{self.tag}", points=points)

    def enrolled(self, name: str) -> str:
        body = MemberIn(external=(ExternalIn(source="surveys", id=name),))
        return str(enrolling.enrol(body, client_id="t", key=name, actor="system:t", now=NOW).member_id)

    def teardown(self) -> None:
        """Leave the store."""
        self.stack.close()

    def own(self, member: int) -> list[str]:
        """The names under which whoever a member has become may have answered."""
        last = self.survivor[member]
        return [f"member {number}" for number in range(4) if self.survivor[number] == last]

    @precondition(lambda self: self.status != "closed" and len(self.versions) < 4)
    @rule(points=st.integers(0, 50), more=st.booleans(), fault=FAULT)
    def edit(self, points: int, more: bool, fault: faults.Fault | None) -> None:  # noqa: FBT001
        """The survey is changed."""
        etag = str(defining.read_now(self.survey_id).version)
        body = self.definition(points, more=more)
        for met in ([fault] if fault else [], []):
            with faults.calls(*met):
                found = changing.change(self.survey_id, body, based_on=etag, actor="staff:li", now=NOW)
        self.versions.append((points, more))
        assert found.number == len(self.versions)

    @rule(opens=st.booleans())
    def move(self, opens: bool) -> None:  # noqa: FBT001
        """The survey is opened or closed."""
        if not opens and self.status == "draft":
            return
        self.status = "open" if opens else "closed"
        self.opened = self.opened or len(self.versions)
        changing.set_status(self.survey_id, "open" if opens else "closed", actor="staff:li", now=NOW)

    @rule(member=MEMBERS, answers=ANSWERS, version=VERSIONS, fault=FAULT)
    def in_the_app(self, member: int, answers: tuple[int, bool], version: int, fault: faults.Fault | None) -> None:
        """A member answers."""
        name = f"member {self.survivor[member]}"
        self.answered(
            lambda: respondents.of_member(self.survey_id, self.members[member]),
            answers,
            version,
            fault,
            names=[name, *self.own(member)],
            member=member,
        )

    @rule(row=st.integers(0, 2), member=st.none() | MEMBERS, answers=ANSWERS, version=VERSIONS, fault=FAULT)
    def brought_in(
        self, row: int, member: int | None, answers: tuple[int, bool], version: int, fault: faults.Fault | None
    ) -> None:
        """An answer is read in from elsewhere."""
        of = None if member is None else self.members[member]
        own = [] if member is None else [f"member {self.survivor[member]}", *self.own(member)]
        self.answered(
            lambda: respondents.of_row(self.survey_id, "paper", str(row), of),
            answers,
            version,
            fault,
            names=[f"row {row}", *own],
            member=member,
        )

    @rule(member=MEMBERS, answers=ANSWERS, fault=FAULT)
    def by_link(self, member: int, answers: tuple[int, bool], fault: faults.Fault | None) -> None:
        """Whoever holds the link of an invitation answers."""
        if self.status != "open" and member not in self.invitations:
            return
        if member not in self.invitations:
            wanted = by_hand.Request(member_id=self.members[member], open_days=1, override="asked for")
            sent = by_hand.invite(self.survey_id, wanted, key=str(member), actor="staff:li", now=NOW)
            self.invitations[member] = str(sent.record.key)
        invitation = self.invitations[member]
        self.answered(
            lambda: respondents.of_link(self.survey_id, invitation),
            answers,
            0,
            fault,
            names=[f"invitation {member}"],
            member=member,
        )

    @rule(one=MEMBERS, other=MEMBERS)
    def merge(self, one: int, other: int) -> None:
        """Two members turn out to be one person."""
        gone, into = self.survivor[one], self.survivor[other]
        if gone == into:
            return
        uniting.merge(self.members[gone], MergeIn(into=self.members[into]), actor="staff:li", now=NOW)
        for number in range(4):
            self.survivor[number] = into if self.survivor[number] == gone else self.survivor[number]
        self.points[into] += self.points.pop(gone, 0)

    def answered(
        self,
        respondent: Callable[[], Respondent],
        answers: tuple[int, bool],
        version: int,
        fault: faults.Fault | None,
        *,
        names: list[str],
        member: int | None,
    ) -> None:
        """Answer, and compare what comes of it with what must."""
        given = [self.given[name] for name in names if name in self.given]
        refusal, number = self.judged(answers, version)
        if given:
            refusal = None if answers in given else "answered_before"
        is_new = not given and not refusal
        for met in ([fault] if fault and is_new else [], []):
            with faults.calls(*met):
                posted = self.tried(respondent(), answers, version, refusal)
        if refusal:
            return
        assert posted is not None
        assert posted.replayed
        if is_new:
            self.taken.append(answers)
            self.given |= dict.fromkeys(names[:2] if names[0].startswith("row") else names[:1], answers)
            if member is not None:
                self.points[self.survivor[member]] += self.versions[number - 1][0]

    def tried(self, respondent: Respondent, answers: tuple[int, bool], version: int, refusal: str | None) -> Any:
        number, more = answers
        body = {"recommend": Answer(number=number)} | ({"more": Answer(number=3)} if more else {})
        wanted = Submission(
            survey_id=self.survey_id, answers=body, channel="app", actor="member", occurred_at=NOW, version=version
        )
        if refusal is None:
            return responding.respond(wanted, respondent, now=NOW)
        with pytest.raises(Refusal) as refused:
            responding.respond(wanted, respondent, now=NOW)
        assert refused.value.reason_code == refusal
        return None

    def judged(self, answers: tuple[int, bool], version: int) -> tuple[str | None, int]:
        """Why a first answer is refused, None where it is not; and the version that it is judged by."""
        number = version or len(self.versions)
        if self.status != "open":
            return ("survey_not_open" if self.status == "draft" else "survey_closed"), number
        if not self.opened <= number <= len(self.versions):
            return "survey_not_found", number
        wants_more, has_more = self.versions[number - 1][1], answers[1]
        if wants_more != has_more:
            return ("answer_required" if wants_more else "question_unknown"), number
        return None, number

    @invariant()
    def points_are_what_was_promised(self) -> None:
        """Nobody has more or less than the answers gave."""
        for number in set(self.survivor.values()):
            assert peek(self.members[number], now=NOW, consistent=True).state.available == self.points[number]

    @invariant()
    def every_answer_is_counted_once(self) -> None:
        """What was taken is listed in its month, and counted."""
        keys = [answers_key(self.survey_id, MONTH, shard) for shard in range(SHARDS)]
        assert sum(len(list(AnswerItem.query(key))) for key in keys) == len(self.taken)
        counts = tallies.read(self.survey_id, [MONTH])[MONTH].sound
        assert {number: counts[f"recommend:{number}"] for number in (2, 9)} == {
            number: sum(answers[0] == number for answers in self.taken) for number in (2, 9)
        }


TestSurveys = SurveyMachine.TestCase
TestSurveys.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
