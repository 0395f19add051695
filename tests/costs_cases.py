"""What feedback and cases cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from unittest import mock

from app import app
from chalicelib.base import clock, objects
from chalicelib.cases.table import LeadItem, shard_of, sharded
from chalicelib.program import service as programs
from tests.api import desk
from tests.api.client import Response, client, member
from tests.api.desk import AGENT, BOSS, LI, give, send, step
from tests.budgets import Budget, Cost
from tests.meter import metered
from tests.programs import document, texts

POLICY = {"departments": desk.DEPARTMENTS, "causes": {"packaging": texts("Packaging")}}

OPEN = Budget("feedback opens a member's case", 18, 1.5, 3, of="post_feedback")
OPEN_AGAIN = Budget("the same feedback again", 18, 1.5, 3, of="post_feedback")
OF_NOBODY = Budget("feedback of somebody unknown", 14, 1, 2, of="post_feedback")
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
MERGE = Budget("merge a case into another one", 22, 3, 4, of="merge_case")
ATTACH = Budget("begin to attach a file", 4, 1, 2, of="post_attachment")
COMPLETE = Budget("complete an attachment", 4, 2, 3, of="complete_attachment")
LINK = Budget("read an attachment", 0, 1, 1, of="get_attachment")
CAUSE = Budget("put a case down to a cause", 6, 1, 2, of="post_case_cause")
PLAN = Budget("plan a corrective action", 12, 2, 3, of="post_case_action")
DONE = Budget("a corrective action is done", 22, 4, 5, of="finish_case_action")
ACTIONS = Budget("corrective actions, a page of 20", 0, 12, 2, of="list_case_actions")
OUTCOME = Budget("what came of an action, three months before and after", 0, 62, 3, of="get_cause_outcome")
COUNTS = Budget("cases of six months, counted", 0, 60, 2, of="get_case_statistics")
READ = Budget("read a case with ten steps", 0, 3, 2, of="get_case")
PAGE = Budget("cases by their due time, a page of 20", 0, 15, 9, of="list_cases")
MINE = Budget("cases of one owner, a page of 20", 0, 12, 2, of="list_cases")
OF_MEMBER = Budget("cases of a member, a page of 20", 0, 14, 3, of="list_member_cases")
IDLE = Budget("every quarter of an hour: no case is late", 0, 8, 8, of="watch_cases")
ALERT = Budget("alert of one case, with its part of the run", 8, 11, 12, of="watch_cases")


def cases() -> Iterator[Cost]:
    """Each of them once; the programme is another one afterwards."""
    programs.publish(document(cases=POLICY), by="li.wei", now=clock.now() - clock.DAY_S)
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
    yield from _attachment()
    yield from _causes()
    yield _cost(READ, lambda: client.get(f"/v1/cases/{case_id}", caller=LI))
    yield from _lists(case_id, member_id)
    yield from _watched()


def _attachment() -> Iterator[Cost]:
    """The bucket's requests are beside these: a copy, two reads of its first bytes and its content, two writes."""
    case_id = desk.opened(key="cost attachment")
    path = f"/v1/cases/{case_id}/attachments"
    said = {"name": "seal.jpg", "media_type": "image/jpeg", "bytes": 1_000}
    yield _cost(ATTACH, lambda: desk.post(path, LI, "cost attachment", **said), 201)
    attachment = desk.read(case_id)["attachments"][0]["id"]
    objects.put(f"uploads/{case_id}/{attachment}", b"\xff\xd8\xff" + bytes(100), media_type="image/jpeg")
    yield _cost(COMPLETE, lambda: client.post(f"{path}/{attachment}/complete", caller=LI))
    yield _cost(LINK, lambda: client.get(f"{path}/{attachment}", caller=LI))


def _causes() -> Iterator[Cost]:
    case_id = desk.opened(key="cost cause")
    yield _cost(CAUSE, lambda: step(case_id, "cause", cause="packaging"))
    planned = [_planned(case_id, number) for number in range(19)]
    made = desk.opened(key="cost action")
    step(made, "cause", cause="packaging")
    body = {"department": "quality", "what": "Other seals.", "due_on": "2999-01-01"}
    yield _cost(PLAN, lambda: step(made, "actions", **body), 201)
    yield _cost(ACTIONS, lambda: client.get("/v1/case-actions?limit=20", caller=LI))
    path = f"/v1/cases/{case_id}/actions/{planned[0]}/done"
    yield _cost(DONE, lambda: client.post(path, json={"note": "In.", "works_on": _months_ago(5)}, caller=LI))
    asked = f"/v1/case-causes/packaging/outcome?action_id={planned[0]}"
    yield _cost(OUTCOME, lambda: client.get(asked, caller=LI))
    yield _cost(COUNTS, lambda: client.get("/v1/cases/statistics", caller=LI))


def _planned(case_id: str, number: int) -> str:
    body = {"department": "quality", "what": "Other seals.", "due_on": f"2999-01-{number + 1:02d}"}
    return str(step(case_id, "actions", **body).json["action"]["id"])


def _months_ago(months: int) -> str:
    return clock.text(clock.now() - months * 30 * clock.DAY_S)[:10]


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
