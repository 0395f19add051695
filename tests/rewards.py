"""Catalogues for tests, and a member who takes from them over the API."""

from __future__ import annotations

import itertools
from typing import Any

from chalicelib.base import clock
from chalicelib.counters import service as counters
from chalicelib.program import service as programs
from chalicelib.web.caller import Caller
from tests.api.client import Response, client
from tests.api.shop import SHOP
from tests.programs import document, texts

_keys = itertools.count(1)


def reward(code: str = "mug", points: int = 100, **fields: Any) -> dict[str, Any]:
    """A reward for so many points, goods for the till unless told otherwise."""
    return {"code": code, "kind": "goods", "title": texts(code), "prices": [{"points": points}]} | fields


def publish(*rewards: dict[str, Any], **changes: Any) -> int:
    """Publish the default programme with this catalogue; it is in force when the next request comes (or in 10 minutes).

    Gives the version's number.
    """
    now = clock.now()
    found = programs.publish(document(rewards=rewards, **changes), by="tests", now=now)
    programs.reset_cache()
    return found.version


def take(
    member_id: str, reward_id: str = "mug", *, key: str | None = None, caller: Caller = SHOP, **fields: Any
) -> Response:
    """Take a reward for a member."""
    path = f"/v1/members/{member_id}/redemptions"
    body = {"reward_id": reward_id, **fields}
    return client.post(path, json=body, caller=caller, key=key or f"take-{next(_keys)}")


def act(redemption_id: str, verb: str, *, caller: Caller = SHOP, **body: Any) -> Response:
    """Commit, release, cancel, ship or use a redemption."""
    return client.post(f"/v1/redemptions/{redemption_id}/{verb}", json=body, caller=caller)


def offer(member_id: str, reward_id: str = "mug") -> Any:
    """What the catalogue offers a member of one reward."""
    answer = client.get(f"/v1/rewards/{reward_id}?member_id={member_id}", caller=SHOP)
    assert answer.status == 200, answer.text
    return answer.json["offer"]


def stock(code: str = "mug") -> tuple[int, int, int]:
    """What was put into a reward's stock, taken from it, and is left."""
    found = counters.read(f"stock#{code}")
    return found.put_in, found.taken, found.left


REWARDS = [
    reward("drop", 10, stock={"total": 8, "shards": 2}, fulfilment="ship"),
    reward("daily", 10, daily={"total": 2}),
]
"""The catalogue of the deployed package."""
