"""Feedback and the desk that sees to it, as API tests send it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.cases import watching
from chalicelib.cases.changing import Doing, Turn, change
from chalicelib.cases.rules.case import Case
from chalicelib.ledger.table import read_chain
from chalicelib.program import service as programs
from tests.api.client import Response, client, staff, system
from tests.programs import document, texts

AGENT = system("cases.write", "members.read", "orders.write", client="crm")
LI = staff("cases.write", subject="li")
WANG = staff("cases.write", subject="wang")
BOSS = staff("cases.approve", "cases.read", subject="boss")

DEPARTMENTS = [
    {"code": "quality", "title": texts("Quality"), "dimensions": ["product"]},
    {"code": "shop", "title": texts("Shop"), "dimensions": ["service", "price"]},
]

_keys = itertools.count(1)


def publish(**changes: Any) -> None:
    """Put the default programme with this policy for cases in force."""
    policy = {"departments": DEPARTMENTS, **changes}
    programs.publish(document(welcome_points=0, cases=policy), by="li.wei", now=clock.now() - clock.DAY_S)
    programs.reset_cache()


def post(path: str, caller: Any = LI, key: str | None = None, **body: Any) -> Response:
    """Post with a key of its own unless told otherwise."""
    return client.post(path, json=body, caller=caller, key=key or f"desk-{next(_keys)}")


def send(caller: Any = AGENT, key: str | None = None, **fields: Any) -> Response:
    """Send feedback: a complaint of a broken seal, unless told otherwise."""
    body = {"kind": "complaint", "dimension": "product", "text": "The tea came with a broken seal.", **fields}
    return post("/v1/feedback", caller, key, **body)


def opened(caller: Any = AGENT, **fields: Any) -> str:
    """Open a case and give its id."""
    answer = send(caller, **fields)
    assert answer.status == 201, answer.text
    return str(answer.json["case"]["id"])


def step(case_id: str, move: str, caller: Any = LI, key: str | None = None, **body: Any) -> Response:
    """One step of the workflow."""
    return post(f"/v1/cases/{case_id}/{move}", caller, key, **body)


def taken(case_id: str, *further: str) -> str:
    """Let Li take a case, and go these further steps with it."""
    for move, body in (("assign", {"owner": "me"}), *((move, {}) for move in further)):
        answer = step(case_id, move, **body)
        assert answer.status == 200, answer.text
    return case_id


def give(case_id: str, caller: Any = LI, key: str | None = None, **body: Any) -> Response:
    """Ask for a compensation."""
    return step(case_id, "compensations", caller, key, **{"reason": "The seal was broken.", **body})


def read(case_id: str, caller: Any = LI) -> Any:
    """A case as the caller sees it."""
    answer = client.get(f"/v1/cases/{case_id}", caller=caller)
    assert answer.status == 200, answer.text
    return answer.json


def work(case_id: str) -> Any:
    """All that handlers know of a case."""
    return read(case_id)["work"]


def state(case_id: str) -> str:
    """The state that a case is in."""
    return str(work(case_id)["state"])


def listed(query: str = "", caller: Any = LI) -> list[str]:
    """The ids of the cases on the first page of a list."""
    answer = client.get(f"/v1/cases{query}", caller=caller)
    assert answer.status == 200, answer.text
    return [case["id"] for case in answer.json["cases"]]


def kinds(member_id: str) -> list[str]:
    """The kinds of a member's entries that are of cases, oldest first."""
    return [item.kind for item in read_chain(member_id, consistent=True) if item.kind.startswith("case")]


def watch(after_hours: float) -> dict[str, int]:
    """Let the schedule run, some hours from now."""
    return watching.watch(now=clock.now() + int(after_hours * 3600))


def overtake(patch: pytest.MonkeyPatch, module: str, act: Callable[[], object]) -> None:
    """Let Li's next step be overtaken by `act`: after it was decided on, and before it is written."""
    waiting = [act]

    def overtaken(doing: Doing, rule: Callable[[Case], Turn]) -> Any:
        def late(case: Case) -> Turn:
            turn = rule(case)
            if doing.actor == "staff:li" and waiting:
                waiting.pop()()
            return turn

        return change(doing, late)

    patch.setattr(f"chalicelib.cases.{module}.change", overtaken)
