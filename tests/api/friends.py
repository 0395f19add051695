"""Members who bring friends, as API tests send it, and the queue that referrals hang on."""

from __future__ import annotations

from typing import Any

from chalicelib.base import clock
from chalicelib.ledger import router
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import read_chain, to_entry
from chalicelib.program import service as programs
from chalicelib.referrals import reacting
from tests.api import shop
from tests.api.client import Response, client, staff, system
from tests.programs import document

APP = system("referrals.write", "members.read", "members.write", "orders.write")
DESK = staff("referrals.review")

POLICY: dict[str, Any] = {
    "share_url": "https://shop.example/join/{code}",
    "referrer": [{"from_friend": 1, "points": 100}, {"from_friend": 3, "points": 300}],
    "friend": {"points": 50},
}


def publish(**changes: Any) -> None:
    """Put the default programme with this referral policy in force, without points for enrolling."""
    policy = {**POLICY, **changes}
    programs.publish(document(welcome_points=0, referrals=policy), by="li.wei", now=clock.now())
    programs.reset_cache()


def enrol(name: str, **profile: Any) -> str:
    """Enrol somebody, by a mail address of their own unless told otherwise."""
    return shop.enrol(name, **{"mail": f"{name}.mailbox@example.com", **profile})


def code_of(member_id: str) -> str:
    """A member's code as people read it."""
    answer = client.get(f"/v1/members/{member_id}/referral-code", caller=APP)
    assert answer.status == 200, answer.text
    return str(answer.json["code"])


def claim(member_id: str, code: str, **fields: Any) -> Response:
    """Claim a code for a member."""
    return client.post(f"/v1/members/{member_id}/referral", json={"code": code, **fields}, caller=APP)


def buy(member_id: str, number: str = "1", *, after_s: int = 0, **fields: Any) -> str:
    """A purchase of 100 yuan, just now unless told otherwise; gives the order's id."""
    occurred_at = clock.text(clock.now() + after_s)
    answer = shop.post_order(f"{member_id}-{number}", member_id=member_id, occurred_at=occurred_at, **fields)
    assert answer.status == 201, answer.text
    return str(answer.json["order"]["id"])


def notices(member_id: str) -> list[Notice]:
    """The notices of a member's whole chain that referrals asked for, oldest first."""
    entries = [to_entry(item) for item in read_chain(member_id, consistent=True)]
    wanted = [entry for entry in entries if any("referrals" in url for url in router.queues_for(entry))]
    return [Notice(entry.member_id, entry.seq, entry.kind, entry.record) for entry in wanted]


def react(*members: str, now: int | None = None) -> None:
    """Let the area's queue bring everything that there is to hear of these members."""
    for member_id in members:
        for notice in notices(member_id):
            reacting.react(notice, now=clock.now() if now is None else now)


def referrals(member_id: str, query: str = "") -> Any:
    """A member's referrals."""
    answer = client.get(f"/v1/members/{member_id}/referrals{query}", caller=APP)
    assert answer.status == 200, answer.text
    return answer.json


def statuses(member_id: str) -> list[str]:
    """How far a member's friends are, the latest first."""
    return [friend["status"] for friend in referrals(member_id)["friends"]]


def kinds(member_id: str) -> list[str]:
    """The kinds of a member's entries that are of referrals, oldest first."""
    return [item.kind for item in read_chain(member_id, consistent=True) if item.kind.startswith("referral")]
