"""Whatever fails on the way, and whoever comes in between: a reward is taken once, and goes back once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from tests import faults
from tests.api import shop
from tests.api.client import Response
from tests.rewards import act, offer, publish, reward, stock, take

FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]
LIMITED: dict[str, Any] = {"limits": [{"per": "ever", "pieces": 1}], "stock": {"total": 3, "shards": 2}}


@pytest.fixture
def member_id() -> str:
    """A member with 600 points and a catalogue with one reward of which one may be had."""
    found = shop.enrol()
    shop.post_order("earned", member_id=found, total_minor=500_00)
    publish(reward(**LIMITED))
    return found


def answered(send: Callable[[], Response], *met: faults.Fault) -> Response:
    """Send a request until it is answered, as a client does who hears nothing."""
    with faults.calls(*met), mock.patch("time.sleep"):
        answer = send()
        while answer.status == 503:
            answer = send()
    return answer


@pytest.mark.parametrize("fault", FAULTS)
def test_a_reward_is_taken_once(member_id: str, fault: faults.Fault) -> None:
    answer = answered(lambda: take(member_id, key="k"), fault)
    assert answer.status in {200, 201}
    assert take(member_id, key="k").json == answer.json
    assert (shop.available(member_id), stock(), offer(member_id)["reason"]) == (500, (3, 1, 2), "limit_reached")


@pytest.mark.parametrize("verb", ["commit", "release"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_hold_is_made_and_ended_once(member_id: str, fault: faults.Fault, verb: str) -> None:
    held = answered(lambda: take(member_id, key="k", hold_seconds=600), fault).json["redemption"]["id"]
    assert (shop.available(member_id), stock()) == (500, (3, 1, 2))
    assert answered(lambda: act(held, verb), fault).status == 200
    other = {"commit": "release", "release": "commit"}[verb]
    assert act(held, other).code == "redemption_not_open"
    expected = (500, (3, 1, 2), False) if verb == "commit" else (600, (3, 0, 3), True)
    assert (shop.available(member_id), stock(), offer(member_id)["available"]) == expected


@pytest.mark.parametrize("fault", FAULTS)
def test_a_cancellation_gives_back_once(member_id: str, fault: faults.Fault) -> None:
    taken = take(member_id).json["redemption"]["id"]
    first = answered(lambda: act(taken, "cancel"), fault)
    assert act(taken, "cancel").json == first.json
    assert (shop.available(member_id), stock(), offer(member_id)["available"]) == (600, (3, 0, 3), True)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_till_is_told_the_truth(member_id: str, fault: faults.Fault) -> None:
    taken = take(member_id).json["redemption"]["id"]
    first = answered(lambda: act(taken, "use", store="a"), fault)
    assert (first.status, act(taken, "use", store="a").json) == (200, first.json)


def test_of_a_till_and_a_cancellation_at_once_one_wins(member_id: str) -> None:
    taken = take(member_id).json["redemption"]["id"]

    def cancelled_first(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert act(taken, "cancel").status == 200
        return real(name, parameters)

    with faults.calls(cancelled_first):
        answer = act(taken, "use", store="a")
    assert (answer.status, answer.code) == (409, "redemption_not_open")
    assert (shop.available(member_id), stock()) == (600, (3, 0, 3))


def test_of_a_commit_and_a_release_at_once_one_wins(member_id: str) -> None:
    held = take(member_id, hold_seconds=600).json["redemption"]["id"]

    def released_first(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert act(held, "release").status == 200
        return real(name, parameters)

    with faults.calls(released_first):
        answer = act(held, "commit")
    assert (answer.status, answer.code) == (409, "redemption_not_open")
    assert (shop.available(member_id), stock()) == (600, (3, 0, 3))


def test_of_two_who_want_the_last_piece_at_once_one_has_it(member_id: str) -> None:
    other = shop.enrol("other", phone="+8613900139000")
    for number in range(2):
        third = shop.enrol(f"third-{number}", phone=f"+861370013700{number}")
        assert take(third).status == 201

    def taken_first(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert take(other).status == 201
        return real(name, parameters)

    with faults.calls(taken_first):
        answer = take(member_id, key="k")
    assert (answer.status, answer.code) == (409, "sold_out")
    assert (shop.available(member_id), shop.available(other), stock()) == (600, 0, (3, 3, 0))
