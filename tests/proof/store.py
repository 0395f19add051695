"""A DynamoDB in memory: exactly the calls that the engine makes, and a past that stale reads can be served from.

moto copies its tables at every transaction, which makes it too slow for thousands of runs. That this store answers as
moto does is checked call by call on the engine's own traffic (`Shadow`, used by the state machine).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from unittest import mock

from botocore.exceptions import ClientError

from chalicelib.base import dynamo
from chalicelib.base.settings import settings
from chalicelib.members import service as members
from chalicelib.program import service as programs
from chalicelib.surveys import defining
from chalicelib.vouchers import batches
from tests.proof.expressions import Item, Value, holds, plain, updated
from tests.tables import KEYS

Parameters: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = dict[str, Any]
Call: TypeAlias = Callable[[str, dict[str, Any]], Answer]
Rows: TypeAlias = dict[Any, Item]
"""The items of one partition by their (comparable) range key, None in a table without one."""

NOTHING: Item = {}


@dataclass
class Store:
    """The tables. `tick` counts writes; every partition remembers what it looked like after each of them.

    `log` holds what was put at which tick, in the order in which it came true, `updates` what was updated.
    """

    tick: int = 0
    log: list[tuple[int, str, Item]] = field(default_factory=list)
    updates: list[tuple[int, str, Item]] = field(default_factory=list)
    past: dict[tuple[str, Any], list[tuple[int, Rows]]] = field(default_factory=dict)

    def call(self, operation: str, parameters: Parameters, *, as_of: int | None = None) -> Answer:
        """Answer a call. Reads that need not be consistent are served as of the tick `as_of`, if given."""
        match operation:
            case "Query":
                return self._query(parameters, self._seen(parameters, as_of))
            case "GetItem":
                return self._get(parameters, self._seen(parameters, as_of))
            case "BatchGetItem":
                return self._batch_get(parameters, as_of)
            case "TransactWriteItems":
                return self._transact(parameters)
            case "BatchWriteItem":
                return self._batch_write(parameters)
            case "PutItem" | "UpdateItem" | "DeleteItem":
                return self._write(operation, parameters)
            case "Scan":
                # In no order that anybody may rely on; this one is easy to compare.
                found = sorted(self.items(parameters["TableName"]), key=_order)
                return {"Items": found, "Count": len(found), "ScannedCount": len(found)}
        raise NotImplementedError(operation)

    def items(self, table: str) -> list[Item]:
        """Every item of a table."""
        partitions = [
            rows for (name, _key), versions in self.past.items() if name == table for _t, rows in versions[-1:]
        ]
        return [item for rows in partitions for item in rows.values()]

    def _seen(self, parameters: Parameters, as_of: int | None) -> int:
        return self.tick if as_of is None or parameters.get("ConsistentRead") else as_of

    def _rows(self, table: str, hash_key: Any, as_of: int) -> Rows:
        for tick, rows in reversed(self.past.get((table, hash_key), [])):
            if tick <= as_of:
                return rows
        return {}

    def _query(self, parameters: Parameters, as_of: int) -> Answer:
        table = parameters["TableName"]
        condition = parameters["KeyConditionExpression"]
        # The engine's queries all begin with the equality of the hash key.
        hash_key = plain(parameters["ExpressionAttributeValues"][":0"])
        rows = self._rows(table, hash_key, as_of)
        ordered = [rows[key] for key in sorted(rows)] if len(rows) > 1 else list(rows.values())
        found = [item for item in ordered if holds(condition, parameters, item)]
        if not parameters.get("ScanIndexForward", True):
            found.reverse()
        start = parameters.get("ExclusiveStartKey")
        if start:
            keys = [_key(table, item) for item in found]
            found = found[keys.index(dict(start)) + 1 :]
        limit = parameters.get("Limit")
        page = found if limit is None else found[:limit]
        answer: Answer = {"Items": [_projected(item, parameters) for item in page]}
        answer |= {"Count": len(page), "ScannedCount": len(page)}
        # As DynamoDB does it: whoever asked for so many learns only from the next page that there are no more.
        if limit is not None and len(page) == limit:
            answer["LastEvaluatedKey"] = _key(table, page[-1])
        return answer

    def _get(self, parameters: Parameters, as_of: int) -> Answer:
        item = self._item(parameters["TableName"], parameters["Key"], as_of)
        return {"Item": item} if item else {}

    def _batch_get(self, parameters: Parameters, as_of: int | None) -> Answer:
        responses = {}
        for table, wanted in parameters["RequestItems"].items():
            seen = self._seen(wanted, as_of)
            found = [self._item(table, key, seen) for key in wanted["Keys"]]
            responses[table] = [item for item in found if item]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def _item(self, table: str, key: Item, as_of: int) -> Item:
        hash_key, range_key = _split(table, key)
        return self._rows(table, hash_key, as_of).get(range_key, NOTHING)

    def _transact(self, parameters: Parameters) -> Answer:
        parts = [(kind, part) for entry in parameters["TransactItems"] for kind, part in entry.items()]
        keys = [(part["TableName"], *_split(part["TableName"], _key_of(part))) for _kind, part in parts]
        if len(set(keys)) < len(keys):
            raise refused("TransactWriteItems", "ValidationException")
        reasons = [self._reason(part) for _kind, part in parts]
        if any(reason["Code"] != "None" for reason in reasons):
            raise refused("TransactWriteItems", "TransactionCanceledException", reasons)
        self.tick += 1
        for kind, part in parts:
            self._apply(kind, part)
        return {}

    def _write(self, operation: str, parameters: Parameters) -> Answer:
        if self._reason(parameters)["Code"] != "None":
            raise refused(operation, "ConditionalCheckFailedException")
        self.tick += 1
        self._apply(operation.removesuffix("Item"), parameters)
        if parameters.get("ReturnValues") == "ALL_NEW":
            return {"Attributes": self._item(parameters["TableName"], parameters["Key"], self.tick)}
        return {}

    def _batch_write(self, parameters: Parameters) -> Answer:
        for table, requests in parameters["RequestItems"].items():
            for request in requests:
                self.tick += 1
                for kind, part in request.items():
                    self._apply(kind.removesuffix("Request"), {"TableName": table, **part})
        return {"UnprocessedItems": {}}

    def _reason(self, part: Parameters) -> dict[str, Any]:
        """Why a write cannot be: its condition does not hold for the item that is there."""
        item = self._item(part["TableName"], _key_of(part), self.tick)
        condition = part.get("ConditionExpression")
        if condition is None or holds(condition, part, item):
            return {"Code": "None"}
        reason: dict[str, Any] = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
        if part.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item:
            reason["Item"] = item
        return reason

    def _apply(self, kind: str, part: Parameters) -> None:
        table = part["TableName"]
        hash_key, range_key = _split(table, _key_of(part))
        rows = dict(self._rows(table, hash_key, self.tick))
        match kind:
            case "Put":
                rows[range_key] = dict(part["Item"])
                self.log.append((self.tick, table, rows[range_key]))
            case "Delete":
                rows.pop(range_key, None)
            case "Update":
                before = rows.get(range_key) or part["Key"]
                rows[range_key] = updated(part["UpdateExpression"], part, before)
                self.updates.append((self.tick, table, rows[range_key]))
        self.past.setdefault((table, hash_key), []).append((self.tick, rows))


def refused(operation: str, code: str, reasons: list[dict[str, Any]] | None = None) -> ClientError:
    """The error by which DynamoDB refuses a call."""
    response: dict[str, Any] = {"Error": {"Code": code, "Message": code}}
    if reasons is not None:
        response["CancellationReasons"] = reasons
    return ClientError(response, operation)  # type: ignore[arg-type]


def _key_of(part: Parameters) -> Item:
    found: Item = part["Key"] if "Key" in part else part["Item"]
    return found


def _names(table: str) -> list[str]:
    return [name for name, _kind in KEYS[table.removeprefix(settings().table_prefix)]]


def _key(table: str, item: Item) -> dict[str, Value]:
    return {name: item[name] for name in _names(table)}


def _split(table: str, item: Item) -> tuple[Any, Any]:
    hash_name, *range_names = _names(table)
    return plain(item[hash_name]), plain(item[range_names[0]]) if range_names else None


def _order(item: Item) -> str:
    return str(sorted((name, str(value)) for name, value in item.items()))


def _projected(item: Item, parameters: Parameters) -> Item:
    projection = parameters.get("ProjectionExpression")
    if projection is None:
        return item
    names = parameters.get("ExpressionAttributeNames", {})
    wanted = [names.get(name.strip(), name.strip()) for name in projection.split(",")]
    return {name: item[name] for name in wanted if name in item}


@contextlib.contextmanager
def intercepted(call: Call) -> Iterator[None]:
    """Let `call` answer in place of the engine's DynamoDB client, with nothing remembered of other tables."""
    members.forget_all()
    programs.reset_cache()
    batches.forget_all()
    defining.forget_all()
    with mock.patch.object(dynamo.client(), "_make_api_call", call):
        yield


