"""The one room through which every request enters: an operation's contract, and the order in which it is held to.

An operation states its contract in its decorator; the OpenAPI document is made from the same statement:

    room = Room("orders")

    @room.post("/v1/orders/{order_id}/refunds", body=RefundIn, answer=RefundOut, scopes=("orders.write",),
               callers=("system",), summary="Refund an order", statuses={201: "Refunded.", 200: "Refunded before."},
               errors=("order_not_found", "refund_exceeds_order"))
    def post_refund(call: Call[RefundIn], order_id: str) -> Reply[RefundOut]: ...
"""

from __future__ import annotations

import functools
import re
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypedDict, TypeVar, Unpack

import msgspec
from chalice.app import Blueprint, Request, Response
from msgspec import Meta

from chalicelib.base import clock
from chalicelib.base.errors import Forbidden, Invalid, NotAuthenticated, NotFound
from chalicelib.web import bodies, languages, problems
from chalicelib.web.authorizer import jwt_authorizer
from chalicelib.web.call import PAGE_DEFAULT, PAGE_MAX, Call, Document, Reply
from chalicelib.web.caller import Caller, Kind, from_context
from chalicelib.web.cors import CORS
from chalicelib.web.etags import hash_of, matches, tag_of

__all__ = [
    "ACCEPT_LANGUAGE",
    "IDEMPOTENCY_KEY",
    "IF_MATCH",
    "PAGE",
    "Call",
    "Document",
    "Operation",
    "Param",
    "Reply",
    "Room",
    "tag_of",
]

View = TypeVar("View", bound=Callable[..., Reply[Any]])
Decoder = Callable[[], msgspec.json.Decoder[Any]]

_WITH_SCOPES: Final = frozenset({"staff", "system"})

_ID = re.compile(r"[A-Za-z0-9_.~-]{1,128}")
# A code is typed by people: blanks and full-width forms are read as meant, by the area that knows codes.
_TYPED = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,128}")


class Param(msgspec.Struct, frozen=True):
    """A query parameter or header that an operation reads, as the API documentation shows it."""

    name: str
    description: str
    schema: Any = str
    required: bool = False


PAGE: Final = (
    Param(
        "limit", f"How many to give at the most; {PAGE_DEFAULT} without it.", Annotated[int, Meta(ge=1, le=PAGE_MAX)]
    ),
    Param("cursor", "`next_cursor` of the page before."),
)
"""The query of every list that is given page by page."""

IDEMPOTENCY_KEY: Final = Param(
    "Idempotency-Key",
    "Names this request for ever: repeated with the same key it is done once and answered alike.",
    required=True,
)
ACCEPT_LANGUAGE: Final = Param("Accept-Language", "The language of titles and names: en, zh-Hans or zh-Hant.")
IF_MATCH: Final = Param("If-Match", "The ETag of the version that the change is based on.", required=True)


class Contract(TypedDict, total=False):
    """What an operation may state beside its path and its body.

    `scopes` are what systems and staff must have, all of them; members have none and act for themselves, and links
    have none and do what they are for. `errors` are the codes of the operation's own refusals, and `example` is a body
    as plain JSON data.
    """

    answer: type
    scopes: tuple[str, ...]
    callers: tuple[Kind, ...]
    summary: str
    statuses: Mapping[int, str]
    errors: tuple[str, ...]
    query: tuple[str | Param, ...]
    headers: tuple[Param, ...]
    example: Mapping[str, Any]


class Operation(msgspec.Struct, frozen=True):
    """One operation of the API with its whole contract."""

    method: str
    path: str
    name: str
    tag: str
    description: str
    body: type | None
    answer: type
    summary: str
    scopes: tuple[str, ...]
    callers: tuple[Kind, ...]
    statuses: Mapping[int, str]
    errors: tuple[str, ...]
    query: tuple[Param, ...]
    headers: tuple[Param, ...]
    example: Mapping[str, Any] | None
    is_public: bool = False


