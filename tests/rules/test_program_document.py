from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import facts
from chalicelib.program.document import LOCALES, decode, default, encode, entry_title, localise
from chalicelib.program.validation import InvalidProgram, validate
from tests.programs import document, program, texts, tier


def problems_of(given_document: object) -> dict[str, str]:
    with pytest.raises(InvalidProgram) as refusal:
        validate(given_document)
    return {problem.field: problem.detail for problem in refusal.value.problems}


def test_the_default_is_a_valid_programme() -> None:
    assert validate(encode(default())) == default()


def test_a_stored_document_reads_back_the_same() -> None:
    assert decode(encode(default())) == default()


def test_the_stored_form_does_not_depend_on_the_order_of_keys() -> None:
    turned = dict(reversed(document().items()))
    assert encode(validate(turned)) == encode(default())


@pytest.mark.parametrize("kind", facts.KINDS)
@pytest.mark.parametrize("locale", LOCALES)
def test_the_default_titles_every_kind_of_entry_in_every_language(kind: str, locale: str) -> None:
    assert entry_title(default(), kind, "", locale) not in {"", kind}


def test_an_adjustment_is_titled_by_its_reason() -> None:
    assert entry_title(default(), facts.ADJUSTED, "goodwill", "en") == "With our apologies"
    assert entry_title(default(), facts.ADJUSTED, "goodwill", "zh-Hans") == "致歉补偿"


def test_an_adjustment_whose_reason_has_gone_is_titled_by_its_kind() -> None:
    assert entry_title(default(), facts.ADJUSTED, "forgotten", "en") == "Adjustment"


def test_a_kind_that_the_document_does_not_title_has_the_engines_title() -> None:
    reasons = {"adjustments": {"goodwill": texts("Sorry")}}
    assert entry_title(program(reasons=reasons), facts.ORDER, "", "en") == "Purchase"


def test_a_text_falls_back_to_english() -> None:
    assert [localise(default().name, locale) for locale in (*LOCALES, "fr")] == [
        "Members' Club",
        "会员俱乐部",
        "會員俱樂部",
        "Members' Club",
    ]


def test_a_tier_is_found_by_the_code_that_it_replaces() -> None:
    tiers = [tier("member", 0), tier("argent", 10, replaces=("silver",)), tier("gold", 20)]
    found = program(tiers=tiers).tier("silver")
    assert found is not None
    assert found.code == "argent"
    assert program(tiers=tiers).tier("bronze") is None


def test_every_language_is_required() -> None:
    name = {"en": "Club", "zh-Hans": "会员"}
    assert problems_of(document(name=name)) == {"name": "Object missing required field `zh-Hant`."}


def test_a_blank_text_is_refused() -> None:
    assert "name.en" in problems_of(document(name=texts("Club") | {"en": "  "}))


def test_an_unknown_field_is_refused() -> None:
    assert problems_of(document(colour="red")) == {"": "Object contains unknown field `colour`."}


def test_a_float_is_refused_wherever_a_number_stands() -> None:
    tiers = document()["tiers"]
    tiers[1]["multiplier"] = 1.2
    assert problems_of(document(tiers=tiers)) == {"tiers[1].multiplier": "Expected `str`, got `float`."}
    assert "welcome_points" in problems_of(document(welcome_points=1.0))


@pytest.mark.parametrize("multiplier", ["0", "0.0", "-1", "1e3", "1/2", "100.1", " 1", "1.", "１", "nan", "1_0"])
def test_a_multiplier_is_a_plain_decimal(multiplier: str) -> None:
    tiers = [tier("a", 0), tier("b", 1, multiplier), tier("c", 2)]
    assert set(problems_of(document(tiers=tiers))) == {"tiers[1].multiplier"}


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Europe", "../etc/passwd", "/etc/localtime", "asia/shanghai\n"])
def test_a_time_zone_must_exist(zone: str) -> None:
    assert set(problems_of(document(time_zone=zone))) == {"time_zone"}


