"""What API Gateway itself answers, as the same problem documents that the application sends."""

import json
from http import HTTPStatus
from typing import Any, NamedTuple

from chalicelib.web import cors
from chalicelib.web.problems import MEDIA_TYPE, title_of


class Problem(NamedTuple):
    """One answer of the gateway: its status, its stable code, and what the caller can do."""

    status: int
    code: str
    detail: str


PROBLEMS = {
    "UNAUTHORIZED": Problem(401, "unauthenticated", "Send a valid bearer token in the Authorization header."),
    "EXPIRED_TOKEN": Problem(401, "unauthenticated", "The token has expired. Fetch a new one."),
    "ACCESS_DENIED": Problem(403, "forbidden", "This token may not make this call."),
    "INVALID_API_KEY": Problem(403, "forbidden", "The API key is not valid."),
    "INVALID_SIGNATURE": Problem(403, "forbidden", "The request's signature is not valid."),
    "MISSING_AUTHENTICATION_TOKEN": Problem(
        404, "not_found", "There is no such resource, or it does not take this method."
    ),
    "RESOURCE_NOT_FOUND": Problem(404, "not_found", "There is no such resource."),
    "REQUEST_TOO_LARGE": Problem(413, "body_too_large", "The body is larger than the gateway takes."),
    "THROTTLED": Problem(429, "too_many_requests", "Too many requests at once. Send it again later."),
    "QUOTA_EXCEEDED": Problem(429, "too_many_requests", "The quota is used up. Send it again later."),
    # The web ACL's rules do nothing but count requests, by address and by client.
    "WAF_FILTERED": Problem(
        429, "too_many_requests", "Too many requests from this address or client. Send it again later."
    ),
    "INTEGRATION_TIMEOUT": Problem(
        504, "timeout", "It took too long, and may still happen. Send the same request again."
    ),
    "DEFAULT_4XX": Problem(400, "invalid_request", "The gateway could not read this request."),
    "DEFAULT_5XX": Problem(500, "internal_error", "The engine failed. The request id helps to find out why."),
}

# A DEFAULT response stands in for many types, each with a status of its own, which only the gateway knows.
_STATUS_OF_THE_GATEWAY = ("DEFAULT_4XX", "DEFAULT_5XX")
_RETRY_AFTER_S = "5"


def gateway_responses() -> dict[str, Any]:
    """The value of `x-amazon-apigateway-gateway-responses` in the API's definition."""
    return {kind: _response(kind, problem) for kind, problem in PROBLEMS.items()}


def _response(kind: str, problem: Problem) -> dict[str, Any]:
    response: dict[str, Any] = {
        "responseParameters": {
            f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers(problem).items()
        },
        "responseTemplates": {"application/json": json.dumps(document(problem, "$context.requestId"))},
    }
    if kind not in _STATUS_OF_THE_GATEWAY:
        response["statusCode"] = problem.status
    return response


def headers(problem: Problem) -> dict[str, str]:
    """The headers of an answer; a browser's app must be able to read it, so it carries CORS."""
    found = {
        "Content-Type": MEDIA_TYPE,
        "Cache-Control": "no-store",
        **cors.HEADERS,
    }
    if problem.status == HTTPStatus.UNAUTHORIZED:
        found["WWW-Authenticate"] = "Bearer"
    if problem.status == HTTPStatus.TOO_MANY_REQUESTS:
        found["Retry-After"] = _RETRY_AFTER_S
    return found


def document(problem: Problem, request_id: str) -> dict[str, Any]:
    """The body of an answer."""
    return {
        "type": f"/problems/{problem.code}",
        "title": title_of(problem.code),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "request_id": request_id,
    }
