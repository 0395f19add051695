"""What DynamoDB would bill: counted from the requests themselves, by the published rules.

No emulator reports capacity right in all cases, so none is asked. The rules are those of the developer guide ("Read and
write operations", "Item sizes and formats"): a write unit is 1 KB of the larger of the item before and after, a read
unit 4 KB, half of one where the read need not be consistent, and a transaction costs twice.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from chalicelib.base import dynamo
from chalicelib.base.settings import settings
from tests.tables import INDEXES, KEYS

Item = Mapping[str, Mapping[str, Any]]


@dataclass
class Bill:
    """What was used: write and read units, and requests in a row. `calls` names the requests.

    `billed` is what the answers themselves tell, which only AWS tells rightly, and nothing of a request that failed.
    """

    write_units: float = 0
    read_units: float = 0
    calls: list[str] = field(default_factory=list)
    billed: dynamo.Units = field(default_factory=dynamo.Units)

    @property
    def round_trips(self) -> int:
        """How many requests were waited for, one after the other."""
        return len(self.calls)


def item_bytes(item: Item) -> int:
    """The size of an item, names included, as DynamoDB reckons it."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """The size of one attribute's value. Raises ValueError for a type that the engine does not use."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "N":
            digits = content.lstrip("-").replace(".", "").strip("0")
            return int((len(digits) + 1) // 2 + 1 + content.startswith("-"))
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + value_bytes(element) for element in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + value_bytes(element) for name, element in content.items())
    raise ValueError(f"the meter does not know the type {kind}")


def write_units(before: Item, after: Item) -> int:
    """Units of one write outside a transaction."""
    return max(1, -(-max(item_bytes(before), item_bytes(after)) // 1024))


def index_units(table: str, before: Item, after: Item) -> int:
    """Units of an index that follows a write: taking its entry out, putting another one in, or both.

    It holds keys alone, so that it follows only where one of them changes; a transaction costs it nothing more.
    """
    keys = [index[1] for name, index in INDEXES.items() if settings().table(name) == table]
    return sum((key in before) + (key in after) for key in keys if before.get(key) != after.get(key))


def read_units(size: int, *, consistent: bool) -> float:
    """Units of one read of `size` bytes."""
    blocks = max(1, -(-size // 4096))
    return float(blocks) if consistent else blocks / 2


@contextlib.contextmanager
def metered() -> Iterator[Bill]:
    """Count every request of the engine's client until the end of the block."""
    client: Any = dynamo.client()
    real: Callable[[str, dict[str, Any]], dict[str, Any]] = client._make_api_call
    bill = Bill()

    def read(table: str, key: Item) -> Item:
        found: Item = real("GetItem", {"TableName": table, "Key": key, "ConsistentRead": True}).get("Item", {})
        return found

    def call(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        bill.calls.append(operation)
        counter = _COUNTERS[operation]
        return counter(bill, lambda: real(operation, parameters), parameters, read)

    before = dataclasses.replace(dynamo.used)
    with mock.patch.object(client, "_make_api_call", call):
        yield bill
    # The meter's own reads do not ask what they cost, so they are not in it.
    bill.billed = dynamo.Units(dynamo.used.read - before.read, dynamo.used.write - before.write)


Read = Callable[[str, Item], Item]
Send = Callable[[], dict[str, Any]]


def _query(bill: Bill, send: Send, parameters: dict[str, Any], _read: Read) -> dict[str, Any]:
    answer = send()
    size = sum(item_bytes(item) for item in answer["Items"])
    bill.read_units += read_units(size, consistent=parameters.get("ConsistentRead", False))
    return answer


def _get(bill: Bill, send: Send, parameters: dict[str, Any], _read: Read) -> dict[str, Any]:
    answer = send()
    size = item_bytes(answer.get("Item", {}))
    bill.read_units += read_units(size, consistent=parameters.get("ConsistentRead", False))
    return answer


def _batch_get(bill: Bill, send: Send, parameters: dict[str, Any], _read: Read) -> dict[str, Any]:
    answer = send()
    for table, wanted in parameters["RequestItems"].items():
        consistent = wanted.get("ConsistentRead", False)
        found = answer["Responses"].get(table, [])
        bill.read_units += sum(read_units(item_bytes(item), consistent=consistent) for item in found)
        bill.read_units += (len(wanted["Keys"]) - len(found)) * read_units(0, consistent=consistent)
    return answer


def _write(bill: Bill, send: Send, parameters: dict[str, Any], read: Read) -> dict[str, Any]:
    key = parameters.get("Key") or _key_of(parameters["TableName"], parameters["Item"])
    before = read(parameters["TableName"], key)
    try:
        return send()
    finally:
        # A write that fails its condition is billed for the item that it met.
        after = read(parameters["TableName"], key)
        bill.write_units += write_units(before, after) + index_units(parameters["TableName"], before, after)


def _batch_write(bill: Bill, send: Send, parameters: dict[str, Any], read: Read) -> dict[str, Any]:
    puts = [
        (table, request["PutRequest"]["Item"])
        for table, requests in parameters["RequestItems"].items()
        for request in requests
    ]
    before = [read(table, _key_of(table, item)) for table, item in puts]
    answer = send()
    bill.write_units += sum(write_units(old, item) for old, (_table, item) in zip(before, puts, strict=True))
    return answer


def _transact(bill: Bill, send: Send, parameters: dict[str, Any], read: Read) -> dict[str, Any]:
    parts = [part for item in parameters["TransactItems"] for part in item.values()]
    keys = [part.get("Key") or _key_of(part["TableName"], part["Item"]) for part in parts]
    before = [read(part["TableName"], key) for part, key in zip(parts, keys, strict=True)]
    try:
        return send()
    finally:
        for part, key, old in zip(parts, keys, before, strict=True):
            found = read(part["TableName"], key)
            bill.write_units += 2 * write_units(old, part.get("Item") or found)
            bill.write_units += index_units(part["TableName"], old, found)


def _key_of(table: str, item: Item) -> Item:
    names = next(keys for name, keys in KEYS.items() if settings().table(name) == table)
    return {name: item[name] for name, _kind in names}


_COUNTERS: dict[str, Callable[[Bill, Send, dict[str, Any], Read], dict[str, Any]]] = {
    "Query": _query,
    # Billed for what is read, like a query, whatever is given of it.
    "Scan": _query,
    "GetItem": _get,
    "BatchGetItem": _batch_get,
    "BatchWriteItem": _batch_write,
    "PutItem": _write,
    "UpdateItem": _write,
    "DeleteItem": _write,
    "TransactWriteItems": _transact,
}
