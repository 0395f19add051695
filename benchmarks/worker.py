"""One of the ways that `benchmarks.request` compares, in a process of its own.

    python worker.py WAY WORK FOLDER

imports from FOLDER, makes a call and another, and tells how many requests the second one sent. Then, for each number
that it reads, it makes the calls from that number on and tells the CPU seconds that they took. WORK holds the events of
all calls, and the requests that the engine sends for one of them, as Python literals.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

CALLS = 100

Act = Callable[[dict[str, Any]], None]


def _function(handler: str) -> Act:
    """A Lambda function, called with an event."""
    module, _, name = handler.rpartition(".")
    function = getattr(importlib.import_module(module), name)
    context = SimpleNamespace(
        aws_request_id="bench",
        function_name="api",
        function_version="1",
        memory_limit_in_mb=1024,
        invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:api",
        get_remaining_time_in_millis=lambda: 29_000,
    )

    def act(event: dict[str, Any]) -> None:
        answer = function(event, context)
        assert answer["statusCode"] == 201, answer

    return act


def _sender(client: Any, requests: list[tuple[str, dict[str, Any]]]) -> Act:
    """Bare botocore, sending the requests by name, as PynamoDB does."""

    def act(_event: dict[str, Any]) -> None:
        for operation, parameters in requests:
            client._make_api_call(operation, {**parameters})  # noqa: SLF001 -- as above

    return act


def _act(way: str, requests: list[tuple[str, dict[str, Any]]]) -> Act:
    if way.startswith("bare"):
        config = importlib.import_module("botocore.config").Config(parameter_validation=way == "bare")
        session = importlib.import_module("botocore.session").get_session()
        return _sender(session.create_client("dynamodb", config=config), requests)
    if way == "ours":
        return _sender(importlib.import_module("chalicelib.base.dynamo").client(), requests)
    return _function(way)


def _sent_by(act: Act, event: dict[str, Any]) -> int:
    endpoint = importlib.import_module("botocore.endpoint").Endpoint
    with mock.patch.object(endpoint, "make_request", autospec=True, side_effect=endpoint.make_request) as sent:
        act(event)
    return int(sent.call_count)


def main(way: str, work: str, folder: str) -> None:
    """Measure as told on the standard input."""
    sys.path.insert(0, folder)
    events, requests = ast.literal_eval(Path(work).read_text(encoding="utf-8"))
    # The lines of the log are part of a function's work; nobody reads them here.
    tell = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    with Path(os.devnull).open("w") as log, contextlib.redirect_stdout(log):
        act = _act(way, requests)
        # The first call also reads the programme, which is kept from then on.
        act(events[0])
        print(_sent_by(act, events[1]), file=tell, flush=True)
        for line in sys.stdin:
            begun = time.process_time()
            for event in events[int(line) : int(line) + CALLS]:
                act(event)
            print(time.process_time() - begun, file=tell, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
