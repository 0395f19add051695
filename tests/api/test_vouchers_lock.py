"""Keeping a voucher for a checkout: dates judge, and what a lapsed lock held is anybody's again."""

from __future__ import annotations

import pytest

from chalicelib.base import clock
from tests.api import shop
from tests.api import voucher_shop as vouchers
from tests.api.test_vouchers_use import at, later
from tests.api.voucher_shop import counts, lock, redeem, roll_back, told, validate


def test_a_session_that_locks_twice_is_answered_the_same() -> None:
    code = vouchers.single()
    first = lock(code)
    with later(60):
        again = lock(code)
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json


def test_another_session_is_refused_until_the_lock_lapses_to_the_second() -> None:
    code, now = vouchers.single(), clock.now()
    with at(now):
        lock(code, "one", ttl_seconds=60)
    with at(now + 59):
        assert told(lock(code, "two")) == (409, "voucher_locked")
        assert told(redeem(code, session="two")) == (409, "voucher_locked")
        assert told(redeem(code)) == (409, "voucher_locked")
        assert told(validate(code)) == (409, "voucher_locked")
        assert validate(code, session="one").status == 200
    with at(now + 60):
        assert lock(code, "two").status == 201
        assert told(redeem(code, session="one")) == (409, "voucher_locked")


def test_the_session_s_lock_becomes_the_use() -> None:
    code = vouchers.single()
    lock(code, "one")
    assert redeem(code, session="one").status == 201
    assert told(lock(code, "one")) == (409, "voucher_used_up")
    roll_back(code)
    assert lock(code, "two").status == 201


def test_whose_lock_lapsed_may_redeem_as_long_as_nobody_else_has_it() -> None:
    code = vouchers.single()
    lock(code, "one", ttl_seconds=30)
    with later(31):
        assert redeem(code, session="one").status == 201


@pytest.mark.parametrize("kind", ["shared", "single"])
def test_a_lock_keeps_one_of_the_total_and_a_lapsed_one_gives_it_back(kind: str) -> None:
    if kind == "shared":
        batch_id, codes = vouchers.shared(limits={"total": 1}), ["SUMMER26", "SUMMER26"]
    else:
        batch_id, codes = vouchers.make(limits={"total": 1}), ["GIFT-A1", "GIFT-A2"]
        vouchers.imported(batch_id, *codes)
    one, other = codes
    assert lock(one, "one", ttl_seconds=60).status == 201
    assert told(lock(other, "two")) == (409, "voucher_used_up")
    assert told(validate(other)) == (409, "voucher_used_up")
    assert told(redeem(other, "9", key="nine")) == (409, "voucher_used_up")
    with later(61):
        assert validate(other).status == 200
        assert lock(other, "two").status == 201
        assert told(redeem(one, "1", session="one")) == (409, "voucher_used_up")
        assert redeem(other, "2", session="two").status == 201
    assert counts(batch_id) | {"issued": 0} == {
        "issued": 0,
        "locked": 2,
        "redeemed": 1,
        "rolled_back": 0,
        "in_use": 1,
        "left": 0,
        "redeemed_per_mille": 500 if kind == "single" else 1000,
    }


def test_a_lapsed_lock_that_nobody_took_still_serves_its_session() -> None:
    batch_id = vouchers.shared(limits={"total": 1})
    lock("SUMMER26", "one", ttl_seconds=30)
    with later(31):
        assert redeem("SUMMER26", session="one").status == 201
        assert counts(batch_id)["left"] == 0
        roll_back("SUMMER26")
    assert counts(batch_id)["left"] == 1


def test_locking_again_after_a_lapse_takes_no_second_one() -> None:
    batch_id = vouchers.shared(limits={"total": 2})
    lock("SUMMER26", "one", ttl_seconds=30)
    with later(31):
        assert lock("SUMMER26", "one").status == 201
    assert counts(batch_id)["left"] == 1


def test_a_lock_counts_for_the_member_until_it_lapses() -> None:
    someone = shop.enrol()
    vouchers.shared(limits={"per_member": 1})
    lock("SUMMER26", "one", member_id=someone, ttl_seconds=60)
    assert told(lock("SUMMER26", "two", member_id=someone)) == (409, "voucher_member_limit")
    assert redeem("SUMMER26", "1", session="one", member_id=someone).status == 201
    with later(3600):
        assert told(redeem("SUMMER26", "2", member_id=someone)) == (409, "voucher_member_limit")
        roll_back("SUMMER26", "1")
        lock("SUMMER26", "three", member_id=someone, ttl_seconds=60)
    with later(7200):
        assert redeem("SUMMER26", "2", member_id=someone).status == 201


def test_a_shared_code_without_limits_is_everybody_s() -> None:
    batch_id = vouchers.shared()
    assert lock("SUMMER26", "one").status == lock("SUMMER26", "two").status == 201
    assert redeem("SUMMER26", "1").status == 201
    assert counts(batch_id)["left"] is None


def test_a_lock_counts_for_the_member_to_the_second() -> None:
    someone, now = shop.enrol(), clock.now()
    vouchers.shared(limits={"per_member": 1})
    with at(now):
        lock("SUMMER26", "one", member_id=someone, ttl_seconds=60)
    with at(now + 59):
        assert told(validate("SUMMER26", member_id=someone)) == (409, "voucher_member_limit")
    with at(now + 60):
        assert validate("SUMMER26", member_id=someone).status == 200
