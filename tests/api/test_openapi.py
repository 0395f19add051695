"""The kept API document is the one that the code makes, valid, and whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from chalice.app import Chalice
from openapi_spec_validator import validate

from app import app
from chalicelib.web.room import Operation, Reply, Room
from chalicelib.web.scopes import SCOPES
from infra import openapi
from infra.errors import InfraError
from tests.api.client import statuses

KEPT = json.loads(openapi.PATH.read_text(encoding="utf-8"))
OPERATIONS = openapi.operations(app)


@pytest.fixture(autouse=True)
def tables() -> None:
    """No tables: the document is made from the code alone."""


def test_the_kept_document_has_not_drifted() -> None:
    openapi.main(["--check"])


def test_drift_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(openapi, "PATH", tmp_path / "openapi.json")
    with pytest.raises(InfraError, match="make openapi"):
        openapi.main(["--check"])
    openapi.main([])
    openapi.main(["--check"])


def test_the_document_is_valid() -> None:
    validate(KEPT)


def test_every_route_of_the_application_is_in_it() -> None:
    routes = {(path, method.lower()) for path, entries in app.routes.items() for method in entries}
    documented = {(path, method) for path, entries in KEPT["paths"].items() for method in entries}
    assert documented == routes


def test_no_operation_goes_by_the_name_of_another() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
class TestEveryOperation:
    def test_says_what_it_does_and_when_it_succeeds(self, operation: Operation) -> None:
        assert operation.summary
        assert operation.description
        assert operation.statuses
        assert all(200 <= status < 300 and text for status, text in operation.statuses.items())

    def test_names_scopes_that_exist(self, operation: Operation) -> None:
        assert set(operation.scopes) <= set(SCOPES)

    def test_describes_every_parameter(self, operation: Operation) -> None:
        described = KEPT["paths"][operation.path][operation.method.lower()]["parameters"]
        assert all(parameter["description"] for parameter in described)
        in_path = {parameter["name"] for parameter in described if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", operation.path))

    def test_shows_an_example_that_it_would_read(self, operation: Operation) -> None:
        if operation.example is not None:
            msgspec.json.decode(msgspec.json.encode(operation.example), type=operation.body)

    def test_names_every_refusal_with_its_status(self, operation: Operation) -> None:
        responses = KEPT["paths"][operation.path][operation.method.lower()]["responses"]
        for status, codes in openapi.codes_of(operation, statuses()).items():
            assert codes_in(responses[str(status)]) == codes


def codes_in(response: dict[str, Any]) -> Any:
    """The codes that a response of the document names, followed to where they stand."""
    if "$ref" in response:
        response = KEPT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    _problem, codes = response["content"]["application/problem+json"]["schema"]["allOf"]
    return codes["properties"]["code"]["enum"]


def test_an_error_that_nothing_raises_cannot_be_declared() -> None:
    room = Room("odd")

    @room.get("/v1/odd", answer=int, summary="Odd", errors=("moon_is_full",))
    def get_odd(call: Any) -> Reply[int]:
        return Reply(call.now)

    odd = Chalice("odd", configure_logs=False)
    odd.register_blueprint(room.blueprint)
    with pytest.raises(InfraError, match="moon_is_full"):
        openapi.document(odd)


def test_what_a_caller_sends_is_closed_to_unknown_fields() -> None:
    schemas = KEPT["components"]["schemas"]
    for operation in OPERATIONS:
        if operation.body:
            assert schemas[operation.body.__name__]["additionalProperties"] is False