@contextlib.contextmanager
def in_memory() -> Iterator[Store]:
    """Run the engine on a store of its own."""
    store = Store()
    with intercepted(store.call):
        yield store


class Shadow:
    """Sends every call to a reference and to a store, and holds the two answers against each other."""

    def __init__(self, reference: Call, store: Store) -> None:
        self._reference = reference
        self._store = store
        self.compared: dict[str, int] = {}

    def call(self, operation: str, parameters: dict[str, Any]) -> Answer:
        """The reference's answer or error, after both have been found equal."""
        self.compared[operation] = self.compared.get(operation, 0) + 1
        expected, error = _outcome(lambda: self._reference(operation, parameters))
        if operation == "Scan":
            expected["Items"].sort(key=_order)
        found, own_error = _outcome(lambda: self._store.call(operation, parameters))
        assert _essence(found, own_error) == _essence(expected, error), (operation, parameters)
        if error:
            raise error
        return expected


def _outcome(send: Callable[[], Answer]) -> tuple[Answer, ClientError | None]:
    try:
        return send(), None
    except ClientError as error:
        return {}, error


def _essence(answer: Answer, error: ClientError | None) -> object:
    """What an answer says, without capacity, page marks and the words of errors."""
    if error:
        response: Any = error.response
        reasons = [(reason["Code"], reason.get("Item")) for reason in response.get("CancellationReasons", [])]
        return response["Error"]["Code"], reasons
    responses = {table: sorted(map(str, items)) for table, items in answer.get("Responses", {}).items()}
    return answer.get("Items"), answer.get("Item") or {}, answer.get("Count"), responses
