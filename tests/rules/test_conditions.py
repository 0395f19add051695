"""When a rule fires: conditions on the member, the time and the place, and in JMESPath."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.program.rules import expressions
from chalicelib.program.rules.earning import evaluate
from chalicelib.program.rules.inputs import Event, Member, Payment, Purchase
from chalicelib.program.validation.expressions import FUNCTIONS, condition_problems
from tests.rules.test_earning_rules import BASE, bought, cup, judged, rule, tea, with_rules

ORDER, EVENT = frozenset({"order"}), frozenset({"event"})
NOON = 1_795_233_600
MEMBER = Member(
    member_id="mem_1",
    tier="gold",
    segments=("loyal",),
    tags=("vip",),
    birthday="1990-05-17",
    enrolled_at=NOON - 400 * clock.DAY_S,
    purchases=3,
    spend_minor=12_345,
)


def asked(when: dict[str, Any], purchase: Purchase | None = None, **facts: Any) -> int | str:
    found = with_rules(BASE, rule("bonus", "gift", points=1, when=when))
    return judged(found, purchase or bought(tea(), cup(), channel="web", store="bund"), **facts)["gift"]


@pytest.mark.parametrize(
    ("when", "facts", "reason"),
    [
        ({"tiers": ["gold"]}, {"tier": "gold"}, "wrong_tier"),
        ({"segments": ["loyal", "new"]}, {"segments": ("new", "old")}, "wrong_segment"),
        ({"tags": ["vip"]}, {"tags": ("vip",)}, "wrong_tag"),
        ({"birthday": "day"}, {"birthday": "1990-11-21"}, "not_birthday"),
        ({"birthday": "week"}, {"birthday": "1990-11-22"}, "not_birthday"),
        ({"birthday": "month"}, {"birthday": "1990-11-01"}, "not_birthday"),
    ],
)
def test_a_condition_on_the_member(when: dict[str, Any], facts: dict[str, Any], reason: str) -> None:
    assert asked(when, **facts) == 1
    assert asked(when) == reason


def test_the_first_purchase_is_that_of_a_member_who_has_none() -> None:
    assert (asked({"first_purchase": True}), asked({"first_purchase": True}, purchases=1)) == (1, "not_first_purchase")


@pytest.mark.parametrize(
    ("when", "outcome"),
    [
        ({"channels": ["web", "app"]}, 1),
        ({"channels": ["app"]}, "wrong_channel"),
        ({"stores": ["bund"]}, 1),
        ({"stores": ["airport"]}, "wrong_store"),
        ({"weekdays": [6, 7]}, 1),
        ({"weekdays": [1, 2, 3, 4, 5]}, "wrong_day"),
        ({"month_days": [21]}, 1),
        ({"month_days": [8, 18, 28]}, "wrong_day"),
        ({"dates": ["11-21"]}, 1),
        ({"dates": ["11-11", "12-12"]}, "wrong_day"),
        ({"weekdays": [6], "dates": ["11-11"]}, "wrong_day"),
    ],
)
def test_a_condition_on_place_and_day(when: dict[str, Any], outcome: int | str) -> None:
    assert asked(when) == outcome


def test_days_are_those_of_the_programmes_zone() -> None:
    found = with_rules(BASE, rule("bonus", "gift", points=1, when={"dates": ["11-11"]}), time_zone="America/New_York")
    times = ("2026-11-11T04:59:59Z", "2026-11-11T05:00:00Z", "2026-11-12T04:59:59Z", "2026-11-12T05:00:00Z")
    outcomes = [judged(found, bought(tea(), occurred_at=clock.parse(at)))["gift"] for at in times]
    assert outcomes == ["wrong_day", 1, 1, "wrong_day"]


def test_a_rule_for_a_tier_is_for_the_one_that_took_its_place() -> None:
    tiers = [
        {"code": code, "name": BASE["title"], "threshold_points": points}
        for code, points in (("a", 0), ("b", 5), ("c", 9))
    ]
    tiers[2]["replaces"] = ["gold"]
    found = with_rules(BASE, rule("bonus", "gift", points=1, when={"tiers": ["gold"]}), tiers=tiers)
    assert [judged(found, bought(tea()), tier=code)["gift"] for code in ("c", "gold", "b")] == [1, 1, "wrong_tier"]


@pytest.mark.parametrize(
    ("expression", "outcome"),
    [
        ("order.total_minor >= `3000`", 1),
        ("order.total_minor > `3000`", "condition_false"),
        ("order.eligible_minor == `3000` && order.quantity == `2`", 1),
        ("order.channel == 'web' && order.store != 'airport'", 1),
        ("order.hour >= `9` && order.hour < `18` && order.weekday == `6` && order.date == '2026-11-21'", 1),
        ("order.lines[?category == 'drinks']", 1),
        ("order.lines[?category == 'shoes']", "condition_false"),
        ("length(order.lines[?amount_minor > `500`]) == `2`", 1),
        ("contains(order.lines[].sku, 'cup')", 1),
        ("sum(order.lines[*].quantity) > `5`", "condition_false"),
        ("max_by(order.lines, &amount_minor).sku == 'cup'", 1),
        ("order.payments[0].type == 'card'", "condition_false"),
        ("member.tier == 'gold' && member.purchases >= `3`", 1),
        ("contains(member.tags, 'vip') || contains(member.segments, 'new')", 1),
        ("starts_with(member.birthday, '1990-') && member.enrolled_days == `400`", 1),
        ("!(member.spend_minor > `99999`) && member.member_id == 'mem_1'", 1),
    ],
)
def test_a_condition_in_jmespath(expression: str, outcome: int | str) -> None:
    found = with_rules(BASE, rule("bonus", "gift", points=1, when={"condition": expression}))
    purchase = bought(tea(), cup(), channel="web", store="bund")
    explanations = evaluate(found, purchase, MEMBER).explanations
    assert next(item.points if item.fired else item.reason for item in explanations if item.rule == "gift") == outcome


def test_what_is_not_known_of_a_member_is_null() -> None:
    assert asked({"condition": "member.enrolled_days > `0` || member.birthday"}) == "condition_false"
    assert asked({"condition": "starts_with(member.birthday, '1990')"}) == "condition_error"


def test_a_condition_that_cannot_be_reckoned_is_false_and_says_so() -> None:
    assert asked({"condition": "not_null(member.birthday, order.channel) > `1`"}) == "condition_error"


def test_truth_is_that_of_jmespath() -> None:
    for value, truth in (
        ("`[]`", None),
        ("`{}`", None),
        ("''", None),
        ("`null`", None),
        ("`false`", None),
        ("`0`", 1),
        ("`[0]`", 1),
    ):
        holds = expressions.compiled(value)({})
        assert holds is (truth == 1)


def test_what_conditions_see_is_what_the_schema_says() -> None:
    """Field by field: so that a condition that was accepted finds what it was promised."""
    purchase = bought(tea(), cup(), channel="web", store="bund", payments=(Payment("card", 3_000),))
    zone = with_rules(BASE).zone
    seen = expressions.of_purchase(purchase, MEMBER, 3_000, zone)
    assert seen["event"] is None
    event = Event(type="visit", occurred_at=NOON, channel="app", store="bund", properties={"stars": 5})
    heard = expressions.of_event(event, MEMBER, zone)
    assert heard["order"] is None
    for root, value in (
        ("order", seen["order"]),
        ("member", seen["member"]),
        ("event", heard["event"]),
        ("member", heard["member"]),
    ):
        _assert_kind(value, expressions.SCHEMA[root])


def _assert_kind(value: Any, kind: Any) -> None:
    if isinstance(kind, list):
        assert value
        for element in value:
            _assert_kind(element, kind[0])
    elif isinstance(kind, str):
        kinds = {"number": int, "string": str, "anything": object}
        assert isinstance(value, kinds[kind])
    else:
        assert set(value) == set(kind)
        for name, part in kind.items():
            _assert_kind(value[name], part)


# -- publishing


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        ("order.totl > `1`", "There is no totl here"),
        ("orders.total_minor > `1`", "There is no orders here; there are member, order."),
        ("event.type == 'visit'", "There is no event here"),
        ("order.lines.sku == 'tea'", "write [] before it"),
        ("order.lines[?colour == 'red']", "There is no colour here"),
        ("order.channel.name == 'web'", "has no parts"),
        ("order.channel[0]", "no list"),
        ("order.total_minor", "every number is true"),
        ("length(order.lines)", "every number is true"),
        ("order.total_minor == '100'", "compares a number with a string"),
        ("length(order.total_minor) > `1`", "length takes no number"),
        ("length() > `1`", "length takes 1 arguments"),
        ("max_by(order.lines, &size).sku == 'a'", "There is no size here"),
        ("max_by(order.lines, 'sku') == 'a'", "takes an expression such as"),
        ("keys(order)", "There is no function keys"),
        ("sort(order.lines[].sku)", "There is no function sort"),
        ("order.*", "takes no `*` of an object"),
        ("[order, member]", "makes no lists"),
        ("{a: order}", "makes no lists"),
        ("order.lines[::0]", "steps of 0"),
        ("`tea` == order.channel", "no JMESPath expression"),
        ("order.", "no JMESPath expression"),
        ("order.channel = 'web'", "no JMESPath expression"),
        ("'", "no JMESPath expression"),
        (" ", "no JMESPath expression"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused(expression: str, detail: str) -> None:
    (problem,) = condition_problems(expression, "when.condition", ORDER)
    assert detail in problem.detail
    assert problem.field == "when.condition"


@pytest.mark.parametrize("expression", ["event.type == 'visit'", "event.properties.anything.at.all[0] == `1`"])
def test_a_condition_of_an_event_rule_names_the_event(expression: str) -> None:
    assert condition_problems(expression, "c", EVENT) == []
    assert condition_problems("order.total_minor > `1`", "c", EVENT)
    assert condition_problems(expression, "c", ORDER | EVENT) == []


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 10000,
        "!" * 10000,
        "a." * 5000,
        "[" * 499,
        "a[?" * 160,
        "(" * 250 + "a" + ")" * 249,
        "!" * 400 + "a",
        "a[*]" * 120,
        "||".join("a" for _ in range(160)),
        " && ".join(["order.channel == 'x'"] * 19),
        "&" * 400,
        "a|" * 200 + "a",
    ],
)
def test_a_condition_that_is_too_large_is_refused_at_once(expression: str) -> None:
    """At once, because nothing of it is parsed that would have to be walked."""
    (problem,) = condition_problems(expression, "c", ORDER)
    assert problem.field == "c"


def test_a_condition_of_a_hundred_nodes_is_taken() -> None:
    assert condition_problems(" || ".join(["order.channel == 'x'"] * 16), "c", ORDER) == []


@given(st.text(max_size=60) | st.text("aeo.[]?`'\"\\|&!@*:,(){}<>=-0 1r", max_size=40))
def test_whatever_is_written_is_taken_or_refused_and_never_breaks(expression: str) -> None:
    if not condition_problems(expression, "c", ORDER) and expression:
        data = expressions.of_purchase(bought(tea(), occurred_at=NOON), MEMBER, 1_000, with_rules(BASE).zone)
        assert expressions.compiled(expression)(data) in {True, False, None}


parts = st.sampled_from(
    [
        "order.total_minor",
        "order.lines",
        "order.lines[].sku",
        "order.channel",
        "member.tags",
        "member.purchases",
        "`3`",
        "'tea'",
        "`[1]`",
        "order.lines[0]",
        "member.birthday",
        "order.payments[*].type",
        "`null`",
        "`true`",
    ]
)
calls = st.builds(lambda name, inner: f"{name}({inner})", st.sampled_from(sorted(FUNCTIONS)), parts)
sides = parts | calls
comparisons = st.builds(
    lambda a, op, b: f"{a} {op} {b}", sides, st.sampled_from(["==", "<", ">=", "!=", "&&", "||", "|"]), sides
)


@given(comparisons)
def test_what_is_taken_is_reckoned(expression: str) -> None:
    """On a purchase and on one of which hardly anything is known."""
    if condition_problems(expression, "c", ORDER):
        return
    zone = with_rules(BASE).zone
    for purchase, member in ((bought(tea(), cup(), channel="web"), MEMBER), (bought(total_minor=0), Member())):
        data = expressions.of_purchase(purchase, member, 0, zone)
        assert expressions.compiled(expression)(data) in {True, False, None}
