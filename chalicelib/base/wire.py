"""botocore's work on each request to DynamoDB, done once or done shorter; what is sent and given stays the same.

Most of a request's CPU is botocore's, and much of that goes into generality that DynamoDB has no use for: its requests
are all `POST /` with a JSON body. Each part here stands in for one of botocore's, is shorter in this one case, hands
every other case to botocore, and is held to botocore's own by `tests/storage/test_wire.py`. Retries, time-outs,
connections, credentials, redirections and errors are botocore's. `docs/decisions/0010-request-cost.md` has the figures.
"""

from __future__ import annotations

import base64
import functools
import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import botocore.auth
import botocore.parsers
import msgspec

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import OperationModel
    from botocore.session import Session

# What is derived from here is botocore's inside, of which its types say little.
_auth: Any = botocore.auth
_parsers: Any = botocore.parsers

_SIGNATURE: Final = "huike-v4"


def make_client(session: Session, config: Any) -> BaseClient:
    """The session's DynamoDB client, with the shorter parts in it; `config` must leave out the account's endpoint."""
    session.register_component("response_parser_factory", _Parsers())
    made: Any = session.create_client("dynamodb", config=config)
    # botocore has a way in for parsers and signers, and none for these two.
    made._serializer = Serializer()  # noqa: SLF001
    made._ruleset_resolver.construct_endpoint = _once(made._ruleset_resolver.construct_endpoint)  # noqa: SLF001
    made.meta.events.register("choose-signer.dynamodb", _choose_signer)
    client: BaseClient = made
    return client


def _once(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint, found by botocore's rules at an operation's first call and kept.

    The rules look at region and settings, which a client keeps for life; at the account, which is left out; and at ARNs
    in the place of tables' names, which are never sent.
    """
    found: dict[str, Any] = {}

    def construct_endpoint(operation_model: OperationModel, call_args: Any, request_context: Any) -> Any:
        name = operation_model.name
        if name not in found:
            found[name] = resolve(operation_model, call_args, request_context)
        return found[name]

    return construct_endpoint


class Serializer:
    """The body as it was built: requests name their members as DynamoDB does, and msgspec writes bytes as base 64."""

    def serialize_to_request(self, parameters: Mapping[str, Any], operation_model: OperationModel) -> dict[str, Any]:
        """What botocore's own serializer makes, but for blanks in the body."""
        metadata = operation_model.metadata
        return {
            "url_path": "/",
            "query_string": "",
            "method": "POST",
            "headers": {
                "X-Amz-Target": f"{metadata['targetPrefix']}.{operation_model.name}",
                "Content-Type": f"application/x-amz-json-{metadata['jsonVersion']}",
            },
            "body": msgspec.json.encode(parameters),
        }


class Parser(_parsers.JSONParser):  # type: ignore[misc]
    """An attribute's value is taken as it came; only what is binary in it looks different in Python."""

    def _parse_body_as_json(self, body_contents: bytes) -> Any:
        try:
            return msgspec.json.decode(body_contents)
        except msgspec.DecodeError:
            return super()._parse_body_as_json(body_contents)

    def _handle_map(self, shape: Any, value: dict[str, Any]) -> dict[str, Any]:
        if shape.value.name != "AttributeValue":
            parsed: dict[str, Any] = super()._handle_map(shape, value)
            return parsed
        return {name: _attribute(part) for name, part in value.items()}


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    for kind, inner in value.items():
        if kind == "B":
            return {kind: base64.b64decode(inner)}
        if kind == "BS":
            return {kind: [base64.b64decode(part) for part in inner]}
        if kind == "L":
            return {kind: [_attribute(part) for part in inner]}
        if kind == "M":
            return {kind: {name: _attribute(part) for name, part in inner.items()}}
    return value


class _Parsers(_parsers.ResponseParserFactory):  # type: ignore[misc]
    def create_parser(self, protocol_name: str) -> Any:
        return _PARSER if protocol_name == "json" else super().create_parser(protocol_name)


_PARSER = Parser()
"""A parser keeps nothing between two answers, so one is enough."""


class Signer(_auth.SigV4Auth):  # type: ignore[misc]
    """Signature version 4 of a `POST /` without a query, whose body is bytes."""

    def add_auth(self, request: Any) -> None:
        """Sign the request. Raises NoCredentialsError."""
        host = _host(request.url)
        if self.credentials is None or not host or not _is_plain(request):
            super().add_auth(request)
            return
        timestamp = _auth.get_current_datetime().strftime(_auth.SIGV4_TIMESTAMP)
        request.context["timestamp"] = timestamp
        self._modify_request_before_signing(request)
        headers = self._canonical(request.headers, host)
        signed = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        canonical = f"POST\n/\n\n{lines}\n{signed}\n{sha256(request.data).hexdigest()}"
        scope = f"{timestamp[:8]}/{self._region_name}/{self._service_name}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = _key(self.credentials.secret_key, timestamp[:8], self._region_name, self._service_name)
        signature = hmac.digest(key, text.encode(), sha256).hex()
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.credentials.access_key}/{scope}, "
            f"SignedHeaders={signed}, Signature={signature}"
        )

    def _canonical(self, headers: Mapping[str, str], host: str) -> dict[str, str]:
        """The headers that are signed, as they are signed, in the order of their names."""
        found: dict[str, str] = {}
        for name, value in headers.items():
            lower, trimmed = name.lower(), self._header_value(value)
            if lower not in _auth.SIGNED_HEADERS_BLACKLIST:
                found[lower] = f"{found[lower]},{trimmed}" if lower in found else trimmed
        found.setdefault("host", host)
        return dict(sorted(found.items()))


def _is_plain(request: Any) -> bool:
    """Whether a request has the form that `Signer` is made for."""
    return (
        request.method == "POST"
        and not request.params
        and isinstance(request.data, bytes)
        and "X-Amz-Content-SHA256" not in request.headers
        and request.context.get("payload_signing_enabled", True)
    )


def _choose_signer(signature_version: str, **_request: Any) -> str | None:
    return _SIGNATURE if signature_version == "v4" else None


@functools.lru_cache(maxsize=4)
def _host(url: str) -> str:
    """The host that a request to `url` names in its header; empty where there is more to the address than that."""
    parts = urlsplit(url)
    is_plain = parts.path in {"", "/"} and not parts.query and not parts.fragment
    return str(_auth._host_from_url(url)) if is_plain else ""  # noqa: SLF001 -- the rule is to be botocore's


@functools.lru_cache(maxsize=4)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key that signs on a day, derived from the secret in four turns."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), sha256)
    return key


_auth.AUTH_TYPE_MAPS[_SIGNATURE] = Signer
