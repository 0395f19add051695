"""What enrolling and changing leaves in the table, whatever fails or races on the way."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base.errors import Invalid, Unavailable
from chalicelib.ledger.posting import MemberNotFound
from chalicelib.ledger.table import read_page
from chalicelib.members import changing, enrolling, service
from chalicelib.members.changing import Change, VersionStale
from chalicelib.members.enrolling import IdentityTaken
from chalicelib.members.rules import Person
from chalicelib.members.schema import ExternalIn, MemberIn, MemberPatch, NamesIn
from chalicelib.members.table import IdentityItem, LinkItem, ProfileItem, find_identity
from tests import faults

NOW = 1_800_000_000
PHONE, OTHER_PHONE = "+8613800138000", "+8613900139000"
MEI = Person("https://issuer.example", "mei", phone=PHONE)

FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]


def enrol(key: str = "k1", **fields: Any) -> enrolling.Enrolled:
    body = MemberIn(**(fields or {"phone": PHONE}))
    return enrolling.enrol(body, client_id="pos", key=key, actor="system:pos", now=NOW)


def sign_up(person: Person = MEI, **fields: Any) -> enrolling.Enrolled:
    return enrolling.enrol_person(MemberIn(**fields), person, actor="member", now=NOW)


def change(member_id: str, version: str = "1", **fields: Any) -> ProfileItem:
    return changing.change(member_id, Change(MemberPatch(**fields), version, None, NOW))


def keys_in_the_table() -> list[str]:
    return sorted(str(item.key) for item in IdentityItem.scan())


class TestEnrolment:
    def test_leaves_a_profile_its_identities_and_entry_1(self) -> None:
        member_id = enrol(phone=PHONE, mail="Mei@example.com").member_id
        assert keys_in_the_table() == sorted([f"phone#{PHONE}", "mail#mei@example.com", member_id])
        assert [entry.seq for entry in read_page(member_id, after_seq=None, newest_first=True, limit=9)] == [1]

    @pytest.mark.parametrize("fault", FAULTS)
    def test_happens_once_whatever_fails_on_the_way(self, fault: faults.Fault) -> None:
        with faults.calls(fault):
            member_id = enrol().member_id
        assert keys_in_the_table() == sorted([f"phone#{PHONE}", member_id])
        assert len(read_page(member_id, after_seq=None, newest_first=True, limit=9)) == 1

    def test_gives_up_after_a_while_and_can_be_repeated(self) -> None:
        with faults.calls(*[faults.conflicting] * 8), pytest.raises(Unavailable):
            enrol()
        assert keys_in_the_table() == []
        assert enrol().replayed is False

    def test_that_clashes_leaves_nothing(self) -> None:
        member_id = enrol().member_id
        with pytest.raises(IdentityTaken):
            enrol("k2", phone=PHONE, mail="other@example.com")
        assert keys_in_the_table() == sorted([f"phone#{PHONE}", member_id])


class TestSigningUp:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_links_once_whatever_fails_on_the_way(self, fault: faults.Fault) -> None:
        member_id = enrol().member_id
        with faults.calls(never_mind, fault):
            assert sign_up().member_id == member_id
        assert service.read(member_id).subject == MEI.key
        assert find_identity(MEI.key) == member_id

    @pytest.mark.parametrize("fault", FAULTS)
    def test_enrols_once_whatever_fails_on_the_way(self, fault: faults.Fault) -> None:
        with faults.calls(fault):
            member_id = sign_up().member_id
        assert keys_in_the_table() == sorted([f"phone#{PHONE}", MEI.key, member_id])

    def test_from_two_devices_at_once_links_once(self) -> None:
        member_id = enrol().member_id

        def meanwhile(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
            assert sign_up().member_id == member_id
            return real(name, parameters)

        with faults.calls(never_mind, meanwhile):
            assert sign_up().member_id == member_id

    def test_while_a_shop_enrols_the_same_phone_ends_in_one_member(self) -> None:
        found = []

        def meanwhile(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
            found.append(enrol().member_id)
            return real(name, parameters)

        with faults.calls(meanwhile):
            assert sign_up().member_id == found[0]

    def test_is_refused_when_the_phone_moves_to_another_member_meanwhile(self) -> None:
        first = enrol("k1", phone=PHONE, mail="first@example.com").member_id

        def meanwhile(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
            change(first, phone=None)
            enrol("k2")
            return real(name, parameters)

        with faults.calls(never_mind, meanwhile), pytest.raises(IdentityTaken):
            sign_up()
        assert service.read(first).subject is None

    def test_finds_the_member_though_the_link_was_made_another_way(self) -> None:
        member_id = enrol().member_id
        sign_up()
        assert LinkItem.get(MEI.key).member_id == member_id
        service.forget_all()
        assert service.member_of(MEI) == member_id


def never_mind(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """No fault at all."""
    return real(name, parameters)


class TestAChange:
    def test_moves_its_identities_with_it(self) -> None:
        member_id = enrol(phone=PHONE, mail="mei@example.com").member_id
        change(member_id, phone=OTHER_PHONE, mail=None)
        identities = [key for key in keys_in_the_table() if "#" in key]
        assert identities == [f"phone#{OTHER_PHONE}"]
        assert service.identities_of(member_id) == identities

    @pytest.mark.parametrize("fault", FAULTS)
    def test_happens_once_whatever_fails_on_the_way(self, fault: faults.Fault) -> None:
        member_id = enrol().member_id
        with faults.calls(fault):
            item = change(member_id, phone=OTHER_PHONE)
        assert (item.version, item.person.phone) == (2, OTHER_PHONE)
        assert [key for key in keys_in_the_table() if "#" in key] == [f"phone#{OTHER_PHONE}"]

    def test_of_two_at_once_one_is_told_to_read_again(self) -> None:
        member_id = enrol().member_id

        def meanwhile(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
            change(member_id, gender="other")
            return real(name, parameters)

        with faults.calls(meanwhile), pytest.raises(VersionStale):
            change(member_id, gender="female")
        assert service.read(member_id).person.gender == "other"

    def test_of_an_identity_that_was_taken_meanwhile_is_refused(self) -> None:
        member_id = enrol().member_id

        def meanwhile(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
            enrol("k2", phone=OTHER_PHONE)
            return real(name, parameters)

        with faults.calls(meanwhile), pytest.raises(IdentityTaken):
            change(member_id, phone=OTHER_PHONE)
        assert service.read(member_id).version == 1


class TestFinding:
    @pytest.mark.parametrize(
        ("kind", "value", "source"),
        [("phone", "+86 138 0013 8000", ""), ("mail", " MEI@example.com", ""), ("external", "88120", "pos")],
    )
    def test_any_spelling_of_an_identity_leads_to_its_member(self, kind: str, value: str, source: str) -> None:
        member_id = enrol(
            phone=PHONE, mail="mei@example.com", external=(ExternalIn(source="pos", id="88120"),)
        ).member_id
        assert service.find(service.identity_key(kind, value, source)) == member_id

    def test_an_identity_that_moved_leads_to_nobody(self) -> None:
        change(enrol().member_id, phone=OTHER_PHONE)
        assert service.find(service.identity_key("phone", PHONE)) is None

    def test_what_is_no_identity_is_refused_with_its_field(self) -> None:
        with pytest.raises(Invalid) as caught:
            service.identity_key("phone", "12345")
        assert (caught.value.reason_code, caught.value.field) == ("phone_invalid", "identity.phone")

    def test_a_sign_in_is_looked_up_once_and_never_for_a_stranger(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []

        def counted(key: str) -> str | None:
            asked.append(key)
            return find_identity(key)

        monkeypatch.setattr(service, "find_identity", counted)
        assert service.member_of(MEI) is None
        assert service.member_of(MEI) is None
        member_id = sign_up().member_id
        assert [service.member_of(MEI) for _time in range(3)] == [member_id] * 3
        assert len(asked) == 2

    def test_nobody_has_identities_without_a_profile(self) -> None:
        with pytest.raises(MemberNotFound):
            service.identities_of("mem_" + "a" * 26)


def test_a_profile_stays_small() -> None:
    enrolled = enrol(phone=PHONE, names=NamesIn(given="梅" * 100, family="李" * 100, display="M" * 100))
    item = service.read(enrolled.member_id)
    assert len(item.profile.encode()) < 1024
