"""Rules that give vouchers: for purchases and events, by conditions, caps and budgets as all rules."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.ledger.state import NEVER, Limit
from chalicelib.program.document import Program
from chalicelib.program.rules import events
from chalicelib.program.rules.earning import evaluate
from chalicelib.program.rules.inputs import Award, Event, Gained, Member, VoucherDue
from tests.rules.test_earning_rules import BASE, bought, cup, judged, rule, tea, with_rules
from tests.rules.test_rules_validation import of_campaigns, of_rules, party

BATCH, OTHER = "vbt_" + "a" * 26, "vbt_" + "b" * 26
GIFT = rule("voucher", "gift", voucher_batch_id=BATCH)
ON_VISIT = rule("voucher", "coupon", voucher_batch_id=BATCH, events=["visit"])
DAILY = [{"per": "day", "times": 1}]
NOON = 1_795_233_600


def live(*rules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return party("party", *rules, status="active", starts_at="2020-01-01T00:00", **fields)


def happens(found: Program, kind: str = "visit", **options: Any) -> Gained:
    return events.evaluate(found, Event(type=kind, occurred_at=NOON), Member(at=NOON), **options)


def test_a_voucher_is_given_and_explained_and_brings_no_points() -> None:
    earned = evaluate(with_rules(BASE, GIFT), bought(tea()), Member())
    assert earned.vouchers == (VoucherDue("gift", BATCH),)
    told = next(item for item in earned.explanations if item.rule == "gift")
    assert (told.fired, told.reason, told.points, earned.points) == (True, "voucher", 0, 10)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"items": {"skus": ["pot"]}}, "no_matching_lines"),
        ({"when": {"minimum_minor": {"CNY": 3_001}}}, "below_threshold"),
        ({"when": {"tags": ["vip"]}}, "wrong_tag"),
        ({"when": {"condition": "order.total_minor > `9000`"}}, "condition_false"),
    ],
)
def test_a_voucher_has_conditions_like_a_bonus(fields: dict[str, Any], reason: str) -> None:
    assert judged(with_rules(BASE, GIFT | fields), bought(tea(), cup()))["gift"] == reason


def test_a_batch_that_cannot_be_issued_from_gives_nothing_and_uses_nothing_up() -> None:
    campaign = live(GIFT | {"caps": DAILY}, budget={"awards": 5})
    found = with_rules(BASE, campaigns=[campaign])
    earned = evaluate(found, bought(tea()), Member(), refused={BATCH: "voucher_batch_unknown"})
    assert next(item.reason for item in earned.explanations if item.rule == "gift") == "voucher_batch_unknown"
    assert (earned.vouchers, earned.limits, earned.awards, earned.points) == ((), (), (), 10)


def test_a_cap_counts_how_often_a_voucher_was_given() -> None:
    found = with_rules(BASE, GIFT | {"caps": DAILY})
    first = evaluate(found, bought(tea()), Member())
    assert [(limit.limit_id, limit.count, limit.points) for limit in first.limits] == [("gift:day", 1, 0)]
    second = evaluate(found, bought(tea()), Member(limits=first.limits))
    assert (second.vouchers, second.limits) == ((), ())
    assert next(item.reason for item in second.explanations if item.rule == "gift") == "capped"


def test_a_campaign_counts_a_voucher_in_its_caps_and_its_awards() -> None:
    found = with_rules(BASE, campaigns=[live(GIFT, caps=DAILY, budget={"awards": 5})])
    first = evaluate(found, bought(tea()), Member())
    assert (first.awards, [limit.limit_id for limit in first.limits]) == ((Award("party", 0),), ["party:day"])
    second = evaluate(found, bought(tea()), Member(limits=first.limits))
    assert (second.vouchers, second.awards) == ((), ())


def test_a_cap_of_a_campaigns_points_holds_back_points_and_no_voucher() -> None:
    spent = Limit("party:ever", NEVER, 1, 5)
    campaign = live(rule("bonus", "more", points=5), GIFT, caps=[{"per": "ever", "points": 5}])
    earned = evaluate(with_rules(BASE, campaigns=[campaign]), bought(tea()), Member(limits=(spent,)))
    assert {item.rule: item.reason for item in earned.explanations if item.campaign} == {
        "more": "capped",
        "gift": "voucher",
    }


def test_a_campaign_without_anything_left_gives_no_voucher() -> None:
    found = with_rules(BASE, campaigns=[live(GIFT, budget={"awards": 5})])
    earned = evaluate(found, bought(tea()), Member(), {"party"})
    assert (earned.vouchers, earned.awards) == ((), ())


def test_of_exclusive_vouchers_the_first_that_fits_is_given() -> None:
    large = rule("voucher", "large", voucher_batch_id=OTHER, group="g", when={"minimum_minor": {"CNY": 5_000}})
    found = with_rules(BASE, large, GIFT | {"group": "g"}, stacking={"g": "exclusive"})
    assert evaluate(found, bought(tea(5_000)), Member()).vouchers == (VoucherDue("large", OTHER),)
    assert evaluate(found, bought(tea()), Member()).vouchers == (VoucherDue("gift", BATCH),)
    refused = evaluate(found, bought(tea(5_000)), Member(), refused={OTHER: "voucher_batch_ended"})
    assert refused.vouchers == (VoucherDue("gift", BATCH),)


def test_a_voucher_for_an_event_is_given_for_that_event_alone() -> None:
    found = with_rules(BASE, GIFT, ON_VISIT)
    gained = happens(found)
    assert (gained.vouchers, gained.points, gained.activity) == ((VoucherDue("coupon", BATCH),), 0, 0)
    assert (happens(found, "share").vouchers, evaluate(found, bought(tea()), Member()).vouchers) == (
        (),
        (VoucherDue("gift", BATCH),),
    )
    assert [item.rule for item in gained.explanations] == ["coupon"]


def test_a_voucher_for_an_event_is_capped_budgeted_and_refused_alike() -> None:
    found = with_rules(BASE, campaigns=[live(ON_VISIT | {"caps": DAILY}, budget={"awards": 5})])
    gained = happens(found)
    assert (gained.awards, [limit.limit_id for limit in gained.limits]) == ((Award("party", 0),), ["coupon:day"])
    refused = happens(found, refused={BATCH: "voucher_batch_unknown"})
    assert (refused.vouchers, refused.awards, refused.limits) == ((), (), ())
    assert refused.explanations[0].reason == "voucher_batch_unknown"


def test_publishing_asks_for_the_form_of_a_batchs_id() -> None:
    for wrong in ("", "vbt_", "vbt_" + "A" * 26, "vbt_" + "1" * 26, "mem_" + "a" * 26):
        assert of_rules(BASE, GIFT | {"voucher_batch_id": wrong}) == {"earning_rules[1].voucher_batch_id"}


def test_publishing_refuses_what_a_voucher_does_not_have() -> None:
    assert of_rules(BASE, GIFT | {"caps": [{"per": "day", "points": 5}]}) == {"earning_rules[1].caps[0].points"}
    assert of_rules(BASE, ON_VISIT | {"items": {"skus": ["tea"]}}) == {"earning_rules[1].items"}
    wanted = {"minimum_minor": {"CNY": 100}}
    assert of_rules(BASE, ON_VISIT | {"when": wanted}) == {"earning_rules[1].when.minimum_minor"}
    mixed = [rule("bonus", "more", points=5, group="g"), ON_VISIT | {"group": "g"}]
    assert of_rules(BASE, *mixed, stacking={"g": "best"}) == {"earning_rules[2].group"}
    assert of_rules(BASE, ON_VISIT, events={"share": {"title": GIFT["title"]}}) == {"earning_rules[1].events[0]"}


def many(count: int, code: str = "gift", **fields: Any) -> list[dict[str, Any]]:
    return [GIFT | {"code": f"{code}_{number}"} | fields for number in range(count)]


def test_a_purchase_brings_no_more_vouchers_than_its_transaction_holds() -> None:
    with_rules(BASE, *many(5), *many(5, "coupon", events=["visit"]))
    assert of_rules(BASE, *many(6)) == {"earning_rules"}
    assert of_rules(BASE, *many(6, events=["visit"])) == {"earning_rules"}
    first, then = (
        party(code, *many(3, code), status="active", starts_at=f"2026-{month}-01T00:00", ends_at="2027-01-01T00:00")
        for code, month in (("one", "03"), ("two", "06"))
    )
    assert of_campaigns(first, then) == {"campaigns"}
    with_rules(BASE, campaigns=[first | {"ends_at": "2026-06-01T00:00"}, then])
    with_rules(BASE, campaigns=[first | {"status": "draft"}, then])
