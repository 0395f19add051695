"""Every refusal becomes a problem document with its status; our own faults tell nothing."""

from __future__ import annotations

import logging

import msgspec
import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from pynamodb.exceptions import QueryError

from chalicelib.base import errors
from chalicelib.ledger.points import InsufficientPoints
from chalicelib.web import problems


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (errors.Invalid("no", field="lines[0].sku"), 400, "invalid_request"),
        (errors.NotAuthenticated("no"), 401, "unauthenticated"),
        (errors.Forbidden("no", code="scope_missing"), 403, "scope_missing"),
        (errors.NotFound("no"), 404, "not_found"),
        (problems.MethodNotAllowed("no"), 405, "method_not_allowed"),
        (errors.KeyReused("no"), 409, "key_reused"),
        (InsufficientPoints(10, 3), 409, "insufficient_points"),
        (errors.Unmet("no"), 412, "precondition_failed"),
        (problems.TooLarge("no"), 413, "body_too_large"),
        (problems.UnsupportedMedia("no"), 415, "media_type_unsupported"),
        (problems.PreconditionRequired("no"), 428, "precondition_required"),
        (errors.Unavailable("no"), 503, "unavailable"),
    ],
)
def test_a_refusal_has_the_status_of_its_kind(refusal: errors.Refusal, status: int, code: str) -> None:
    answer = problems.answer(refusal, "r-1")
    problem = msgspec.json.decode(answer.body, type=problems.Problem)
    assert (answer.status, problem.status, problem.code) == (status, status, code)
    assert (problem.type, problem.request_id, problem.field) == (f"/problems/{code}", "r-1", refusal.field)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_whoever_is_to_come_again_is_told_when() -> None:
    assert int(problems.answer(errors.Unavailable("no"), "r").headers["Retry-After"]) > 0


def test_whoever_is_unknown_is_told_how_to_be_known() -> None:
    assert problems.answer(errors.NotAuthenticated("no"), "r").headers["WWW-Authenticate"] == "Bearer"


def test_a_fault_of_ours_is_logged_whole_and_told_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = problems.answer(ZeroDivisionError("secret 42"), "r-9")
    assert answer.status == 500
    assert "42" not in answer.body
    assert "secret 42" in caplog.text
    assert "r-9" in caplog.text


def test_a_busy_database_is_no_fault_but_a_reason_to_come_again() -> None:
    class Throttled(Exception):
        cause_response_code = "ProvisionedThroughputExceededException"

    answer = problems.answer(Throttled(), "r")
    assert (answer.status, "Retry-After" in answer.headers) == (503, True)


@pytest.mark.parametrize("lost", [ReadTimeoutError(endpoint_url="x"), ConnectTimeoutError(endpoint_url="x")])
def test_a_database_that_cannot_be_reached_is_a_reason_to_come_again(lost: Exception) -> None:
    assert problems.answer(QueryError("no answer", lost), "r").status == 503
    assert problems.answer(lost, "r").status == 503
