"""A shop that takes vouchers: the requests that their tests begin with."""

from __future__ import annotations

import itertools
from typing import Any

from chalicelib.base import clock
from tests.api.client import Response, client, system

TILL = system("vouchers.write")
OFFICE = system("vouchers.admin", "members.write", "members.read", "orders.write", client="office")
TITLE = {"en": "A tenth off", "zh-Hans": "九折", "zh-Hant": "九折優惠"}
TENTH = {"type": "percentage", "percent": "10"}
POINTS = {"type": "points", "points": 500}

_numbers = itertools.count(1)


def make(effect: dict[str, Any] | None = None, *, key: str | None = None, **fields: Any) -> str:
    """Make a batch (of single vouchers for a tenth off, unless told otherwise) and give its id."""
    body = {"title": TITLE, "kind": "single", "effect": effect or TENTH, **fields}
    answer = client.post("/v1/voucher-batches", json=body, caller=OFFICE, key=key or f"batch-{next(_numbers)}")
    assert answer.status == 201, answer.text
    return str(answer.json["id"])


def shared(code: str = "SUMMER26", **fields: Any) -> str:
    """Make a batch of one code for all and give its id."""
    return make(kind="shared", code=code, **fields)


def given(batch_id: str, member_id: str, key: str | None = None) -> str:
    """Issue a voucher to a member and give its code."""
    path = f"/v1/members/{member_id}/vouchers"
    answer = client.post(path, json={"batch_id": batch_id}, caller=OFFICE, key=key or f"issue-{next(_numbers)}")
    assert answer.status in {200, 201}, answer.text
    return str(answer.json["code"])


def imported(batch_id: str, *codes: str, key: str = "list") -> Response:
    """Bring codes into a batch."""
    return client.post(f"/v1/voucher-batches/{batch_id}/codes", json={"codes": codes}, caller=OFFICE, key=key)


def single(**fields: Any) -> str:
    """A bearer's voucher for a tenth off; gives its code."""
    code = f"GIFT-{next(_numbers):06d}"
    assert imported(make(**fields), code).json["imported"] == 1
    return code


def sketch(total_minor: int = 10_000, **fields: Any) -> dict[str, Any]:
    """An order of 100 yuan without lines."""
    return {"currency": "CNY", "total_minor": total_minor, **fields}


def validate(code: str, **fields: Any) -> Response:
    """Ask what a voucher is worth."""
    return client.post(f"/v1/vouchers/{code}/validate", json=sketch(**fields), caller=TILL)


def lock(code: str, session: str = "cart-1", **fields: Any) -> Response:
    """Keep a voucher for a session."""
    return client.post(f"/v1/vouchers/{code}/lock", json=sketch(session=session, **fields), caller=TILL)


def unlock(code: str, session: str = "cart-1") -> Response:
    """Let a voucher go that a session has kept."""
    return client.post(f"/v1/vouchers/{code}/unlock", json={"session": session}, caller=TILL)


def redeem(code: str, order_id: str = "1", *, key: str = "key", **fields: Any) -> Response:
    """Use a voucher on an order."""
    body = sketch(source="shop", order_id=order_id, **fields)
    return client.post(f"/v1/vouchers/{code}/redeem", json=body, caller=TILL, key=key)


def roll_back(code: str, order_id: str = "1", **fields: Any) -> Response:
    """Take back the use of a voucher on an order."""
    body = {"source": "shop", "order_id": order_id, **fields}
    return client.post(f"/v1/vouchers/{code}/rollback", json=body, caller=TILL)


def counts(batch_id: str) -> dict[str, Any]:
    """What happened in a batch."""
    found: dict[str, Any] = client.get(f"/v1/voucher-batches/{batch_id}", caller=OFFICE).json["counts"]
    return found


def told(answer: Response) -> tuple[int, str]:
    """The status of a refusal and its code."""
    return answer.status, answer.code


def in_days(days: float) -> str:
    """An instant some days from now."""
    return clock.text(clock.now() + int(days * clock.DAY_S))
