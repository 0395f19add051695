"""Lists of cases: what is wanted and nothing else, in step with every change, without a scan."""

from __future__ import annotations

import pytest

from chalicelib.base import clock
from chalicelib.cases import listing
from chalicelib.cases.table import LeadItem
from tests import faults
from tests.api import desk
from tests.api.client import client
from tests.api.desk import LI, WANG, listed, step


@pytest.fixture(autouse=True)
def _policy() -> None:
    desk.publish()


def opened_in_order(*severities: str) -> list[str]:
    return [desk.opened(severity=severity) for severity in severities]


def pages(query: str, limit: int) -> list[list[str]]:
    found, cursor = [], ""
    while True:
        answer = client.get(f"/v1/cases?limit={limit}{query}{cursor}", caller=LI)
        assert answer.status == 200, answer.text
        found.append([case["id"] for case in answer.json["cases"]])
        if not answer.json["next_cursor"]:
            return found
        cursor = f"&cursor={answer.json['next_cursor']}"


def test_open_cases_come_by_their_due_time_the_most_urgent_first() -> None:
    low, critical, high = opened_in_order("low", "critical", "high")
    assert listed() == [critical, high, low]
    step(low, "assign", owner="me")
    desk.taken(critical, "analyse", "resolve")
    assert listed() == [high, low]


def test_what_is_overdue_is_found_by_its_due_time(monkeypatch: pytest.MonkeyPatch) -> None:
    low, critical = opened_in_order("low", "critical")
    soon = clock.text(clock.now() + 3 * 3600)
    assert listed(f"?due_before={soon}") == [critical]
    later = clock.now() + 3 * 3600
    monkeypatch.setattr(clock, "now", lambda: later)
    found = client.get("/v1/cases", caller=LI).json["cases"]
    assert [(case["id"], case["overdue"]) for case in found] == [(critical, True), (low, False)]


def test_a_case_is_in_the_list_of_its_state_and_in_no_other() -> None:
    case_id = desk.opened()
    states = ("new", "assigned", "analysing", "acting", "resolved", "verified", "reopened")

    def where() -> list[str]:
        return [state for state in states if case_id in listed(f"?state={state}")]

    seen = [where()]
    for move in ("assign", "analyse", "act", "resolve", "verify", "reopen"):
        step(case_id, move, **({"owner": "me"} if move == "assign" else {}))
        seen.append(where())
    assert seen == [[state] for state in states]


def test_a_case_is_in_the_list_of_its_owner_while_it_is_open() -> None:
    mine, theirs = desk.taken(desk.opened()), desk.opened()
    step(theirs, "assign", WANG, owner="me")
    assert (listed("?owner=me"), listed("?owner=staff:wang")) == ([mine], [theirs])
    step(mine, "assign", owner="staff:wang", instead_of="me")
    assert listed("?owner=me") == []
    assert set(listed("?owner=me", WANG)) == {mine, theirs}
    step(theirs, "analyse", WANG)
    step(theirs, "resolve", WANG)
    assert listed("?owner=staff:wang") == [mine]


def test_a_case_is_in_the_list_of_its_department() -> None:
    case_id = desk.opened()
    assert (listed("?department=quality"), listed("?department=shop")) == ([case_id], [])
    step(case_id, "assign", owner="me", department="shop")
    assert (listed("?department=quality"), listed("?department=shop")) == ([], [case_id])


def test_lists_are_narrowed_by_kind_severity_and_state() -> None:
    complaint, question = desk.taken(desk.opened(severity="high")), desk.opened(kind="question")
    assert listed("?kind=question") == [question]
    assert listed("?severity=high") == [complaint]
    assert listed("?department=quality&state=assigned&kind=complaint") == [complaint]
    assert listed("?owner=me&state=analysing") == []


def test_closed_cases_come_the_latest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [desk.taken(desk.opened(), "analyse") for _ in range(3)]
    began = clock.now()
    for number, case_id in enumerate(cases):
        monkeypatch.setattr(clock, "now", lambda number=number: began + number)
        step(case_id, "resolve")
    assert listed("?state=resolved") == cases[::-1]
    assert pages("&state=resolved", 2) == [cases[:0:-1], cases[:1]]


def test_pages_give_every_case_once() -> None:
    cases = {desk.opened() for _ in range(7)}
    found = pages("", 3)
    assert [len(page) for page in found] == [3, 3, 1]
    assert {case_id for page in found for case_id in page} == cases


def test_a_page_of_what_few_cases_fit_may_be_short_and_loses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_ROUNDS", 2)
    for _ in range(6):
        desk.opened()
    question = desk.opened(kind="question", severity="low")
    found = pages("&kind=question", 1)
    assert [case_id for page in found for case_id in page] == [question]
    assert [] in found


@pytest.mark.parametrize(
    "query",
    [
        "?state=open",
        "?state=merged",
        "?kind=rant",
        "?severity=grave",
        "?due_before=tomorrow",
        "?due_before=2026-11-01T00:00:00",
        "?state=resolved&owner=me",
        "?state=verified&department=quality",
        "?sort=due",
    ],
)
def test_a_filter_that_is_none_is_refused(query: str) -> None:
    refused = client.get(f"/v1/cases{query}", caller=LI)
    assert (refused.status, refused.code) == (400, "query_invalid")


def test_a_cursor_is_good_for_its_own_list_only() -> None:
    for _ in range(2):
        desk.opened()
    cursor = client.get("/v1/cases?limit=1", caller=LI).json["next_cursor"]
    assert client.get(f"/v1/cases?limit=1&state=new&cursor={cursor}", caller=LI).code == "cursor_invalid"


def test_no_list_scans() -> None:
    desk.opened()
    with faults.calls() as made:
        for query in ("", "?state=new", "?owner=me", "?department=quality&severity=high"):
            listed(query)
    assert set(made) == {"Query", "BatchGetItem"}


def test_every_lead_leads_to_a_case_that_stands_there() -> None:
    case_id = desk.taken(desk.opened(), "analyse", "resolve")
    left = {str(lead.key).rpartition("#")[0] for lead in LeadItem.scan() if "#" in str(lead.key)}
    assert left == {"state#resolved"}
    step(case_id, "verify")
    left = {str(lead.key).rpartition("#")[0] for lead in LeadItem.scan() if "#" in str(lead.key)}
    assert left == {"state#verified"}
