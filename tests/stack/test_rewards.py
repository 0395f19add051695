"""Rewards on the deployed package: its functions, its tables, its rights."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from infra.local import seed
from infra.local.deploy import Stack
from tests.stack.shop import available, enrol

_numbers = itertools.count(1)


def take(shop: httpx.Client, member: str, reward: str, **fields: Any) -> httpx.Response:
    """Take a reward, every request sent twice at once; gives the answer, which both must have."""
    headers = {"Idempotency-Key": f"stack-reward-{next(_numbers)}"}
    body = {"reward_id": reward, **fields}
    with ThreadPoolExecutor(2) as pool:
        path = f"/v1/members/{member}/redemptions"
        twice = [pool.submit(shop.post, path, json=body, headers=headers) for _copy in range(2)]
    first, second = (answer.result() for answer in twice)
    if first.is_success:
        assert sorted((first.status_code, second.status_code)) == [200, 201]
        assert first.json() == second.json()
    return first


def act(shop: httpx.Client, redemption: Any, verb: str, **body: Any) -> Any:
    answer = shop.post(f"/v1/redemptions/{redemption['id']}/{verb}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["redemption"]


def stock(stack: Stack) -> dict[str, int]:
    answer = seed.administer(stack, {"action": "rewards"})
    return next(reward["stock"] for reward in answer["rewards"] if reward["code"] == "drop")


def test_a_reward_is_held_committed_shipped_used_and_listed(stack: Stack, shop: httpx.Client) -> None:
    member, before = enrol(shop), stock(stack)
    shown = shop.get("/v1/rewards/drop", params={"member_id": member}).json()
    assert (shown["offer"]["available"], shown["left"]) == (True, before["left"])

    held = take(shop, member, "drop", hold_seconds=600).json()["redemption"]
    assert stock(stack)["held"] == before["held"] + 1
    assert act(shop, held, "commit")["status"] == "issued"
    assert act(shop, held, "ship", tracking="SF1")["status"] == "shipped"
    assert act(shop, held, "use", store="shanghai-1")["status"] == "used"
    cancelled = take(shop, member, "drop").json()["redemption"]
    assert act(shop, cancelled, "cancel")["status"] == "cancelled"

    after = stock(stack)
    assert (after["sold"], after["held"], after["left"]) == (before["sold"] + 1, before["held"], before["left"] - 1)
    listed = shop.get(f"/v1/members/{member}/redemptions").json()["redemptions"]
    assert [entry["status"] for entry in listed] == ["cancelled", "used"]
    assert available(shop, member) == 90


def test_a_flash_sale_sells_what_there_is(stack: Stack, shop: httpx.Client) -> None:
    left = stock(stack)["left"]
    members = [enrol(shop) for _number in range(4)]
    answers = [take(shop, members[number % 4], "drop") for number in range(left + 3)]

    assert [answer.is_success for answer in answers] == [True] * left + [False] * 3
    assert {answer.json()["code"] for answer in answers[left:]} == {"sold_out"}
    assert stock(stack)["left"] == 0
    shown = shop.get("/v1/rewards/drop", params={"member_id": members[0]}).json()
    assert shown["offer"]["reason"] == "sold_out"


def test_the_days_counter_is_made_by_the_first_who_comes(shop: httpx.Client) -> None:
    member = enrol(shop)
    codes = [take(shop, member, "daily").json().get("code", "taken") for _number in range(3)]
    assert codes == ["taken", "taken", "sold_out_today"]
