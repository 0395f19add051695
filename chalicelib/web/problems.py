"""Problem documents (RFC 9457): how a refusal, or a fault of our own, looks to the caller.

The `type` is a relative reference, `/problems/<code>`, so that an installation needs no domain name to state its own.
"""

from __future__ import annotations

import logging
from typing import Final

import msgspec
from botocore.exceptions import ConnectionError as NotConnected
from botocore.exceptions import HTTPClientError

from chalicelib.base import errors

MEDIA_TYPE: Final = "application/problem+json"

_log = logging.getLogger(__name__)

_RETRY_AFTER_S = 2

# What DynamoDB answers when the same request may well succeed a little later.
_PASSING = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
    }
)


class TooLarge(errors.Invalid):
    """The body is larger than the API takes."""

    code = "body_too_large"


class UnsupportedMedia(errors.Invalid):
    """The body is of a content type that the operation does not read."""

    code = "media_type_unsupported"


class MethodNotAllowed(errors.Refusal):
    """The path is known, the method is not."""

    code = "method_not_allowed"


class PreconditionRequired(errors.Refusal):
    """The operation must say which version it is about."""

    code = "precondition_required"


STATUS: Final[dict[type[errors.Refusal], int]] = {
    errors.Invalid: 400,
    errors.NotAuthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.Unmet: 412,
    TooLarge: 413,
    UnsupportedMedia: 415,
    PreconditionRequired: 428,
    errors.Slowed: 429,
    errors.Unavailable: 503,
}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Why a request was refused; nothing was changed by it."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
    request_id: str = ""


class Answer(msgspec.Struct, frozen=True):
    """A problem ready to be sent: its status, headers and body."""

    status: int
    headers: dict[str, str]
    body: str


def title_of(code: str) -> str:
    """`order_not_found` → `Order not found`: one title for each code, as the standard asks."""
    return code.replace("_", " ").capitalize()


def status_of(refusal: errors.Refusal) -> int:
    """The HTTP status of a refusal, by the nearest of its classes."""
    return next((STATUS[cls] for cls in type(refusal).__mro__ if cls in STATUS), 400)


def answer(error: Exception, request_id: str) -> Answer:
    """What the caller gets for `error`. Anything but a refusal is logged, and the caller learns nothing of it."""
    if isinstance(error, errors.Refusal):
        return _written(error, request_id)
    if _is_passing(error):
        _log.warning("request %s: the database refused for now", request_id, exc_info=error)
        return _written(errors.Unavailable("The database is busy. Send the same request again."), request_id)
    _log.error("request %s failed", request_id, exc_info=error)
    return _document(500, "internal_error", "The engine failed. The request id helps to find out why.", request_id)


def _is_passing(error: Exception) -> bool:
    """Whether the database, or the way to it, failed for the moment. What was written shows when it is sent again."""
    is_on_the_way = isinstance(getattr(error, "cause", error), HTTPClientError | NotConnected)
    return is_on_the_way or getattr(error, "cause_response_code", None) in _PASSING


def _written(refusal: errors.Refusal, request_id: str) -> Answer:
    status = status_of(refusal)
    found = _document(status, refusal.reason_code, refusal.detail, request_id, refusal.field)
    if isinstance(refusal, errors.Slowed):
        found.headers["Retry-After"] = str(refusal.retry_after_s)
    if status == STATUS[errors.Unavailable]:
        found.headers["Retry-After"] = str(_RETRY_AFTER_S)
    if status == STATUS[errors.NotAuthenticated]:
        found.headers["WWW-Authenticate"] = "Bearer"
    return found


def _document(status: int, code: str, detail: str, request_id: str, field: str | None = None) -> Answer:
    problem = Problem(
        type=f"/problems/{code}",
        title=title_of(code),
        status=status,
        code=code,
        detail=_writable(detail),
        field=_writable(field) if field else None,
        request_id=request_id,
    )
    return Answer(status, {"Content-Type": MEDIA_TYPE}, msgspec.json.encode(problem).decode())


def _writable(text: str) -> str:
    """A text that may quote the request, with the halves of characters replaced that no answer can carry."""
    return text.encode("utf-8", "replace").decode()
