"""What the schedule sets off in the cases' room: every quarter of an hour, somebody is told what is late."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from chalice.app import Blueprint

from chalicelib.base import clock
from chalicelib.cases import watching

logger = logging.getLogger(__name__)
blueprint = Blueprint(__name__)

_RESERVE_MS: Final = 15_000
"""What is left of the function's time when it stops: enough for one case whose tries all fail."""


class CasesNotWatched(RuntimeError):
    """Some cases could not be told of. They are still due at the next run."""


@blueprint.lambda_function(name="watch_cases")
def watch_cases(_event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Write the alerts that are due; by hand as by the schedule. Whatever time does not suffice for comes next time."""
    told = watching.watch(now=clock.now(), has_time=lambda: bool(context.get_remaining_time_in_millis() > _RESERVE_MS))
    logger.info("cases watched: %s", told)
    if told["failed"]:
        # All others have been told of; this one shows as an error of the function, which an alarm can hear.
        raise CasesNotWatched(f"{told['failed']} cases could not be told of; the log says why.")
    return told
