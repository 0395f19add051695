"""CPU of an order's earning, in a warm process, against botocore alone sending the very same two requests.

DynamoDB is a stub that answers at once over plain HTTP. The engine's own requests are recorded once and sent again by
bare clients; the rows take turns, and the lowest round counts, since noise only ever adds.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import botocore.session

from benchmarks import member
from benchmarks.stub import answering
from chalicelib.base import dynamo
from tests.api import shop
from tests.api.client import client

_ROUNDS = 9
_CALLS = 100

Request = tuple[str, dict[str, Any]]


def main() -> None:
    """Print CPU per call, and as a share of bare botocore."""
    logging.disable(logging.INFO)
    # The line that each request writes is part of its work; nobody reads it here.
    with answering(member.answers()) as endpoint, Path(os.devnull).open("w") as log, contextlib.redirect_stdout(log):
        # Nothing of the engine has made its client yet.
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        _earn(0)
        requests = _recorded()
        ways = {
            "earn: the API's whole function": _earn,
            "bare botocore, the same two requests": _sender(dynamo.client(), requests),
            "bare botocore as it comes, which also validates them": _sender(_default_client(), requests),
        }
        lowest = _measured(ways)
    bare = lowest["bare botocore, the same two requests"]
    print(f"{' and '.join(name for name, _ in requests)}\n\n| what | CPU us | of bare botocore |\n|---|--:|--:|")
    for name, seconds in lowest.items():
        print(f"| {name} | {1e6 * seconds:.0f} | {seconds / bare:.2f} |")


def _earn(number: int) -> None:
    event = client.event(
        "POST",
        "/v1/orders",
        json.dumps(shop.order(str(number), member_id=member.MEMBER_ID)),
        {"Content-Type": "application/json"},
        caller=member.SHOP,
    )
    answer = client.application(event, SimpleNamespace(aws_request_id="bench", function_name="api"))
    assert answer["statusCode"] == 201, answer["body"]


def _recorded() -> list[Request]:
    """What one order has the engine's client send."""
    found: list[Request] = []
    engine: Any = dynamo.client()
    real: Callable[[str, dict[str, Any]], Any] = engine._make_api_call  # noqa: SLF001 -- the one way to see requests

    def record(operation: str, parameters: dict[str, Any]) -> Any:
        found.append((operation, parameters))
        return real(operation, parameters)

    with mock.patch.object(engine, "_make_api_call", record):
        _earn(1)
    return found


def _default_client() -> Any:
    return botocore.session.get_session().create_client("dynamodb")


def _sender(sender: Any, requests: list[Request]) -> Callable[[int], None]:
    def send(_number: int) -> None:
        for operation, parameters in requests:
            sender._make_api_call(operation, {**parameters})  # noqa: SLF001 -- by name, as PynamoDB does

    return send


def _measured(ways: dict[str, Callable[[int], None]]) -> dict[str, float]:
    lowest = dict.fromkeys(ways, float("inf"))
    for turn in range(_ROUNDS):
        for name, act in ways.items():
            begun = time.process_time()
            for number in range(_CALLS):
                act(2 + turn * _CALLS + number)
            lowest[name] = min(lowest[name], (time.process_time() - begun) / _CALLS)
    return lowest


if __name__ == "__main__":
    main()
