"""moto, made quick where the engine's tests spend their time; what it answers stays the same.

As it comes it sorts the whole table for every query, copies every table of a transaction once for each of its items,
looks for nine names of each member that an answer may have, looks through its own class for every request, and reckons
an item's size anew with every attribute. Together that was half of what a test on moto costs. This reaches into one
version of moto, which the lock pins.
"""

from __future__ import annotations

import base64
import copy
import functools
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

from moto.core import responses, serialize, utils
from moto.dynamodb import models as their_models
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

_ITEM_BYTES = 405_000
"""What moto lets an item have; the meaning of it is that of AWS, 400 KB."""
_INDEX_NAME = 6
"""The place of a query's index among its arguments after the hash key."""

models: Any = their_models
_get_value = serialize.JSONSerializer.get_value
_structure = serialize.JSONSerializer._serialize_type_structure
_transact = models.DynamoDBBackend.transact_write_items
_query = Table.query
_init = Item.__init__


def make_quick() -> None:
    """Put it in place, for the rest of the process."""
    for owner, name, _theirs, ours in replaced():
        setattr(owner, name, ours)


def replaced() -> list[tuple[Any, str, Any, Any]]:
    """What is replaced: where it is, its name, what moto has there, and what comes in its place."""
    methods = utils.method_names_from_class
    serializer = serialize.JSONSerializer
    return [
        (responses, "method_names_from_class", methods, functools.cache(methods)),
        (serializer, "get_value", _get_value, _get_member),
        (serializer, "_serialize_type_structure", _structure, _serialize_structure),
        (models.DynamoDBBackend, "transact_write_items", _transact, _transact_write_items),
        (Table, "query", _query, _query_partition),
        (Item, "__init__", _init, _init_item),
    ]


def _query_partition(self: Table, hash_key: DynamoType | None, *rest: Any, **named: Any) -> Any:
    """A query looks at the items under its key only; one of an index at all of them, as it did."""
    if rest[_INDEX_NAME] is None:
        table = copy.copy(self)
        table.items = defaultdict(dict)
        if hash_key in self.items:
            table.items[hash_key] = self.items[hash_key]
        self = table
    return _query(self, hash_key, *rest, **named)


def _transact_write_items(self: Any, transact_items: list[dict[str, Any]]) -> None:
    written: dict[str, set[DynamoType]] = defaultdict(set)
    for item in transact_items:
        for operation in item.values():
            table = self.tables.get(operation.get("TableName"))
            if table is not None:
                keys = operation.get("Key") or operation.get("Item")
                written[table.name].add(DynamoType(keys[table.hash_key_attr]))
    whole = models.copy
    models.copy = SimpleNamespace(
        deepcopy=lambda it: _to_go_back_to(it, written[it.name]) if isinstance(it, Table) else copy.deepcopy(it)
    )
    try:
        _transact(self, transact_items)
    finally:
        models.copy = whole


def _to_go_back_to(table: Table, written: set[DynamoType]) -> Table:
    """A copy of a table: what lies under the keys that are written is copied, the rest is the same."""
    back = copy.copy(table)
    back.items = table.items.copy()
    for key in written & back.items.keys():
        back.items[key] = copy.deepcopy(back.items[key])
    return back


def _init_item(self: Any, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    self.hash_key = hash_key
    self.range_key = range_key
    self.attrs = LimitedSizeDict({name: DynamoType(value) for name, value in attrs.items()})
    if self.size() > _ITEM_BYTES:
        raise ItemSizeTooLarge


def _get_member(self: Any, value: Any, key: str, shape: Any) -> Any:
    # What moto's DynamoDB answers with has the names of AWS; other services use names of Python as well.
    if type(value) is dict and self.operation_model.service_model.service_name == "dynamodb":
        return value.get(key)
    return _get_value(self, value, key, shape)


def _serialize_structure(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
    if shape.name == "AttributeValue" and type(value) is dict and key:
        serialized[self.get_serialized_name(shape, key)] = _plain(value)
    else:
        _structure(self, serialized, value, shape, key)


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """A value as JSON has it: `{"S": "…"}`."""
    ((kind, content),) = value.items()
    if kind == "M":
        return {"M": {name: _plain(part) for name, part in content.items()}}
    if kind == "L":
        return {"L": [_plain(part) for part in content]}
    if kind == "B":
        return {"B": _base64(content)}
    if kind == "BS":
        return {"BS": [_base64(part) for part in content]}
    return value


def _base64(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()
