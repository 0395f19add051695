"""The one DynamoDB client of the process, bound into PynamoDB, and the attribute types that models share.

PynamoDB would build a botocore session and client for every model class, 50 to 90 ms of CPU each at a cold start. All
of its connections are bound to one client here, with our own time-outs.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config
from pynamodb.attributes import Attribute
from pynamodb.connection import Connection
from pynamodb.connection.base import Connection as BaseConnection
from pynamodb.constants import NUMBER
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from chalicelib.base import wire

if TYPE_CHECKING:
    from botocore.client import BaseClient

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=5,
    # Two tries of one request are safe because botocore gives a transaction its token; everything else is retried by
    # the ledger, which knows what it wrote.
    retries={"mode": "standard", "total_max_attempts": 2},
    # The models build the requests; checking them once more costs 150 us a transaction.
    parameter_validation=False,
    # A function's credentials do not tell the account, so the endpoint of the account would never be used.
    account_id_endpoint_mode="disabled",
    # botocore would put its own together twice a request, out of a dozen parts.
    user_agent=f"huike botocore/{botocore.__version__}",
)


@dataclass
class Units:
    """Capacity units that DynamoDB says it has billed; a request that failed tells none, though some are billed."""

    read: float = 0
    write: float = 0


used = Units()
"""What this process has used so far. A function serves one request at a time, so a difference is one request's."""

_READING = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})


@functools.cache
def client() -> BaseClient:
    """The process's DynamoDB client; region, credentials and endpoint come from the environment."""
    made = wire.make_client(botocore.session.get_session(), _CONFIG)
    made.meta.events.register("after-call.dynamodb", _count)
    return made


def _count(parsed: Mapping[str, Any], model: Any, **_rest: Any) -> None:
    """Add what an answer says of its cost, which PynamoDB asks for with every request."""
    found = parsed.get("ConsumedCapacity") or ()
    units = sum(part.get("CapacityUnits", 0) for part in ([found] if isinstance(found, Mapping) else found))
    if model.name in _READING:
        used.read += units
    else:
        used.write += units


BaseConnection.client = property(lambda _connection: client())  # type: ignore[assignment,method-assign]


@functools.cache
def connection() -> Connection:
    """The connection through which transactions go."""
    return Connection(region=client().meta.region_name)


def key_of(item: Model) -> tuple[Any, Any]:
    """An item's hash key, and its range key or None where the table has none."""
    attributes = item.get_attributes()
    hash_key = next(name for name, attribute in attributes.items() if attribute.is_hash_key)
    range_key = next((name for name, attribute in attributes.items() if attribute.is_range_key), None)
    return getattr(item, hash_key), getattr(item, range_key) if range_key else None


def absent(model: type[Model]) -> Condition:
    """The condition that no item has the key yet."""
    hash_key = next(attribute for attribute in model.get_attributes().values() if attribute.is_hash_key)
    condition: Condition = hash_key.does_not_exist()
    return condition


def unchanged(model: type[Model], seen: int) -> Condition:
    """The condition that an item still has the `version` that was seen (0 where there was no item)."""
    version: Any = model.get_attributes()["version"]
    same: Condition = version == seen
    return same if seen else absent(model)


def is_refused(error: Exception) -> bool:
    """Whether a write was refused because its condition does not hold; False where the request itself came to grief.

    What PynamoDB raises after a time-out has no code to look at.
    """
    return getattr(error, "cause_response_code", None) == "ConditionalCheckFailedException"


class IntAttribute(Attribute[int]):
    """A DynamoDB number that is an integer and nothing else.

    PynamoDB's own number attribute would let a float slip into the ledger.
    """

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        """An int as DynamoDB's text form; raises TypeError for anything else, bool and float included."""
        if type(value) is not int:
            raise TypeError(f"{self.attr_name} takes an int, not {value!r}")
        return str(value)

    def deserialize(self, value: str) -> int:
        """DynamoDB's text form as an int."""
        return int(value)
