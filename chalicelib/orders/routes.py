"""Orders, refunds and quotes over HTTP."""

from __future__ import annotations

import msgspec

from chalicelib.base.errors import Invalid
from chalicelib.members import service as members
from chalicelib.orders import history, refunds, render, service
from chalicelib.orders.schema import CancelIn, OrderIn, OrderOut, OrderPosted, QuoteIn, QuoteOut, RefundIn, RefundPosted
from chalicelib.web.room import Call, Param, Reply, Room

room = Room("orders")

_POSTING_ERRORS = ("key_reused", "occurred_in_future", "occurred_too_long_ago", "busy")


@room.post(
    "/v1/orders",
    body=OrderIn,
    answer=OrderPosted,
    scopes=("orders.write",),
    callers=("system",),
    summary="Post a paid order",
    example={
        "source": "shop",
        "order_id": "100231",
        "identity": {"mail": "customer-1@example.com"},
        "occurred_at": "2026-11-20T18:30:00+08:00",
        "currency": "USD",
        "total_minor": 12_900,
        "shipping_minor": 900,
        "channel": "web",
        "lines": [
            {"sku": "tea-01", "category": "drinks", "quantity": 2, "amount_minor": 8_000},
            {"sku": "cup-07", "category": "home", "amount_minor": 4_000},
        ],
        "payments": [{"type": "card", "amount_minor": 12_900}],
    },
    statuses={
        201: "The order is posted and its points are earned.",
        200: "The same order was posted before.",
        202: "Nobody is known by this identity yet: the order waits until its member enrols.",
    },
    errors=(
        "member_not_found",
        "amounts_do_not_add_up",
        "currency_not_accepted",
        "redemption_not_fitting",
        "redemption_repeated",
        "redemption_not_found",
        "redemption_not_open",
        "voucher_use_not_found",
        "voucher_repeated",
        *_POSTING_ERRORS,
    ),
)
def post_order(call: Call[OrderIn]) -> Reply[OrderPosted]:
    """Send an order once, when it is paid. `source` and `order_id` name it for ever, so it may be sent again safely."""
    posted = service.post_order(call.body, actor=call.caller.actor(), now=call.now)
    if not posted.record.has_entry:
        return Reply(render.posted_order(posted.record), status=202)
    return Reply(render.posted_order(posted.record), status=200 if posted.replayed else 201)


@room.get(
    "/v1/orders",
    answer=OrderOut,
    scopes=("orders.read",),
    callers=("system",),
    summary="Find an order by the shop's own name for it",
    statuses={200: "The order."},
    errors=("order_not_found",),
    query=(
        Param("source", "The shop system that posted it.", required=True),
        Param("order_id", "Its own number of the order.", required=True),
    ),
)
def find_order(call: Call[None]) -> Reply[OrderOut]:
    """For systems that posted through the queue and so never saw the engine's id."""
    source, order_id = call.query("source"), call.query("order_id")
    if not source or not order_id:
        raise Invalid("Give both source and order_id.", field="order_id", code="query_invalid")
    return Reply(render.order(history.read(service.order_id_of(source, order_id))))


@room.get(
    "/v1/orders/{order_id}",
    answer=OrderOut,
    scopes=("orders.read",),
    callers=("system",),
    summary="Read an order",
    statuses={200: "The order."},
    errors=("order_not_found",),
)
def get_order(_call: Call[None], order_id: str) -> Reply[OrderOut]:
    """Shows an order with its refunds and what of its points they took back."""
    return Reply(render.order(history.read(order_id)))


@room.post(
    "/v1/orders/{order_id}/refunds",
    body=RefundIn,
    answer=RefundPosted,
    scopes=("orders.write",),
    callers=("system",),
    summary="Refund a part of an order",
    example={"refund_id": "R-1", "occurred_at": "2026-11-21T09:00:00Z", "lines": [{"line": 0, "quantity": 1}]},
    statuses={201: "The refund's share of the points is taken back.", 200: "The same refund was posted before."},
    errors=("order_not_found", "refund_exceeds_order", *_POSTING_ERRORS),
)
def post_refund(call: Call[RefundIn], order_id: str) -> Reply[RefundPosted]:
    """Refunds by lines or by amount. Points go back in proportion to all that was refunded so far."""
    posted = refunds.refund(order_id, call.body, actor=call.caller.actor(), now=call.now)
    return Reply(render.posted_refund(posted.record), status=200 if posted.replayed else 201)


@room.post(
    "/v1/orders/{order_id}/cancel",
    body=CancelIn,
    answer=RefundPosted,
    scopes=("orders.write",),
    callers=("system",),
    summary="Cancel an order",
    example={"occurred_at": "2026-11-21T09:00:00Z", "note": "The parcel never left."},
    statuses={201: "All points that were left of the order are taken back.", 200: "It was cancelled before."},
    errors=("order_not_found", *_POSTING_ERRORS),
)
def cancel_order(call: Call[CancelIn], order_id: str) -> Reply[RefundPosted]:
    """Takes back whatever its refunds have left."""
    posted = refunds.cancel(order_id, call.body, actor=call.caller.actor(), now=call.now)
    return Reply(render.posted_refund(posted.record), status=200 if posted.replayed else 201)


@room.post(
    "/v1/orders/{order_id}/pending/release",
    answer=OrderPosted,
    scopes=("orders.write",),
    callers=("system",),
    summary="Make an order's pending points available now",
    statuses={200: "The points are available."},
    errors=("order_not_found", "nothing_pending", "busy"),
)
def release_pending(call: Call[None], order_id: str) -> Reply[OrderPosted]:
    """For a shop that need not wait, because the goods were kept. Repeated, it answers the same."""
    posted = refunds.release_pending(order_id, actor=call.caller.actor(), now=call.now)
    return Reply(render.stepped_order(order_id, posted.record))


@room.post(
    "/v1/orders/{order_id}/pending/cancel",
    answer=RefundPosted,
    scopes=("orders.write",),
    callers=("system",),
    summary="Withdraw an order's pending points",
    statuses={200: "The points will not become available."},
    errors=("order_not_found", "nothing_pending", "busy"),
)
def cancel_pending(call: Call[None], order_id: str) -> Reply[RefundPosted]:
    """Takes the points back though the order stands, say after a review. Repeated, it answers the same."""
    posted = refunds.withdraw_pending(order_id, actor=call.caller.actor(), now=call.now)
    return Reply(render.posted_refund(posted.record))


@room.post(
    "/v1/quotes",
    body=QuoteIn,
    answer=QuoteOut,
    scopes=("orders.read",),
    callers=("member", "system"),
    summary="Ask what a purchase would earn",
    example={"currency": "USD", "total_minor": 12_900},
    statuses={200: "What it would earn now, and why."},
    errors=(
        "member_not_found",
        "not_your_account",
        "amounts_do_not_add_up",
        "currency_not_accepted",
        "occurred_in_future",
        "occurred_too_long_ago",
    ),
)
def post_quote(call: Call[QuoteIn]) -> Reply[QuoteOut]:
    """Writes nothing. Members ask for themselves; a system names a member, or nobody for a newcomer's quote."""
    return Reply(render.quoted(service.quote(call.body, _quoted_member(call), now=call.now)))


def _quoted_member(call: Call[QuoteIn]) -> str | None:
    if call.caller.kind != "member":
        return service.addressee(call.body)
    if call.body.identity is not msgspec.UNSET:
        raise Invalid("You are known by your token; leave identity out.", field="identity")
    named = call.body.member_id
    return members.member_for(call.caller, "me" if named is msgspec.UNSET else named)
