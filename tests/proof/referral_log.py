"""What the store's log and the tables say of referrals after a race, held against the model."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from chalicelib.base import clock, ids
from tests.proof.areas import News
from tests.proof.calendar import DAY_S
from tests.proof.model import Model, Moved
from tests.proof.referral_model import Referral, left_of
from tests.proof.rules_model import Rules

SYSTEM = "system:referrals"


def hears(news: News) -> bool:
    """Whose code it is, who has claimed it, and what a referral is now."""
    if news.table != "referrals":
        return False
    part = news.text("part")
    return (part == "state" and "body" in news.item) or part == "claim" or news.text("key").startswith("code#")


def tell(model: Model, news: News) -> None:
    """A code, a claim, or the one item on which a referral is decided, once more."""
    referrals, key = model.referrals, news.text("key")
    if key.startswith("code#"):
        referrals.codes[ids.request_hash([key.removeprefix("code#")])] = news.text("member_id")
        return
    if news.text("part") == "claim":
        friend, code_of = news.text("member_id"), referrals.codes[news.text("request_hash")]
        # What they bought or whose they became between a look and the commit, the reaction finds out.
        reasons = {*referrals.why_not(model, friend, code_of, clock.parse(news.text("posted_at")))}
        assert not reasons - {"referral_not_new", "referral_own_code", "referral_already_claimed"}, reasons
        assert key not in referrals.found
        referrals.claiming = code_of
        return
    told = json.loads(news.text("body"))
    if news.number("version") == 1:
        referral = Referral(
            friend=told["friend_id"],
            referrer=told["referrer_id"],
            claimed_at=told["claimed_at"],
            rules=news.versions[told["program"]],
            code_of=referrals.claiming,
        )
        assert told["verdict"] == "clear"
        referrals.found[key] = referral
        return
    _changed(model, referrals.found[key], told)


def _changed(model: Model, referral: Referral, told: dict[str, Any]) -> None:
    """What is paid is what was posted; what was heard is true of the orders; a verdict is somebody's."""
    for side in ("friend", "referrer"):
        paid = referral.paid.get(side)
        assert (told[side] and told[side]["points"]) == (paid and paid.points), side
    bought = {order: (occurred_at, left) for order, occurred_at, left, _spend in told["orders"]}
    assert referral.bought.keys() <= bought.keys()
    for name, (occurred_at, left) in bought.items():
        order, before = model.orders[name], referral.bought.get(name)
        assert occurred_at == order.occurred_at
        assert referral.counts(occurred_at)
        assert order.member is not None
        assert model.heir(order.member) == model.heir(referral.friend)
        # It was read before it was written, and what is gone never comes back.
        assert left_of(order) <= left <= (before[1] if before else order.total)
    if told["verdict"] != referral.verdict and told["decided_by"] == SYSTEM:
        assert told["verdict"] == "refused"
        assert is_doubled(model, referral), "refused without a reason"
    referral.bought, referral.verdict = bought, told["verdict"]


def is_doubled(model: Model, referral: Referral) -> bool:
    """Whether the friend has brought itself by now, or has been brought by somebody else as well."""
    heir = model.heir(referral.friend)
    same = [other for other in model.referrals.found.values() if model.heir(other.friend) == heir]
    return heir == model.heir(referral.referrer) or len(same) > 1


def play(model: Model, news: News, at: int, _rules: Rules) -> Moved:
    """A payment, or the taking back of one."""
    name, side = news.text("key"), news.text("side")
    if news.text("kind") == "referral_taken_back":
        return model.referrals.take_back(model, name, side, at)
    return model.referrals.pay(model, name, side, clock.parse(news.text("occurred_at")), at)


def judge(model: Model, now: int, seen: Counter[str]) -> None:
    """Once everything has been heard of, both are paid where the friend has bought and kept it, and else nobody."""
    seen["referral taken back"] += model.referrals.times_back
    for referral in model.referrals.found.values():
        kept = _kept(model, referral)
        is_due = bool(kept) and min(kept) + referral.rules.return_days * DAY_S <= now
        stands = is_due and referral.verdict in ("clear", "approved")
        seen["referral paid"] += bool(referral.paid)
        assert referral.paid.keys() == ({"friend", "referrer"} if stands else set()), (referral, kept)
        assert referral.paid.keys() in (set(), {"friend", "referrer"})
        if model.heir(referral.friend) == model.heir(referral.referrer):
            assert referral.verdict in ("refused", "approved"), "somebody has brought itself"
    standing = [model.heir(each.friend) for each in model.referrals.found.values() if each.verdict == "clear"]
    assert len({*standing}) == len(standing), "somebody was brought twice"


def _kept(model: Model, referral: Referral) -> list[int]:
    """When what the friend has bought and kept was bought, as far as it counts, on whichever account."""
    heir = model.heir(referral.friend)
    orders = [order for order in model.orders.values() if order.member is not None and model.heir(order.member) == heir]
    return [order.occurred_at for order in orders if left_of(order) and referral.counts(order.occurred_at)]
