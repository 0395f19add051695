"""Segments that a night has found are facts: rules of the programme and invitations to surveys go by them."""

from __future__ import annotations

from chalicelib.base import clock
from tests.api import asking, night, scoring_night, shop
from tests.campaigns import bonus, campaign, publish


def enrolled(name: str, purchases: int) -> str:
    """A member who has bought so many times, the last time five days ago."""
    found = asking.enrol(name)
    for number in range(purchases):
        moment = shop.moment(5 + 4 * number)
        assert shop.post_order(f"{name}-{number}", member_id=found, occurred_at=moment).status == 201
    night.project(found)
    return found


def gained(member_id: str, number: str) -> int:
    answer = shop.post_order(number, member_id=member_id, occurred_at=clock.text(clock.now()))
    assert answer.status == 201, answer.text
    return int(answer.json["entry"]["points"])


class TestTheProgramme:
    def test_a_campaign_is_for_the_segments_that_the_night_has_found(self) -> None:
        publish(campaign(audience={"segments": ["new", "active"]}))
        often, never = enrolled("often", 3), enrolled("never", 0)
        before = gained(often, "before")
        scoring_night.whole()
        assert gained(often, "after") == before + 50
        assert gained(never, "first") == before

    def test_a_rule_asks_for_a_segment(self) -> None:
        rules = [
            {"kind": "per_amount", "code": "all", "title": bonus()["title"]},
            bonus("invite_back", 70, when={"segments": ["none"]}),
        ]
        publish(earning_rules=rules)
        never, often = enrolled("never", 0), enrolled("often", 3)
        scoring_night.whole()
        assert gained(never, "first") == gained(often, "next") + 70

    def test_who_is_gold_is_high_as_well(self) -> None:
        publish(campaign(audience={"segments": ["high"]}))
        members = [enrolled(f"m{number}", number) for number in range(6)]
        scoring_night.whole()
        told = {one: scoring_night.last_told(one) for one in members}
        (gold,) = [one for one in members if told[one].value == "gold"]
        assert set(told[gold].segments) >= {"gold", "high"}
        low = next(one for one in members if told[one].value == "low")
        assert gained(gold, "gold") == gained(low, "low") + 50


def test_an_invitation_goes_to_a_segment_only() -> None:
    asking.publish(asking.invite(audience={"segments": ["none"]}))
    asking.survey()
    never, often = enrolled("never", 0), enrolled("often", 3)
    scoring_night.whole()
    for member in (never, often):
        asking.buy(member, "now")
        asking.react(member)
    assert (len(asking.invitations(never)), len(asking.invitations(often))) == (1, 0)
