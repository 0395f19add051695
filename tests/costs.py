"""What each operation costs: measured by the meter, held against its budget, and written down in docs/costs.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chalicelib.base import clock, facts
from chalicelib.counters import service as counters
from chalicelib.counters.service import Claim, Counter
from chalicelib.ledger import auditing, points, projector
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.posting import Account, Plan
from chalicelib.ledger.table import read_tail, read_view
from chalicelib.members import service as members
from chalicelib.members.sweeping import sweep_member
from chalicelib.orders import claims
from chalicelib.program import service as programs
from chalicelib.rewards.table import RedemptionStep
from tests.api import shop
from tests.api.client import Response, client
from tests.api.shop import PHONE, SHOP
from tests.budgets import Budget, Cost
from tests.costs_birthdays import seen_to
from tests.costs_campaigns import campaigns
from tests.costs_cases import cases
from tests.costs_engagement import engagement
from tests.costs_invitations import invitations
from tests.costs_referrals import referrals
from tests.costs_rewards import rewards
from tests.costs_scores import scores
from tests.costs_scoring import scoring
from tests.costs_seldom import seldom
from tests.costs_survey_results import survey_results
from tests.costs_surveys import surveys
from tests.costs_vouchers import vouchers
from tests.meter import metered

ENROL = Budget("enrol with phone and mail", 14, 1, 2, of="post_member")
EARN = Budget("earn: order by member id", 4, 1, 2, of="post_order")
EARN_BY_PHONE = Budget("earn: order by phone", 4, 1, 3, of="post_order")
EARN_PAID_WITH_POINTS = Budget("earn: order partly paid with points", 6, 1, 3, of="post_order")
UNCLAIMED = Budget("order of nobody known yet", 6, 1.5, 3, of="post_order")
REPLAY = Budget("replay of a recorded order", 4, 1, 2, of="post_order")
REFUND = Budget("refund", 4, 1, 3, of="post_refund")
CANCEL = Budget("cancel an order", 4, 1, 3, of="cancel_order")
COUNTED = Budget("redeem and take from a counter, in one shard", 6, 1, 2, of="post_redemption")
REDEEM = Budget("redeem", 4, 1, 2, of="post_redemption")
CANCEL_REDEMPTION = Budget("cancel a redemption", 4, 1, 3, of="cancel_redemption")
ADJUST = Budget("adjust", 4, 1, 2, of="post_adjustment")
ACCOUNT = Budget("account", 0, 1, 1, of="get_account")
STATEMENT = Budget("statement page of 20", 0, 4, 1, of="get_entries")
MERGE = Budget("merge two members with a phone each", 12, 4, 5, of="post_merge")
PROFILE = Budget("read a profile", 0, 1, 1, of="get_member")
PATCH = Budget("change a phone", 8, 2, 3, of="patch_member")
QUOTE = Budget("quote for a member", 0, 1, 1, of="post_quote")
READ_ORDER = Budget("read an order", 0, 1, 1, of="get_order")
PROJECT = Budget("reaction: accounts view, per member and batch", 1, 0, 1, of="project_accounts")
CLAIM = Budget("reaction: claim one waiting order", 5, 3.5, 6, of="claim_orders")
SWEEP = Budget("night: sweep a member with something due", 1, 0.5, 2, of="walk_accounts")
AUDIT = Budget("night: audit a chain of 10 entries and their records", 0, 6.5, 2, of="audit_accounts")


def measured(*, history: int = 0) -> Iterator[Cost]:
    """Every operation once, on empty tables, for a member with `history` entries before."""
    programs.in_force(clock.now(), now=clock.now())  # so that the version is known, as in any process but a new one
    with metered() as bill:
        member_id = shop.enrol(phone=PHONE, mail="li.ming@example.com", names={"given": "明", "family": "李"})
    yield Cost(ENROL, bill)
    for number in range(history):
        shop.post_order(f"history-{number}", member_id=member_id)
    yield from _orders(member_id)
    yield from _points(member_id)
    yield from _reads(member_id)
    yield from _reactions(member_id)
    yield from _merging(member_id)
    yield from _counted(member_id)
    yield from _nights()
    yield from seldom(member_id)
    yield from campaigns(member_id)
    yield from rewards(member_id)
    yield from engagement()
    yield from seen_to()
    yield from vouchers()
    yield from referrals()
    yield from cases()
    yield from surveys()
    yield from survey_results()
    yield from invitations()
    yield from scoring()
    yield from scores()


def _cost(budget: Budget, act: Callable[[], Response], expected: int = 201) -> Cost:
    with metered() as bill:
        answer = act()
    assert answer.status == expected, answer.text
    return Cost(budget, bill)


def _orders(member_id: str) -> Iterator[Cost]:
    lines = [{"sku": "tea", "quantity": 2, "amount_minor": 6000}, {"sku": "cup", "amount_minor": 4000}]
    body = shop.order(member_id=member_id, lines=lines, channel="store", store="shanghai-1")

    def post() -> Response:
        return client.post("/v1/orders", json=body, caller=SHOP)

    yield _cost(EARN, post)
    yield _cost(REPLAY, post, 200)
    yield _cost(EARN_BY_PHONE, lambda: shop.post_order("2", identity={"phone": PHONE}))
    yield _cost(UNCLAIMED, lambda: shop.post_order("3", identity={"phone": "+8613900139000"}), 202)
    order_id = client.get("/v1/orders?source=shop&order_id=1", caller=SHOP).json["id"]
    yield _cost(REFUND, lambda: shop.refund(order_id, lines=[{"line": 0, "quantity": 1}]))
    yield _cost(READ_ORDER, lambda: client.get(f"/v1/orders/{order_id}", caller=SHOP), 200)
    yield _cost(CANCEL, lambda: shop.cancel(order_id))


def _points(member_id: str) -> Iterator[Cost]:
    yield _cost(REDEEM, lambda: shop.redeem(member_id, 100, "first"))
    redemption = shop.redeem(member_id, 100, "second").json["redemption"]
    payments = [
        {"type": "points", "amount_minor": redemption["amount_minor"], "redemption_id": redemption["id"]},
        {"type": "card", "amount_minor": 100_00 - redemption["amount_minor"]},
    ]
    yield _cost(EARN_PAID_WITH_POINTS, lambda: shop.post_order("4", member_id=member_id, payments=payments))
    adjustment = {"points": 500, "reason": "goodwill", "note": "the tea was cold"}
    path = f"/v1/members/{member_id}/adjustments"
    yield _cost(ADJUST, lambda: client.post(path, json=adjustment, caller=SHOP, key="adjust"))
    third = shop.redeem(member_id, 100, "third").json["redemption"]["id"]
    yield _cost(CANCEL_REDEMPTION, lambda: client.post(f"/v1/redemptions/{third}/cancel", caller=SHOP), 200)


def _reads(member_id: str) -> Iterator[Cost]:
    path = f"/v1/members/{member_id}"
    yield _cost(ACCOUNT, lambda: client.get(f"{path}/account", caller=SHOP), 200)
    for number in range(20):
        shop.post_order(f"filler-{number}", member_id=member_id)
    yield _cost(STATEMENT, lambda: client.get(f"{path}/entries?limit=20", caller=SHOP), 200)
    yield _cost(PROFILE, lambda: client.get(path, caller=SHOP), 200)
    quote = {"currency": "CNY", "total_minor": 100_00, "member_id": member_id}
    yield _cost(QUOTE, lambda: client.post("/v1/quotes", json=quote, caller=SHOP), 200)
    etag = client.get(path, caller=SHOP).headers["etag"]
    patch = {"phone": "+8613700137000"}
    yield _cost(PATCH, lambda: client.patch(path, json=patch, caller=SHOP, headers={"If-Match": etag}), 200)


def _reactions(member_id: str) -> Iterator[Cost]:
    tail = read_tail(member_id, consistent=True)
    assert tail
    with metered() as bill:
        projector.project(tail)
    yield Cost(PROJECT, bill)
    newcomer = shop.enrol("newcomer", phone="+8613900139000")
    members.forget_all()
    with metered() as bill:
        assert claims.claim_all(newcomer, now=clock.now()) == 1
    yield Cost(CLAIM, bill)


def _merging(member_id: str) -> Iterator[Cost]:
    other = shop.enrol("other", phone="+8613600136000")
    shop.post_order("of the other", member_id=other)
    path = f"/v1/members/{other}/merge"
    yield _cost(MERGE, lambda: client.post(path, json={"into": member_id}, caller=SHOP))


def _counted(member_id: str) -> Iterator[Cost]:
    stock, redemption_id, now = Counter("stock#tea", 8), "red_of_the_stock", clock.now()
    counters.create(stock, 1000, now=now)

    def decide(account: Account, shard: int) -> Plan[RedemptionStep]:
        effect = points.spend(account.state, 100)
        decision = Decision(
            kind=facts.REDEEMED,
            record=redemption_id,
            reason=facts.REDEEMED,
            actor="system:machine",
            program=1,
            occurred_at=account.posted_at,
            effect=effect,
            tier="member",
        )
        note = f"shard {shard}"
        return Plan(decision, RedemptionStep(redemption_id, "000", request_hash=redemption_id, note=note))

    with metered() as bill:
        counters.post_with_counter(member_id, Claim(stock, 1, redemption_id), decide, now=lambda: now)
    yield Cost(COUNTED, bill)


def _nights() -> Iterator[Cost]:
    """What the walks do beside the scan of the view, which is an eighth of a read unit for every KB of it."""
    member_id = shop.enrol("sleeper", phone="+8613500135000")
    for number in range(9):
        shop.post_order(f"sleeper-{number}", member_id=member_id)
    projector.rebuild(member_id)
    view = read_view(member_id)
    with metered() as bill:
        assert auditing.audit(member_id, view, now=clock.now()).findings == ()
    yield Cost(AUDIT, bill)
    later = clock.now() + 5 * 366 * clock.DAY_S
    programs.in_force(later, now=later)
    with metered() as bill:
        assert sweep_member(member_id, now=later)
    yield Cost(SWEEP, bill)
