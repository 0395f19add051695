"""Faults on the wire: below the SDK's own retries, at random, for threads that talk to a real server at once."""

from __future__ import annotations

import contextlib
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

Send = Callable[[URLLib3Session, AWSPreparedRequest], AWSResponse]
WireFault = Callable[[Callable[[], AWSResponse], AWSPreparedRequest], AWSResponse]

_TRANSACT = "TransactWriteItems"


def dropped(_send: Callable[[], AWSResponse], request: AWSPreparedRequest) -> AWSResponse:
    """The request never arrives."""
    raise ConnectionClosedError(endpoint_url=request.url)


def answer_lost(send: Callable[[], AWSResponse], request: AWSPreparedRequest) -> AWSResponse:
    """The request is carried out, and its answer never arrives."""
    send()
    raise ReadTimeoutError(endpoint_url=request.url)


def failed(_send: Callable[[], AWSResponse], request: AWSPreparedRequest) -> AWSResponse:
    """The server fails before it does anything."""
    return _answer(request, 500, {"__type": "InternalServerError", "message": "later"})


def failed_after_commit(send: Callable[[], AWSResponse], request: AWSPreparedRequest) -> AWSResponse:
    """The server fails when everything is done."""
    send()
    return _answer(request, 500, {"__type": "InternalServerError", "message": "later"})


def throttled(_send: Callable[[], AWSResponse], request: AWSPreparedRequest) -> AWSResponse:
    """The table is over its limit."""
    return _answer(request, 400, {"__type": "ProvisionedThroughputExceededException", "message": "slow down"})


def conflicting(_send: Callable[[], AWSResponse], request: AWSPreparedRequest) -> AWSResponse:
    """Another transaction holds the first item."""
    return _cancelled(request, ["TransactionConflict"])


def throttled_in_part(_send: Callable[[], AWSResponse], request: AWSPreparedRequest) -> AWSResponse:
    """The second item's partition is over its limit."""
    return _cancelled(request, ["None", "ThrottlingError"])


def cancelled_without_reasons(_send: Callable[[], AWSResponse], request: AWSPreparedRequest) -> AWSResponse:
    """The transaction is cancelled, and nothing says why."""
    return _answer(request, 400, {"__type": "TransactionCanceledException", "message": "", "CancellationReasons": []})


ANYWHERE: tuple[WireFault, ...] = (dropped, answer_lost, failed, failed_after_commit, throttled)
"""What may happen to any request."""

TO_TRANSACTIONS: tuple[WireFault, ...] = (conflicting, throttled_in_part, cancelled_without_reasons)
"""What happens to transactions only."""


@contextlib.contextmanager
def faulty(rate: float, seed: int) -> Iterator[Counter[str]]:
    """Let this part of all requests to DynamoDB meet a fault; counts the faults by name, and `sent` for all."""
    real: Send = URLLib3Session.send
    chance = random.Random(seed)  # noqa: S311 -- no secret
    lock = threading.Lock()
    met: Counter[str] = Counter()

    def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        operation = _operation(request)
        faults = ANYWHERE + TO_TRANSACTIONS if operation == _TRANSACT else ANYWHERE
        with lock:
            met["sent"] += 1
            # The one that was met least, so that none is left out by chance.
            rarest = min(faults, key=lambda fault: (met[fault.__name__], chance.random()))
            fault = rarest if chance.random() < rate else None
            if fault:
                met[fault.__name__] += 1
        if fault is None:
            return real(session, request)
        return fault(lambda: real(session, request), request)

    with mock.patch.object(URLLib3Session, "send", send):
        yield met


def _operation(request: AWSPreparedRequest) -> str:
    target = request.headers["X-Amz-Target"]
    text = target.decode() if isinstance(target, bytes) else str(target)
    return text.rpartition(".")[2]


def _cancelled(request: AWSPreparedRequest, codes: list[str]) -> AWSResponse:
    items = len(json.loads(_body(request))["TransactItems"])
    reasons = [{"Code": code} for code in [*codes, *["None"] * items][:items]]
    message = f"Transaction cancelled [{', '.join(reason['Code'] for reason in reasons)}]"
    return _answer(
        request, 400, {"__type": "TransactionCanceledException", "Message": message, "CancellationReasons": reasons}
    )


def _body(request: AWSPreparedRequest) -> str | bytes:
    body: Any = request.body
    return body if isinstance(body, str | bytes) else b"{}"


class _Raw:
    """The body of an answer that no socket brought."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


def _answer(request: AWSPreparedRequest, status: int, body: dict[str, Any]) -> AWSResponse:
    headers: Any = {"Content-Type": "application/x-amz-json-1.0"}
    return AWSResponse(request.url, status, headers, _Raw(json.dumps(body).encode()))
