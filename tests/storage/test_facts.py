"""What the rules are told of a member, and what it takes to know it."""

from __future__ import annotations

from datetime import date
from typing import Any

from chalicelib.base import clock
from chalicelib.ledger.posting import peek
from chalicelib.members import enrolling, uniting
from chalicelib.members.facts import UNASKED, ProfileFacts, known, profile_facts, rule_facts
from chalicelib.members.schema import MemberIn, MergeIn
from chalicelib.members.table import read_profile, set_segments
from chalicelib.program.document import Program
from tests import faults
from tests.campaigns import bonus, campaign
from tests.programs import program

NOW = 1_800_000_000
PHONE, OTHER_PHONE = "+8613800138000", "+8613900139000"
ASKING = {
    "tags": campaign(audience={"tags": ["press"]}),
    "segments": campaign(audience={"segments": ["loyal"]}),
    "a rule's tags": campaign(rules=[bonus(when={"tags": ["press"]})]),
    "birthday": campaign(rules=[bonus(when={"birthday": "month"})]),
}


def asking(what: str = "tags") -> Program:
    return program(campaigns=[ASKING[what]])


def enrol(phone: str = PHONE, **fields: Any) -> str:
    body = MemberIn(phone=phone, **fields)
    return enrolling.enrol(body, client_id="pos", key=phone, actor="system:pos", now=NOW).member_id


def test_a_programme_that_asks_for_nothing_of_the_profile_reads_none() -> None:
    member_id = enrol(tags=("press",))
    with faults.calls() as made:
        assert profile_facts(member_id, program()) is UNASKED
    assert made == []


def test_one_that_does_reads_it_once_whatever_it_asks_for() -> None:
    member_id = enrol(tags=("press",), birthday=date(2000, 2, 29))
    set_segments(member_id, ["loyal", "big", "loyal"])
    for what in ASKING:
        with faults.calls() as made:
            found = profile_facts(member_id, asking(what))
        assert found == ProfileFacts("2000-02-29", ("press",), ("big", "loyal"))
        assert made == ["GetItem"]


def test_of_somebody_unknown_there_are_none() -> None:
    assert profile_facts("mem_" + "a" * 26, asking()) == UNASKED
    # Other records lie in the same table; only a profile may be read as one.
    enrol()
    assert profile_facts(f"phone#{PHONE}", asking()) == UNASKED


def test_of_a_merged_member_they_are_the_survivors() -> None:
    closing, into = enrol(tags=("press",)), enrol(OTHER_PHONE, tags=("staff",))
    set_segments(closing, ["old"])
    set_segments(into, ["loyal"])
    uniting.merge(closing, MergeIn(into=into), actor="system:pos", now=NOW)
    assert profile_facts(closing, asking()) == profile_facts(into, asking())
    assert profile_facts(into, asking()) == ProfileFacts("", ("staff", "press"), ("loyal",))


def test_segments_are_set_as_a_whole_and_are_no_change_of_the_profile() -> None:
    member_id = enrol()
    assert set_segments(member_id, ["loyal"])
    assert set_segments(member_id, [])
    item = read_profile(member_id)
    assert item
    assert (item.segments, item.version) == ([], 1)


def test_nobody_who_is_none_or_was_merged_is_put_into_segments() -> None:
    closing, into = enrol(), enrol(OTHER_PHONE)
    uniting.merge(closing, MergeIn(into=into), actor="system:pos", now=NOW)
    assert not set_segments(closing, ["loyal"])
    assert not set_segments("mem_" + "a" * 26, ["loyal"])
    assert read_profile("mem_" + "a" * 26) is None


def test_the_account_tells_the_rest() -> None:
    member_id = enrol(tags=("press",))
    account = peek(member_id, now=NOW + clock.DAY_S)
    found = rule_facts(member_id, account, asking(), at=account.posted_at)
    assert found == known(account, asking(), ProfileFacts(tags=("press",)), at=account.posted_at)
    assert (found.member_id, found.tier, found.tags) == (member_id, "member", ("press",))
    assert (found.enrolled_at, found.purchases, found.at) == (NOW, 0, NOW + clock.DAY_S)
