"""What a queue hands to a function: each message by itself, so that one that fails holds back no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

logger = logging.getLogger(__name__)


def each(event: Mapping[str, Any], take: Callable[[str], None]) -> dict[str, Any]:
    """Give `take` the body of each message of a batch; answers which messages must come again.

    `take` reads the body itself. What it cannot read is logged without its content, which may be anybody's.
    """
    failed = []
    for record in event["Records"]:
        message_id = record["messageId"]
        try:
            take(record["body"])
        except (msgspec.MsgspecError, UnicodeError) as error:
            logger.warning("message %s cannot be read (%s)", message_id, type(error).__name__)
            failed.append({"itemIdentifier": message_id})
        except Exception:
            logger.exception("message %s failed", message_id)
            failed.append({"itemIdentifier": message_id})
    logger.info("%s of %s messages taken", len(event["Records"]) - len(failed), len(event["Records"]))
    return {"batchItemFailures": failed}
