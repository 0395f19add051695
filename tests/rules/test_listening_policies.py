"""What a programme may say of surveys and cases."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.program.validation import InvalidProgram, validate
from tests.programs import document

INVITE: dict[str, Any] = {"code": "third", "survey": "nps", "on": "order"}
SHOP = {"code": "shop", "title": {"en": "Shop", "zh-Hans": "店", "zh-Hant": "店"}, "dimensions": ["service"]}
VOUCHER = {"batch_id": "vbt_" + "a" * 26, "title": {"en": "Tea", "zh-Hans": "茶", "zh-Hant": "茶"}}
TIMES = {"assign_hours": 1, "resolve_hours": 2}


def problems(**changes: Any) -> list[str]:
    with pytest.raises(InvalidProgram) as found:
        validate(document(**changes))
    return [problem.field for problem in found.value.problems]


def test_without_a_word_there_are_service_levels_and_no_invitations() -> None:
    found = validate(document())
    assert {level: times.resolve_hours for level, times in found.cases.service_levels.items()} == {
        "low": 240,
        "normal": 120,
        "high": 48,
        "critical": 24,
    }
    assert found.surveys.invites == ()


@pytest.mark.parametrize("link", ["http://shop.example/{token}", "https://shop.example/", "https://a.example/{token} "])
def test_the_link_of_a_survey_leads_somewhere(link: str) -> None:
    assert problems(surveys={"link_url": link}) == ["surveys.link_url"]


def test_invitations_have_codes_of_their_own_and_audiences_that_there_are() -> None:
    unknown = {**INVITE, "code": "b", "audience": {"tiers": ["nobody"]}}
    invites = [INVITE, {**INVITE, "on": "tier_change", "nth_orders": [1]}, unknown]
    assert problems(surveys={"invites": invites}) == [
        "surveys.invites[1].code",
        "surveys.invites[1].nth_orders",
        "surveys.invites[2].audience.tiers[0]",
    ]


def test_every_severity_has_times_that_can_be_kept() -> None:
    levels = dict.fromkeys(("low", "normal", "high"), TIMES)
    assert problems(cases={"service_levels": levels}) == ["cases.service_levels"]
    late = {**levels, "critical": {"assign_hours": 3, "resolve_hours": 2}}
    assert problems(cases={"service_levels": late}) == ["cases.service_levels.critical.assign_hours"]


def test_a_dimension_belongs_to_one_department() -> None:
    assert problems(cases={"departments": [SHOP, {**SHOP, "code": "b"}]}) == ["cases.departments[1].dimensions"]
    assert problems(cases={"departments": [SHOP, {**SHOP, "dimensions": []}]}) == ["cases.departments[1].code"]


def test_approval_allows_more_than_a_handler_may_give() -> None:
    compensation = {"handler_points": 2, "points_max": 1, "vouchers": [VOUCHER, VOUCHER]}
    assert problems(cases={"compensation": compensation}) == [
        "cases.compensation.handler_points",
        "cases.compensation.vouchers",
    ]
