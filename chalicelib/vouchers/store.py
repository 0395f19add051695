"""Reading and writing several items of table `vouchers` at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.base.dynamo import client, connection, unchanged
from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger.posting import Act, Lost, Write
from chalicelib.vouchers.table import NAME, LimitItem, SlotItem

logger = logging.getLogger(__name__)

_BATCH_WRITE = 25

M = TypeVar("M", bound=Model)
Key = tuple[type[Model], str, str]


def read_all(keys: Sequence[Key | None]) -> list[Any]:
    """The items of some keys as they are now, None for those that are not there (or no keys), in one call.

    Raises Unavailable where the database leaves some unread again and again.
    """
    wanted: Any = {
        NAME: {"Keys": [_raw_key(key, step) for _model, key, step in filter(None, keys)], "ConsistentRead": True}
    }
    found: dict[tuple[str, str], Any] = {}
    for _attempt in attempts():
        answer = _sent(lambda items: _client().batch_get_item(RequestItems=items), wanted)
        if answer is None:
            continue
        for raw in answer["Responses"].get(NAME, []):
            found[raw["key"]["S"], raw["step"]["S"]] = raw
        wanted = answer.get("UnprocessedKeys")
        if not wanted:
            return [_item(key[0], found.get(key[1:])) if key else None for key in keys]
    raise Unavailable("The vouchers cannot be read just now. Send the same request again.", code="busy")


def read_steps(model: type[M], key: str) -> list[M]:
    """All of a chain's steps, in their sequence, as they are now."""
    return list(model.query(key, consistent_read=True))


def put_all(items: Sequence[dict[str, Any]]) -> None:
    """Write raw items whatever was there, 25 in a call; what the database leaves over is sent again.

    Raises Unavailable where it leaves some over again and again; then some are written and some are not.
    """
    for begin in range(0, len(items), _BATCH_WRITE):
        part: Any = {NAME: [{"PutRequest": {"Item": item}} for item in items[begin : begin + _BATCH_WRITE]]}
        for _attempt in attempts():
            answer = _sent(lambda items: _client().batch_write_item(RequestItems=items), part)
            part = part if answer is None else answer.get("UnprocessedItems")
            if not part:
                break
        else:
            raise Unavailable("The database takes no more just now.", code="busy")


def put_absent(items: Sequence[dict[str, Any]]) -> list[dict[str, Any] | None]:
    """Put raw items (100 at the most) if absent, all or none; gives for each what stands in its place, or None.

    Nothing was written unless all are None. Raises Unavailable where the database is too busy.
    """
    parts = [
        {
            "Put": {
                "TableName": NAME,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(#key)",
                "ExpressionAttributeNames": {"#key": "key"},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }
        for item in items
    ]
    dynamodb = _client()
    for _attempt in attempts():
        try:
            dynamodb.transact_write_items(TransactItems=parts)
        except dynamodb.exceptions.TransactionCanceledException as error:
            reasons = error.response["CancellationReasons"]
            taken = [reason.get("Item") if _is_taken(reason) else None for reason in reasons]
            if any(taken):
                return taken
        else:
            return [None] * len(items)
    raise Unavailable("The database takes no more just now. Send the same request again.", code="busy")


def write_together(writes: Sequence[Write]) -> bool:
    """Commit writes, puts before updates, all or none; False where it must be looked again, for nothing is known.

    Raises Lost for the first whose condition fails.
    """
    ordered = sorted(writes, key=lambda write: write.act.value)
    try:
        with TransactWrite(connection=connection()) as transaction:
            for write in ordered:
                if write.act is Act.DELETE:
                    transaction.delete(write.model, condition=write.condition)
                elif write.act is Act.PUT:
                    transaction.save(write.model, condition=write.condition)
                else:
                    transaction.update(write.model, actions=list(write.actions), condition=write.condition)
    except TransactWriteError as error:
        for write, reason in zip(ordered, error.cancellation_reasons, strict=False):
            if reason and reason.code == "ConditionalCheckFailed":
                raise Lost(write.model, {}) from error
        return False
    except (PynamoDBException, BotoCoreError):
        return False
    return True


def replacing(item: SlotItem | LimitItem) -> Write:
    """The write that puts the next version of an item; it fails where another was put since it was read."""
    item.version += 1
    return Write(item, Act.PUT, condition=unchanged(type(item), item.version - 1))


def _item(model: type[Model], raw: Any) -> Any:
    if raw is None:
        return None
    found = model()
    found.deserialize(raw)
    return found


def _raw_key(key: str, step: str) -> dict[str, Any]:
    return {"key": {"S": key}, "step": {"S": step}}


def _is_taken(reason: dict[str, Any]) -> bool:
    return reason.get("Code") == "ConditionalCheckFailed"


def _sent(send: Callable[[Any], Any], items: Any) -> Any:
    """The answer to a batch, or None where it failed; it may then be carried out, wholly or in part."""
    try:
        return send(items)
    except (BotoCoreError, ClientError):
        logger.warning("a batch of items failed, and is sent again", exc_info=True)
        return None


def _client() -> Any:
    # Its operations are made from DynamoDB's model when it is created, so no type knows them.
    return client()
