"""A code that is taken out of a cart is free at once: the lock ends early, and only by its own session."""

from __future__ import annotations

import pytest

from tests import faults
from tests.api import shop
from tests.api import voucher_shop as vouchers
from tests.api.test_vouchers_use import later
from tests.api.voucher_shop import counts, lock, redeem, told, unlock, validate

FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]


def test_it_is_free_for_another_session_at_once() -> None:
    code = vouchers.single()
    lock(code, "one")
    assert told(lock(code, "two")) == (409, "voucher_locked")
    assert unlock(code, "one").status == 200
    assert lock(code, "two").status == 201


def test_repeated_it_answers_the_same_and_takes_nobody_else_s_lock() -> None:
    code = vouchers.single()
    lock(code, "one")
    first = unlock(code, "one")
    lock(code, "two")
    again = unlock(code, "one")
    assert (again.status, again.json) == (200, first.json)
    assert told(validate(code, session="three")) == (409, "voucher_locked")
    assert validate(code, session="two").status == 200


def test_a_use_on_an_order_stays() -> None:
    code = vouchers.single()
    lock(code, "one")
    redeem(code, session="one")
    assert unlock(code, "one").status == 200
    assert told(validate(code)) == (409, "voucher_used_up")


def test_without_a_lock_there_is_nothing_to_do() -> None:
    code = vouchers.single()
    assert unlock(code).status == 200
    assert redeem(code).status == 201


@pytest.mark.parametrize("kind", ["shared", "single"])
@pytest.mark.parametrize("passed_s", [0, 61])
def test_what_it_kept_of_the_total_and_of_the_member_s_count_goes_back_once(kind: str, passed_s: int) -> None:
    someone, limits = shop.enrol(), {"total": 1, "per_member": 1}
    if kind == "shared":
        batch_id, one, other = vouchers.shared(limits=limits), "SUMMER26", "SUMMER26"
    else:
        batch_id, one, other = vouchers.make(limits=limits), "GIFT-A1", "GIFT-A2"
        vouchers.imported(batch_id, one, other)
    assert lock(one, "one", member_id=someone, ttl_seconds=60).status == 201
    assert counts(batch_id)["left"] == 0
    with later(passed_s):
        for _time in range(2):
            assert unlock(one, "one").status == 200
            assert counts(batch_id)["left"] == 1
        assert lock(other, "two", member_id=someone).status == 201
        assert told(lock(one, "three", member_id=someone)) == (409, "voucher_member_limit")
        assert redeem(other, session="two", member_id=someone).status == 201
    assert counts(batch_id)["left"] == 0


def test_the_session_may_lock_it_again() -> None:
    batch_id = vouchers.shared(limits={"total": 2})
    for _time in range(3):
        assert lock("SUMMER26", "one").status == 201
        unlock("SUMMER26", "one")
    assert counts(batch_id)["left"] == 2


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_fails_on_the_way_it_ends_once(fault: faults.Fault) -> None:
    someone, batch_id = shop.enrol(), vouchers.shared(limits={"total": 3, "per_member": 1})
    lock("SUMMER26", "one", member_id=someone)
    with faults.calls(fault):
        answer = unlock("SUMMER26", "one")
    assert answer.status == 200
    assert counts(batch_id)["left"] == 3
    assert lock("SUMMER26", "two", member_id=someone).status == 201


def test_an_unknown_code_is_a_guess_like_any_other() -> None:
    for _attempt in range(10):
        assert told(unlock("NO-SUCH-ONE", "one")) == (404, "voucher_not_found")
    assert told(unlock("NO-SUCH-ONE", "one")) == (429, "voucher_attempts_exceeded")
