"""Merging two members happens once, whatever fails or races on the way, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.base.errors import Unavailable
from chalicelib.ledger import auditing, chain, points, projector
from chalicelib.ledger.chain import Decision, Entry
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.merging import HoldsOpen
from chalicelib.ledger.pairing import AccountClosed, PairPlan, post_pair
from chalicelib.ledger.posting import Account, MemberNotFound, Posted, peek
from chalicelib.ledger.state import HOLDS_MAX, State
from chalicelib.ledger.table import read_page, read_view
from chalicelib.members import adjusting, changing, enrolling, service, uniting
from chalicelib.members.changing import Change, VersionStale
from chalicelib.members.rules import Person
from chalicelib.members.schema import AdjustmentIn, ExternalIn, MemberIn, MemberPatch, MergeIn
from chalicelib.members.table import IdentityItem, MergeItem, find_identity
from chalicelib.members.uniting import AlreadyMerged, SameMember, TooManyIdentities
from chalicelib.program.document import default
from chalicelib.rewards import service as rewards
from chalicelib.rewards.schema import RedemptionIn
from tests import faults

NOW = 1_800_000_000
PHONE, OTHER_PHONE, THIRD_PHONE = "+8613800138000", "+8613900139000", "+8613700137000"
MEI = Person("https://issuer.example", "mei", phone=PHONE)
OTHER_MEI = Person("https://issuer.example", "mei-2", phone=OTHER_PHONE)
WELCOME = default().welcome_points

FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]


def enrol(key: str, **fields: Any) -> str:
    body = MemberIn(**fields)
    return enrolling.enrol(body, client_id="pos", key=key, actor="system:pos", now=NOW).member_id


def sign_up(person: Person) -> str:
    return enrolling.enrol_person(MemberIn(), person, actor="member", now=NOW).member_id


def merge(closing: str, into: str) -> Posted[MergeItem]:
    return uniting.merge(closing, MergeIn(into=into), actor="staff:li", now=NOW)


def adjust(member_id: str, amount: int, key: str = "a") -> None:
    body = AdjustmentIn(points=amount, reason="goodwill")
    adjusting.adjust(member_id, body, key=key, actor="system:pos", now=NOW)


def hold(member_id: str, number: int) -> None:
    request = RedemptionIn(points=100, currency="CNY", hold_seconds=600)
    rewards.redeem(member_id, request, key=f"hold-{number}", actor="system:pos", now=NOW)


def entries(member_id: str) -> list[Entry]:
    found = read_page(member_id, after_seq=None, newest_first=False, limit=100)
    chain.verify(found)
    return found


def state(member_id: str) -> State:
    return peek(member_id, now=NOW, consistent=True).state


def assert_one(closed: str, survivor: str) -> None:
    """The two are one: both chains stand the audit, points net to zero, every identity leads to the survivor."""
    leaving, coming = entries(closed)[-1], entries(survivor)[-1]
    assert (leaving.kind, coming.kind) == ("closed", "merged_in")
    assert leaving.points + coming.points == 0
    assert (leaving.state.total, leaving.state.closed_into) == (0, survivor)
    item = service.read(closed)
    assert item.key == survivor
    for tail in (leaving, coming):
        projector.project(tail)
        assert auditing.audit(tail.member_id, read_view(tail.member_id), now=NOW).findings == ()
    held = {str(found.key): str(found.member_id) for found in IdentityItem.scan() if "#" in found.key}
    assert held == dict.fromkeys(item.identities, survivor)


@pytest.fixture
def pair() -> tuple[str, str]:
    """Two members of one person, enrolled by a shop with 1,000 and 200 points more than welcome."""
    closing, survivor = enrol("k1", phone=PHONE), enrol("k2", phone=OTHER_PHONE, mail="mei@example.com")
    adjust(closing, 1000)
    adjust(survivor, 200)
    return closing, survivor


class TestAMerge:
    def test_moves_everything_to_the_survivor(self, pair: tuple[str, str]) -> None:
        posted = merge(*pair)
        assert (posted.record.member_id, posted.record.points) == (pair[1], WELCOME + 1000)
        assert state(pair[1]).available == 2 * WELCOME + 1200
        assert [entries(member_id)[-1].state.lifetime.merged for member_id in pair] == [-WELCOME - 1000, WELCOME + 1000]
        assert_one(*pair)

    @pytest.mark.parametrize("fault", FAULTS)
    def test_happens_once_whatever_fails_on_the_way(self, pair: tuple[str, str], fault: faults.Fault) -> None:
        with faults.calls(fault):
            posted = merge(*pair)
        assert posted.record.available == 2 * WELCOME + 1200
        assert_one(*pair)
        assert len(entries(pair[0])) == len(entries(pair[1])) == 3

    def test_is_answered_alike_when_it_is_asked_for_again(self, pair: tuple[str, str]) -> None:
        first = merge(*pair)
        adjust(pair[1], 5, "later")
        again = merge(*pair)
        assert again.replayed
        assert again.record.serialize() == first.record.serialize()

    def test_gives_up_after_a_while_having_changed_nothing(self, pair: tuple[str, str]) -> None:
        with faults.calls(*[faults.conflicting] * 8), pytest.raises(Unavailable):
            merge(*pair)
        assert [len(entries(member_id)) for member_id in pair] == [2, 2]
        assert find_identity(f"phone#{PHONE}") == pair[0]
        assert not merge(*pair).replayed

    def test_leaves_no_word_of_the_person_under_the_closed_id(self, pair: tuple[str, str]) -> None:
        merge(*pair)
        closed = service.read_own(pair[0])
        assert (closed.profile, closed.identities, closed.merged_into) == ("{}", [], pair[1])

    def test_of_two_sign_ins_lets_both_lead_to_the_survivor(self) -> None:
        closing, survivor = sign_up(MEI), sign_up(OTHER_MEI)
        merge(closing, survivor)
        assert_one(closing, survivor)
        assert service.read(survivor).subjects == [OTHER_MEI.key, MEI.key]
        assert service.read(service.member_of(MEI) or "").key == survivor
        service.forget_all()
        assert service.member_of(MEI) == service.member_of(OTHER_MEI) == survivor

    def test_fills_a_survivor_without_sign_in_with_that_of_the_other(self) -> None:
        closing, survivor = sign_up(MEI), enrol("k2", mail="mei@example.com")
        merge(closing, survivor)
        item = service.read(survivor)
        assert (item.subject, item.subjects, item.person.phone) == (MEI.key, [MEI.key], PHONE)
        assert_one(closing, survivor)

    def test_of_a_member_who_took_others_over_takes_those_along(self, pair: tuple[str, str]) -> None:
        last = enrol("k3", phone=THIRD_PHONE, external=(ExternalIn(source="pos", id="1"),))
        merge(*pair)
        merge(pair[1], last)
        assert_one(pair[1], last)
        assert service.read(pair[0]).key == last
        assert service.read(last).person.further_phones == (OTHER_PHONE, PHONE)
        assert state(last).available == 3 * WELCOME + 1200
        assert state(pair[0]) == state(last)

    def test_into_a_closed_member_goes_to_whoever_took_that_one_over(self, pair: tuple[str, str]) -> None:
        third = enrol("k3", phone=THIRD_PHONE)
        merge(*pair)
        assert merge(third, pair[0]).record.member_id == pair[1]
        assert_one(third, pair[1])
        assert merge(third, pair[0]).replayed


class TestAMergeIsRefused:
    def test_into_the_member_itself_by_either_id(self, pair: tuple[str, str]) -> None:
        with pytest.raises(SameMember):
            merge(pair[0], pair[0])
        merge(*pair)
        with pytest.raises(SameMember):
            merge(pair[1], pair[0])
        assert len(entries(pair[1])) == 3

    def test_for_a_member_who_went_to_another_before(self, pair: tuple[str, str]) -> None:
        third = enrol("k3", phone=THIRD_PHONE)
        merge(*pair)
        with pytest.raises(AlreadyMerged):
            merge(pair[0], third)
        assert len(entries(third)) == 1

    def test_where_one_of_the_two_is_nobody(self, pair: tuple[str, str]) -> None:
        nobody = "mem_" + "a" * 26
        with pytest.raises(MemberNotFound) as caught:
            merge(pair[0], nobody)
        assert caught.value.field == "into"
        with pytest.raises(MemberNotFound) as caught:
            merge(nobody, pair[0])
        assert caught.value.field == "member_id"

    def test_while_the_two_hold_more_than_one_may(self) -> None:
        closing, survivor = enrol("k1", phone=PHONE), enrol("k2", phone=OTHER_PHONE)
        adjust(closing, 100 * HOLDS_MAX)
        adjust(survivor, 100)
        for number in range(HOLDS_MAX):
            hold(closing, number)
        hold(survivor, HOLDS_MAX)
        with pytest.raises(HoldsOpen):
            merge(closing, survivor)
        assert service.read(closing).key == closing

    def test_while_the_two_have_more_identities_than_one_may(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(uniting, "IDENTITIES_MAX", 2)
        closing, survivor = enrol("k1", phone=PHONE), enrol("k2", phone=OTHER_PHONE, mail="mei@example.com")
        with pytest.raises(TooManyIdentities):
            merge(closing, survivor)
        assert find_identity(f"phone#{PHONE}") == closing


def meanwhile(*acts: Callable[[], object]) -> faults.Fault:
    """Others do something between the reading and the commit."""

    def fault(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        for act in acts:
            act()
        return real(name, parameters)

    return fault


class TestWhileAMergeIsCommitted:
    @pytest.mark.parametrize("side", [0, 1])
    def test_points_posted_on_either_side_are_not_lost(self, pair: tuple[str, str], side: int) -> None:
        with faults.calls(meanwhile(lambda: adjust(pair[side], 7, "between"))):
            merge(*pair)
        assert state(pair[1]).available == 2 * WELCOME + 1207
        assert_one(*pair)

    def test_points_posted_to_the_closed_member_go_to_the_survivor(self, pair: tuple[str, str]) -> None:
        with faults.calls(meanwhile(lambda: merge(*pair))):
            adjust(pair[0], 7, "between")
        assert state(pair[1]).available == 2 * WELCOME + 1207
        assert [entry.kind for entry in entries(pair[1])][-2:] == ["merged_in", "adjusted"]

    def test_the_same_merge_is_done_once(self, pair: tuple[str, str]) -> None:
        with faults.calls(meanwhile(lambda: merge(*pair))):
            assert merge(*pair).replayed
        assert_one(*pair)

    def test_of_two_merges_in_opposite_directions_one_is_refused(self, pair: tuple[str, str]) -> None:
        with faults.calls(meanwhile(lambda: merge(pair[1], pair[0]))), pytest.raises(SameMember):
            merge(*pair)
        assert_one(pair[1], pair[0])

    def test_the_survivor_that_is_itself_merged_is_followed(self, pair: tuple[str, str]) -> None:
        third = enrol("k3", phone=THIRD_PHONE)
        with faults.calls(meanwhile(lambda: merge(pair[1], third))):
            assert merge(*pair).record.member_id == third
        assert_one(pair[0], third)

    @pytest.mark.parametrize("side", [0, 1])
    def test_a_profile_changed_on_either_side_is_read_again(self, pair: tuple[str, str], side: int) -> None:
        patch = Change(MemberPatch(phone=THIRD_PHONE), "1", None, NOW)
        with faults.calls(meanwhile(lambda: changing.change(pair[side], patch))):
            merge(*pair)
        assert_one(*pair)
        assert find_identity(f"phone#{THIRD_PHONE}") == pair[1]

    @pytest.mark.parametrize("side", [0, 1])
    def test_a_sign_in_linked_on_either_side_is_not_forgotten(self, pair: tuple[str, str], side: int) -> None:
        person = (MEI, OTHER_MEI)[side]
        with faults.calls(meanwhile(lambda: sign_up(person))):
            merge(*pair)
        assert_one(*pair)
        assert service.read(pair[1]).subjects == [person.key]

    def test_a_change_of_the_closed_profile_is_told_to_read_again(self, pair: tuple[str, str]) -> None:
        patch = Change(MemberPatch(gender="other"), "1", None, NOW)
        with faults.calls(meanwhile(lambda: merge(*pair))), pytest.raises(VersionStale):
            changing.change(pair[0], patch)
        assert service.read(pair[0]).person.gender is None


def test_no_version_of_before_fits_the_profile_after_a_merge(pair: tuple[str, str]) -> None:
    for version in ("1", "2", "3"):
        changing.change(pair[0], Change(MemberPatch(gender="other"), version, None, NOW))
    merge(*pair)
    assert service.read(pair[1]).version == 5


def test_a_person_who_enrols_again_finds_the_survivor() -> None:
    closing, survivor = sign_up(MEI), enrol("k2", phone=OTHER_PHONE)
    merge(closing, survivor)
    service.forget_all()
    again = enrolling.enrol_person(MemberIn(), MEI, actor="member", now=NOW)
    assert (again.member_id, again.replayed, again.profile.phone) == (survivor, True, OTHER_PHONE)


def test_a_phone_of_the_closed_member_may_become_the_survivors_first(pair: tuple[str, str]) -> None:
    merge(*pair)
    item = changing.change(pair[1], Change(MemberPatch(phone=PHONE), "2", None, NOW))
    assert (item.person.phone, item.person.further_phones) == (PHONE, ())
    assert find_identity(f"phone#{OTHER_PHONE}") is None


class TestAPairOfEntries:
    def plan(self, first: Account, second: Account) -> PairPlan[MergeItem]:
        decisions = [
            Decision(
                kind="adjusted",
                record="mrg_x",
                reason="correction",
                actor="system:tests",
                program=1,
                occurred_at=NOW,
                effect=points.adjustment(account.state, amount, NOW + 100) if amount else Effect(),
                tier="base",
            )
            for account, amount in ((first, -10), (second, 10))
        ]
        item = MergeItem("mrg_x", request_hash="x", closed_id=first.member_id, actor="system:tests")
        return PairPlan(decisions[0], decisions[1], item)

    def test_is_posted_at_one_instant_that_runs_back_for_neither(self, pair: tuple[str, str]) -> None:
        adjusting.adjust(pair[1], AdjustmentIn(points=1, reason="goodwill"), key="b", actor="system:pos", now=NOW + 50)
        posted = post_pair(*pair, self.plan, now=lambda: NOW)
        assert posted.entry is not None
        assert (posted.entry.posted_at, entries(pair[0])[-1].posted_at) == (NOW + 50, NOW + 50)

    def test_is_not_posted_to_a_closed_account(self, pair: tuple[str, str]) -> None:
        merge(*pair)
        with pytest.raises(AccountClosed) as caught:
            post_pair(pair[1], pair[0], self.plan, now=lambda: NOW)
        assert caught.value.into == pair[1]

    def test_needs_both_members(self, pair: tuple[str, str]) -> None:
        with pytest.raises(MemberNotFound):
            post_pair(pair[0], "mem_nobody", self.plan, now=lambda: NOW)
