"""What vouchers cost: looked at, kept, used and given back, issued, made in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

from chalicelib.base import clock
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import read_chain, to_entry
from chalicelib.orders import reacting
from chalicelib.program import service as programs
from chalicelib.vouchers import jobs
from chalicelib.vouchers.triggers import administer_vouchers
from tests.api import shop
from tests.api import voucher_shop as vouchers_of
from tests.api.client import Response, client
from tests.api.voucher_shop import (
    OFFICE,
    TENTH,
    TILL,
    TITLE,
    given,
    imported,
    lock,
    make,
    redeem,
    roll_back,
    unlock,
    validate,
)
from tests.budgets import Budget, Cost
from tests.meter import Bill, metered

VALIDATE = Budget("validate a voucher", 0, 4, 2, of="validate_voucher")
VALIDATE_LIMITED = Budget("validate a shared code with limits, for a member", 0, 7, 4, of="validate_voucher")
GUESS = Budget("guess a code that is nobody's", 1, 3, 2, of="validate_voucher")
LOCK = Budget("keep a voucher for a checkout", 4, 5, 3, of="lock_voucher")
LOCK_LIMITED = Budget("keep a shared code with limits", 10, 5, 4, of="lock_voucher")
UNLOCK = Budget("let a voucher go that a checkout kept", 2, 5, 3, of="unlock_voucher")
UNLOCK_LIMITED = Budget("let a shared code with limits go", 8, 4, 4, of="unlock_voucher")
USE = Budget("use a bearer's voucher", 6, 5, 4, of="redeem_voucher")
USE_REPLAY = Budget("replay of a voucher's use", 0, 2, 2, of="redeem_voucher")
USE_LIMITED = Budget("use a shared code with a total and a limit per member", 8, 5, 5, of="redeem_voucher")
USE_POINTS = Budget("use a member's voucher for points", 10, 6.5, 5, of="redeem_voucher")
ROLL_BACK = Budget("roll back a bearer's voucher", 6, 2, 3, of="roll_back_voucher")
ROLL_BACK_POINTS = Budget("roll back a member's voucher for points", 10, 2.5, 4, of="roll_back_voucher")
ORDER = Budget("earn: order that names a voucher", 4, 1.5, 3, of="post_order")
CANCEL_ORDER = Budget("cancel an order that names a voucher", 10, 3, 6, of="cancel_order")
REFUND_PART = Budget("refund a part of an order that names a voucher", 4, 1, 3, of="post_refund")
REPLAY_CANCEL = Budget("replay of cancelling an order that names a voucher", 0, 1.5, 2, of="cancel_order")
PLAIN_BACK = Budget("reaction: an order without vouchers has gone back", 0, 2, 2, of="claim_orders")
BACK_ALREADY = Budget("reaction: the vouchers of an order have gone back with it", 0, 3, 3, of="claim_orders")
BACK = Budget("reaction: a voucher goes back that was left when its order did", 6, 4, 5, of="claim_orders")
ISSUE = Budget("issue a voucher to a member", 6, 2, 3, of="issue_voucher")
WALLET = Budget("a member's vouchers, a page of 20 of one batch", 0, 3, 2, of="get_member_vouchers")
BATCH = Budget("make a batch of single vouchers", 4, 0, 1, of="post_voucher_batch")
LIST_BATCHES = Budget("list a page of 3 batches", 0, 4, 2, of="get_voucher_batches")
READ_BATCH = Budget("read a batch with its counts", 0, 2, 2, of="get_voucher_batch")
PAUSE = Budget("pause a batch", 1, 2, 3, of="set_voucher_batch_state")
JOB = Budget("begin a bulk job", 2, 1, 2, of="post_voucher_job")
READ_JOB = Budget("read how far a bulk job is", 0, 1, 1, of="get_voucher_job")
EXPORT = Budget("export a page of 1,000 codes", 0, 1, 1, of="get_voucher_codes")
IMPORT = Budget("import 100 codes", 206, 2, 5, of="import_voucher_codes")
LEG = Budget("bulk: a leg of 2,000 codes", 2004, 3, 82, of="make_vouchers")
CONSOLE = Budget("a batch in the console", 0, 2, 2, of="administer_vouchers")


def vouchers() -> Iterator[Cost]:
    """Each of them once."""
    programs.in_force(clock.now(), now=clock.now())
    yield from _till()
    yield from _points()
    yield from _orders()
    yield from _office()


def _till() -> Iterator[Cost]:
    codes = ["COST-0001", "COST-0002"]
    imported(make(), *codes)
    yield _cost(VALIDATE, lambda: validate(codes[0]), 200)
    yield _cost(GUESS, lambda: validate("COST-9999"), 404)
    yield _cost(LOCK, lambda: lock(codes[0]))
    yield _cost(UNLOCK, lambda: unlock(codes[0]), 200)
    yield _cost(USE, lambda: redeem(codes[1], "cost-1"))
    yield _cost(USE_REPLAY, lambda: redeem(codes[1], "cost-1"), 200)
    yield _cost(ROLL_BACK, lambda: roll_back(codes[1], "cost-1"))
    member_id = shop.enrol("voucher's", phone="+8613500135001")
    vouchers_of.shared("COSTLY", limits={"per_member": 9, "total": 800})
    yield _cost(VALIDATE_LIMITED, lambda: validate("COSTLY", member_id=member_id), 200)
    yield _cost(LOCK_LIMITED, lambda: lock("COSTLY", member_id=member_id))
    yield _cost(UNLOCK_LIMITED, lambda: unlock("COSTLY"), 200)
    yield _cost(USE_LIMITED, lambda: redeem("COSTLY", "cost-2", member_id=member_id))


def _points() -> Iterator[Cost]:
    member_id = shop.enrol("voucher's own", phone="+8613500135002")
    batch_id = make(vouchers_of.POINTS, owner="member")
    path, body = f"/v1/members/{member_id}/vouchers", {"batch_id": batch_id}
    yield _cost(ISSUE, lambda: client.post(path, json=body, caller=OFFICE, key="cost"))
    code = given(batch_id, member_id, "cost")
    yield _cost(USE_POINTS, lambda: redeem(code, "cost-3", member_id=member_id))
    yield _cost(ROLL_BACK_POINTS, lambda: roll_back(code, "cost-3"))
    for number in range(19):
        given(batch_id, member_id, f"cost-{number}")
    yield _cost(WALLET, lambda: client.get(path, caller=TILL), 200)


def _orders() -> Iterator[Cost]:
    member_id = shop.enrol("voucher's order", phone="+8613500135003")
    imported(make(), "COST-0003")
    named = [{"redemption_id": redeem("COST-0003", "cost-4").json["redemption"]["id"]}]
    bill, answer = _metered(lambda: shop.post_order("cost-4", member_id=member_id, vouchers=named))
    yield Cost(ORDER, bill)
    order_id = answer.json["order"]["id"]
    yield _cost(REFUND_PART, lambda: shop.refund(order_id, amount_minor=1))
    yield _cost(CANCEL_ORDER, lambda: shop.cancel(order_id))
    yield _cost(REPLAY_CANCEL, lambda: shop.cancel(order_id), 200)
    yield _reaction(BACK_ALREADY, member_id)
    shop.cancel(shop.post_order("cost-5", member_id=member_id).json["order"]["id"])
    yield _reaction(PLAIN_BACK, member_id)
    left = [{"redemption_id": redeem("COST-0003", "cost-6").json["redemption"]["id"]}]
    died = shop.post_order("cost-6", member_id=member_id, vouchers=left).json["order"]["id"]
    with mock.patch("chalicelib.vouchers.undoing.roll_back_all"):
        shop.cancel(died)
    yield _reaction(BACK, member_id)


def _reaction(budget: Budget, member_id: str) -> Cost:
    """What the queue of orders makes of the last thing that happened to a member."""
    entry = to_entry(list(read_chain(member_id, consistent=True))[-1])
    with metered() as bill:
        reacting.react(Notice(entry.member_id, entry.seq, entry.kind, entry.record), now=clock.now())
    return Cost(budget, bill)


def _office() -> Iterator[Cost]:
    body = {"title": TITLE, "kind": "single", "effect": TENTH}
    yield _cost(BATCH, lambda: client.post("/v1/voucher-batches", json=body, caller=OFFICE, key="costs"))
    batch_id = client.post("/v1/voucher-batches", json=body, caller=OFFICE, key="costs").json["id"]
    path = f"/v1/voucher-batches/{batch_id}"
    yield _cost(IMPORT, lambda: imported(batch_id, *(f"COST-1{number:03d}" for number in range(100))))
    with mock.patch("chalicelib.base.queues.send"):
        yield _cost(JOB, lambda: client.post(f"{path}/jobs", json={"codes": 2000}, caller=OFFICE, key="j"))
        job_id = client.post(f"{path}/jobs", json={"codes": 2000}, caller=OFFICE, key="j").json["id"]
        with metered() as bill:
            jobs.take(jobs.Leg(job_id, 1), queue_url="", now=clock.now())
    yield Cost(LEG, bill)
    yield _cost(READ_JOB, lambda: client.get(f"/v1/voucher-jobs/{job_id}", caller=OFFICE), 200)
    yield _cost(EXPORT, lambda: client.get(f"/v1/voucher-jobs/{job_id}/codes", caller=OFFICE), 200)
    yield _cost(READ_BATCH, lambda: client.get(path, caller=OFFICE), 200)
    yield _cost(LIST_BATCHES, lambda: client.get("/v1/voucher-batches?limit=3", caller=OFFICE), 200)
    yield _cost(PAUSE, lambda: client.post(f"{path}/state", json={"state": "paused"}, caller=OFFICE), 200)
    context: Any = SimpleNamespace(aws_request_id="costs", function_name="administer_vouchers")
    with metered() as bill:
        administer_vouchers({"action": "show", "batch_id": batch_id}, context)
    yield Cost(CONSOLE, bill)


def _cost(budget: Budget, act: Callable[[], Response], expected: int = 201) -> Cost:
    bill, _answer = _metered(act, expected)
    return Cost(budget, bill)


def _metered(act: Callable[[], Response], expected: int = 201) -> tuple[Bill, Response]:
    with metered() as bill:
        answer = act()
    assert answer.status == expected, answer.text
    return bill, answer
