"""Sending messages to queues, through one client of the process."""

from __future__ import annotations

import functools
from typing import Any

import botocore.session
import msgspec
from botocore.config import Config


def send(queue_url: str, message: msgspec.Struct) -> None:
    """Put a struct on a queue as JSON. Raises botocore's errors after three tries; it may have arrived all the same."""
    client().send_message(QueueUrl=queue_url, MessageBody=msgspec.json.encode(message).decode())


@functools.cache
def client() -> Any:
    """The process's SQS client; region, credentials and endpoint come from the environment."""
    config = Config(connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return botocore.session.get_session().create_client("sqs", config=config)
