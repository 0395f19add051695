"""What else members are asked about: tiers, cases, alerts; and who is asked no more."""

from __future__ import annotations

from typing import Any

from chalicelib.base import clock, facts
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.posting import Account, Plan, post
from chalicelib.members.table import AdjustmentItem, ProfileItem
from chalicelib.surveys import invited, inviting
from tests.api import asking, desk, shop
from tests.api.asking import buy, enrol, invitations, invite, react, work_due


class TestOtherOccasions:
    def test_a_change_of_tier_is_asked_about_whatever_has_moved_it(self) -> None:
        asking.publish(invite(on="tier_change"))
        asking.survey()
        anna = enrol()
        buy(anna, "1")
        react(anna)
        assert invitations(anna) == []

        large = buy(anna, "2", total_minor=500_000_00)
        react(anna)
        react(anna)
        assert len(invitations(anna)) == 1
        shop.refund(large, amount_minor=500_000_00, occurred_at=clock.text(clock.now()))
        assert asking.notices(anna)[-1].kind == facts.REFUND
        react(anna)
        assert len(invitations(anna)) == 2

    def test_an_alert_of_churn_is_asked_about_and_no_other(self) -> None:
        asking.publish(invite(on="churn_alert"))
        asking.survey("nps", kind="churn_exit")
        anna = enrol()
        for reason in ("birthday", "churn"):
            alert(anna, reason)
        react(anna)
        react(anna)

        assert len(invitations(anna)) == 1

    def test_the_audience_is_asked_for(self) -> None:
        asking.publish(invite(audience={"tags": ["tea"]}), invite("tiered", audience={"tiers": ["gold"]}))
        asking.survey()
        anna, bert = enrol("anna", tags=["tea"]), enrol("bert")
        for member_id in (anna, bert):
            buy(member_id)
        react(anna, bert)

        assert (len(invitations(anna)), len(invitations(bert))) == (1, 0)

    def test_a_survey_that_there_is_not_is_no_fault(self) -> None:
        asking.publish(invite())
        anna = enrol()
        buy(anna)
        react(anna)
        asking.survey(is_open=False)
        react(anna)

        assert invitations(anna) == []


class TestCases:
    def closing(self, member_id: str) -> str:
        """A case that is put right and resolved."""
        return desk.taken(desk.opened(member_id=member_id), "analyse", "act", "resolve")

    def test_a_case_that_was_resolved_is_asked_about(self) -> None:
        asking.publish(invite("ces", on="case_resolved"))
        asking.survey()
        anna = enrol()
        case_id = self.closing(anna)
        react(anna)
        react(anna)

        (found,) = invitations(anna)
        assert inviting.read(found["id"]).case_id == case_id

    def test_one_that_was_reopened_meanwhile_is_not(self) -> None:
        asking.publish(invite("ces", on="case_resolved", after_days=2))
        asking.survey()
        anna = enrol()
        reopened, resolved = self.closing(anna), self.closing(anna)
        assert desk.step(reopened, "reopen", note="It broke again.").status == 200
        react(anna)
        work_due(days=3)

        assert [inviting.read(found["id"]).case_id for found in invitations(anna)] == [resolved]


class TestWhoHasLeft:
    def test_nobody_is_asked_who_is_no_member_any_more(self) -> None:
        asking.publish(invite(after_days=1), invite("now"))
        asking.survey()
        anna = enrol()
        buy(anna)
        ProfileItem(anna).delete()
        react(anna)
        work_due(days=2)

        assert asking.contacts(anna) == ()

    def test_an_invitation_that_was_sent_before_is_sent_and_answered_no_more(self) -> None:
        asking.publish(invite())
        survey_id, anna = asking.survey(), enrol()
        buy(anna)
        react(anna)
        (found,) = invitations(anna)
        ProfileItem(anna).delete()

        assert invited.to_send(survey_id, after=None, limit=10, now=clock.now() + 120).found == []
        assert asking.answer(survey_id, asking.holder(found["link"])).code == "member_not_found"


def alert(member_id: str, reason: str) -> None:
    """Post what the nightly run will post about a member."""

    def plan(account: Account) -> Plan[Any]:
        decision = Decision(
            kind=facts.ALERT,
            record=f"alr_{reason}",
            reason=reason,
            actor="system:scoring",
            program=1,
            occurred_at=account.posted_at,
            effect=Effect(),
            tier="basic",
        )
        return Plan(decision, AdjustmentItem(f"alr_{reason}", request_hash="x", reason=reason, actor="scoring"))

    post(member_id, plan)