class Room:
    """The operations of one area; `blueprint` is what the application registers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.blueprint = Blueprint(f"chalicelib.{name}.routes")

    def get(self, path: str, **contract: Unpack[Contract]) -> Callable[[View], View]:
        """Register a read."""
        return self._register("GET", path, None, contract)

    def post(self, path: str, *, body: type | None = None, **contract: Unpack[Contract]) -> Callable[[View], View]:
        """Register an act, with the struct that its body is decoded to."""
        return self._register("POST", path, body, contract)

    def patch(self, path: str, *, body: type, **contract: Unpack[Contract]) -> Callable[[View], View]:
        """Register a change by merge patch, with the struct that its body is decoded to."""
        return self._register("PATCH", path, body, contract)

    def document(self, path: str, *, summary: str, says: str) -> Callable[[Callable[[], Document]], Any]:
        """Register a document that a browser opens: anybody may read it, for it knows nobody. `says` is what it is."""

        def register(view: Callable[[], Document]) -> Callable[[], Document]:
            contract = Contract(answer=str, summary=summary, callers=(), statuses={200: says})
            operation = _operation(view, contract, method="GET", path=path, body=None, tag=self.name)

            def serve() -> Response:
                return _shown(view(), self.blueprint.current_request.headers.get("If-None-Match"))

            serve.operation = msgspec.structs.replace(operation, is_public=True)  # type: ignore[attr-defined]
            self.blueprint.route(path, methods=["GET"], cors=CORS)(serve)
            return view

        return register

    def _register(self, method: str, path: str, body: type | None, contract: Contract) -> Callable[[View], View]:
        def register(view: View) -> View:
            operation = _operation(view, contract, method=method, path=path, body=body, tag=self.name)
            # Made at the first call: a decoder takes half a millisecond, and hardly any is used by a cold start.
            decoder: Decoder | None = functools.cache(lambda: msgspec.json.Decoder(body)) if body else None

            @functools.wraps(view)
            def serve(**arguments: str) -> Response:
                return _serve(operation, decoder, view, self.blueprint.current_request, arguments)

            serve.operation = operation  # type: ignore[attr-defined]
            # Chalice's own check of the content type answers outside our problem documents; ours is in `_admit`.
            self.blueprint.route(path, methods=[method], content_types=[], cors=CORS, authorizer=jwt_authorizer)(serve)
            return view

        return register


def _operation(
    view: Callable[..., Any], contract: Contract, *, method: str, path: str, body: type | None, tag: str
) -> Operation:
    return Operation(
        method=method,
        path=path,
        name=view.__name__,
        tag=tag,
        description=view.__doc__ or "",
        body=body,
        answer=contract["answer"],
        summary=contract["summary"],
        scopes=contract.get("scopes", ()),
        callers=contract.get("callers", ("member", "staff", "system")),
        statuses=contract.get("statuses", {200: "Done."}),
        errors=contract.get("errors", ()),
        query=tuple(Param(item, "") if isinstance(item, str) else item for item in contract.get("query", ())),
        headers=contract.get("headers", ()),
        example=contract.get("example"),
    )


def _serve(
    operation: Operation,
    decoder: Decoder | None,
    view: Callable[..., Reply[Any]],
    request: Request,
    arguments: Mapping[str, str],
) -> Response:
    request_id = request.context.get("requestId", "")
    try:
        call = _admit(operation, decoder, request, request_id)
        reply = view(call, **{name: _path_argument(name, text) for name, text in arguments.items()})
        return _response(operation, reply, call.header("If-None-Match"))
    except Exception as error:  # noqa: BLE001 -- every failure is answered as a problem, and logged there
        problem = problems.answer(error, request_id)
        return Response(problem.body, {**problem.headers}, problem.status)


def _admit(operation: Operation, decoder: Decoder | None, request: Request, request_id: str) -> Call[Any]:
    """The checked call: first who asks and whether they may, and only then what they sent."""
    caller = from_context(request.context.get("authorizer"))
    _check_rights(operation, caller)
    raw = bodies.read(request) if operation.method != "GET" else b""
    if decoder and raw:
        bodies.check_media_type(request.headers.get("content-type"), patch=operation.method == "PATCH")
    if not decoder and raw.strip() not in {b"", b"{}"}:
        raise Invalid("This operation takes no body.", code="body_unexpected")
    return Call(
        body=bodies.decode(raw, decoder()) if decoder else None,
        caller=caller,
        operation=operation.name,
        request_id=request_id,
        now=clock.now(),
        locale=languages.best(request.headers.get("accept-language")),
        headers=request.headers,
        parameters=_parameters(operation, request),
        base_url=_base_url(request),
    )


def _check_rights(operation: Operation, caller: Caller) -> None:
    if caller.kind not in operation.callers:
        raise Forbidden(f"A {caller.kind} may not call this operation.", code="caller_not_allowed")
    if caller.kind in _WITH_SCOPES:
        for scope in operation.scopes:
            caller.require(scope)
    if caller.kind == "link" and clock.now() >= caller.expires_at:
        raise NotAuthenticated("The time of this link is over.", code="link_expired")


def _base_url(request: Request) -> str:
    """Where the caller has reached the API, such as `https://abc.execute-api.eu-west-1.amazonaws.com/api`."""
    context = request.context
    host = str(context.get("domainName") or request.headers.get("Host") or "")
    if host.partition(":")[0] in {"localhost", "127.0.0.1"} and "X-Forwarded-Host" in request.headers:
        # On a laptop people come by a front of its own; elsewhere nobody is believed who says so.
        return f"http://{request.headers['X-Forwarded-Host']}"
    # Whatever a stage or a domain of the merchant's own puts before a path stands before the resource's segments.
    ahead = str(context.get("path", "")).split("/")[: -str(context.get("resourcePath", "")).count("/")]
    return f"https://{host}{'/'.join(ahead)}"


def _parameters(operation: Operation, request: Request) -> dict[str, str]:
    """The query: each parameter declared by the operation and given once, the required ones given."""
    known = {param.name for param in operation.query}
    found = {}
    given = (request.to_original_event()["multiValueQueryStringParameters"] or {}).items()
    for name, values in given:
        if name not in known or len(values) != 1:
            raise Invalid(
                "This query parameter is unknown here, or was given more than once.", field=name, code="query_invalid"
            )
        found[name] = values[0]
    for param in operation.query:
        if param.required and not found.get(param.name):
            raise Invalid("This query parameter is required.", field=param.name, code="query_invalid")
    return found


def _path_argument(name: str, text: str) -> str:
    """An id or code from the path; what can be none names nothing. A local gateway leaves it percent-encoded."""
    text = urllib.parse.unquote(text)
    if not (_TYPED if name == "code" else _ID).fullmatch(text):
        raise NotFound("There is no such thing.")
    return text


def _response(operation: Operation, reply: Reply[Any], if_none_match: str | None) -> Response:
    body = msgspec.json.encode(reply.body)
    headers: dict[str, str | list[str]] = {"Content-Type": bodies.JSON, **reply.headers}
    version = reply.etag
    if version is None and operation.method == "GET":
        version = hash_of(body)
    if version is None:
        return Response(body.decode(), headers, reply.status)
    headers["ETag"] = f'"{version}"'
    if operation.method == "GET" and if_none_match and matches(version, if_none_match):
        headers.pop("Content-Type")
        return Response("", headers, 304)
    return Response(body.decode(), headers, reply.status)


def _shown(shown: Document, if_none_match: str | None) -> Response:
    version = hash_of(shown.text.encode())
    headers: dict[str, str | list[str]] = {"ETag": f'"{version}"', **shown.headers}
    if if_none_match and matches(version, if_none_match):
        return Response("", headers, 304)
    return Response(shown.text, {**headers, "Content-Type": shown.media_type})
