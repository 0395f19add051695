"""The rest of what each operation costs: calls that few make, what admins do, and the night's own bookkeeping."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from app import app
from chalicelib.base import clock
from chalicelib.ledger import audit_walk, walk
from chalicelib.members.retiering import retier_member
from chalicelib.members.triggers import VISITORS
from chalicelib.program import document
from chalicelib.program import service as programs
from tests.api import night, shop
from tests.api.client import Response, client
from tests.api.shop import SHOP
from tests.budgets import Budget, Cost
from tests.meter import metered

KNOWN = Budget("enrol by a mail that is taken", 6, 1, 2, of="post_member")
FIND_ORDER = Budget("find an order by its name", 0, 1, 1, of="find_order")
PROOF = Budget("proof page of 20", 0, 4, 1, of="get_proof")
PROGRAM = Budget("read the programme", 0, 0, 0, of="get_program")
PATCH_NAME = Budget("change a name", 4, 2, 3, of="patch_member")
HOLD = Budget("redeem: hold", 4, 1, 2, of="post_redemption")
COMMIT = Budget("commit a hold", 4, 1, 3, of="commit_redemption")
RELEASE = Budget("release a hold", 4, 1, 3, of="release_redemption")
REDEMPTION = Budget("read a redemption", 0, 1, 1, of="get_redemption")
RELEASE_PENDING = Budget("release an order's pending points", 4, 2, 4, of="release_pending")
CANCEL_PENDING = Budget("cancel an order's pending points", 4, 1, 3, of="cancel_pending")
INTAKE = Budget("intake: order by member id", 4, 1, 2, of="intake_orders")
START = Budget("night: start", 2, 0, 2, of="start_night")
WALK = Budget("night: walk 20 accounts with nothing due", 1, 1, 2, of="walk_accounts")
DIGEST = Budget("night: digest of the day", 1, 2, 3, of="audit_accounts")
AUDIT_MEMBER = Budget("console: audit a chain of 5 entries", 0, 7, 3, of="administer_ledger")
REBUILD_MEMBER = Budget("console: rebuild a member's view", 1, 2, 3, of="administer_ledger")
REPAIR = Budget("console: repair", 4, 1, 2, of="administer_ledger")
PUBLISH = Budget("console: publish the programme", 8, 4, 3, of="administer_program")
RETIER = Budget("console: begin to re-tier everybody", 2, 0, 2, of="administer_ledger")
RETIER_PROGRESS = Budget("console: how far a re-tiering is", 0, 2, 2, of="administer_ledger")
RETIER_MEMBER = Budget("re-tier a member who moves", 1, 0.5, 2, of="walk_accounts")
VERSIONS = Budget("console: list the programme's versions", 0, 4, 2, of="administer_program")


def seldom(member_id: str) -> Iterator[Cost]:
    """Each of them once, after what `measured` has done; the programme is another one afterwards."""
    yield from _members(member_id)
    yield from _holds(member_id)
    yield from _queued(member_id)
    yield from _nights()
    yield from _console()
    yield from _publishing(member_id)


def _cost(budget: Budget, act: Callable[[], Response], expected: int = 200) -> Cost:
    with metered() as bill:
        answer = act()
    assert answer.status == expected, answer.text
    return Cost(budget, bill)


def _members(member_id: str) -> Iterator[Cost]:
    path = f"/v1/members/{member_id}"
    etag = client.get(path, caller=SHOP).headers["etag"]
    patch = {"names": {"given": "雷", "family": "韩"}}
    yield _cost(PATCH_NAME, lambda: client.patch(path, json=patch, caller=SHOP, headers={"If-Match": etag}))
    profile = {"mail": "li.ming@example.com"}
    yield _cost(KNOWN, lambda: client.post("/v1/members", json=profile, caller=SHOP, key="known"), 409)
    yield _cost(PROOF, lambda: client.get(f"{path}/proof?limit=20", caller=SHOP))
    yield _cost(FIND_ORDER, lambda: client.get("/v1/orders?source=shop&order_id=1", caller=SHOP))
    yield _cost(PROGRAM, lambda: client.get("/v1/program", caller=SHOP))


def _holds(member_id: str) -> Iterator[Cost]:
    def hold() -> Response:
        return shop.redeem(member_id, 100, hold_seconds=600)

    first, second = (hold().json["redemption"]["id"] for _time in range(2))
    yield _cost(HOLD, hold, 201)
    yield _cost(COMMIT, lambda: client.post(f"/v1/redemptions/{first}/commit", caller=SHOP))
    yield _cost(RELEASE, lambda: client.post(f"/v1/redemptions/{second}/release", caller=SHOP))
    yield _cost(REDEMPTION, lambda: client.get(f"/v1/redemptions/{first}", caller=SHOP))


def _queued(member_id: str) -> Iterator[Cost]:
    message = {"type": "order", "order": shop.order("by queue", member_id=member_id)}
    record = {"messageId": "m0", "body": json.dumps(message), "attributes": {"MessageGroupId": member_id}}
    with metered() as bill:
        answer = app.handler_map["intake_orders"]({"Records": [record]}, None)
    assert answer == {"batchItemFailures": []}
    yield Cost(INTAKE, bill)


def _nights() -> Iterator[Cost]:
    for number in range(20):
        night.project(shop.enrol(f"walked-{number}", phone=f"+86138001380{number:02d}"))
    with night.queued(nightly_segments=1) as lying:
        with metered() as bill:
            night.start()
        yield Cost(START, bill)
        bodies = dict(lying.messages)
        leg = msgspec.json.decode(bodies["nightly"], type=walk.Leg)
        with metered() as bill:
            progress = walk.take(leg, VISITORS, queue_url="nightly", goes_on=lambda: True)
        assert progress
        assert progress.seen >= 20
        yield Cost(WALK, bill)
        audited = msgspec.json.decode(bodies["audit"], type=walk.Leg)
        found = walk.take(audited, {"audit": audit_walk.Auditor}, queue_url="audit", goes_on=lambda: True)
        assert found
        with metered() as bill:
            audit_walk.finish(audited, found)
        yield Cost(DIGEST, bill)


def _asked(budget: Budget, function: str, **event: Any) -> Cost:
    with metered() as bill:
        answer = app.handler_map[function](event, None)
    assert "error" not in answer, answer
    return Cost(budget, bill)


def _console() -> Iterator[Cost]:
    member_id = shop.enrol("repaired", phone="+8613900139999")
    for number in range(4):
        shop.post_order(f"repaired-{number}", member_id=member_id)
    yield _asked(REBUILD_MEMBER, "administer_ledger", action="rebuild_member", member_id=member_id)
    yield _asked(AUDIT_MEMBER, "administer_ledger", action="audit_member", member_id=member_id)
    repair = {"points": -30, "reason": "wrong_points", "repair_id": "case 7", "by": "li.wei", "note": "wrong till"}
    yield _asked(REPAIR, "administer_ledger", action="repair", member_id=member_id, **repair)


def _publishing(member_id: str) -> Iterator[Cost]:
    """A programme whose tiers are nearer and whose points wait, and what may be done with them while they do."""
    today = document.default()
    nearer = tuple(
        msgspec.structs.replace(tier, threshold_points=place * 200) for place, tier in enumerate(today.tiers)
    )
    waiting = msgspec.structs.replace(today, pending_days=14, tiers=nearer)
    ago = clock.now() - 900
    with metered() as bill:
        programs.publish(document.encode(waiting), by="li.wei", note="", now=ago)
    yield Cost(PUBLISH, bill)
    yield _asked(VERSIONS, "administer_program", action="versions")
    # The first of them reads the version that was just published, which is kept from then on.
    first = shop.post_order("to try", member_id=member_id).json["order"]["id"]
    assert client.post(f"/v1/orders/{first}/pending/release", caller=SHOP).status == 200
    for budget, verb in ((RELEASE_PENDING, "release"), (CANCEL_PENDING, "cancel")):
        order_id = shop.post_order(f"to {verb}", member_id=member_id).json["order"]["id"]
        with metered() as bill:
            answer = client.post(f"/v1/orders/{order_id}/pending/{verb}", caller=SHOP)
        assert answer.status == 200, answer.text
        yield Cost(budget, bill)
    yield from _retiering()


def _retiering() -> Iterator[Cost]:
    with night.queued(nightly_segments=4):
        with metered() as bill:
            begun = app.handler_map["administer_ledger"]({"action": "retier", "by": "li.wei"}, None)
        assert begun["messages"] == 4
        yield Cost(RETIER, bill)
        yield _asked(RETIER_PROGRESS, "administer_ledger", action="retier_progress", run=begun["run"])
    repaired = shop.enrol("repaired", phone="+8613900139999")
    with metered() as bill:
        assert retier_member(repaired, actor="admin:li.wei", now=clock.now())
    yield Cost(RETIER_MEMBER, bill)
