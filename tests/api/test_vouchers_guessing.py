"""Guessing is slowed and leaves a line in the log, which names neither code nor person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.vouchers import codes
from chalicelib.vouchers.guessing import FAILURES_MAX, SYSTEM_FAILURES_MAX, WINDOW_S
from tests.api import shop
from tests.api import voucher_shop as vouchers
from tests.api.client import client, member, system
from tests.api.test_vouchers_use import at
from tests.api.voucher_shop import told, validate

# The beginning of a window, so that no test runs into the next one.
NOW = clock.now() // WINDOW_S * WINDOW_S


@pytest.fixture(autouse=True)
def _now() -> Any:
    with at(NOW):
        yield


def wrong(number: int) -> str:
    """A code that keeps the rule of the check symbol and is nobody's."""
    return codes.grouped(codes.made(number.to_bytes(codes.RANDOM_BYTES)))


def guess(times: int, **fields: Any) -> None:
    for number in range(times):
        assert told(validate(wrong(number), **fields)) == (404, "voucher_not_found")


def test_who_guesses_too_often_waits_until_the_window_is_over() -> None:
    code = vouchers.single()
    guess(FAILURES_MAX, session="cart")
    with at(NOW + 200):
        answer = validate(code, session="cart")
        assert told(answer) == (429, "voucher_attempts_exceeded")
        assert answer.headers["retry-after"] == str(WINDOW_S - 200)
        for verb in ("lock", "redeem"):
            body = vouchers.sketch(session="cart") | ({"source": "shop", "order_id": "1"} if verb == "redeem" else {})
            path = f"/v1/vouchers/{code}/{verb}"
            assert client.post(path, json=body, caller=vouchers.TILL, key="k").status == 429
    with at(NOW + WINDOW_S):
        assert validate(code, session="cart").status == 200


def test_one_guesser_slows_nobody_else() -> None:
    code = vouchers.single()
    guess(FAILURES_MAX + 0, session="cart")
    assert validate(code, session="other").status == 200
    assert validate(code).status == 200
    other_shop = system("vouchers.write", client="other shop")
    answer = client.post(f"/v1/vouchers/{code}/validate", json=vouchers.sketch(session="cart"), caller=other_shop)
    assert answer.status == 200


def test_a_system_that_names_nobody_has_more_patience_but_not_without_end() -> None:
    guess(FAILURES_MAX + 1)
    guess(SYSTEM_FAILURES_MAX - FAILURES_MAX - 1)
    assert validate(wrong(1)).status == 429
    assert validate(wrong(1), session="a cart").status == 404


def test_members_are_counted_by_their_sign_in_and_foreign_vouchers_count() -> None:
    owner = shop.enrol()
    code = vouchers.given(vouchers.make(owner="member"), owner)
    thief = member("thief", phone="+8613900139000")
    client.post("/v1/members", json={"phone": "+8613900139000"}, caller=thief)
    for _ in range(FAILURES_MAX):
        answer = client.post(f"/v1/vouchers/{code}/validate", json=vouchers.sketch(), caller=thief)
        assert told(answer) == (404, "voucher_not_found")
    answer = client.post(f"/v1/vouchers/{code}/validate", json=vouchers.sketch(), caller=thief)
    assert answer.status == 429


def test_a_slip_of_the_finger_is_no_guess() -> None:
    code = wrong(7)
    slip = code[:-1] + ("0" if code[-1] != "0" else "1")
    for _ in range(FAILURES_MAX + 1):
        assert validate(slip, session="cart").status == 404


def test_what_cannot_be_a_code_looks_like_an_unknown_one() -> None:
    answers = [
        validate(text).json | {"request_id": ""} for text in ("!!!!", "ab", wrong(1), "%F0%9F%8D%B5%F0%9F%8D%B5")
    ]
    assert all(answer == answers[0] for answer in answers)


def test_refusals_that_the_code_earns_are_no_guesses() -> None:
    code = vouchers.single(minimum_minor={"CNY": 99_999})
    for _ in range(FAILURES_MAX + 1):
        assert told(validate(code, session="cart")) == (409, "below_minimum")


def test_the_log_tells_of_a_guess_without_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    code = wrong(3)
    validate(code, session="a private cart")
    said = capsys.readouterr().out
    lines = [json.loads(line) for line in said.splitlines()]
    (metric,) = [line for line in lines if "VoucherGuesses" in line]
    assert metric["VoucherGuesses"] == 1
    assert code not in said
    assert code.replace("-", "") not in said
    assert "private" not in said
