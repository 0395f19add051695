"""The cost model follows from what is counted, and its page says what it computes."""

from __future__ import annotations

import pytest

from infra import cost
from infra.cost_model import FREE_USERS, Load, bill, counted, limits


def test_the_page_says_what_is_computed() -> None:
    assert cost.PAGE.read_text(encoding="utf-8") == cost.page(), "run: make cost ARGS=--write"


def test_every_operation_of_the_model_is_one_that_was_counted() -> None:
    assert set(Load(members=1, orders=1).operations()) <= set(counted())


def test_idle_costs_the_alarm_and_nothing_else() -> None:
    assert sum(bill(Load(members=0, orders=0)).values()) == pytest.approx(0.10)


def test_twice_the_size_costs_twice_where_no_tier_or_allowance_is_met() -> None:
    once, twice = (bill(Load(members=size, orders=size, sign_ins=0)) for size in (1_000_000, 2_000_000))

    for name in set(once) - {"alarm of the audit"}:
        assert twice[name] == pytest.approx(2 * once[name])


def test_writes_are_the_counted_units_at_the_price_of_a_unit() -> None:
    load = Load(members=0, orders=1_000_000, refunds=0, redemptions=0, invitations=0)
    dollars = bill(load)["DynamoDB writes"]
    units = counted()

    done = ("earn: order by phone", "reaction: accounts view, per member and batch")
    each = sum(units[name][0] for name in (*done, "night: facts of a member who has bought"))
    assert dollars == pytest.approx(each * 0.625)


def test_what_the_night_tells_of_members_is_written_and_projected() -> None:
    still = {"members": 1_000_000, "orders": 0, "enrolments": 0, "lapses": 0, "segments": 0, "alerts": 0}
    nothing, segments, alerts = (bill(Load(**{**still, **changed})) for changed in ({}, {"segments": 1}, {"alerts": 1}))

    assert nothing["DynamoDB writes"] == 0
    assert nothing["S3 requests"] > 0
    assert segments["DynamoDB writes"] == pytest.approx(2 * 0.625)
    assert alerts["DynamoDB writes"] == pytest.approx((4 + 1) * 0.625)


def test_the_gateway_s_later_requests_are_cheaper() -> None:
    few, many = (bill(Load(members=0, orders=size))["API Gateway"] / size for size in (1_000_000, 1_000_000_000))

    assert many < few


def test_orders_by_queue_pay_the_queue_instead_of_the_gateway() -> None:
    by_api, by_queue = (bill(Load(members=0, orders=1_000_000, refunds=0, by_queue=share)) for share in (0, 1))

    # The notices to the areas' queues are paid either way.
    assert by_api["SQS"] == pytest.approx(4.50)
    assert by_queue["SQS"] == pytest.approx(6.00)
    assert by_queue["API Gateway"] == pytest.approx(by_api["API Gateway"] - 3.50)


def test_the_first_users_sign_in_for_nothing() -> None:
    assert bill(Load(members=FREE_USERS, orders=0, sign_ins=1))["sign-ins (Cognito)"] == 0
    assert bill(Load(members=FREE_USERS + 100, orders=0, sign_ins=1))["sign-ins (Cognito)"] == pytest.approx(1.50)


def test_a_small_shop_meets_no_quota_and_a_hundred_million_members_do() -> None:
    def met(size: int) -> list[str]:
        return [limit.name for limit in limits(Load(members=size, orders=size)) if limit.need > limit.quota]

    assert met(10_000) == []
    assert met(1_000_000) == []
    assert "users of a pool" in met(100_000_000)


def test_another_size_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cost.main(["--members", "200000", "--orders", "600000", "--by-queue", "1"]) == 0

    assert "200,000 members" in capsys.readouterr().out
