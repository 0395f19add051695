"""Surveys and answers to them, as API tests send them."""

from __future__ import annotations

import itertools
from typing import Any

from chalicelib.base import clock
from chalicelib.surveys import by_hand
from chalicelib.surveys.by_hand import Request
from chalicelib.web.caller import Caller
from tests.api.client import Response, client, member, staff, system
from tests.api.shop import SHOP
from tests.programs import texts

OFFICE = staff("surveys.admin", "surveys.read", "surveys.write", subject="li.wei")
AGENT = staff("surveys.write", subject="agent-7")
DESK = system("surveys.write", "surveys.read", client="call-centre")

DIMENSIONS = ("product", "service", "price", "after_sales")

_numbers = itertools.count(1)


def question(kind: str, code: str, **fields: Any) -> dict[str, Any]:
    """A question in every language."""
    return {"kind": kind, "code": code, "title": texts(f"About {code}"), **fields}


def options(*codes: str, **fields: dict[str, Any]) -> list[dict[str, Any]]:
    """Options by their codes; `fields` are further ones of single options."""
    return [{"code": code, "title": texts(code), **fields.get(code, {})} for code in codes]


def rows(*codes: str) -> list[dict[str, Any]]:
    """Rows of a matrix by their codes, each about the dimension of its name."""
    return [{"code": code, "title": texts(code), "dimension": code} for code in codes]


QUESTIONS = [
    question("nps", "recommend"),
    question("text", "why", required=False, show_if=[{"question": "recommend", "at_most": 6}]),
    question("matrix", "areas", required=False, rows=rows(*DIMENSIONS)),
]


def survey(code: str | None = None, **fields: Any) -> dict[str, Any]:
    """A definition: the NPS, why so if it is low, and what of, unless told otherwise."""
    body = {
        "code": code or f"survey_{next(_numbers)}",
        "kind": "relationship",
        "title": texts("How are we doing?"),
        "questions": QUESTIONS,
        "points": 50,
    }
    return {**body, **fields}


def define(code: str | None = None, **fields: Any) -> Response:
    """Make a survey."""
    return client.post("/v1/surveys", json=survey(code, **fields), caller=OFFICE)


def opened(code: str | None = None, **fields: Any) -> str:
    """Make a survey and open it; gives its id."""
    answer = define(code, **fields)
    assert answer.status == 201, answer.text
    move(answer.json["id"], "open")
    return str(answer.json["id"])


def move(survey_id: str, act: str) -> Response:
    """Open or close a survey."""
    answer = client.post(f"/v1/surveys/{survey_id}/{act}", caller=OFFICE)
    assert answer.status == 200, answer.text
    return answer


def change(survey_id: str, etag: str | None = None, **fields: Any) -> Response:
    """Change a survey, as it is now unless told otherwise."""
    found = etag or client.get(f"/v1/surveys/{survey_id}/definition", caller=OFFICE).headers["etag"]
    return client.patch(f"/v1/surveys/{survey_id}", json=fields, caller=OFFICE, headers={"If-Match": found})


def enrol(subject: str = "someone", phone: str = "+8613800138000") -> tuple[str, Caller]:
    """A member with a sign-in: the id, and the caller."""
    caller = member(subject, phone=phone)
    answer = client.post("/v1/members", json={"phone": phone}, caller=caller, key=f"enrol-{subject}")
    assert answer.status == 201, answer.text
    return str(answer.json["member"]["id"]), caller


NINE: dict[str, Any] = {"recommend": {"number": 9}}


def answer(survey_id: str, caller: Caller, answers: dict[str, Any] | None = None, **fields: Any) -> Response:
    """Answer a survey: nine, unless told otherwise."""
    body = {"answers": NINE if answers is None else answers, **fields}
    return client.post(f"/v1/surveys/{survey_id}/responses", json=body, caller=caller)


def invited(survey_id: str, member_id: str, key: str = "1", *, days: int = 1, **about: str) -> str:
    """Invite a member by hand, whatever the contact policy says; gives the invitation's id."""
    wanted = Request(member_id=member_id, open_days=days, override="asked for", **about)
    posted = by_hand.invite(survey_id, wanted, key=f"{member_id} {key}", actor="staff:li.wei", now=clock.now())
    return str(posted.record.key)


def save(survey_id: str, caller: Caller, answers: dict[str, Any], etag: str | None = None, **fields: Any) -> Response:
    """Save an answer that is not finished."""
    path = f"/v1/surveys/{survey_id}/responses/draft"
    headers = {"If-Match": etag} if etag else None
    return client.post(path, json={"answers": answers, **fields}, caller=caller, headers=headers)


def read(survey_id: str, response_id: str) -> Any:
    """An answer as staff sees it."""
    found = client.get(f"/v1/surveys/{survey_id}/responses/{response_id}", caller=OFFICE)
    assert found.status == 200, found.text
    return found.json


def bring_in(survey_id: str, source: str = "call-centre", **fields: Any) -> Response:
    """Bring in answers, as `csv` or `json_lines`."""
    return client.post(f"/v1/surveys/{survey_id}/imports", json={"source": source, **fields}, caller=DESK)


def available(member_id: str) -> int:
    """What a member can spend."""
    return int(client.get(f"/v1/members/{member_id}/account", caller=SHOP).json["available"])
