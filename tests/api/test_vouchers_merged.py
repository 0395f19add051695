"""Vouchers of members who turned out to be one person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import shop
from tests.api import voucher_shop as vouchers
from tests.api.client import client, member
from tests.api.test_vouchers_use import at
from tests.api.voucher_shop import counts, lock, redeem, roll_back, told, validate

NOW = 1_800_000_000


@pytest.fixture
def two() -> tuple[str, str]:
    """A member who is going to be closed, and the one who takes over."""
    return shop.enrol(), shop.enrol("other", phone="+8613900139000")


def merge(closed: str, into: str) -> None:
    assert client.post(f"/v1/members/{closed}/merge", json={"into": into}, caller=shop.SHOP).status == 201


def wallet(member_id: str, caller: Any = vouchers.TILL) -> list[Any]:
    """A member's whole list, read in pages of two."""
    path = f"/v1/members/{member_id}/vouchers?limit=2"
    answer = client.get(path, caller=caller)
    found: list[Any] = answer.json["vouchers"]
    while answer.json["next_cursor"]:
        answer = client.get(f"{path}&cursor={answer.json['next_cursor']}", caller=caller)
        found += answer.json["vouchers"]
    return found


def given_in_turn(batch_id: str, members: tuple[str, ...], rounds: int) -> list[str]:
    """Issue vouchers to several members, one a second; gives the codes, newest first."""
    codes = []
    for number in range(rounds):
        with at(NOW + number):
            codes.append(vouchers.given(batch_id, members[number % len(members)]))
    return codes[::-1]


def test_the_list_of_who_took_over_has_those_of_both_newest_first(two: tuple[str, str]) -> None:
    codes = given_in_turn(vouchers.make(owner="member"), two, 7)
    assert [each["code"] for each in wallet(two[1])] == codes[1::2]
    merge(*two)
    assert [each["code"] for each in wallet(two[1])] == codes
    assert wallet(two[0]) == wallet(two[1])


def test_a_chain_of_merges_loses_nothing(two: tuple[str, str]) -> None:
    third = shop.enrol("third", phone="+8613700137000")
    fourth = shop.enrol("fourth", phone="+8613600136000")
    codes = given_in_turn(vouchers.make(owner="member"), (*two, third, fourth), 8)
    merge(*two)
    merge(fourth, third)
    merge(two[1], third)
    assert [each["code"] for each in wallet(third)] == codes


def test_the_person_sees_them_as_its_own(two: tuple[str, str]) -> None:
    code = vouchers.given(vouchers.make(owner="member"), two[0])
    me = member("person", phone=shop.PHONE)
    assert client.post("/v1/members", json={"phone": shop.PHONE}, caller=me).status == 200
    merge(*two)
    assert [each["code"] for each in wallet("me", me)] == [code]


@pytest.mark.parametrize("named", [0, 1])
def test_they_stay_usable_and_the_list_tells_what_became_of_them(two: tuple[str, str], named: int) -> None:
    code = vouchers.given(vouchers.make(owner="member"), two[0])
    merge(*two)
    assert lock(code, "cart", member_id=two[named]).status == 201
    assert redeem(code, session="cart", member_id=two[named]).status == 201
    assert [each["status"] for each in wallet(two[1])] == ["used"]
    roll_back(code)
    assert [each["status"] for each in wallet(two[1])] == ["open"]


def test_what_is_issued_after_the_merge_lies_with_it(two: tuple[str, str]) -> None:
    batch_id = vouchers.make(owner="member")
    merge(*two)
    code = vouchers.given(batch_id, two[0])
    assert [each["code"] for each in wallet(two[1])] == [code]


@pytest.mark.parametrize("named", [0, 1])
def test_uses_of_both_count_for_the_one(two: tuple[str, str], named: int) -> None:
    batch_id = vouchers.shared(limits={"per_member": 3})
    for number, one in enumerate(two):
        assert redeem("SUMMER26", f"before {number}", member_id=one).status == 201
    merge(*two)
    one = two[named]
    assert redeem("SUMMER26", "third", member_id=one).status == 201
    for each in two:
        assert told(validate("SUMMER26", member_id=each)) == (409, "voucher_member_limit")
    roll_back("SUMMER26", "before 0")
    assert redeem("SUMMER26", "anew", member_id=two[1 - named]).status == 201
    assert told(redeem("SUMMER26", "more", member_id=one)) == (409, "voucher_member_limit")
    assert counts(batch_id)["in_use"] == 3


def test_a_lock_of_before_counts_and_becomes_the_use(two: tuple[str, str]) -> None:
    vouchers.shared(limits={"per_member": 2})
    lock("SUMMER26", "one", member_id=two[0])
    merge(*two)
    assert lock("SUMMER26", "two", member_id=two[1]).status == 201
    assert told(validate("SUMMER26", session="three", member_id=two[1])) == (409, "voucher_member_limit")
    assert redeem("SUMMER26", session="one", member_id=two[1]).status == 201
    vouchers.unlock("SUMMER26", "two")
    assert redeem("SUMMER26", "2", member_id=two[1]).status == 201, "the lock does not count beside its use"
    assert told(validate("SUMMER26", member_id=two[0])) == (409, "voucher_member_limit")


def test_a_limit_for_somebody_unknown_is_kept_too() -> None:
    vouchers.shared(limits={"per_member": 1})
    assert redeem("SUMMER26", "1", member_id="mem_nobody").status == 201
    assert told(redeem("SUMMER26", "2", member_id="mem_nobody")) == (409, "voucher_member_limit")
