"""Guessing referral codes is slowed for the member for whom it is tried, and leaves a line in the log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.referrals import codes
from chalicelib.vouchers.guessing import FAILURES_MAX, WINDOW_S
from tests.api.client import client, member
from tests.api.friends import claim, code_of, enrol, publish
from tests.api.test_vouchers_use import at

# The beginning of a window, so that no test runs into the next one.
NOW = clock.now() // WINDOW_S * WINDOW_S


@pytest.fixture(autouse=True)
def _now() -> Any:
    with at(NOW):
        publish()
        yield


def wrong(number: int) -> str:
    """A code that keeps the rule of the check symbol and is nobody's."""
    return codes.shown(codes.made(number.to_bytes(codes.RANDOM_BYTES)))


def guess(member_id: str, times: int = FAILURES_MAX) -> None:
    for number in range(times):
        assert claim(member_id, wrong(number)).code == "referral_code_unknown"


def test_who_guesses_too_often_waits_until_the_window_is_over() -> None:
    code, ben = code_of(enrol("anna")), enrol("ben")
    guess(ben)
    with at(NOW + 200):
        answer = claim(ben, code)
        assert (answer.status, answer.code) == (429, "referral_attempts_exceeded")
        assert answer.headers["retry-after"] == str(WINDOW_S - 200)
    with at(NOW + WINDOW_S):
        assert claim(ben, code).status == 201


def test_one_guesser_slows_nobody_else() -> None:
    code, ben, carl = code_of(enrol("anna")), enrol("ben"), enrol("carl")
    guess(ben)
    assert claim(carl, code).status == 201


def test_what_was_claimed_is_answered_alike_though_other_codes_were_wrong() -> None:
    code, ben = code_of(enrol("anna")), enrol("ben")
    guess(ben, FAILURES_MAX - 1)
    assert claim(ben, code).status == 201
    assert claim(ben, wrong(1)).code == "referral_already_claimed"
    assert claim(ben, code).status == 200


def test_the_code_of_the_enrolment_counts_among_a_member_s() -> None:
    code = code_of(enrol("anna"))
    ben = enrol("ben", referral={"code": wrong(99)})
    guess(ben, FAILURES_MAX - 1)
    assert claim(ben, code).code == "referral_attempts_exceeded"


def test_a_slip_of_the_finger_is_no_guess() -> None:
    code, ben = code_of(enrol("anna")), enrol("ben")
    slip = code[:-1] + ("0" if code[-1] != "0" else "1")
    for _again in range(FAILURES_MAX + 1):
        assert claim(ben, slip).code == "referral_code_unknown"
    assert claim(ben, code).status == 201


def test_refusals_of_a_code_that_is_somebody_s_are_no_guesses() -> None:
    anna = enrol("anna")
    code = code_of(anna)
    for _again in range(FAILURES_MAX + 1):
        assert claim(anna, code).code == "referral_own_code"


def test_a_person_is_counted_whatever_the_sign_in_calls_the_member() -> None:
    code = code_of(enrol("anna"))
    ben = member("ben", mail="ben@example.com")
    member_id = client.post("/v1/members", json={}, caller=ben).json["member"]["id"]
    guess(member_id)
    answer = client.post("/v1/members/me/referral", json={"code": code}, caller=ben)
    assert (answer.status, answer.code) == (429, "referral_attempts_exceeded")


def test_the_log_tells_of_a_guess_without_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    ben = enrol("ben")
    claim(ben, wrong(3))
    said = capsys.readouterr().out
    (metric,) = [line for line in map(json.loads, said.splitlines()) if "ReferralGuesses" in line]
    assert metric["ReferralGuesses"] == 1
    assert not any(secret in json.dumps(metric) for secret in (ben, wrong(3), wrong(3).replace("-", "")))
