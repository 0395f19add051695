"""The API's documentation: an OpenAPI 3.1 document made from the operations and structs that serve the requests.

`python -m infra.openapi` writes docs/openapi.json anew; with `--check` it only says whether it would change.
"""

import argparse
import inspect
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, get_args

ROOT: Final = Path(__file__).parent.parent

# Importing the engine takes the settings of an installation; the document depends on none of them.
for _name in ("HUIKE_TABLE_PREFIX", "HUIKE_ID_SECRET"):
    os.environ.setdefault(_name, "documentation")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

import msgspec  # noqa: E402 -- as the environment, above, comes first
from chalice.app import Chalice  # noqa: E402

from chalicelib.web.caller import Kind  # noqa: E402
from chalicelib.web.problems import MEDIA_TYPE, Problem, title_of  # noqa: E402
from chalicelib.web.room import Operation, Param  # noqa: E402
from chalicelib.web.scopes import SCOPES  # noqa: E402
from infra.codes import status_of_codes  # noqa: E402
from infra.errors import InfraError  # noqa: E402
from infra.gateway import PROBLEMS  # noqa: E402

PATH: Final = ROOT / "docs" / "openapi.json"

_TAGS: Final = {
    "program": "What the programme offers.",
    "members": "Enrolment, profile, account, statement.",
    "orders": "Purchases, refunds, quotes.",
    "rewards": "Spending points.",
    "vouchers": "Codes that reduce an order: batches, use, wallets.",
}
_EVERY: Final = ("invalid_request", "query_invalid", "unauthenticated", "internal_error", "unavailable")
_WITH_BODY: Final = ("json_malformed", "control_character", "body_too_large", "media_type_unsupported")
_IF_NONE_MATCH: Final = Param(
    "If-None-Match", "An ETag: where nothing has changed since, the answer is 304 without body."
)
_LINK: Final = "The token of a signed link, as it is sent to members; it needs no signing in, and opens nothing else."
_SHARED_CODES_MAX: Final = 2
_ETAG: Final = {"ETag": {"description": "The version of what was read.", "schema": {"type": "string"}}}


def operations(app: Chalice) -> list[Operation]:
    """Every operation that the application serves, by path."""
    entries = [entry for path in sorted(app.routes) for entry in app.routes[path].values()]
    return [entry.view_function.operation for entry in entries]  # type: ignore[attr-defined]


def document(app: Chalice) -> dict[str, Any]:
    """The OpenAPI document of the application."""
    served = operations(app)
    types = [type_ for operation in served for type_ in (operation.body, operation.answer) if type_]
    parameters = [param.schema for operation in served for param in (*operation.query, *operation.headers)]
    every = [*types, Problem, *parameters, str]
    schemas, components = msgspec.json.schema_components(every, ref_template="#/components/schemas/{name}")
    schema_of = _Schemas(every, schemas)
    statuses = status_of_codes()
    shared: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for operation in served:
        described = _operation(operation, schema_of)
        described["responses"] |= _problems(operation, schema_of, statuses, shared)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {name: _cleaned(schema) for name, schema in sorted(components.items())},
            "responses": dict(sorted(shared.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "link": {"type": "http", "scheme": "bearer", "description": _LINK},
            },
        },
    }


class _Schemas:
    """The schema, or the reference to it, of each type that the document names."""

    def __init__(self, types: Iterable[Any], schemas: Iterable[dict[str, Any]]) -> None:
        self._pairs = list(zip(types, schemas, strict=True))

    def __call__(self, type_: Any) -> dict[str, Any]:
        # Compared one by one: annotated types are equal, and not always hashable.
        return next(schema for known, schema in self._pairs if known == type_)


def _cleaned(schema: dict[str, Any]) -> dict[str, Any]:
    """A struct's schema with its docstring as the newest Pythons keep it: without the source's indentation."""
    return {**schema, "description": inspect.cleandoc(schema["description"])} if "description" in schema else schema


def _info() -> dict[str, Any]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    scopes = "\n".join(f"- `{name}`: {text}" for name, text in SCOPES.items())
    return {
        "title": "Huike",
        "version": project["version"],
        "summary": "A loyalty engine: members, points, tiers, orders.",
        "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        "description": (
            "Points are integers and money is in integer minor units with its currency. Instants are RFC 3339 in UTC. "
            "Errors are problem documents (RFC 9457) with a stable `code`. What is not in these schemas is refused.\n\n"
            "Callers send an OIDC bearer token. A member may touch only its own account, as `me`; staff and systems "
            f"need scopes, which the token carries behind the installation's prefix (`huike/`):\n\n{scopes}\n"
        ),
    }


def _operation(operation: Operation, schema_of: _Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": _description(operation),
        "security": _security(operation),
        "parameters": _parameters(operation, schema_of),
    }
    if operation.body:
        content: dict[str, Any] = {"schema": schema_of(operation.body)}
        if operation.example is not None:
            content["example"] = operation.example
        media_types = ["application/json"]
        if operation.method == "PATCH":
            media_types.insert(0, "application/merge-patch+json")
        found["requestBody"] = {"required": True, "content": dict.fromkeys(media_types, content)}
    found["responses"] = _successes(operation, schema_of)
    return found


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.is_public:
        return []
    found = [{"token": list(operation.scopes)}]
    if "link" in operation.callers:
        found.append({"link": []})
    return found


