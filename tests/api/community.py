"""What members do beside buying, as API tests send it, and the queue that challenges hang on."""

from __future__ import annotations

import itertools
import json
from typing import Any

from chalicelib.base import clock
from chalicelib.engagement import reacting
from chalicelib.ledger import router
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import read_chain, to_entry
from chalicelib.program import service as programs
from tests.api.client import Response, client, system
from tests.api.shop import moment
from tests.programs import document, texts

CRM = system("events.write", "benefits.write", "members.read", "members.write", "orders.write")

CHECK_IN = {
    "kind": "per_event",
    "code": "here",
    "title": texts("Check-in"),
    "events": ["check_in"],
    "points": 5,
    "caps": [{"per": "day", "times": 1}],
}
EVENTS = {
    "check_in": {"title": texts("Check-in"), "self_reported": True},
    "review_approved": {"title": texts("Review")},
    "share": {"title": texts("Share")},
}

_keys = itertools.count(1)


def publish(**changes: Any) -> None:
    """Put the default programme with these changes in force, for what happened before as well."""
    rules = [*document()["earning_rules"], CHECK_IN]
    programs.publish(document(**{"earning_rules": rules, **changes}), by="li.wei", now=clock.now())
    programs.reset_cache()


def event(number: str = "1", **fields: Any) -> dict[str, Any]:
    """An event's body: a check-in a day ago, unless told otherwise."""
    return {"source": "crm", "event_id": number, "type": "check_in", "occurred_at": moment(), **fields}


def post_event(number: str = "1", **fields: Any) -> Response:
    """Post an event as a system."""
    return client.post("/v1/events", json=event(number, **fields), caller=CRM)


def cancel_event(event_id: str) -> Response:
    """Withdraw an event."""
    return client.post(f"/v1/events/{event_id}/cancel", caller=CRM)


def use(member_id: str, code: str = "lounge", key: str | None = None, **fields: Any) -> Response:
    """Record the use of a benefit."""
    path = f"/v1/members/{member_id}/benefits/{code}/uses"
    return client.post(path, json=fields, caller=CRM, key=key or f"use-{next(_keys)}")


def notices(member_id: str) -> list[Notice]:
    """The notices of a member's whole chain that challenges asked for, oldest first."""
    entries = [to_entry(item) for item in read_chain(member_id, consistent=True)]
    wanted = [entry for entry in entries if any("challenges" in url for url in router.queues_for(entry))]
    return [Notice(entry.member_id, entry.seq, entry.kind, entry.record) for entry in wanted]


def react(*members: str) -> None:
    """Let the area's queue bring everything that there is to hear of these members."""
    for member_id in members:
        for notice in notices(member_id):
            reacting.react(notice, now=clock.now())


def batch(*bodies: Any) -> dict[str, Any]:
    """A batch as the area's queue hands it over."""
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {"Records": [{"messageId": f"m{number}", "body": text} for number, text in enumerate(texts)]}


def challenges(member_id: str, **options: Any) -> Any:
    """A member's challenges by their codes, and the badges under `badges`."""
    answer = client.get(f"/v1/members/{member_id}/challenges", caller=CRM, **options)
    assert answer.status == 200, answer.text
    return {item["code"]: item for item in answer.json["challenges"]} | {"badges": answer.json["badges"]}


def kinds(member_id: str) -> list[str]:
    """The kinds of a member's entries after the enrolment, oldest first."""
    return [item.kind for item in read_chain(member_id, consistent=True)][1:]
