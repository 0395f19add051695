from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.program import service
from tests.api.client import client, member, staff, system
from tests.programs import document, texts, tier


def test_every_signed_in_caller_sees_the_programme() -> None:
    bodies = [client.get("/v1/program", caller=caller).json for caller in (member(), staff(), system())]
    assert [body["version"] for body in bodies] == [0, 0, 0]


def test_nobody_else_does() -> None:
    assert client.get("/v1/program").status == 401


def test_the_programme_shows_how_points_are_earned_and_spent() -> None:
    body = client.get("/v1/program", caller=member()).json
    assert body["earning"] == {
        "rates": [{"currency": "CNY", "points": 1, "per_minor": 100}],
        "on_tax": False,
        "on_shipping": False,
        "payments_that_earn_nothing": ["points", "gift_card"],
        "rules": ["1 point for every whole yuan"],
        "pending_days": 0,
    }
    assert body["redemption"] == {
        "discounts": [{"currency": "CNY", "points_per": 100, "amount_minor": 100}],
        "minimum_points": 100,
        "step_points": 100,
    }
    assert [tier["code"] for tier in body["tiers"]] == ["member", "silver", "gold", "diamond"]
    assert (body["tier_window_months"], body["tier_keep_months"]) == (12, 12)
    assert (body["tier_grace_days"], body["tier_downgrade"]) == (0, "to_fit")
    assert (body["tier_match"], body["tier_period"], body["tier_year_start_month"]) == ("all", "rolling", 1)
    assert body["expiry"] == {"kind": "rolling_months", "months": 24, "years": None, "year_end_month": None}


def test_every_threshold_and_the_year_that_counts_are_shown() -> None:
    tiers = [tier("a"), tier("b", 5, threshold_purchases=2), tier("c", 9, threshold_purchases=4)]
    policy = {"match": "any", "period": "membership_year", "year_start_month": 4}
    service.publish(document(tiers=tiers, tier_policy=policy), by="li.wei", now=clock.now())
    body = client.get("/v1/program", caller=member()).json
    assert [
        {name: value for name, value in shown.items() if name.startswith("threshold") and value is not None}
        for shown in body["tiers"]
    ] == [
        {},
        {"threshold_points": 5, "threshold_purchases": 2},
        {"threshold_points": 9, "threshold_purchases": 4},
    ]
    assert (body["tier_match"], body["tier_period"], body["tier_year_start_month"]) == ("any", "membership_year", 4)


def campaign(code: str, starts_at: str, ends_at: str | None = None, **fields: Any) -> dict[str, Any]:
    rule = {"kind": "bonus", "code": f"{code}_bonus", "title": texts("bonus"), "points": 5}
    window = {"starts_at": starts_at, "ends_at": ends_at}
    return {"code": code, "title": texts(code), "status": "active", "rules": [rule], **window, **fields}


def test_campaigns_for_everybody_or_for_tiers_are_shown_while_they_are_live_or_to_come() -> None:
    campaigns = [
        campaign("now", "2020-01-01T00:00"),
        campaign("to_come", "2099-11-11T00:00", "2099-11-12T00:00", audience={"tiers": ["gold"]}),
        campaign("over", "2020-01-01T00:00", "2020-01-02T00:00"),
        campaign("draft", "2020-01-01T00:00", status="draft"),
        campaign("paused", "2020-01-01T00:00", status="paused"),
        campaign("for_some", "2020-01-01T00:00", audience={"tags": ["player"]}),
    ]
    service.publish(document(campaigns=campaigns), by="li.wei", now=clock.now())
    shown = client.get("/v1/program", caller=member()).json["campaigns"]
    assert [(found["code"], found["state"], found["tiers"]) for found in shown] == [
        ("now", "live", []),
        ("to_come", "scheduled", ["gold"]),
    ]
    assert (shown[1]["starts_at"], shown[1]["ends_at"]) == ("2099-11-10T16:00:00Z", "2099-11-11T16:00:00Z")
    assert shown[0]["ends_at"] is None


def test_a_tier_shows_the_benefits_that_name_it() -> None:
    lounge = {"code": "lounge", "kind": "experience", "title": texts("Lounge"), "tiers": ["gold", "diamond"]}
    service.publish(document(benefits=[lounge]), by="li.wei", now=clock.now())
    tiers = client.get("/v1/program", caller=member()).json["tiers"]
    assert [shown["code"] for shown in tiers if "Lounge" in shown["benefits"]] == ["gold", "diamond"]


def test_the_published_version_is_shown() -> None:
    published = service.publish(document(redemption=None, expiry={"kind": "never"}), by="li.wei", now=clock.now())
    body = client.get("/v1/program", caller=member()).json
    assert (body["version"], body["starts_at"]) == (1, clock.text(published.starts_at))
    assert (body["redemption"], body["expiry"]["kind"], body["expiry"]["months"]) == (None, "never", None)


@pytest.mark.parametrize(
    ("expiry", "shown"),
    [
        ({"kind": "inactivity", "months": 12}, {"months": 12, "years": None, "year_end_month": None}),
        ({"kind": "calendar_year", "years": 1}, {"months": None, "years": 1, "year_end_month": 12}),
        ({"kind": "calendar_year", "years": 0, "month": 3}, {"months": None, "years": 0, "year_end_month": 3}),
    ],
)
def test_every_kind_of_expiry_is_shown(expiry: dict[str, Any], shown: dict[str, Any]) -> None:
    service.publish(document(expiry=expiry), by="li.wei", now=clock.now())
    assert client.get("/v1/program", caller=member()).json["expiry"] == {"kind": expiry["kind"], **shown}


def test_what_only_the_merchant_decides_is_not_shown() -> None:
    text = client.get("/v1/program", caller=member()).text
    assert "fraud" not in text
    assert "late_days" not in text


@pytest.mark.parametrize(
    ("language", "name"),
    [("en", "Silver"), ("zh-CN", "银卡会员"), ("zh-TW,en;q=0.5", "銀卡會員"), ("fr", "Silver"), ("*", "Silver")],
)
def test_texts_are_in_the_callers_language(language: str, name: str) -> None:
    answer = client.get("/v1/program", caller=member(), headers={"Accept-Language": language})
    assert answer.json["tiers"][1]["name"] == name
    assert "Accept-Language" in answer.headers["vary"]


def test_a_language_in_the_query_comes_before_the_header() -> None:
    answer = client.get("/v1/program?locale=zh-Hant", caller=member(), headers={"Accept-Language": "zh-CN"})
    assert (answer.json["name"], answer.headers["content-language"]) == ("會員俱樂部", "zh-Hant")


def test_an_unknown_query_parameter_is_refused() -> None:
    answer = client.get("/v1/program?language=en", caller=member())
    assert (answer.status, answer.code) == (400, "query_invalid")


def test_an_unchanged_programme_is_not_sent_again() -> None:
    first = client.get("/v1/program", caller=member())
    again = client.get("/v1/program", caller=member(), headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.text) == (304, "")
    other = client.get("/v1/program?locale=zh-Hans", caller=member(), headers={"If-None-Match": first.headers["etag"]})
    assert other.status == 200
