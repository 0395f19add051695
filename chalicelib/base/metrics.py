"""Metrics as log lines: CloudWatch reads the embedded metric format from the log, without a call of its own."""

from __future__ import annotations

import sys
from typing import Final

import msgspec

from chalicelib.base.settings import settings

NAMESPACE: Final = "Huike"


def publish(name: str, value: int, *, now: int) -> None:
    """Publish a count under `name` for this stage, as of `now` (seconds).

    The line is written past the loggers, for in a function they would wrap it into a document of their own.
    """
    metric = {"Namespace": NAMESPACE, "Dimensions": [["Stage"]], "Metrics": [{"Name": name, "Unit": "Count"}]}
    line = {"_aws": {"Timestamp": now * 1000, "CloudWatchMetrics": [metric]}, "Stage": settings().stage, name: value}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()
