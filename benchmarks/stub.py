"""A DynamoDB that answers at once, in a process of its own: what is measured against it is the caller's work alone."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zlib import crc32

Answers = Mapping[str, Mapping[str, Any]]
"""What is answered, by operation and table as in "Query huike-x-ledger"; nowhere else is there anything."""
_NOTHING = {"Items": [], "Count": 0, "ScannedCount": 0}


@contextlib.contextmanager
def answering(answers: Answers) -> Iterator[str]:
    """Start the stub and give its address."""
    command = [sys.executable, "-m", "benchmarks.stub"]
    # Binary attributes travel as base 64.
    text = json.dumps(answers, default=lambda value: base64.b64encode(value).decode())
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- ourselves
        assert process.stdin
        assert process.stdout
        process.stdin.write(text + "\n")
        process.stdin.flush()
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet; in two, the second would wait for the caller's delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    answers: Answers

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        body = json.dumps(self.answers.get(f"{operation} {request.get('TableName', '')}", _NOTHING)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amz-crc32", str(crc32(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


def _serve() -> None:
    _Handler.answers = json.loads(sys.stdin.readline())
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    _serve()