def _description(operation: Operation) -> str:
    text = inspect.cleandoc(operation.description)
    if operation.is_public:
        return f"{text}\n\nFor everybody."
    scopes = ", ".join(f"`{scope}`" for scope in operation.scopes)
    needs = f" with {scopes}" if scopes else ""
    who = {"member": "members", "staff": f"staff{needs}", "system": f"systems{needs}", "link": "whoever has a link"}
    return f"{text}\n\nFor {', '.join(who[kind] for kind in operation.callers)}."


def _parameters(operation: Operation, schema_of: _Schemas) -> list[dict[str, Any]]:
    found = [_parameter(Param(name, _of(name), required=True), "path", schema_of) for name in _names(operation.path)]
    found += [_parameter(param, "query", schema_of) for param in operation.query]
    headers = [*operation.headers, *([_IF_NONE_MATCH] if operation.method == "GET" else [])]
    return found + [_parameter(param, "header", schema_of) for param in headers]


def _names(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def _of(name: str) -> str:
    if name == "code":
        return "A voucher's code in any spelling: case, blanks, hyphens and look-alikes (O for 0) do not count."
    thing = name.removesuffix("_id").replace("_", " ")
    return "The member's id, or `me` for the caller's own." if name == "member_id" else f"The {thing}'s id."


def _parameter(param: Param, place: str, schema_of: _Schemas) -> dict[str, Any]:
    found = {"name": param.name, "in": place, "required": param.required, "schema": schema_of(param.schema)}
    return {**found, "description": param.description} if param.description else found


def _successes(operation: Operation, schema_of: _Schemas) -> dict[str, Any]:
    media_type = "text/html" if operation.is_public else "application/json"
    content = {media_type: {"schema": schema_of(operation.answer)}}
    headers = {} if operation.method == "POST" else {"headers": _ETAG}
    found: dict[str, Any] = {
        str(status): {"description": text, **headers, "content": content}
        for status, text in sorted(operation.statuses.items())
    }
    if operation.method == "GET":
        found["304"] = {"description": "Nothing has changed since the ETag in If-None-Match.", **headers}
    return found


def codes_of(operation: Operation, statuses: Mapping[str, int]) -> dict[int, list[str]]:
    """The codes with which an operation may be refused, by status, those of the gateway before it included.

    Raises InfraError for a declared error that nothing raises.
    """
    codes_by_status: dict[int, set[str]] = {}
    every = ("internal_error",) if operation.is_public else _EVERY
    for code in (*every, *_by_nature(operation), *operation.errors):
        if code not in statuses:
            raise InfraError(f"{operation.name} declares the error {code}, which is raised nowhere.")
        codes_by_status.setdefault(statuses[code], set()).add(code)
    for answer in PROBLEMS.values():
        if operation.method != "GET" or answer.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            codes_by_status.setdefault(answer.status, set()).add(answer.code)
    return {status: sorted(codes) for status, codes in sorted(codes_by_status.items())}


def _problems(
    operation: Operation, schema_of: _Schemas, statuses: Mapping[str, int], shared: dict[str, Any]
) -> dict[str, Any]:
    """The refusals of an operation by status; what most operations have alike is described once, in `shared`."""
    found: dict[str, Any] = {}
    for status, codes in codes_of(operation, statuses).items():
        if len(codes) > _SHARED_CODES_MAX:
            found[str(status)] = _problem(codes, schema_of)
            continue
        name = "-".join(codes)
        shared.setdefault(name, _problem(codes, schema_of))
        found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return found


def _by_nature(operation: Operation) -> list[str]:
    """The codes of the refusals that the web's one room makes for every operation of this form."""
    codes = list(_WITH_BODY) if operation.body else []
    if operation.method != "GET" and not operation.body:
        codes += ["body_unexpected", "body_too_large"]
    if not operation.is_public and len(operation.callers) < len(get_args(Kind)):
        codes.append("caller_not_allowed")
    if "link" in operation.callers:
        codes.append("link_expired")
    if operation.scopes:
        codes.append("scope_missing")
    return codes


def _problem(codes: list[str], schema_of: _Schemas) -> dict[str, Any]:
    named = ", ".join(f"`{code}`" for code in codes)
    description = f"{title_of(codes[0])}: {named}." if len(codes) == 1 else f"One of {named}."
    schema = {"allOf": [schema_of(Problem), {"properties": {"code": {"enum": codes}}}]}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def rendered(app: Chalice) -> str:
    """The document as it is kept."""
    text = json.dumps(document(app), indent=2, ensure_ascii=False)
    # Structs of the same name in two areas go by their modules, of which the area says enough.
    return re.sub(r"chalicelib\.(\w+)\.\w+\.", r"\1.", text) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Write the document, or check the one that is kept. Raises InfraError where it has drifted."""
    from app import app  # noqa: PLC0415 -- the settings above come first

    parser = argparse.ArgumentParser(prog="python -m infra.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the kept document has drifted")
    checking = parser.parse_args(arguments).check
    text = rendered(app)
    if not checking:
        PATH.write_text(text, encoding="utf-8")
    elif not PATH.exists() or PATH.read_text(encoding="utf-8") != text:
        raise InfraError("docs/openapi.json has drifted from the code. Write it anew: make openapi")


if __name__ == "__main__":
    try:
        main()
    except InfraError as error:
        sys.exit(str(error))
