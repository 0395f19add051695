"""A real night of scoring at the end of the demo, by the schedule's own function, and the report that came of it."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from infra.errors import InfraError
from infra.local.aws import client
from infra.local.deploy import Stack

FILES: Final = {
    "report.html": "text/html; charset=utf-8",
    "report.zh.html": "text/html; charset=utf-8",
    "report.json": "application/json",
    "members.csv": "text/csv; charset=utf-8",
    "care.csv": "text/csv; charset=utf-8",
}
"""What a night leaves, each with its type."""

_STALLED_S: Final = 240
_FOLLOWED: Final = ("sweep", "score")
Advance = Callable[[int], None]


def run(stack: Stack, members: int, advance: Advance) -> None:
    """Begin a night and wait for it; gives up when nothing has moved for four minutes.

    The very first night walks twice: to gather what it scores by, and to score. `advance` hears of members walked by.
    """
    answer = client("lambda", stack.endpoint).invoke(FunctionName=stack.outputs["StartNightFunction"], Payload=b"{}")
    night = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise InfraError(f"The night could not be begun: {json.dumps(night)}")
    dynamodb = client("dynamodb", stack.endpoint)
    done, moved = 0, time.monotonic()
    while not (found := _segments(dynamodb, stack, night["night"])).is_over:
        if found.seen > done:
            advance(found.seen - done)
            done, moved = found.seen, time.monotonic()
        if time.monotonic() - moved > _STALLED_S:
            raise InfraError(
                f"The night stands still after {done} of {len(_FOLLOWED) * members} visits. "
                "The log of the local AWS says why."
            )
        time.sleep(0.5)
    advance(len(_FOLLOWED) * members - done)


def file(stack: Stack, name: str) -> bytes:
    """One of FILES as the last night left it. Raises InfraError where there has been no night yet."""
    s3 = client("s3", stack.endpoint)
    try:
        found = s3.get_object(Bucket=stack.outputs["FilesBucketName"], Key=f"reports/latest/{name}")
    except s3.exceptions.NoSuchKey:
        raise InfraError("There is no report yet: a night makes it, which the function start_night begins.") from None
    body: bytes = found["Body"].read()
    return body


class _Segments:
    """How far the walks of a night are."""

    def __init__(self, items: list[dict[str, Any]]) -> None:
        followed = [item for item in items if item["part"]["S"].partition("#")[0] in _FOLLOWED]
        self.seen = sum(int(item["seen"]["N"]) for item in followed)
        done = [item["part"]["S"].partition("#")[0] for item in followed if item["is_done"]["N"] == "1"]
        self.is_over = bool(done) and done.count("score") == done.count("sweep")


def _segments(dynamodb: Any, stack: Stack, night: str) -> _Segments:
    found = dynamodb.query(
        TableName=stack.outputs["NightsTableName"],
        KeyConditionExpression="night = :night",
        ExpressionAttributeValues={":night": {"S": night}},
        ConsistentRead=True,
    )
    return _Segments(found["Items"])
