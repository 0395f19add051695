"""What referrals cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from unittest import mock

from app import app
from chalicelib.base import clock
from chalicelib.program import service as programs
from chalicelib.referrals import codes
from tests.api import friends, shop
from tests.api.client import Response, client
from tests.api.friends import APP, DESK, buy, claim, code_of, enrol, notices
from tests.budgets import Budget, Cost
from tests.meter import metered
from tests.programs import document

CODE = Budget("referral code", 0, 0.5, 1, of="get_referral_code")
FIRST_CODE = Budget("referral code, made now", 4, 2.5, 4, of="get_referral_code")
CLAIM = Budget("claim a referral code", 14, 10, 13, of="post_referral")
CLAIM_AGAIN = Budget("claim it again", 0, 4, 3, of="post_referral")
NOBODYS_CODE = Budget("claim a code that is nobody's", 1, 6, 7, of="post_referral")
BROUGHT = Budget("enrol with a referral code", 28, 9, 12, of="post_member")
BROUGHT_AGAIN = Budget("enrol with it again", 0, 1, 1, of="post_member")
FRIENDS = Budget("referrals page of 20", 0, 12, 4, of="get_referrals")
HELD = Budget("referrals held for review, a page of 20", 0, 14, 9, of="list_referrals")
READ = Budget("read a referral", 0, 1, 1, of="get_referral")
APPROVE = Budget("approve a referral that is not due", 6, 1, 2, of="approve_referral")
REFUSE = Budget("refuse a referral that was paid", 16, 6, 8, of="refuse_referral")
NOBODYS = Budget("reaction: a purchase of somebody whom nobody has brought", 0, 1, 1, of="advance_referrals")
PAY = Budget("reaction: a purchase qualifies, and both are paid", 16, 7, 10, of="advance_referrals")
AGAIN = Budget("reaction: a purchase of a friend who is paid for", 0, 3, 3, of="advance_referrals")
UNITED = Budget("reaction: a friend was merged, with a purchase on each account", 16, 22, 26, of="advance_referrals")
IDLE = Budget("hourly: nothing has come due", 0, 8, 8, of="advance_referrals")


def referrals() -> Iterator[Cost]:
    """Each of them once; the programme is another one afterwards."""
    _publish()
    # Of two who came in one second the claim looks at both, which costs more.
    with mock.patch.object(clock, "now", return_value=clock.now() - 60):
        anna = enrol("cost-anna", phone="+8615900159000")
    path = f"/v1/members/{anna}"
    yield _cost(FIRST_CODE, lambda: client.get(f"{path}/referral-code", caller=APP))
    yield _cost(CODE, lambda: client.get(f"{path}/referral-code", caller=APP))
    code = code_of(anna)
    everybody = [enrol(f"cost friend {number}", phone=f"+86159001591{number:02}", mail=None) for number in range(19)]
    for number, friend in enumerate(everybody):
        assert claim(friend, code, device="shared" if number else "").status == 201
    ben = enrol("cost-ben")
    given = {"device": "a phone", "payment_fingerprint": "a card", "address_hash": "a house"}
    yield _cost(CLAIM, lambda: claim(ben, code, **given), 201)
    yield _cost(CLAIM_AGAIN, lambda: claim(ben, code, **given))
    yield _cost(NOBODYS_CODE, lambda: claim(anna, codes.shown(codes.made(bytes(codes.RANDOM_BYTES)))), 404)
    body = {"phone": "+8615900159200", "mail": "dora@example.com", "referral": {"code": code, **given}}
    yield _cost(BROUGHT, lambda: client.post("/v1/members", json=body, caller=shop.SHOP, key="cost dora"), 201)
    yield _cost(BROUGHT_AGAIN, lambda: client.post("/v1/members", json=body, caller=shop.SHOP, key="cost dora"))
    yield from _reactions(ben, anna, code)
    yield _cost(FRIENDS, lambda: client.get(f"{path}/referrals?limit=20", caller=APP))
    yield _cost(HELD, lambda: client.get("/v1/referrals?state=held&limit=20", caller=DESK))
    waiting = client.get("/v1/referrals?state=held", caller=DESK).json["referrals"][0]["id"]
    yield _cost(APPROVE, lambda: client.post(f"/v1/referrals/{waiting}/approve", caller=DESK))
    paid = claim(ben, code).json["id"]
    yield _cost(READ, lambda: client.get(f"/v1/referrals/{paid}", caller=DESK))
    yield _cost(REFUSE, lambda: client.post(f"/v1/referrals/{paid}/refuse", caller=DESK))


def _reactions(friend: str, anybody: str, code: str) -> Iterator[Cost]:
    buy(anybody)
    yield _reaction(NOBODYS, _last(anybody))
    buy(friend)
    yield _reaction(PAY, _last(friend))
    yield _reaction(AGAIN, _last(friend))
    carl, till = enrol("cost-carl"), enrol("cost-till")
    assert claim(carl, code).status == 201
    buy(carl)
    buy(till)
    client.post(f"/v1/members/{carl}/merge", json={"into": till}, caller=shop.SHOP)
    yield _reaction(UNITED, _last(till))
    yield _reaction(IDLE, json.dumps({"settle_due": True}))


def _last(member_id: str) -> str:
    """The notice of the last thing that a member did, as the queue carries it."""
    notice = notices(member_id)[-1]
    return json.dumps({name: getattr(notice, name) for name in ("member_id", "seq", "kind", "record")})


def _reaction(budget: Budget, body: str) -> Cost:
    with metered() as bill:
        answer = app.handler_map["advance_referrals"]({"Records": [{"messageId": "m", "body": body}]}, None)
    assert answer == {"batchItemFailures": []}
    return Cost(budget, bill)


def _cost(budget: Budget, act: Callable[[], Response], expected: int = 200) -> Cost:
    with metered() as bill:
        answer = act()
    assert answer.status == expected, answer.text
    return Cost(budget, bill)


def _publish() -> None:
    """Publish a programme with referrals, in force by now, and known to this process."""
    policy = {**friends.POLICY, "fraud": {"claims_per_hour": 200, "claims_per_day": 200, "hold_at": 50}}
    programs.publish(document(referrals=policy), by="li.wei", now=clock.now() - clock.DAY_S)
    programs.reset_cache()
    programs.in_force(clock.now(), now=clock.now())
