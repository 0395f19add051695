"""A caller of the API: builds the event that API Gateway would send, and hands it to the application.

    client.post("/v1/orders", json={...}, caller=system("orders.write"))

The application's real event path is taken, authorizer context included; only the gateway itself is missing. Every
answer is held to the operation's contract: its status, its form, and the codes of its refusals.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from chalice.app import Chalice

from app import app
from chalicelib.web.caller import Caller, to_context
from chalicelib.web.problems import Problem
from chalicelib.web.room import Operation
from infra.codes import status_of_codes
from infra.openapi import codes_of

ISSUER = "https://issuer.example"


@dataclass(frozen=True)
class Response:
    """An answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as plain JSON data."""
        return msgspec.json.decode(self.text)

    @property
    def code(self) -> str:
        """The code of a problem document."""
        return str(self.json["code"])


def member(subject: str = "someone", *, phone: str | None = None, mail: str | None = None) -> Caller:
    """A signed-in person, with the identities that the token proves."""
    return Caller("member", subject, ISSUER, "app", frozenset(), phone, mail)


def staff(*scopes: str, subject: str = "clerk") -> Caller:
    """A signed-in person of the shop, with these scopes."""
    return Caller("staff", subject, ISSUER, "desk", frozenset(scopes))


def system(*scopes: str, client: str = "machine") -> Caller:
    """A machine of the shop, with these scopes."""
    return Caller("system", client, ISSUER, client, frozenset(scopes))


def link(invitation_id: str = "inv_" + "a" * 26, *, expires_at: int = 4_000_000_000) -> Caller:
    """Whoever holds the link of an invitation."""
    return Caller("link", invitation_id, "", "", expires_at=expires_at)


@dataclass
class Client:
    """Sends requests to an application; `sent` counts them."""

    application: Chalice
    sent: int = field(default=0)

    def get(self, path: str, **options: Any) -> Response:
        """GET, with the options of `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """POST, with the options of `request`."""
        return self.request("POST", path, **options)

    def patch(self, path: str, **options: Any) -> Response:
        """PATCH, with the options of `request`."""
        return self.request("PATCH", path, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = msgspec.UNSET,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        caller: Caller | None = None,
        key: str | None = None,
    ) -> Response:
        """Send a request: `json` is encoded, `body` sent as it is (bytes as base 64); `key` is its Idempotency-Key."""
        self.sent += 1
        found = dict(headers or {})
        if json is not msgspec.UNSET:
            body = msgspec.json.encode(json).decode()
            found.setdefault("Content-Type", "application/json")
        if key is not None:
            found["Idempotency-Key"] = key
        event = self.event(method, path, body, found, caller)
        answer = self.application(event, SimpleNamespace(aws_request_id="test", function_name="api"))
        lower = {name.lower(): value for name, value in answer["headers"].items()}
        response = Response(answer["statusCode"], lower, answer["body"])
        entry = self.application.routes.get(event["resource"], {}).get(method)
        if entry is not None:
            check_contract(entry.view_function.operation, response)  # type: ignore[attr-defined]
        return response

    def event(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        caller: Caller | None = None,
    ) -> dict[str, Any]:
        """The event that API Gateway would send for a request."""
        parts = urlsplit(path)
        resource, arguments = self._resource(parts.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        return {
            "resource": resource,
            "path": parts.path,
            "httpMethod": method,
            "headers": dict(headers or {}) or None,
            "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()} or None,
            "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": arguments or None,
            "stageVariables": None,
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
            "isBase64Encoded": isinstance(body, bytes),
            "requestContext": {
                "httpMethod": method,
                "path": f"/api{parts.path}",
                "resourcePath": resource,
                "requestId": f"request-{self.sent}",
                "authorizer": {"principalId": caller.subject, **to_context(caller)} if caller else None,
            },
        }

    def _resource(self, path: str) -> tuple[str, dict[str, str]]:
        """The route that the gateway would choose, with the arguments in the path; a fixed segment comes first."""
        for resource in sorted(self.application.routes, key=lambda resource: resource.replace("{", "\x7f")):
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", resource)
            match = re.fullmatch(pattern, path)
            if match:
                return resource, match.groupdict()
        return path, {}


@functools.cache
def statuses() -> dict[str, int]:
    """The status of every code; reading the whole of the source for them takes half a second."""
    return status_of_codes()


def check_contract(operation: Operation, response: Response) -> None:
    """Assert that an answer is one of those that the documentation of its operation names."""
    assert response.headers["access-control-allow-origin"] == "*"
    if response.status == HTTPStatus.NOT_MODIFIED:
        assert response.text == ""
    elif operation.is_public:
        assert response.headers["content-type"] == "text/html; charset=utf-8"
    elif response.status in operation.statuses:
        msgspec.json.decode(response.text, type=operation.answer)
    else:
        problem = msgspec.json.decode(response.text, type=Problem)
        assert response.headers["content-type"] == "application/problem+json"
        assert problem.status == response.status
        assert problem.code in codes_of(operation, statuses()).get(problem.status, ()), response.text


client = Client(app)
"""The client of Huike itself."""
