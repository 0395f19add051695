"""Surveys and invitations to them, as API tests send them, and the queue that they hang on."""

from __future__ import annotations

from typing import Any

from chalicelib.base import clock, links
from chalicelib.ledger import router
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import read_chain, to_entry
from chalicelib.program import service as programs
from chalicelib.surveys import defining, reacting
from chalicelib.surveys.contact import Contact
from chalicelib.surveys.invitation_table import read_contacts
from chalicelib.web.caller import Caller
from tests.api import shop
from tests.api.client import Response, client, link, staff, system
from tests.programs import document, texts

DESK = staff("surveys.read", "surveys.write", "surveys.admin", "surveys.invite", "members.read", "members.write")
SENDER = system("surveys.invite", "members.read")

QUESTIONS = [
    {"kind": "nps", "code": "recommend", "title": texts("How likely are you to recommend us?")},
    {"kind": "text", "code": "why", "title": texts("Why?"), "required": False},
]
ANSWERS = {"recommend": {"number": 9}}


def publish(*invites: dict[str, Any], link_url: str = "", **contact: int) -> None:
    """Put the default programme with these invitations in force; the contact policy is none unless told otherwise."""
    policy = {"link_url": link_url, "contact": {"gap_days": 0, "per_year": 366, **contact}, "invites": list(invites)}
    programs.publish(document(welcome_points=0, surveys=policy), by="li.wei", now=clock.now() - clock.DAY_S)
    programs.reset_cache()
    programs.in_force(clock.now(), now=clock.now())  # so that the version is known, as in any process but a new one


def invite(code: str = "visit", on: str = "order", survey: str = "nps", **fields: Any) -> dict[str, Any]:
    """A rule that invites to a survey."""
    return {"code": code, "survey": survey, "on": on, **fields}


def survey(code: str = "nps", *, is_open: bool = True, **fields: Any) -> str:
    """Make a survey and open it; gives the id."""
    defining.forget_all()
    body = {"code": code, "kind": "relationship", "title": texts("Your visit"), "questions": QUESTIONS, **fields}
    answer = client.post("/v1/surveys", json=body, caller=DESK)
    assert answer.status == 201, answer.text
    survey_id = str(answer.json["id"])
    if is_open:
        assert client.post(f"/v1/surveys/{survey_id}/open", caller=DESK).status == 200
    return survey_id


def enrol(name: str = "anna", **profile: Any) -> str:
    """Enrol somebody, by a mail address of their own unless told otherwise."""
    return shop.enrol(name, **{"mail": f"{name}.mailbox@example.com", **profile})


def buy(member_id: str, number: str = "1", *, after_s: int = 0, **fields: Any) -> str:
    """A purchase of 100 yuan, just now unless told otherwise; gives the order's id."""
    occurred_at = clock.text(clock.now() + after_s)
    answer = shop.post_order(f"{member_id}-{number}", member_id=member_id, occurred_at=occurred_at, **fields)
    assert answer.status == 201, answer.text
    return str(answer.json["order"]["id"])


def notices(member_id: str) -> list[Notice]:
    """The notices of a member's whole chain that surveys asked for, oldest first."""
    entries = [to_entry(item) for item in read_chain(member_id, consistent=True)]
    wanted = [entry for entry in entries if any("surveys" in url for url in router.queues_for(entry))]
    return [Notice(entry.member_id, entry.seq, entry.kind, entry.record) for entry in wanted]


def react(*members: str, now: int | None = None) -> None:
    """Let the area's queue bring everything that there is to hear of these members."""
    for member_id in members:
        for notice in notices(member_id):
            reacting.react(notice, now=clock.now() if now is None else now)


def work_due(days: int) -> None:
    """Let the hour come by some days from now."""
    while reacting.work_due(now=clock.now() + days * clock.DAY_S):
        pass


def invitations(member_id: str) -> list[dict[str, Any]]:
    """What a member may answer now."""
    answer = client.get(f"/v1/members/{member_id}/survey-invitations", caller=SENDER)
    assert answer.status == 200, answer.text
    found: list[dict[str, Any]] = answer.json["invitations"]
    return found


def by_hand(survey_id: str, member_id: str, key: str = "by-hand", **fields: Any) -> Response:
    """Invite a member by hand."""
    body = {"member_id": member_id, **fields}
    return client.post(f"/v1/surveys/{survey_id}/invitations", json=body, caller=DESK, key=key)


def holder(address: str) -> Caller:
    """Whoever holds a link, as the authorizer makes them out."""
    found = links.read(address.partition("#")[2])
    return link(found.invitation_id, expires_at=found.expires_at)


def answer(survey_id: str, caller: Caller, **fields: Any) -> Response:
    """Answer a survey."""
    body = {"answers": ANSWERS, **fields}
    return client.post(f"/v1/surveys/{survey_id}/responses", json=body, caller=caller)


def contacts(member_id: str) -> tuple[Contact, ...]:
    """When a member was invited lately, and to what."""
    found = read_contacts([member_id])
    return found[member_id].contacts if found else ()
