"""Personal data lie in members and records, and nowhere else: not in the ledger, not in its views, not in any log."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from chalicelib.base import clock
from infra.local.deploy import Stack
from infra.local.tokens import member_token
from tests.stack.conftest import eventually
from tests.stack.functions import invoke, queued
from tests.stack.shop import kinds, order, refund, send

MAIL = "xiaoming.private@example.com"
PHONE = "+8613912345678"
GIVEN, FAMILY, DISPLAY = "Xiaomingprivate", "Zhuprivate", "明私"
NOTE = "lives next door to the shop"
SECRETS = (MAIL, MAIL.partition("@")[0], PHONE, PHONE[3:], GIVEN, FAMILY, DISPLAY, NOTE, "1988-08-18")

MAY_HOLD_NONE = (
    "LedgerTableName",
    "AccountsTableName",
    "CountersTableName",
    "NightsTableName",
    "ProgramsTableName",
    "ReferralsTableName",
    "VouchersTableName",
)


@pytest.fixture(scope="module")
def lived(stack: Stack, shop: httpx.Client, anyone: httpx.Client, sqs: Any) -> str:
    """A life with everything in it that may say something of a person, refusals included; gives the member."""
    early = order("", identity={"phone": PHONE})
    del early["member_id"]
    assert shop.post("/v1/orders", json=early).status_code == 202
    profile = {
        "mail": MAIL,
        "phone": PHONE,
        "names": {"given": GIVEN, "family": FAMILY, "display": DISPLAY},
        "birthday": "1988-08-18",
    }
    enrolled = shop.post("/v1/members", json=profile, headers={"Idempotency-Key": f"{MAIL} enrols"})
    member = str(enrolled.json()["member"]["id"])
    own = {"Authorization": f"Bearer {member_token(stack, member)}"}
    assert anyone.get("/v1/members/me", headers=own).json()["mail"] == MAIL
    points(shop, member)
    brought(shop, member)
    complained(shop)
    surveyed(shop)
    refused(shop, profile)
    sent = order("", identity={"mail": MAIL})
    del sent["member_id"]
    back = refund(sent, "with a note", 1000)
    back["refund"]["note"] = NOTE
    send(sqs, stack, {"type": "order", "order": sent}, back, group=member)
    eventually(lambda: "refund" in kinds(shop, member))
    # What the intake cannot take, it says in its log.
    poison: list[dict[str, Any] | str] = [
        f'{{"type":"{PHONE}"}}',
        f'{{"{MAIL}":1}}',
        {"type": "order", "order": {**sent, DISPLAY: NOTE}},
        NOTE,
    ]
    assert len(invoke(stack, "IntakeOrders", queued(*poison))) == len(poison)
    return member


def points(shop: httpx.Client, member: str) -> None:
    """Whatever takes a note."""
    key = {"Idempotency-Key": f"{DISPLAY}".encode().hex()}
    asked = {"points": 500, "reason": "goodwill", "note": f"{NOTE}, {GIVEN}"}
    assert shop.post(f"/v1/members/{member}/adjustments", json=asked, headers=key).status_code == 201
    spent = {"points": 100, "currency": "CNY", "note": f"{NOTE}, {GIVEN}"}
    assert shop.post(f"/v1/members/{member}/redemptions", json=spent, headers=key).status_code == 201
    said = {
        "source": "crm",
        "event_id": MAIL,
        "type": "visit",
        "occurred_at": clock.text(clock.now()),
        "member_id": member,
        "store": DISPLAY,
        "properties": {"note": f"{NOTE}, {GIVEN}", "mail": MAIL},
    }
    assert shop.post("/v1/events", json=said).status_code == 201
    posted = shop.post("/v1/orders", json=order(member)).json()["order"]
    body = {"occurred_at": posted["occurred_at"], "note": f"{NOTE}, {MAIL}"}
    assert shop.post(f"/v1/orders/{posted['id']}/cancel", json=body).status_code == 201


def brought(shop: httpx.Client, member: str) -> None:
    """A claim of a referral code, with all that may come with one."""
    profile = {"mail": "brought@example.com"}
    enrolled = shop.post("/v1/members", json=profile, headers={"Idempotency-Key": "brought"})
    friend = str(enrolled.json()["member"]["id"])
    code = shop.get(f"/v1/members/{member}/referral-code").json()["code"]
    claim = {"code": code, "device": PHONE, "payment_fingerprint": f"card of {GIVEN}", "address_hash": NOTE}
    assert shop.post(f"/v1/members/{friend}/referral", json=claim).status_code == 201
    for number, sent in enumerate((claim, claim | {"code": GIVEN})):
        body = {"mail": f"brought-{number}@example.com", "referral": sent}
        answer = shop.post("/v1/members", json=body, headers={"Idempotency-Key": f"brought-{number}"})
        assert answer.status_code == 201


def complained(shop: httpx.Client) -> None:
    """A complaint with a life of its own, and one that is refused."""
    said = {
        "kind": "complaint",
        "text": f"{GIVEN} {FAMILY}, {PHONE}: {NOTE}",
        "identity": {"mail": MAIL},
        "store": NOTE,
    }
    opened = shop.post("/v1/feedback", json={**said, "source": DISPLAY, "feedback_id": MAIL})
    assert (opened.status_code, opened.json()["case"]["excerpt"][: len(GIVEN)]) == (201, GIVEN)
    path = f"/v1/cases/{opened.json()['case']['id']}"
    key = {"Idempotency-Key": f"complaint of {MAIL}"}
    for move, body in (
        ("assign", {"owner": "me", "note": f"call {PHONE}"}),
        ("compensations", {"points": 10, "reason": NOTE}),
        ("notes", {"note": f"to {MAIL}", "public": True}),
        ("attachments", {"name": f"{GIVEN} {NOTE}.png", "media_type": "image/png", "bytes": 9}),
        ("analyse", {"note": NOTE}),
        ("resolve", {"note": f"{GIVEN} is content", "public": True}),
    ):
        assert shop.post(f"{path}/{move}", json=body, headers=key).status_code in {200, 201}
    assert shop.post(f"{path}/act", json={"note": NOTE}, headers={"Idempotency-Key": MAIL}).status_code == 409
    assert shop.post("/v1/feedback", json={**said, "kind": NOTE}, headers=key).status_code == 400


def surveyed(shop: httpx.Client) -> None:
    """Answers to a survey, on behalf of the member and brought in, and some that are refused."""
    made = shop.post("/v1/surveys", json={"template": "relationship_nps", "code": "private"}).json()
    path = f"/v1/surveys/{made['id']}"
    assert shop.post(f"{path}/open", json={}).status_code == 200
    areas = {"rows": {"product": 1, "service": 2, "price": 3, "after_sales": 4}}
    answers = {"recommend": {"number": 1}, "improve": {"text": f"{GIVEN}, {PHONE}: {NOTE}"}, "areas": areas}
    body = {"identity": {"mail": MAIL}, "store": "harbour", "answers": answers}
    assert shop.post(f"{path}/responses", json=body).status_code == 201
    assert shop.post(f"{path}/responses", json={**body, "answers": {NOTE: {"text": MAIL}}}).status_code == 400
    assert shop.post(f"{path}/responses", json={**body, "answers": {"recommend": {"number": 9}}}).status_code == 409
    titles = "key,occurred_at,phone,recommend,improve,areas.product,areas.service,areas.price,areas.after_sales"
    at = clock.text(clock.now() - 60)
    rows = [
        f"{MAIL},{at},,1,{NOTE},1,2,3,4",
        f"{PHONE},{at},{PHONE},1,{NOTE},1,2,3,4",
        f"{NOTE},{at},12,1,{MAIL},1,2,3,4",
    ]
    found = shop.post(f"{path}/imports", json={"source": DISPLAY, "csv": "\n".join([titles, *rows])}).json()
    assert (found["taken"], len(found["refused"])) == (1, 2)


def refused(shop: httpx.Client, profile: dict[str, Any]) -> None:
    """Requests that are refused for what they say of a person."""
    key = {"Idempotency-Key": MAIL}
    assert shop.post("/v1/members", json=profile, headers={"Idempotency-Key": "again"}).status_code == 409
    assert shop.post("/v1/members", json={"mail": f"{MAIL}@", "phone": PHONE}, headers=key).status_code == 400
    assert shop.post("/v1/members", json={MAIL: PHONE}, headers=key).status_code == 400
    assert shop.post("/v1/members", content=f'{{"mail": "{MAIL}"', headers=key).status_code == 400
    assert shop.get(f"/v1/members/{PHONE}").status_code == 404
    assert shop.get("/v1/orders", params={"source": NOTE, "order_id": MAIL}).status_code == 404
    guess = {"currency": "CNY", "total_minor": 1, "session": MAIL}
    assert shop.post(f"/v1/vouchers/{PHONE[3:]}/validate", json=guess).status_code == 404


def test_personal_data_are_in_no_other_table_and_in_no_log(
    stack: Stack, stack_folder: Path, lived: str, dynamodb: Any
) -> None:
    eventually(lambda: lived in everything(dynamodb, stack.outputs["AccountsTableName"]))
    # The last lines of the functions are on their way.
    time.sleep(1)

    for name in MAY_HOLD_NONE:
        assert told(everything(dynamodb, stack.outputs[name])) == [], name
    assert told((stack_folder / "aws.log").read_text(encoding="utf-8")) == []
    # Words lie in the records of answers, which can be erased one by one, and not among what is counted and listed.
    surveys = json.loads(everything(dynamodb, stack.outputs["SurveysTableName"]))
    listed = [item for item in surveys if item["key"]["S"].startswith(("answers#", "totals#"))]
    assert listed
    assert told(json.dumps(listed, ensure_ascii=False)) == []
    # What is looked for must be found where it belongs, or the search proves nothing.
    assert {MAIL, PHONE, GIVEN} <= set(told(everything(dynamodb, stack.outputs["MembersTableName"])))


def everything(dynamodb: Any, table: str) -> str:
    """All that lies in a table, packed values read as text."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    items = [item for page in pages for item in page["Items"]]
    return json.dumps(items, ensure_ascii=False, default=lambda value: bytes(value).decode("latin-1"))


def told(text: str) -> list[str]:
    """Which of the secrets a text gives away, in whatever spelling of JSON."""
    plain = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    return [secret for secret in SECRETS if secret in plain]
