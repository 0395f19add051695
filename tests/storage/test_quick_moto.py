"""moto made quick answers as moto does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.base.settings import settings
from tests import quick_moto
from tests.tables import empty_tables

CASES = settings().table("cases")
MEMBERS = settings().table("members")


def test_it_answers_as_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = list(answers())
    for owner, name, theirs, _ours in quick_moto.replaced():
        monkeypatch.setattr(owner, name, theirs)
    with empty_tables():
        theirs = list(answers())

    assert ours == theirs
    assert [said[0] for said in ours if isinstance(said, tuple)] == [
        "ConditionalCheckFailedException",
        "TransactionCanceledException",
        "ValidationException",
    ]


def answers() -> Iterator[Any]:
    """What the tables say to all kinds of requests; a refusal as its code and words."""
    dynamodb: Any = boto3.client("dynamodb")

    def said(operation: str, **asked: Any) -> Any:
        try:
            answer = getattr(dynamodb, operation)(ReturnConsumedCapacity="TOTAL", **asked)
        except ClientError as error:
            return error.response["Error"]["Code"], str(error)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    for number in range(6):
        yield said("put_item", TableName=CASES, Item=_case("a" if number % 2 else "b", f"{number:03d}"))
        yield said("put_item", TableName=MEMBERS, Item={"key": {"S": f"m{5 - number}"}, "born": {"S": "02-29"}})
    new = "attribute_not_exists(#key)"
    yield said("put_item", TableName=CASES, Item=_case("a", "001"), **_if(new))
    yield said("transact_write_items", TransactItems=[*_writes("z"), _put("a", "003", **_if(new))])
    yield said("transact_write_items", TransactItems=[*_writes("y"), _put("a", "009", **_if(new))])
    yield said("put_item", TableName=CASES, Item=_case("a", "large") | {"text": {"S": "x" * 410_000}})
    for key in ("a", "b", "none"):
        asked = {"TableName": CASES, "KeyConditionExpression": "#key = :key", "ConsistentRead": True}
        asked |= {"ExpressionAttributeNames": {"#key": "key"}, "ExpressionAttributeValues": {":key": {"S": key}}}
        yield said("query", **asked)
        yield said("query", **asked, Limit=2, ScanIndexForward=False)
        yield said("query", **asked, Limit=2, ExclusiveStartKey={"key": {"S": key}, "part": {"S": "001"}})
    of_day = {"ExpressionAttributeValues": {":day": {"S": "02-29"}}, "KeyConditionExpression": "born = :day"}
    yield said("query", TableName=MEMBERS, IndexName="birthdays", **of_day)
    yield said("scan", TableName=CASES)
    keys = [{"key": {"S": "a"}, "part": {"S": part}} for part in ("001", "none")]
    yield said("batch_get_item", RequestItems={CASES: {"Keys": keys}})
    yield said("get_item", TableName=CASES, Key=keys[0])
    yield said("get_item", TableName=CASES, Key=keys[1])


def _if(condition: str) -> dict[str, Any]:
    return {"ConditionExpression": condition, "ExpressionAttributeNames": {"#key": "key"}}


def _case(key: str, part: str) -> dict[str, Any]:
    """An item with values of all kinds, within one another."""
    every = {
        "binary": {"B": b"\x00\xff"},
        "binaries": {"BS": [b"\x00", b"\x01"]},
        "number": {"N": "-1.5"},
        "nothing": {"NULL": True},
        "list": {"L": [{"N": "1"}, {"L": [{"B": b"\x02"}]}, {"M": {"yes": {"BOOL": True}}}]},
        "empty": {"M": {}},
    }
    return {"key": {"S": key}, "part": {"S": part}, **every, "map": {"M": every}}


def _put(key: str, part: str, **condition: Any) -> dict[str, Any]:
    return {"Put": {"TableName": CASES, "Item": _case(key, part), **condition}}


def _writes(mark: str) -> list[dict[str, Any]]:
    """A put of something new, a change and a removal."""
    change: dict[str, Any] = {"TableName": CASES, "Key": {"key": {"S": "a"}, "part": {"S": "001"}}}
    change |= {"UpdateExpression": "SET #map.mark = :mark", "ExpressionAttributeNames": {"#map": "map"}}
    removal = {"TableName": CASES, "Key": {"key": {"S": "b"}, "part": {"S": "00" + ("0" if mark == "z" else "2")}}}
    return [
        _put(mark, "new"),
        {"Update": change | {"ExpressionAttributeValues": {":mark": {"S": mark}}}},
        {"Delete": removal},
    ]
