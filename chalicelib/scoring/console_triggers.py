"""The function with which an admin looks after scoring, in a module that no other function loads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalice.app import Blueprint

from chalicelib.base import clock
from chalicelib.base import console as consoles
from chalicelib.scoring import console

blueprint = Blueprint(__name__)


@blueprint.lambda_function(name="administer_scoring")
def administer_scoring(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Do what `event["action"]` says and answer readable JSON; `{"action": "help"}` lists what can be said."""
    return consoles.answer(
        "administer_scoring", event, console.Requests, lambda request: console.done(request, clock.now())
    )
