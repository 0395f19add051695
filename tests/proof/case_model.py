"""Cases of the model: how they move, who has them, and what was given for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.proof.account_model import Account, Refused
from tests.proof.rules_model import Rules

if TYPE_CHECKING:
    from tests.proof.model import Model, Moved

HANDLER, MOST = 500, 20_000
"""What a handler may give alone for one case, and what may be given in all: the programme says nothing else."""
OPEN = ("new", "assigned", "analysing", "acting", "reopened")
MOVES: dict[str, tuple[tuple[str, ...], str]] = {
    "analyse": (("assigned", "acting", "reopened"), "analysing"),
    "act": (("analysing", "reopened"), "acting"),
    "resolve": (("analysing", "acting"), "resolved"),
    "verify": (("resolved",), "verified"),
    "reopen": (("resolved", "verified"), "reopened"),
}
"""From where each move leads, and where to."""


@dataclass
class Given:
    """A compensation: waiting, given or refused. `decided_by` is empty where its handler gave it alone."""

    points: int
    asked_by: str
    status: str
    decided_by: str = ""


@dataclass
class Case:
    """One complaint."""

    member: str
    state: str = "new"
    owner: str = ""
    steps: int = 1
    easy: int = 0
    given: dict[str, Given] = field(default_factory=dict)

    def points(self, *states: str) -> int:
        """The points of the compensations in these states."""
        return sum(each.points for each in self.given.values() if each.status in states)


@dataclass
class Cases:
    """All cases by their ids."""

    cases: dict[str, Case] = field(default_factory=dict)

    def why_not_take(self, case_id: str, actor: str) -> list[str]:
        """Every reason not to give a case to somebody."""
        case = self.cases[case_id]
        found = {"case_state_forbids": case.state not in OPEN, "case_taken": case.owner not in {"", actor}}
        return [code for code, applies in found.items() if applies]

    def why_not_move(self, case_id: str, move: str) -> list[str]:
        """Every reason not to move a case on."""
        case = self.cases[case_id]
        waits = move == "resolve" and bool(case.points("waiting"))
        found = {"case_state_forbids": case.state not in MOVES[move][0], "compensation_waiting": waits}
        return [code for code, applies in found.items() if applies]

    def why_not_ask(self, case_id: str, points: int) -> list[str]:
        """Every reason not to ask for a compensation."""
        case = self.cases[case_id]
        is_too_much = case.points("given", "waiting") + points > MOST
        found = {"case_state_forbids": case.state not in OPEN[1:], "compensation_limit_exceeded": is_too_much}
        return [code for code, applies in found.items() if applies]

    def why_not_decide(self, case_id: str, name: str, by: str, *, approves: bool) -> list[str]:
        """Every reason not to decide on a compensation."""
        case = self.cases[case_id]
        if name not in case.given:
            return ["compensation_not_found"]
        each = case.given[name]
        found = {
            "compensation_decided": each.status != "waiting",
            "compensation_own": each.asked_by == by,
            "compensation_limit_exceeded": approves and case.points("given") + each.points > MOST,
        }
        return [code for code, applies in found.items() if applies]

    def take(self, case_id: str, actor: str) -> None:
        """Somebody has a case."""
        _refuse(self.why_not_take(case_id, actor))
        case = self.cases[case_id]
        case.owner = actor
        case.state = "assigned" if case.state in {"new", "reopened"} else case.state
        case.steps += 1

    def move(self, case_id: str, move: str) -> None:
        """A case moves on; what its member said of it before it was opened again counts no more."""
        _refuse(self.why_not_move(case_id, move))
        case = self.cases[case_id]
        case.state = MOVES[move][1]
        case.easy = 0 if move == "reopen" else case.easy
        case.steps += 1

    def ask(self, case_id: str, name: str, points: int, by: str) -> str:
        """A compensation is asked for; says whether it is given at once, or waits."""
        _refuse(self.why_not_ask(case_id, points))
        case = self.cases[case_id]
        assert name not in case.given, "a compensation was asked for twice"
        status = "given" if case.points("given") + points <= HANDLER else "waiting"
        case.given[name] = Given(points, by, status)
        case.steps += 1
        return status

    def decide(self, case_id: str, name: str, by: str, *, approves: bool) -> None:
        """Somebody decides on a compensation."""
        _refuse(self.why_not_decide(case_id, name, by, approves=approves))
        each = self.cases[case_id].given[name]
        each.status, each.decided_by = "given" if approves else "refused", by
        self.cases[case_id].steps += 1

    def pay(self, model: Model, case_id: str, name: str, at: int, rules: Rules) -> Moved:
        """What was given comes to whoever the member is by now."""
        case = self.cases[case_id]
        points = case.given[name].points

        def act(account: Account) -> None:
            account.count("adjusted", points)
            account.receive({rules.expiry(at): points})

        return model.moved(case.member, at, act)

    def within_limits(self) -> None:
        """Raises AssertionError where more was given than may be, or somebody has agreed with himself."""
        for case in self.cases.values():
            assert case.points("given") <= MOST
            given = [each for each in case.given.values() if each.status == "given"]
            assert sum(each.points for each in given if not each.decided_by) <= HANDLER
            assert all(each.asked_by != each.decided_by for each in given)


def _refuse(codes: list[str]) -> None:
    if codes:
        raise Refused(codes[0])
