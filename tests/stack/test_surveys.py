"""Surveys on the deployed package: its functions, its tables, its rights."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from chalicelib.base import clock
from infra.local.deploy import Stack
from infra.local.tokens import member_token
from tests.stack.conftest import eventually
from tests.stack.shop import available, enrol, kinds

AREAS = {"rows": {"product": 4, "service": 5, "price": 3, "after_sales": 4}}
NINE: dict[str, Any] = {"recommend": {"number": 9}, "areas": AREAS}


def opened(shop: httpx.Client, code: str, **fields: Any) -> str:
    """Make a survey from the template for the NPS, and open it."""
    body = {"template": "relationship_nps", "code": code, "points": 40, **fields}
    made = shop.post("/v1/surveys", json=body)
    assert made.status_code == 201, made.text
    path = f"/v1/surveys/{made.json()['id']}"
    changed = shop.patch(path, json={"points": 50}, headers={"If-Match": made.headers["etag"]})
    assert changed.status_code == 200, changed.text
    assert shop.post(f"{path}/open", json={}).json()["status"] == "open"
    return str(made.json()["id"])


def test_an_answer_on_behalf_brings_its_points_once(shop: httpx.Client) -> None:
    survey_id, member_id = opened(shop, "stack_phone"), enrol(shop)
    before = available(shop, member_id)
    body = {"member_id": member_id, "answers": NINE, "seconds": 30}
    with ThreadPoolExecutor(4) as pool:
        path = f"/v1/surveys/{survey_id}/responses"
        answers = [task.result() for task in [pool.submit(shop.post, path, json=body) for _copy in range(4)]]

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201], answers[0].text
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert available(shop, member_id) == before + 50
    assert kinds(shop, member_id).count("survey_answered") == 1
    kept = shop.get(f"{path}/{answers[0].json()['id']}").json()
    assert (kept["answers"], kept["version"], kept["points"]) == (NINE, 2, 50)


def test_a_member_saves_goes_on_and_hands_in(stack: Stack, shop: httpx.Client, anyone: httpx.Client) -> None:
    survey_id = opened(shop, "stack_app", case_rules=[{"question": "recommend", "at_most": 6}])
    member_id = enrol(shop)
    headers = {"Authorization": f"Bearer {member_token(stack, member_id)}", "Accept-Language": "zh-Hans"}
    before = available(shop, member_id)
    shown = anyone.get(f"/v1/surveys/{survey_id}", headers=headers)
    assert (shown.json()["title"], shown.json()["version"]) == ("您有多大可能推荐我们？", 2)
    path = f"/v1/surveys/{survey_id}/responses"
    saved = anyone.post(f"{path}/draft", json={"answers": {"areas": AREAS}}, headers=headers)
    found = anyone.get(f"{path}/draft", headers=headers)
    assert (found.json(), found.headers["etag"]) == (saved.json(), saved.headers["etag"])

    low = {"recommend": {"number": 2}, "improve": {"text": "<b>茶凉了</b>"}, "areas": AREAS}
    answer = anyone.post(path, json={"answers": low, "version": 2}, headers=headers)

    assert answer.status_code == 201, answer.text
    assert available(shop, member_id) == before + 50
    assert anyone.get(f"{path}/draft", headers=headers).json()["code"] == "answered_before"
    case = shop.get(f"/v1/cases/{answer.json()['case_id']}").json()
    assert (case["kind"], case["work"]["response_id"]) == ("complaint", answer.json()["id"])


def test_answers_are_brought_in_and_a_closed_survey_takes_none(shop: httpx.Client) -> None:
    survey_id, member_id = opened(shop, "stack_paper"), enrol(shop)
    at, path = clock.text(clock.now() - 3600), f"/v1/surveys/{survey_id}"
    titles = "key,occurred_at,member_id,recommend,areas.product,areas.service,areas.price,areas.after_sales"
    rows = [f"1,{at},{member_id},9,4,5,3,4", f"2,{at},,7,4,5,3,4", f"3,{at},,seven,4,5,3,4"]
    body = {"source": "paper", "csv": "\n".join([titles, *rows])}
    found = [shop.post(f"{path}/imports", json=body).json() for _turn in range(2)]

    assert [(done["taken"], done["repeated"], len(done["refused"])) for done in found] == [(2, 0, 1), (0, 2, 1)]
    assert kinds(shop, member_id).count("survey_answered") == 1
    assert survey_id in {survey["id"] for survey in shop.get("/v1/surveys?limit=100").json()["surveys"]}
    assert shop.post(f"{path}/close", json={}).json()["status"] == "closed"

    def is_refused() -> bool:
        late = shop.post(f"{path}/responses", json={"member_id": enrol(shop), "answers": NINE})
        return bool(late.json().get("code") == "survey_closed")

    # A process goes by what it knows of an open survey for some seconds.
    assert eventually(is_refused)
