"""What feedback and cases cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from unittest import mock

from app import app
from chalicelib.base import clock
from chalicelib.cases.table import LeadItem, shard_of, sharded
from chalicelib.program import service as programs
from tests.api import desk
from tests.api.client import Response, client, member
from tests.api.desk import AGENT, BOSS, LI, give, send, step
from tests.budgets import Budget, Cost
from tests.meter import metered
from tests.programs import document

OPEN = Budget("feedback opens a member's case", 16, 1.5, 3, of="post_feedback")
OPEN_AGAIN = Budget("the same feedback again", 16, 1.5, 3, of="post_feedback")
OF_NOBODY = Budget("feedback of somebody unknown", 12, 1, 2, of="post_feedback")
ASSIGN = Budget("give a case to somebody", 22, 1, 2, of="assign_case")
ANALYSE = Budget("look into a case", 8, 1, 2, of="analyse_case")
ACT = Budget("act on a case", 8, 1, 2, of="act_case")
NOTE = Budget("write a note to a case", 4, 1, 2, of="post_case_note")
REPLY = Budget("reply of a member", 4, 2, 3, of="post_case_reply")
COMPENSATE = Budget("compensate a member with points", 6, 2, 3, of="post_compensation")
ASK = Budget("ask for a compensation that another approves", 6, 1, 2, of="post_compensation")
APPROVE = Budget("approve a compensation", 8, 2, 3, of="approve_compensation")
REFUSE = Budget("refuse a compensation", 6, 1, 2, of="refuse_compensation")
RESOLVE = Budget("resolve a member's case", 20, 2, 3, of="resolve_case")
VERIFY = Budget("verify a case", 10, 1, 2, of="verify_case")
REOPEN = Budget("reopen a member's case", 20, 2, 3, of="reopen_case")
MERGE = Budget("merge a case into another one", 20, 3, 4, of="merge_case")
READ = Budget("read a case with ten steps", 0, 3, 2, of="get_case")
PAGE = Budget("cases by their due time, a page of 20", 0, 15, 9, of="list_cases")
MINE = Budget("cases of one owner, a page of 20", 0, 12, 2, of="list_cases")
OF_MEMBER = Budget("cases of a member, a page of 20", 0, 14, 3, of="list_member_cases")
IDLE = Budget("every quarter of an hour: no case is late", 0, 8, 8, of="watch_cases")
ALERT = Budget("alert of one case, with its part of the run", 8, 11, 12, of="watch_cases")


def cases() -> Iterator[Cost]:
    """Each of them once; the programme is another one afterwards."""
    programs.publish(document(cases={"departments": desk.DEPARTMENTS}), by="li.wei", now=clock.now() - clock.DAY_S)
    programs.reset_cache()
    programs.in_force(clock.now(), now=clock.now())
    dora = member("cost-dora")
    member_id = client.post("/v1/members", json={}, caller=dora, key="cost-dora").json["member"]["id"]
    yield _cost(OPEN, lambda: send(key="cost", member_id=member_id), 201)
    yield _cost(OPEN_AGAIN, lambda: send(key="cost", member_id=member_id))
    yield _cost(OF_NOBODY, lambda: send(key="cost nobody"), 201)
    case_id = desk.opened(key="cost case", member_id=member_id)
    yield _cost(ASSIGN, lambda: step(case_id, "assign", owner="me"))
    yield _cost(ANALYSE, lambda: step(case_id, "analyse"))
    yield _cost(ACT, lambda: step(case_id, "act"))
    yield _cost(NOTE, lambda: step(case_id, "notes", note="Which order is it?", public=True))
    yield _cost(REPLY, lambda: step(case_id, "reply", dora, text="The last one."))
    yield from _compensation(case_id)
    yield _cost(RESOLVE, lambda: step(case_id, "resolve"))
    yield _cost(VERIFY, lambda: step(case_id, "verify"))
    yield _cost(REOPEN, lambda: step(case_id, "reopen"))
    yield _cost(READ, lambda: client.get(f"/v1/cases/{case_id}", caller=LI))
    yield from _lists(case_id, member_id)
    yield from _watched()


def _compensation(case_id: str) -> Iterator[Cost]:
    yield _cost(COMPENSATE, lambda: give(case_id, points=100), 201)
    asked = [f"/v1/cases/{case_id}/compensations/{_asked(case_id)}" for _ in range(2)]
    yield _cost(ASK, lambda: give(case_id, points=1_000), 201)
    yield _cost(APPROVE, lambda: client.post(f"{asked[0]}/approve", json={}, caller=BOSS))
    yield _cost(REFUSE, lambda: client.post(f"{asked[1]}/refuse", json={}, caller=BOSS))
    last = desk.work(case_id)["compensations"]
    waiting = next(each["id"] for each in last if each["status"] == "waiting")
    client.post(f"/v1/cases/{case_id}/compensations/{waiting}/refuse", json={}, caller=BOSS)


def _asked(case_id: str) -> str:
    return str(give(case_id, points=1_000).json["compensation"]["id"])


def _lists(case_id: str, member_id: str) -> Iterator[Cost]:
    others = [desk.opened(key=f"cost {number}", member_id=member_id) for number in range(20)]
    for other in others:
        step(other, "assign", owner="me")
    yield _cost(PAGE, lambda: client.get("/v1/cases?limit=20", caller=LI))
    yield _cost(MINE, lambda: client.get("/v1/cases?limit=20&owner=me", caller=LI))
    yield _cost(OF_MEMBER, lambda: client.get(f"/v1/members/{member_id}/cases?limit=20", caller=AGENT))
    yield _cost(MERGE, lambda: client.post(f"/v1/cases/{others[0]}/merge", json={"into": case_id}, caller=LI))


def _watched() -> Iterator[Cost]:
    yield _run(IDLE, 0)
    late = desk.opened(key="cost late", severity="critical")
    assert LeadItem.count(sharded("watch", shard_of(late))) > 0
    yield _run(ALERT, 2)


def _run(budget: Budget, after_hours: int) -> Cost:
    now = clock.now() + after_hours * 3600
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)
    with mock.patch.object(clock, "now", return_value=now), metered() as bill:
        told = app.handler_map["watch_cases"]({}, context)
    assert told["breach"] == (1 if after_hours else 0), told
    return Cost(budget, bill)


def _cost(budget: Budget, act: Callable[[], Response], expected: int = 200) -> Cost:
    with metered() as bill:
        answer = act()
    assert answer.status == expected, answer.text
    return Cost(budget, bill)
