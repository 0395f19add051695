"""Links: an invitation is answered without signing in, once, in its time, and by whoever holds its own link alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.base import clock, links
from chalicelib.surveys import inviting
from chalicelib.web.authorizer import jwt_authorizer
from tests.api import asking, shop
from tests.api.asking import by_hand, enrol, holder, invitations
from tests.api.client import Response, client, link, member, staff, system


@pytest.fixture
def survey_id() -> str:
    asking.publish()
    return asking.survey(points=20)


def linked(survey_id: str, member_id: str, key: str = "by-hand", **fields: Any) -> str:
    """The link of a new invitation."""
    answer = by_hand(survey_id, member_id, key, **fields)
    assert answer.status == 201, answer.text
    return str(answer.json["link"])


class TestAnswering:
    def test_an_invitation_is_answered_by_its_link(self, survey_id: str) -> None:
        anna = enrol()
        caller = holder(linked(survey_id, anna))
        shown = client.get("/v1/survey-invitation", caller=caller)
        assert (shown.json["survey_id"], shown.json["status"]) == (survey_id, "open")
        assert client.get(f"/v1/surveys/{survey_id}", caller=caller).json["answer"] == "none"
        answer = asking.answer(survey_id, caller)

        assert (answer.status, answer.json["points"], answer.json["account"]) == (201, 20, None)
        assert shop.available(anna) == 20
        assert client.get("/v1/survey-invitation", caller=caller).json["status"] == "answered"
        assert invitations(anna) == []

    def test_a_replay_is_answered_alike_and_earns_nothing_more(self, survey_id: str) -> None:
        anna = enrol()
        caller = holder(linked(survey_id, anna))
        first, second = asking.answer(survey_id, caller), asking.answer(survey_id, caller)
        assert (second.status, second.json["id"]) == (200, first.json["id"])
        assert shop.available(anna) == 20

    def test_a_link_that_was_used_takes_no_other_answer(self, survey_id: str) -> None:
        caller = holder(linked(survey_id, enrol()))
        asking.answer(survey_id, caller)
        again = asking.answer(survey_id, caller, answers={"recommend": {"number": 1}})
        assert (again.status, again.code) == (409, "answered_before")

    def test_a_link_that_comes_late_is_refused(self, survey_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        caller = holder(linked(survey_id, enrol(), open_days=1))
        late = clock.now() + clock.DAY_S
        monkeypatch.setattr(clock, "now", lambda: late)
        for answer in (asking.answer(survey_id, caller), client.get("/v1/survey-invitation", caller=caller)):
            assert (answer.status, answer.code) == (401, "link_expired")

    def test_the_invitation_s_own_end_counts_beside_the_link_s(self, survey_id: str) -> None:
        caller = holder(linked(survey_id, enrol()))
        found = inviting.read(caller.subject)
        with pytest.raises(inviting.InvitationExpired):
            inviting.answering(found, "rsp_x", now=found.expires_at)

    def test_a_link_opens_no_other_survey(self, survey_id: str) -> None:
        other = asking.survey("other")
        caller = holder(linked(survey_id, enrol()))
        for answer in (asking.answer(other, caller), client.get(f"/v1/surveys/{other}", caller=caller)):
            assert (answer.status, answer.code) == (404, "invitation_not_found")

    def test_a_link_of_an_invitation_that_there_is_not_opens_nothing(self, survey_id: str) -> None:
        answer = asking.answer(survey_id, link("inv_" + "b" * 26))
        assert (answer.status, answer.code) == (404, "invitation_not_found")

    def test_a_link_opens_nothing_but_answering(self, survey_id: str) -> None:
        anna = enrol()
        caller = holder(linked(survey_id, anna))
        for path in (f"/v1/members/{anna}", "/v1/members/me", f"/v1/members/{anna}/survey-invitations", "/v1/surveys"):
            answer = client.get(path, caller=caller)
            assert (answer.status, answer.code) == (403, "caller_not_allowed")

    def test_a_member_cannot_answer_another_s_invitation(self, survey_id: str) -> None:
        anna = enrol("anna")
        shop.enrol("bert", mail="bert@example.com")
        token = member("bert", mail="bert@example.com")
        assert client.post("/v1/members", json={}, caller=token, key="x").status in {200, 201}
        invitation_id = holder(linked(survey_id, anna)).subject
        answer = asking.answer(survey_id, token, invitation_id=invitation_id)
        assert (answer.status, answer.code) == (404, "invitation_not_found")

    def test_only_callers_by_a_link_are_asked_which_invitation_it_is(self) -> None:
        for caller in (member(), staff("surveys.invite"), system("surveys.invite")):
            assert client.get("/v1/survey-invitation", caller=caller).code == "caller_not_allowed"


class TestTheToken:
    def test_the_authorizer_believes_it_and_no_changed_one(self, survey_id: str) -> None:
        token = linked(survey_id, enrol()).partition("#")[2]
        found = authorized(token)
        assert found["context"]["kind"] == "link"
        for place in range(0, len(token), 5):
            forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
            with pytest.raises(Exception, match=r"^Unauthorized$"):
                authorized(forged)

    def test_an_end_that_was_put_off_is_no_link(self, survey_id: str) -> None:
        address = linked(survey_id, enrol())
        ours = links.read(address.partition("#")[2])
        later = links.token(ours._replace(expires_at=ours.expires_at + 1))
        assert later != address.partition("#")[2]
        with pytest.raises(Exception, match=r"^Unauthorized$"):
            authorized(later[:40] + address.partition("#")[2][40:])


def authorized(token: str) -> Any:
    event = {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": "arn:aws:execute-api:x:1:a/b/GET/c"}
    return jwt_authorizer(event, None)


class TestByHand:
    def test_the_same_request_again_invites_nobody_twice(self, survey_id: str) -> None:
        anna = enrol()
        first, second = by_hand(survey_id, anna), by_hand(survey_id, anna)
        assert (first.status, second.status) == (201, 200)
        assert first.json == second.json
        assert len(invitations(anna)) == 1

    def test_a_key_stands_for_one_request(self, survey_id: str) -> None:
        by_hand(survey_id, enrol("anna"))
        answer = by_hand(survey_id, enrol("bert"))
        assert (answer.status, answer.code) == (409, "key_reused")

    def test_the_contact_policy_holds_unless_it_is_overridden_with_a_reason(self) -> None:
        asking.publish(gap_days=30)
        survey_id, anna = asking.survey(), enrol()
        by_hand(survey_id, anna, "1")
        refused = by_hand(survey_id, anna, "2")
        assert (refused.status, refused.code) == (409, "invitation_too_soon")
        made = by_hand(survey_id, anna, "2", override_reason="The member has asked for it.")
        assert (made.status, made.json["override_reason"]) == (201, "The member has asked for it.")
        assert inviting.read(made.json["id"]).actor == "staff:clerk"

    def test_as_many_a_year_as_the_policy_says(self) -> None:
        asking.publish(per_year=2)
        survey_id, anna = asking.survey(), enrol()
        codes = [by_hand(survey_id, anna, str(number)) for number in range(3)]
        assert [answer.status for answer in codes] == [201, 201, 409]
        assert codes[-1].code == "invitation_too_many"

    @pytest.mark.parametrize("reason", ["", "   ", "a\x07b", "x" * 501])
    def test_a_reason_is_a_text(self, survey_id: str, reason: str) -> None:
        assert by_hand(survey_id, enrol(), override_reason=reason).status == 400

    def test_nobody_is_invited_to_a_survey_that_takes_no_answers(self) -> None:
        asking.publish()
        anna, draft = enrol(), asking.survey("draft", is_open=False)
        assert by_hand(draft, anna).code == "survey_not_open"
        closed = asking.survey("closed")
        client.post(f"/v1/surveys/{closed}/close", caller=asking.DESK)
        assert by_hand(closed, anna).code == "survey_closed"
        assert by_hand("srv_" + "a" * 26, anna).code == "survey_not_found"

    def test_whom_there_is_not_cannot_be_invited(self, survey_id: str) -> None:
        assert by_hand(survey_id, "mem_" + "a" * 26).code == "member_not_found"

    def test_it_may_be_about_an_order_of_the_member_s(self, survey_id: str) -> None:
        anna, bert = enrol("anna"), enrol("bert")
        order_id = asking.buy(anna)
        assert by_hand(survey_id, anna, "1", order_id=order_id).json["order_id"] == order_id
        for member_id, wrong in ((bert, order_id), (anna, "ord_" + "a" * 26)):
            answer = by_hand(survey_id, member_id, "2", order_id=wrong)
            assert (answer.status, answer.code) == (404, "order_not_found")
        assert by_hand(survey_id, anna, "3", case_id="cse_" + "a" * 26).code == "case_not_found"


class TestWithdrawing:
    def withdraw(self, survey_id: str, invitation_id: str) -> Response:
        return client.post(f"/v1/surveys/{survey_id}/invitations/{invitation_id}/withdraw", caller=asking.DESK)

    def test_a_link_opens_nothing_once_it_was_taken_back(self, survey_id: str) -> None:
        anna = enrol()
        caller = holder(linked(survey_id, anna))
        for _time in range(2):
            answer = self.withdraw(survey_id, caller.subject)
            assert (answer.status, answer.json["status"], answer.json["link"]) == (200, "withdrawn", None)
        assert asking.answer(survey_id, caller).code == "invitation_withdrawn"
        assert invitations(anna) == []

    def test_what_was_answered_stays_so(self, survey_id: str) -> None:
        caller = holder(linked(survey_id, enrol()))
        asking.answer(survey_id, caller)
        answer = self.withdraw(survey_id, caller.subject)
        assert (answer.status, answer.code) == (409, "invitation_answered")

    def test_an_invitation_is_found_with_its_survey_alone(self, survey_id: str) -> None:
        other = asking.survey("other")
        caller = holder(linked(survey_id, enrol()))
        assert self.withdraw(other, caller.subject).code == "invitation_not_found"
        assert self.withdraw(survey_id, "inv_" + "a" * 26).code == "invitation_not_found"


class TestSending:
    later: Callable[[], None]

    def page(self, survey_id: str, cursor: str | None = None, limit: int = 2) -> Any:
        query = f"?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        answer = client.get(f"/v1/surveys/{survey_id}/invitations{query}", caller=asking.SENDER)
        assert answer.status == 200, answer.text
        return answer.json

    @pytest.fixture(autouse=True)
    def a_minute_later(self, survey_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        assert survey_id
        real = clock.now
        monkeypatch.setattr(clock, "now", lambda: real() - 120)
        self.later = lambda: monkeypatch.setattr(clock, "now", real)

    def test_a_sender_reads_each_invitation_once_whenever_it_comes_again(self, survey_id: str) -> None:
        names = [enrol(f"m{number}") for number in range(5)]
        for member_id in names:
            linked(survey_id, member_id, member_id)
        self.later()
        found, cursor, has_more = [], None, True
        while has_more:
            page = self.page(survey_id, cursor)
            found += [item["member_id"] for item in page["invitations"]]
            cursor, has_more = page["next_cursor"], page["has_more"]
        assert sorted(found) == sorted(names)

        idle = self.page(survey_id, cursor)
        assert (idle["invitations"], idle["has_more"]) == ([], False)
        assert idle["next_cursor"] is not None

    def test_what_was_made_just_now_is_listed_a_minute_later(self, survey_id: str) -> None:
        self.later()
        linked(survey_id, enrol())
        assert self.page(survey_id)["invitations"] == []

    def test_it_says_what_a_sender_must_know(self, survey_id: str) -> None:
        consents = {"sms": {"granted": True}, "mail": {"granted": False}}
        anna = enrol("anna", mail="a@example.com", locale="zh-Hant", consents=consents)
        address = linked(survey_id, anna)
        self.later()
        (item,) = self.page(survey_id)["invitations"]
        assert (item["member_id"], item["locale"], item["link"]) == (anna, "zh-Hant", address)
        assert item["consents"] == {"sms": True, "mail": False}

    def test_what_nobody_can_answer_is_not_sent(self, survey_id: str) -> None:
        answered = holder(linked(survey_id, enrol("anna"), "1"))
        asking.answer(survey_id, answered)
        withdrawn = holder(linked(survey_id, enrol("bert"), "2"))
        inviting.withdraw(survey_id, withdrawn.subject, actor="staff:x", now=clock.now())
        linked(survey_id, enrol("carl"), "3")
        self.later()
        assert len(self.page(survey_id, limit=10)["invitations"]) == 1

    def test_the_invitation_of_who_was_merged_goes_to_who_took_over(self, survey_id: str) -> None:
        anna, bert = enrol("anna"), enrol("bert")
        linked(survey_id, anna)
        answer = client.post(f"/v1/members/{anna}/merge", json={"into": bert}, caller=shop.SHOP)
        assert answer.status == 201
        self.later()
        (item,) = self.page(survey_id)["invitations"]
        assert item["member_id"] == bert
        assert len(invitations(bert)) == 1
        assert asking.answer(survey_id, holder(item["link"])).status == 201
        assert shop.available(bert) == 20

    def test_a_cursor_is_good_for_its_survey_alone(self, survey_id: str) -> None:
        linked(survey_id, enrol())
        self.later()
        cursor = self.page(survey_id)["next_cursor"]
        other = asking.survey("other")
        answer = client.get(f"/v1/surveys/{other}/invitations?cursor={cursor}", caller=asking.SENDER)
        assert answer.code == "cursor_invalid"


class TestLinkAddresses:
    def test_without_a_page_of_the_merchant_s_it_leads_to_the_engine_s(self, survey_id: str) -> None:
        address = linked(survey_id, enrol())
        assert "/api/v1/answer#hkl_" in address

    def test_it_leads_to_the_merchant_s_page_where_there_is_one(self) -> None:
        asking.publish(link_url="https://shop.example/ask?t={token}")
        address = linked(asking.survey(), enrol())
        assert address.startswith("https://shop.example/ask?t=hkl_")

    def test_a_member_sees_its_own_links_and_nobody_else_s(self, survey_id: str) -> None:
        shop.enrol("bert", mail="bert@example.com")
        bert = member("bert", mail="bert@example.com")
        own = client.post("/v1/members", json={}, caller=bert, key="x").json["member"]["id"]
        address = linked(survey_id, own)
        seen = client.get("/v1/members/me/survey-invitations", caller=bert).json["invitations"]
        assert [item["link"] for item in seen] == [address]
        other = client.get(f"/v1/members/{enrol('anna')}/survey-invitations", caller=bert)
        assert (other.status, other.code) == (403, "not_your_account")
