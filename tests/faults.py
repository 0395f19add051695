"""Faults below the SDK, one at a time: what DynamoDB and the network do that no emulator shows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.base import dynamo

Call = Callable[[str, dict[str, Any]], dict[str, Any]]
Fault = Callable[[Call, str, dict[str, Any]], dict[str, Any]]


@contextlib.contextmanager
def calls(*faults: Fault, operation: str = "TransactWriteItems") -> Iterator[list[str]]:
    """Let the first calls of `operation` meet `faults`, in their order; gives the list of all calls made."""
    client: Any = dynamo.client()
    real: Call = client._make_api_call
    waiting, made = list(faults), []

    def call(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        made.append(name)
        if name == operation and waiting:
            return waiting.pop(0)(real, name, parameters)
        return real(name, parameters)

    with mock.patch.object(client, "_make_api_call", call), mock.patch("time.sleep"):
        yield made
    assert not waiting, "not every fault was met"


def lost_on_the_way(_real: Call, _name: str, _parameters: dict[str, Any]) -> dict[str, Any]:
    """The request never arrives."""
    raise ReadTimeoutError(endpoint_url="loopback")


def committed_then_timed_out(real: Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The request is carried out and its answer is lost."""
    real(name, parameters)
    raise ReadTimeoutError(endpoint_url="loopback")


def conflicting(_real: Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Another transaction holds one of the items."""
    raise _cancelled(name, parameters, "TransactionConflict")


def throttled(_real: Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """One item's partition is at its limit."""
    raise _cancelled(name, parameters, "ThrottlingError")


def failing(_real: Call, name: str, _parameters: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB has a fault of its own."""
    raise ClientError({"Error": {"Code": "InternalServerError", "Message": "later"}}, name)


def seeing_nothing(_real: Call, _name: str, _parameters: dict[str, Any]) -> dict[str, Any]:
    """A read that is not consistent misses what was just written."""
    return {"Items": [], "Count": 0, "ScannedCount": 0}


def _cancelled(name: str, parameters: dict[str, Any], code: str) -> ClientError:
    reasons = [{"Code": code}] + [{"Code": "None"} for _item in parameters["TransactItems"][1:]]
    response: dict[str, Any] = {
        "Error": {"Code": "TransactionCanceledException", "Message": code},
        "CancellationReasons": reasons,
    }
    return ClientError(response, name)  # type: ignore[arg-type]
