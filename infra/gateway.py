"""What API Gateway itself answers, as the same problem documents that the application sends."""

import json
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """One answer of the gateway: its status, the stable code, a title and what the caller can do."""

    status: int
    code: str
    title: str
    detail: str


PROBLEMS = {
    "UNAUTHORIZED": Problem(
        401, "unauthenticated", "Unauthorized", "Send a valid bearer token in the Authorization header."
    ),
    "ACCESS_DENIED": Problem(403, "forbidden", "Forbidden", "This token may not make this call."),
    "MISSING_AUTHENTICATION_TOKEN": Problem(
        404, "not_found", "Not Found", "There is no such resource, or it does not take this method."
    ),
    "RESOURCE_NOT_FOUND": Problem(404, "not_found", "Not Found", "There is no such resource."),
    "INVALID_API_KEY": Problem(403, "forbidden", "Forbidden", "The API key is not valid."),
    "INVALID_SIGNATURE": Problem(403, "forbidden", "Forbidden", "The request's signature is not valid."),
    "EXPIRED_TOKEN": Problem(401, "unauthenticated", "Unauthorized", "The token has expired. Fetch a new one."),
    "REQUEST_TOO_LARGE": Problem(
        413, "too_large", "Content Too Large", "The body is larger than the gateway takes. Send at most 256 KB."
    ),
    "THROTTLED": Problem(
        429, "too_many_requests", "Too Many Requests", "Too many requests at once. Send it again later."
    ),
    "QUOTA_EXCEEDED": Problem(
        429, "too_many_requests", "Too Many Requests", "The quota is used up. Send it again later."
    ),
    "INTEGRATION_TIMEOUT": Problem(
        504, "timeout", "Gateway Timeout", "It took too long, and may still happen. Send the same request again."
    ),
    "DEFAULT_4XX": Problem(400, "bad_request", "Bad Request", "The gateway could not read this request."),
    "DEFAULT_5XX": Problem(500, "internal", "Internal Server Error", "It failed on our side. Send the same request again."),
}

# A DEFAULT response stands in for many types, each with a status of its own, which only the gateway knows.
_STATUS_OF_THE_GATEWAY = ("DEFAULT_4XX", "DEFAULT_5XX")
_RETRY_AFTER_SECONDS = "5"


def gateway_responses() -> dict[str, Any]:
    """The value of `x-amazon-apigateway-gateway-responses` in the API's definition."""
    return {kind: _response(kind, problem) for kind, problem in PROBLEMS.items()}


def _response(kind: str, problem: Problem) -> dict[str, Any]:
    headers = {
        "Content-Type": "application/problem+json",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "*",
        "Access-Control-Expose-Headers": "Retry-After,WWW-Authenticate",
        "Cache-Control": "no-store",
    }
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.status == 429:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
    document = {
        "type": f"urn:huike:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "request_id": "$context.requestId",
    }
    response: dict[str, Any] = {
        "responseParameters": {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()},
        "responseTemplates": {"application/json": json.dumps(document)},
    }
    if kind not in _STATUS_OF_THE_GATEWAY:
        response["statusCode"] = problem.status
    return response
