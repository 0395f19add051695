"""The small front of the local AWS: `/v1` goes to API Gateway, everything else is the page for people."""

import json
import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from infra.errors import InfraError
from infra.gateway import PROBLEMS, document, headers
from infra.local.scored import FILES

PAGE = Path(__file__).resolve().parent / "page"
# API Gateway refuses larger bodies before any function sees them; the emulator does not.
_LARGEST_BODY = 10 * 1024 * 1024
_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "upgrade",
    "te",
    "trailer",
    "proxy-authorization",
    "host",
    "x-forwarded-host",
}
# What the front says itself.
_OWN = {"content-length", "date"}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]


def front(
    *,
    api: str,
    template: dict[str, Any],
    openapi: Path,
    swagger_ui: Path,
    token: Callable[[str], str],
    overview: dict[str, Any],
    survey: Callable[[str], str],
    night: Callable[[str], bytes],
) -> Starlette:
    """The web application.

    `token` makes a fresh token for `system` or a member id, `overview` fills the page, and `survey` gives the page with
    charts of a survey by its code, and `night` a file of the last night's report.
    """
    gateway, documents = _Gateway(api, _preflights(template)), _Documents(openapi, token, overview, survey, night)
    return Starlette(
        routes=[
            Route("/v1/{path:path}", gateway.proxy, methods=_METHODS),
            Route("/", documents.page),
            Route("/overview.json", documents.summary),
            Route("/openapi.json", documents.specification),
            Route("/tokens/{who}", documents.fresh_token),
            Route("/surveys/{code}", documents.results),
            Route("/night/{name}", documents.last_night),
            Mount("/swagger", StaticFiles(directory=swagger_ui)),
            Mount("/page", StaticFiles(directory=PAGE)),
        ],
        # The page hands out tokens, so it answers to its own name only: a foreign name that a web site has made point
        # at this machine gets nothing.
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
            Middleware(GZipMiddleware, minimum_size=1024),
        ],
        exception_handlers={404: _nothing},
        lifespan=_lifespan,
    )


@dataclass(frozen=True)
class _Gateway:
    """What is handed on to API Gateway."""

    api: str
    preflights: Callable[[str], dict[str, str]]

    async def proxy(self, request: Request) -> Response:
        if int(request.headers.get("content-length", "0")) > _LARGEST_BODY:
            return _gateway_says("REQUEST_TOO_LARGE")
        answer = await request.app.state.client.request(
            request.method,
            _url(self.api, request),
            # As bytes, for what callers put into headers is not always text.
            headers=[
                *((name, value) for name, value in request.headers.raw if name.decode("latin-1") not in _HOP_BY_HOP),
                (b"x-forwarded-host", request.headers["host"].encode("latin-1")),
            ],
            content=await request.body(),
        )
        kept = {name: value for name, value in answer.headers.items() if name not in _HOP_BY_HOP | _OWN}
        if request.method == "OPTIONS" and answer.is_success:
            kept |= self.preflights(request.url.path)
        return Response(answer.content, answer.status_code, kept)


@dataclass(frozen=True)
class _Documents:
    """What the front has itself: the page and what it is made from."""

    openapi: Path
    token: Callable[[str], str]
    overview: dict[str, Any]
    survey: Callable[[str], str]
    night: Callable[[str], bytes]

    async def specification(self, request: Request) -> Response:
        text = await run_in_threadpool(self.openapi.read_text, encoding="utf-8")
        found = json.loads(text) | {"servers": [{"url": f"{request.base_url}".rstrip("/")}]}
        return JSONResponse(found)

    async def fresh_token(self, request: Request) -> Response:
        try:
            made = await run_in_threadpool(self.token, request.path_params["who"])
        except InfraError as error:
            return PlainTextResponse(f"{error}", 404)
        return PlainTextResponse(made, headers={"Cache-Control": "no-store"})

    async def results(self, request: Request) -> Response:
        try:
            made = await run_in_threadpool(self.survey, request.path_params["code"])
        except InfraError as error:
            return PlainTextResponse(f"{error}", 404)
        return HTMLResponse(made, headers={"Cache-Control": "no-store"})

    async def last_night(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in FILES:
            return PlainTextResponse(f"A night leaves {', '.join(FILES)}.", 404)
        try:
            made = await run_in_threadpool(self.night, name)
        except InfraError as error:
            return PlainTextResponse(f"{error}", 404)
        return Response(made, media_type=FILES[name], headers={"Cache-Control": "no-store"})

    async def page(self, _request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def summary(self, _request: Request) -> Response:
        return JSONResponse(self.overview)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    async with httpx.AsyncClient(timeout=60) as client:
        app.state.client = client
        yield


def _url(api: str, request: Request) -> str:
    path = request.scope["raw_path"].decode("ascii").split("?")[0]
    query = request.scope["query_string"].decode("ascii")
    return f"{api}{path}?{query}" if query else f"{api}{path}"


async def _nothing(_request: Request, _error: Exception) -> Response:
    # Such as a path with a line end in it, which no route of Starlette's takes.
    return _gateway_says("RESOURCE_NOT_FOUND")


def _gateway_says(kind: str) -> Response:
    problem = PROBLEMS[kind]
    return JSONResponse(document(problem, str(uuid.uuid4())), problem.status, headers(problem))


def _preflights(template: dict[str, Any]) -> Callable[[str], dict[str, str]]:
    """The CORS headers that the template gives for a path; the emulator answers OPTIONS without them."""
    patterns: list[tuple[re.Pattern[str], dict[str, str]]] = []
    for path, methods in template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"].items():
        if "options" in methods:
            default = methods["options"]["x-amazon-apigateway-integration"]["responses"]["default"]
            found = {
                name.removeprefix("method.response.header."): value.strip("'")
                for name, value in default["responseParameters"].items()
            }
            patterns.append((re.compile(re.sub(r"\\\{[^/]+\\\}", "[^/]+", re.escape(path))), found))

    def preflight(path: str) -> dict[str, str]:
        return next((found for pattern, found in patterns if pattern.fullmatch(path)), {})

    return preflight
