"""The last hand on every answer: what Chalice says itself becomes a problem document, and all share some headers."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from chalice.app import Request, Response

from chalicelib.base.errors import Invalid
from chalicelib.web import cors, problems
from chalicelib.web.request_log import Stopwatch


def finish(request: Request | None, get_response: Callable[[Any], Response]) -> Response:
    """Chalice's HTTP middleware; it logs one line a request.

    Chalice answers an unknown method by itself, without CORS headers and in a form of its own; a view's failure outside
    its room would look alike.
    """
    stopwatch = Stopwatch()
    try:
        response = get_response(request)
    except Exception as error:  # noqa: BLE001 -- every failure is answered as a problem, and logged there
        response = _problem(request, error)
    if isinstance(response.body, dict):
        given = response.headers
        response = _problem(request, _translated(response))
        # Such as Allow, which an unknown method is answered with.
        response.headers = {**given, **response.headers}
    response.headers = {
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Language",
        **cors.HEADERS,
        **response.headers,
    }
    if request:
        stopwatch.write_line(request, response)
    return response


def _translated(response: Response) -> Exception:
    """The refusal that stands for one of Chalice's own answers, `{"Code": …, "Message": …}`."""
    message = str(response.body.get("Message", ""))
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return problems.MethodNotAllowed(f"{message}.")
    if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Invalid(f"{message}.")
    return RuntimeError(message)


def _problem(request: Request | None, error: Exception) -> Response:
    problem = problems.answer(error, _id(request))
    return Response(problem.body, {**problem.headers}, problem.status)


def _id(request: Request | None) -> str:
    return str(request.context.get("requestId", "")) if request else ""
