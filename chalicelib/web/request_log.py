"""The one line that every request leaves in the log: what was asked, how it ended, what it took. Nobody is in it.

The operation is the route's pattern and never the path, whose ids name people; of the caller only the kind is told.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any, Final

import msgspec
from chalice.app import Request, Response

from chalicelib.base import dynamo, metrics
from chalicelib.base.settings import settings
from chalicelib.web import problems

_UNITS: Final = {"Requests": "Count", "Errors": "Count", "Milliseconds": "Milliseconds"}
_DIMENSIONS: Final = ("Stage", "Operation")


class Stopwatch(msgspec.Struct, frozen=True):
    """The moment a request came in, and the capacity that the process had used until then."""

    begun: float = msgspec.field(default_factory=time.perf_counter)
    read_units: float = msgspec.field(default_factory=lambda: dynamo.used.read)
    write_units: float = msgspec.field(default_factory=lambda: dynamo.used.write)

    def write_line(self, request: Request, response: Response) -> None:
        """Write the line of a request that is answered now."""
        context = request.context
        line: dict[str, Any] = {
            "event": "request",
            "request_id": context.get("requestId", ""),
            "caller": (context.get("authorizer") or {}).get("kind", "nobody"),
            "Stage": settings().stage,
            "Operation": f"{request.method} {context.get('resourcePath', '')}",
            "outcome": _outcome(response),
            "status": response.status_code,
            "Requests": 1,
            "Errors": int(response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR),
            "Milliseconds": round((time.perf_counter() - self.begun) * 1000, 1),
            "read_units": dynamo.used.read - self.read_units,
            "write_units": dynamo.used.write - self.write_units,
        }
        if settings().request_metrics:
            line |= metrics.embedded(_UNITS, _DIMENSIONS, now_ms=int(time.time() * 1000))
        metrics.write(line)


class _Coded(msgspec.Struct):
    code: str


def _outcome(response: Response) -> str:
    """`ok`, or the stable code of the problem that was answered."""
    if response.headers.get("Content-Type") != problems.MEDIA_TYPE:
        return "ok"
    return msgspec.json.decode(response.body, type=_Coded).code
