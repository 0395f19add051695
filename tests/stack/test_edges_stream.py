"""Batches from the ledger's stream as Lambda may deliver them, and entries of a version that is not deployed here."""

from __future__ import annotations

import json
from typing import Any

import httpx
import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.ledger import chain
from chalicelib.ledger.chain import Decision
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.state import Lifetime, Lot
from chalicelib.ledger.table import EntryItem, to_entry, to_item
from infra.local.deploy import Stack
from tests.stack.conftest import eventually
from tests.stack.functions import entries, invoke, streamed
from tests.stack.shop import available, enrol, kinds, order

UNKNOWN = "granted_by_a_newer_version"


def view(dynamodb: Any, stack: Stack, member_id: str) -> dict[str, Any]:
    """A member's item of the accounts view; empty while there is none."""
    key = {"member_id": {"S": member_id}}
    found: dict[str, Any] = dynamodb.get_item(
        TableName=stack.outputs["AccountsTableName"], Key=key, ConsistentRead=True
    ).get("Item", {})
    return found


def seen(dynamodb: Any, stack: Stack, member_id: str) -> int:
    """Up to which entry the view has seen a member's chain."""
    return int(view(dynamodb, stack, member_id).get("seq", {"N": "0"})["N"])


@pytest.fixture
def settled(stack: Stack, shop: httpx.Client, dynamodb: Any) -> tuple[str, list[dict[str, Any]]]:
    """A member with four entries, all of them in the view, and those entries."""
    member = enrol(shop)
    for _number in range(3):
        assert shop.post("/v1/orders", json=order(member)).status_code == 201
    eventually(lambda: seen(dynamodb, stack, member) == 4)
    return member, entries(dynamodb, stack, member)


class TestTheProjector:
    @pytest.mark.parametrize("picked", [[0, 1, 2, 3], [3, 2, 1, 0], [0], [1, 1, 1], [3, 0], [0, 2]])
    def test_a_batch_that_comes_late_twice_reordered_or_with_gaps_changes_nothing(
        self, stack: Stack, dynamodb: Any, settled: tuple[str, list[dict[str, Any]]], picked: list[int]
    ) -> None:
        member, found = settled
        before = view(dynamodb, stack, member)

        assert invoke(stack, "ProjectAccounts", streamed(*[found[place] for place in picked])) == []

        assert view(dynamodb, stack, member) == before

    def test_a_view_that_was_lost_comes_back_from_any_batch_that_holds_the_newest(
        self, stack: Stack, dynamodb: Any, settled: tuple[str, list[dict[str, Any]]]
    ) -> None:
        member, found = settled
        before = view(dynamodb, stack, member)
        dynamodb.delete_item(TableName=stack.outputs["AccountsTableName"], Key={"member_id": {"S": member}})

        assert invoke(stack, "ProjectAccounts", streamed(found[3], found[1])) == []

        assert view(dynamodb, stack, member) == before

    @pytest.mark.parametrize("event", ["MODIFY", "REMOVE"])
    def test_what_is_no_new_entry_is_no_fact(
        self, stack: Stack, dynamodb: Any, settled: tuple[str, list[dict[str, Any]]], event: str
    ) -> None:
        member, found = settled
        later = {**found[3], "seq": {"N": "99"}}

        assert invoke(stack, "ProjectAccounts", streamed(later, event=event)) == []

        assert seen(dynamodb, stack, member) == 4

    def test_a_record_that_cannot_be_read_is_asked_for_again_and_what_came_before_it_is_seen(
        self, stack: Stack, dynamodb: Any, settled: tuple[str, list[dict[str, Any]]]
    ) -> None:
        member, found = settled
        dynamodb.delete_item(TableName=stack.outputs["AccountsTableName"], Key={"member_id": {"S": member}})
        poison = {**found[3], "state": {"B": b"\xff"}}

        assert invoke(stack, "ProjectAccounts", streamed(found[2], poison, found[3])) == ["101"]
        assert seen(dynamodb, stack, member) == 3

        assert invoke(stack, "ProjectAccounts", streamed(found[3])) == []
        assert seen(dynamodb, stack, member) == 4

    @pytest.mark.parametrize("name", ["ProjectAccounts", "RouteFacts"])
    @pytest.mark.parametrize("missing", ["state", "effect"])
    def test_a_record_without_state_or_effect_is_asked_for_again(
        self, stack: Stack, settled: tuple[str, list[dict[str, Any]]], name: str, missing: str
    ) -> None:
        broken = {key: value for key, value in settled[1][0].items() if key != missing}

        assert invoke(stack, name, streamed(broken)) == ["100"]


