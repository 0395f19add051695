"""CPU of an order's earning, in a warm process, against bare botocore and against the stack of AWS's samples.

DynamoDB is a stub that answers at once over plain HTTP. Each way runs in a process of its own, the engine from the
package as it is deployed, the others as pip installs them. They take turns, and the lowest round counts, since noise
only ever adds.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from benchmarks import member, worker
from benchmarks.stub import answering
from chalicelib.base import dynamo
from infra import package
from tests.api import shop
from tests.api.client import client

_ROUNDS = 9
_BARE = "bare botocore as it comes, the same two requests"

Request = tuple[str, dict[str, Any]]
Worker = subprocess.Popen[str]


def main() -> None:
    """Print CPU per order, and as a share of bare botocore."""
    with contextlib.ExitStack() as stack:
        endpoint = stack.enter_context(answering(member.answers()))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        work, slim = _work(folder, endpoint), _unpacked(folder / "slim")
        ways = {
            "earn: the API's whole function, as deployed": (member.API_HANDLER, slim),
            _BARE: ("bare", package.ROOT),
            "bare botocore that does not validate them": ("bare, unchecked", package.ROOT),
            "the engine's own client, the same two requests": ("ours", slim),
            "Powertools, pydantic and boto3, the same order": ("benchmarks.peer.handler", package.ROOT),
        }
        workers = {name: stack.enter_context(_started(*way, work, endpoint)) for name, way in ways.items()}
        requests = {name: int(_told(process)) for name, process in workers.items()}
        lowest = _measured(workers)
    print("| what | requests | CPU us | of bare botocore |\n|---|--:|--:|--:|")
    for name, seconds in lowest.items():
        print(f"| {name} | {requests[name]} | {1e6 * seconds:.0f} | {seconds / lowest[_BARE]:.2f} |")


def _work(folder: Path, endpoint: str) -> Path:
    """A file with the event of each call, and with what one of them has the engine's client send."""
    events = [_event(number) for number in range((_ROUNDS + 1) * worker.CALLS)]
    # Nothing of the engine has made its client yet.
    os.environ["AWS_ENDPOINT_URL"] = endpoint
    work = folder / "work"
    work.write_text(repr((events, _requests())), encoding="utf-8")
    return work


def _event(number: int) -> dict[str, Any]:
    body = json.dumps(shop.order(str(number), member_id=member.MEMBER_ID))
    return client.event("POST", "/v1/orders", body, {"Content-Type": "application/json"}, caller=member.SHOP)


def _requests() -> list[Request]:
    found: list[Request] = []
    engine: Any = dynamo.client()
    real = engine._make_api_call  # noqa: SLF001 -- the one way to see requests

    def record(operation: str, parameters: dict[str, Any]) -> Any:
        found.append((operation, parameters))
        return real(operation, parameters)

    with contextlib.redirect_stdout(io.StringIO()), mock.patch.object(engine, "_make_api_call", record):
        for number in (1, 2):
            # The first also reads the programme, which is kept from then on.
            found.clear()
            client.application(_event(number), mock.Mock(aws_request_id="bench"))
    return found


def _unpacked(folder: Path) -> Path:
    with zipfile.ZipFile(package.local_package().with_name("deployment.zip")) as archive:
        archive.extractall(folder)
    return folder


@contextlib.contextmanager
def _started(way: str, folder: Path, work: Path, endpoint: str) -> Iterator[Worker]:
    # The deployed package runs without what is installed on this machine.
    alone = [] if folder == package.ROOT else ["-S"]
    command = [sys.executable, "-I", "-B", *alone, worker.__file__, way, str(work), str(folder)]
    environment = {**member.ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint}
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as process:  # noqa: S603 -- our own script
        try:
            yield process
        finally:
            process.terminate()


def _told(process: Worker) -> str:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise SystemExit("A worker has ended early; what it said stands above.")
    return line


def _measured(workers: dict[str, Worker]) -> dict[str, float]:
    """CPU seconds of one call, by way; the first round, which warms up, is not counted."""
    lowest = dict.fromkeys(workers, float("inf"))
    for turn in range(_ROUNDS + 1):
        for name, process in workers.items():
            assert process.stdin
            print(turn * worker.CALLS, file=process.stdin, flush=True)
            spent = float(_told(process)) / worker.CALLS
            lowest[name] = min(lowest[name], spent if turn else float("inf"))
    return lowest


if __name__ == "__main__":
    main()
