"""Lines of the log as JSON, and metrics in them: CloudWatch reads its embedded metric format without a call of ours."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from chalicelib.base.settings import settings

NAMESPACE: Final = "Huike"


def publish(name: str, value: int, *, now: int) -> None:
    """Publish a count under `name` for this stage, as of `now` (seconds)."""
    line = {"Stage": settings().stage, name: value}
    write(line | embedded({name: "Count"}, ["Stage"], now_ms=now * 1000))


def embedded(units: Mapping[str, str], dimensions: Sequence[str], *, now_ms: int) -> dict[str, Any]:
    """What makes metrics of a line's fields: the unit of each, and the fields that are their dimensions."""
    metric = {
        "Namespace": NAMESPACE,
        "Dimensions": [dimensions],
        "Metrics": [{"Name": name, "Unit": unit} for name, unit in units.items()],
    }
    return {"_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [metric]}}


def write(line: Mapping[str, Any]) -> None:
    """Write one line of the log as JSON.

    It goes past the loggers, for in a function they would wrap it into a document of their own.
    """
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()