class TestTheRouter:
    def test_a_fact_that_is_routed_twice_has_its_effect_once(
        self, stack: Stack, shop: httpx.Client, dynamodb: Any
    ) -> None:
        waiting = order("", identity={"mail": "routed@example.com"})
        del waiting["member_id"]
        assert shop.post("/v1/orders", json=waiting).status_code == 202
        answer = shop.post("/v1/members", json={"mail": "routed@example.com"}, headers={"Idempotency-Key": "routed"})
        member = answer.json()["member"]["id"]
        enrolled = entries(dynamodb, stack, member)[0]

        assert [invoke(stack, "RouteFacts", streamed(enrolled, enrolled)) for _time in range(2)] == [[], []]

        eventually(lambda: "order" in kinds(shop, member))
        assert shop.post("/v1/orders", json=order(member)).status_code == 201
        assert kinds(shop, member) == ["enrolled", "order", "order"]


def newer(dynamodb: Any, stack: Stack, member: str) -> dict[str, Any]:
    """The entry that a newer version would append: of a kind, with attributes and with packed fields not known here."""
    item = EntryItem()
    item.deserialize(entries(dynamodb, stack, member)[-1])
    tail = to_entry(item)
    decision = Decision(
        kind=UNKNOWN,
        record="new_record",
        reason="a_reason_of_a_newer_version",
        actor="system:newer",
        program=0,
        occurred_at=clock.now(),
        effect=Effect(credits=(Lot(clock.now() + 90 * clock.DAY_S, 70),), lifetime=Lifetime(adjusted=70)),
        tier=tail.tier,
    )
    raw: dict[str, Any] = to_item(chain.link(member, tail, decision, clock.now())).serialize()
    for name in ("effect", "state"):
        known = msgspec.msgpack.decode(raw[name]["B"])
        raw[name] = {"B": msgspec.msgpack.encode([*known, {"a field": "of a newer version"}])}
    place = json.dumps(["members", {"key": "new_record"}])
    return {**raw, "place": {"S": place}, "an_attribute_of_a_newer_version": {"M": {"x": {"N": "1"}}}}


def record_of(entry: dict[str, Any]) -> dict[str, Any]:
    """The record that the newer version would commit with its entry; the audit looks for it."""
    return {"key": entry["record"], "record_id": entry["record"], "member_id": entry["member_id"], "seq": entry["seq"]}


class TestAnEntryOfANewerVersion:
    """While two versions are deployed at once, the older one meets what the newer one wrote."""

    def test_is_shown_projected_and_followed_by_the_older_one(
        self, stack: Stack, shop: httpx.Client, dynamodb: Any, settled: tuple[str, list[dict[str, Any]]]
    ) -> None:
        member, _found = settled
        before = available(shop, member)

        entry = newer(dynamodb, stack, member)
        dynamodb.put_item(TableName=stack.outputs["MembersTableName"], Item=record_of(entry))
        dynamodb.put_item(TableName=stack.outputs["LedgerTableName"], Item=entry)

        assert available(shop, member) == before + 70
        assert kinds(shop, member)[-1] == UNKNOWN
        statement = shop.get(f"/v1/members/{member}/entries").json()["entries"]
        assert statement[0]["points"] == 70
        eventually(lambda: seen(dynamodb, stack, member) == 5)
        posted = shop.post("/v1/orders", json=order(member))
        assert posted.status_code == 201
        assert posted.json()["account"]["available"] == before + 170
        assert shop.get(f"/v1/members/{member}/proof").status_code == 200

    def test_sends_no_message_that_nobody_asked_for(
        self, stack: Stack, dynamodb: Any, settled: tuple[str, list[dict[str, Any]]]
    ) -> None:
        assert invoke(stack, "RouteFacts", streamed(newer(dynamodb, stack, settled[0]))) == []
