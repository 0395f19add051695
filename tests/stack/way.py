"""A way between a deployed function and DynamoDB, on which a test can hold an answer up or end the function's process.

The function is told of it by its environment; everything passes through unchanged until a test says otherwise.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from infra.local.aws import client
from infra.local.deploy import Stack
from tests.stack.functions import physical_name

Event = Callable[[str], None]
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Way:
    """What happens on the way: `before` a request is passed on, and `after` its answer came and before it is given."""

    function: str
    port: int = 0
    before: Event | None = None
    after: Event | None = None
    passed: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """End the function's processes, as Lambda may at any moment."""
        for pid in _processes_of(self.function):
            os.kill(pid, signal.SIGKILL)


def once(operation: str, act: Callable[[], None]) -> Event:
    """Do `act` at the first request of this operation, and nothing at any other."""
    left = [act]
    lock = threading.Lock()

    def event(name: str) -> None:
        with lock:
            due = left.pop() if name == operation and left else None
        if due:
            due()

    return event


@contextlib.contextmanager
def between(stack: Stack, logical_id: str) -> Iterator[Way]:
    """Lead one function's requests to DynamoDB over a way of ours, and back as it was afterwards."""
    way = Way(physical_name(stack, logical_id))
    server = _server(stack.endpoint, way)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    functions = client("lambda", stack.endpoint)
    configuration = functions.get_function_configuration(FunctionName=way.function)
    variables: dict[str, str] = configuration["Environment"]["Variables"]
    try:
        ours = {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{server.server_address[1]}"}
        functions.update_function_configuration(FunctionName=way.function, Environment={"Variables": variables | ours})
        yield way
    finally:
        functions.update_function_configuration(FunctionName=way.function, Environment={"Variables": variables})
        server.shutdown()
        server.server_close()
        thread.join()


def _server(endpoint: str, way: Way) -> http.server.ThreadingHTTPServer:
    host = urlsplit(endpoint).netloc

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            if way.before:
                way.before(operation)
            upstream = http.client.HTTPConnection(host, timeout=30)
            # The host stays as it was signed.
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            upstream.request("POST", self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            upstream.close()
            way.passed.append(operation)
            if way.after:
                way.after(operation)
            # Whoever asked may be gone by now.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._give(answer, content)

        def _give(self, answer: http.client.HTTPResponse, content: bytes) -> None:
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    return _Server(("127.0.0.1", 0), Handler)


class _Server(http.server.ThreadingHTTPServer):
    """A server to which it is nothing new that callers end."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _processes_of(function: str) -> list[int]:
    """The processes that run a function, among those that this one has started; there must be one at least."""
    listed = subprocess.run(["ps", "-axww", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True)  # noqa: S607
    parents, commands = {}, {}
    for line in listed.stdout.splitlines():
        pid, parent, command = line.split(None, 2)
        parents[int(pid)], commands[int(pid)] = int(parent), command
    found = [pid for pid, command in commands.items() if function in command and _is_ours(pid, parents)]
    assert found, f"no process runs {function}"
    return found


def _is_ours(pid: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == os.getpid():
            return True
    return False


def pause(seconds: float) -> Callable[[], None]:
    """Hold up whoever comes by."""
    return lambda: time.sleep(seconds)