def test_all_problems_are_told_at_once_with_their_paths() -> None:
    wrong = document(
        time_zone="Mars/Olympus",
        base_currency="USD",
        tiers=[tier("a", 5), tier("b", 5, "2e1"), tier("a", 3)],
        tier_policy={"window_months": 24, "keep_months": 24},
        redemption={"points_per": 3, "amount_minor": {"CNY": 100, "EUR": 3}, "minimum_points": 3, "step_points": 2},
    )
    assert set(problems_of(wrong)) == {
        "time_zone",
        "base_currency",
        "tiers[0].threshold_points",
        "tiers[1].threshold_points",
        "tiers[2].threshold_points",
        "tiers[2].code",
        "tiers[1].multiplier",
        "tier_policy",
        "redemption.minimum_points",
        "redemption.amount_minor.CNY",
        "redemption.amount_minor.EUR",
    }


def test_the_refusal_names_the_first_field_and_tells_every_problem() -> None:
    with pytest.raises(InvalidProgram) as refusal:
        validate(document(time_zone="Mars/Olympus", base_currency="USD"))
    assert refusal.value.field == "time_zone"
    assert "base_currency: USD" in refusal.value.detail


@pytest.mark.parametrize("count", [2, 6])
def test_there_are_three_to_five_tiers(count: int) -> None:
    assert "tiers" in problems_of(document(tiers=[tier(f"t{index}", index) for index in range(count)]))


def test_a_code_stands_for_one_tier_only() -> None:
    tiers = [tier("a", 0), tier("b", 1, replaces=("x",)), tier("c", 2, replaces=("x", "a"))]
    assert set(problems_of(document(tiers=tiers))) == {"tiers[2].replaces[0]", "tiers[2].replaces[1]"}


def test_every_rule_has_a_code_of_its_own() -> None:
    rule = document()["earning_rules"][0]
    assert set(problems_of(document(earning_rules=[rule, rule]))) == {"earning_rules[1].code"}


@pytest.mark.parametrize(
    "expiry",
    [
        {"kind": "rolling_months", "months": 58},
        {"kind": "inactivity", "months": 58},
        {"kind": "calendar_year", "years": 10, "month": 3},
        {"kind": "never"},
    ],
)
def test_points_expire_by_months_years_inactivity_or_never(expiry: dict[str, Any]) -> None:
    assert msgspec.to_builtins(program(expiry=expiry).expiry) == expiry


@pytest.mark.parametrize(
    "expiry",
    [
        {"kind": "rolling_months", "months": 59},
        {"kind": "rolling_months"},
        {"kind": "calendar_year", "years": 11},
        {"kind": "calendar_year", "years": 1, "month": 13},
        {"kind": "inactivity", "months": 0},
        {"kind": "some_day"},
        {},
    ],
)
def test_an_expiry_that_the_account_has_no_room_for_or_nobody_knows_is_refused(expiry: dict[str, Any]) -> None:
    assert problems_of(document(expiry=expiry))


@pytest.mark.parametrize("code", ["", "Gold", "gold\n", "1st", "gold card", "g" * 33])
def test_a_code_is_a_short_lower_case_word(code: str) -> None:
    assert problems_of(document(tiers=[tier("a", 0), tier(code, 1), tier("c", 2)]))


def test_a_document_that_a_table_cannot_hold_is_refused() -> None:
    assert "more than 262144 bytes" in problems_of(b" " * 262_145)[""]


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"\xff\xfe", "\ud800", {"name": "\ud800"}, object(), float("nan"), "x" * 9]
)
def test_what_is_no_document_is_refused(text: object) -> None:
    assert set(problems_of(text)) == {""}


json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(field=st.sampled_from(sorted(document())), value=json_data)
def test_whatever_stands_in_a_field_is_taken_or_refused(field: str, value: Any) -> None:
    """Nothing else than InvalidProgram ever comes of it, and what is taken can be stored and read."""
    try:
        taken = validate(document(**{field: value}))
    except InvalidProgram:
        return
    assert decode(encode(taken)) == taken
