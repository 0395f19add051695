"""What the store's log and the tables say of cases after a race, held against the model."""

from __future__ import annotations

from collections import Counter

import msgspec

from chalicelib.base import facts
from chalicelib.cases.changing import read
from chalicelib.cases.rules import steps
from chalicelib.cases.table import leads_of, read_steps
from tests.proof.areas import News
from tests.proof.case_model import Case
from tests.proof.invariants import items
from tests.proof.model import Model, Moved
from tests.proof.rules_model import Rules

_MOVES = {
    steps.ANALYSING: "analyse",
    steps.ACTING: "act",
    facts.CASE_RESOLVED: "resolve",
    steps.VERIFIED: "verify",
    facts.CASE_REOPENED: "reopen",
}


def _is_step(news: News) -> bool:
    return news.text("key").startswith("cse_") and news.text("part").startswith("step#")


def hears(news: News) -> bool:
    """Steps that are no facts of the member's ledger, or whose entry is an answer's."""
    return _is_step(news) and "seq" not in news.item


def is_fact(news: News) -> bool:
    """Steps that are facts of the member's ledger."""
    return _is_step(news) and "seq" in news.item


def tell(model: Model, news: News) -> None:
    """A step that moves no points: the model refuses what may not be, and is in the state that the step says."""
    cases, case_id, kind, actor = model.cases, news.text("key"), news.text("kind"), news.text("actor")
    said = msgspec.json.decode(news.text("body"), type=steps.Said)
    if kind == facts.CASE_OPENED:
        assert case_id not in cases.cases, "a case was opened twice"
        cases.cases[case_id] = Case(news.text("member_id"))
    elif kind == steps.ASSIGNED:
        cases.take(case_id, actor)
    elif kind in _MOVES:
        cases.move(case_id, _MOVES[kind])
    elif kind == steps.RATED:
        cases.cases[case_id].easy = said.ces
        cases.cases[case_id].steps += 1
    elif said.compensation_id not in cases.cases[case_id].given:
        status = cases.ask(case_id, said.compensation_id, said.points, actor)
        assert (status == "given") == (kind == facts.CASE_COMPENSATED)
    else:
        cases.decide(case_id, said.compensation_id, actor, approves=kind == facts.CASE_COMPENSATED)
    case = cases.cases[case_id]
    assert (case.state, case.steps) == (news.text("state"), news.number("number"))
    cases.within_limits()


def posted(model: Model, news: News, at: int, rules: Rules) -> Moved:
    """A fact: with a compensation come its points, with everything else none."""
    tell(model, news)
    if news.text("kind") != facts.CASE_COMPENSATED:
        return model.moved(news.text("member_id"), at, lambda _account: None)
    said = msgspec.json.decode(news.text("body"), type=steps.Said)
    return model.cases.pay(model, news.text("key"), said.compensation_id, at, rules)


def judge(model: Model, _now: int, seen: Counter[str]) -> None:
    """Every case is what the model says, its history has no gap, and no list leads astray."""
    for case_id, case in model.cases.cases.items():
        found = read(case_id).case
        assert (found.state, found.owner, found.ces or 0) == (case.state, case.owner, case.easy)
        given = {
            each.compensation_id: (each.points, each.asked_by, each.status, each.decided_by)
            for each in found.compensations
        }
        told = {name: (each.points, each.asked_by, each.status, each.decided_by) for name, each in case.given.items()}
        assert given == told
        assert [int(step.number) for step in read_steps(case_id)] == list(range(1, case.steps + 1))
        seen["compensation given alone"] += any(each.status == "given" for each in case.given.values())
        seen["compensation approved"] += any(each.decided_by and each.status == "given" for each in case.given.values())
        seen["case rated"] += bool(case.easy)
    opened = {taken.case for taken in model.surveys.taken.values() if taken.case}
    assert opened <= model.cases.cases.keys()
    seen["case opened by an answer"] += len(opened)
    leads = {(item["key"]["S"], item["part"]["S"]) for item in items("cases") if "#cse_" in item["part"]["S"]}
    assert leads == {lead for case_id in model.cases.cases for lead in leads_of(read(case_id).case)}
