"""A queue's batch: each message by itself."""

from __future__ import annotations

import logging

import msgspec
import pytest

from chalicelib.base import messages


def batch(*bodies: str) -> dict[str, list[dict[str, str]]]:
    return {"Records": [{"messageId": f"m{place}", "body": body} for place, body in enumerate(bodies)]}


def test_what_fails_holds_back_no_other_and_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    taken: list[int] = []

    def take(body: str) -> None:
        number = msgspec.json.decode(body, type=int)
        if number < 0:
            raise ValueError(body)
        taken.append(number)

    with caplog.at_level(logging.INFO):
        answer = messages.each(batch("1", "-2", "secret text", "4"), take)
    assert taken == [1, 4]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert "m2 cannot be read" in caplog.text
    assert "secret text" not in caplog.text
    assert "2 of 4 messages taken" in caplog.text
