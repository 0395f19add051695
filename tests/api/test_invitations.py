"""Who is invited to a survey by the programme's rules: whom it concerns, once, when it is due, and not too often."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.surveys import inviting, reacting, sampling, sending
from chalicelib.surveys.invitation_table import DueItem
from tests.api import asking, shop
from tests.api.asking import buy, enrol, invitations, invite, react, work_due
from tests.api.client import client


class TestPurchases:
    def test_a_purchase_sets_off_an_invitation(self) -> None:
        asking.publish(invite())
        survey_id, anna = asking.survey(points=20), enrol()
        order_id = buy(anna)
        react(anna)

        (found,) = invitations(anna)
        assert (found["survey_id"], found["title"], found["points"]) == (survey_id, "Your visit", 20)
        assert inviting.read(found["id"]).order_id == order_id
        assert clock.parse(found["expires_at"]) - clock.parse(found["created_at"]) == 30 * clock.DAY_S

    def test_a_notice_that_comes_again_invites_nobody_twice(self) -> None:
        asking.publish(invite())
        survey_id, anna = asking.survey(), enrol()
        buy(anna)
        for _time in range(3):
            react(anna)

        assert len(invitations(anna)) == 1
        month = clock.text(clock.now() + 8 * 3600)[:7]
        assert inviting.sent_counts(survey_id, [month, "2020-01"]) == {month: 1, "2020-01": 0}

    def test_only_the_purchases_that_are_named_are_asked_about(self) -> None:
        asking.publish(invite(nth_orders=[2, 4]))
        asking.survey()
        anna = enrol()
        orders = [buy(anna, str(number)) for number in range(1, 6)]
        react(anna)

        about = {inviting.read(found["id"]).order_id for found in invitations(anna)}
        assert about == {orders[1], orders[3]}

    def test_notices_may_come_in_any_order(self) -> None:
        asking.publish(invite(nth_orders=[2]))
        asking.survey()
        anna = enrol()
        orders = [buy(anna, str(number)) for number in range(1, 4)]
        for notice in reversed(asking.notices(anna)):
            reacting.react(notice, now=clock.now())

        assert [inviting.read(found["id"]).order_id for found in invitations(anna)] == [orders[1]]

    def test_the_second_purchase_comes_once_though_the_first_second_one_was_cancelled(self) -> None:
        asking.publish(invite(nth_orders=[2]))
        asking.survey()
        anna = enrol()
        buy(anna, "1")
        second = buy(anna, "2")
        react(anna)
        shop.cancel(second, occurred_at=clock.text(clock.now()))
        buy(anna, "3")
        react(anna)

        assert len(invitations(anna)) == 1

    def test_purchases_that_are_brought_in_from_the_past_set_off_nothing(self) -> None:
        asking.publish(invite())
        asking.survey()
        anna = enrol()
        buy(anna, after_s=-4 * clock.DAY_S)
        react(anna)

        assert invitations(anna) == []

    def test_what_was_taken_back_is_not_asked_about(self) -> None:
        asking.publish(invite())
        asking.survey()
        anna = enrol()
        shop.cancel(buy(anna, "1"), occurred_at=clock.text(clock.now()))
        whole = buy(anna, "2")
        shop.refund(whole, amount_minor=100_00, occurred_at=clock.text(clock.now()))
        part = buy(anna, "3")
        shop.refund(part, amount_minor=99_00, occurred_at=clock.text(clock.now()))
        react(anna)

        assert [inviting.read(found["id"]).order_id for found in invitations(anna)] == [part]

    def test_a_share_is_asked_and_always_the_same(self) -> None:
        asking.publish(invite(percent=50))
        asking.survey()
        anna = enrol()
        orders = [buy(anna, str(number)) for number in range(12)]
        react(anna)

        drawn = {order for order in orders if sampling.is_drawn(50, anna, "visit", order)}
        assert 0 < len(drawn) < len(orders)
        assert {inviting.read(found["id"]).order_id for found in invitations(anna)} == drawn


class TestLater:
    def test_an_invitation_goes_out_some_days_after_the_purchase(self) -> None:
        asking.publish(invite(after_days=7))
        asking.survey()
        anna = enrol()
        buy(anna)
        react(anna)
        react(anna)
        work_due(days=6)
        assert invitations(anna) == []

        work_due(days=8)
        work_due(days=8)
        assert len(invitations(anna)) == 1
        assert list(DueItem.scan(DueItem.key.startswith("due#"))) == []

    def test_it_is_judged_again_when_it_is_due(self) -> None:
        asking.publish(invite(after_days=7))
        asking.survey()
        anna = enrol()
        kept, cancelled = buy(anna, "1"), buy(anna, "2")
        react(anna)
        shop.cancel(cancelled, occurred_at=clock.text(clock.now()))
        work_due(days=8)

        assert [inviting.read(found["id"]).order_id for found in invitations(anna)] == [kept]

    @pytest.mark.parametrize("change", ["survey closed", "rule gone", "member merged"])
    def test_what_has_changed_meanwhile_counts(self, change: str) -> None:
        asking.publish(invite(after_days=7))
        survey_id, anna, bert = asking.survey(), enrol("anna"), enrol("bert")
        buy(anna)
        react(anna)
        if change == "survey closed":
            client.post(f"/v1/surveys/{survey_id}/close", caller=asking.DESK)
        elif change == "rule gone":
            asking.publish()
            # The next version starts ten minutes later, which are over by then.
        else:
            merge(anna, bert)
        work_due(days=8)

        assert len(invitations(bert)) == (change == "member merged")

    def test_one_that_cannot_be_sent_holds_up_nothing_and_is_tried_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asking.publish(invite(after_days=1))
        asking.survey()
        anna = enrol()
        buy(anna, "1")
        buy(anna, "2")
        react(anna)
        real, calls = sending.send, []

        def fails_once(*arguments: Any, **named: Any) -> Any:
            calls.append(arguments)
            if len(calls) == 1:
                raise ConnectionError
            return real(*arguments, **named)

        monkeypatch.setattr(sending, "send", fails_once)
        reacting.work_due(now=clock.now() + 2 * clock.DAY_S)
        assert len(invitations(anna)) == 1
        reacting.work_due(now=clock.now() + 2 * clock.DAY_S + 3_601)
        assert len(invitations(anna)) == 2


class TestContactPolicy:
    def test_one_that_comes_too_early_is_not_sent_and_not_put_off(self) -> None:
        asking.publish(invite(), gap_days=30)
        asking.survey()
        anna = enrol()
        first = buy(anna, "1")
        react(anna)
        buy(anna, "2")
        react(anna)
        assert [inviting.read(found["id"]).order_id for found in invitations(anna)] == [first]
        react(anna, now=clock.now() + 2 * clock.DAY_S)
        assert len(invitations(anna)) == 1

    def test_rules_and_surveys_share_it(self) -> None:
        asking.publish(invite("a"), invite("b"), {**invite("c"), "survey": "other"}, per_year=2)
        asking.survey()
        asking.survey("other")
        anna = enrol()
        buy(anna)
        react(anna)

        assert len(invitations(anna)) == 2

    def test_whoever_was_merged_has_not_been_asked_less(self) -> None:
        asking.publish(invite(), gap_days=30)
        asking.survey()
        anna, bert = enrol("anna"), enrol("bert")
        buy(anna)
        react(anna)
        merge(anna, bert)
        buy(bert)
        react(bert)

        (found,) = invitations(bert)
        assert inviting.read(found["id"]).member_id == anna


def merge(closed: str, into: str) -> None:
    """Merge one member into another."""
    answer = client.post(f"/v1/members/{closed}/merge", json={"into": into}, caller=shop.SHOP)
    assert answer.status == 201, answer.text
