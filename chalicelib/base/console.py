"""What the functions have in common that an admin invokes from the AWS console: JSON in, readable JSON out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.base.errors import Invalid, Refusal

logger = logging.getLogger(__name__)

Who = Annotated[str, Meta(max_length=100, pattern=r"\S")]
Note = Annotated[str, Meta(max_length=500)]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="action", kw_only=True):
    """Something to be asked for: `action` says which, the other fields are its own."""


def answer(name: str, event: Mapping[str, Any], requests: Any, act: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """What `act` makes of the request in `event`, or `{"error": …}` with code, detail and field.

    `requests` is the union of the structs that can be asked for; an empty event asks for `help`.
    """
    try:
        return act(_request(event, requests))
    except Refusal as refusal:
        return {"error": error(refusal)}
    except Exception:
        # An admin is no reader of stack traces; the log keeps it.
        logger.exception("%s failed", name)
        detail = "Something went wrong on our side; the function's log says what. Nothing can be said of the outcome."
        return {"error": {"code": "internal_error", "detail": detail, "field": None}}


def error(refusal: Refusal) -> dict[str, Any]:
    """A refusal as an admin reads it."""
    return {"code": refusal.reason_code, "detail": refusal.detail, "field": refusal.field}


def _request(event: Mapping[str, Any], requests: Any) -> Any:
    try:
        return msgspec.convert(event or {"action": "help"}, requests)
    except msgspec.ValidationError as fault:
        raise Invalid(f'{fault}. Send {{"action": "help"}} to see what can be asked for.') from fault
