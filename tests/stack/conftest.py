"""Stack tests run against the package itself, deployed once onto a local AWS."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import uvicorn
from rich.console import Console

from infra import package
from infra.local import polls, scored, seed
from infra.local.aws import client
from infra.local.deploy import Stack
from infra.local.front import front
from infra.local.paths import OPENAPI
from infra.local.start import start
from infra.local.tokens import member_token, system_token
from tests.stack.programme import PROGRAMME

Found = TypeVar("Found")
_PATIENCE_SECONDS = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, so that `-m "not stack"` leaves it out."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def template() -> Path:
    """The packaged template, with the deployment package beside it."""
    return package.local_package()


@pytest.fixture(scope="session")
def stack_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the local AWS keeps its files; `aws.log` holds what it and the functions print."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="session")
def stack(template: Path, stack_folder: Path) -> Iterator[Stack]:
    """The deployed stack, empty but for its programme.

    Only the first version starts at once, and every function looks for one anew within seconds: it is published before
    anything else happens.
    """
    quiet = Console(file=io.StringIO())
    with start(stack_folder, None, quiet, template) as running:
        answer = seed.administer(running, {"action": "publish", "document": PROGRAMME, "by": "test"})
        assert "error" not in answer, answer
        yield running


@pytest.fixture(scope="session")
def anyone(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the API without a token."""
    with httpx.Client(base_url=stack.api, timeout=60) as http:
        yield http


@pytest.fixture(scope="session")
def shop(stack: Stack) -> Iterator[httpx.Client]:
    """A shop system with every scope."""
    headers = {"Authorization": f"Bearer {system_token(stack)}"}
    with httpx.Client(base_url=stack.api, headers=headers, timeout=60) as http:
        yield http


@pytest.fixture(scope="session")
def browser(stack: Stack, template: Path) -> Iterator[httpx.Client]:
    """The front, as a browser reaches it."""
    app = front(
        api=stack.api,
        template=json.loads(template.read_text(encoding="utf-8")),
        openapi=OPENAPI,
        swagger_ui=OPENAPI.parent,
        token=lambda who: system_token(stack) if who == "system" else member_token(stack, who),
        overview={"members": [], "survey": polls.CODE},
        survey=lambda code: polls.page(stack, code),
        night=lambda name: scored.file(stack, name),
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60) as http:
            eventually(lambda: server.started)
            yield http
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def sqs(stack: Stack) -> Iterator[Any]:
    """The queues. Failed messages come again after a second, where AWS would let six minutes pass."""
    queues = client("sqs", stack.endpoint)
    for name in ("IntakeQueueUrl", "ClaimsQueueUrl", "ChallengesQueueUrl"):
        queues.set_queue_attributes(QueueUrl=stack.outputs[name], Attributes={"VisibilityTimeout": "1"})
    yield queues
    queues.close()


@pytest.fixture(scope="session")
def dynamodb(stack: Stack) -> Iterator[Any]:
    """The tables."""
    tables = client("dynamodb", stack.endpoint)
    yield tables
    tables.close()


def eventually(look: Callable[[], Found | None], *, within_seconds: int = _PATIENCE_SECONDS) -> Found:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"nothing came within {within_seconds} seconds")
