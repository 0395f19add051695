"""`python -m infra.redrive`: sends what lies in a dead-letter queue through its own queue again.

Do it after the cause is mended; what still fails comes back. On AWS the queue service moves the messages itself; where
it does not offer that (the local AWS), they are moved one by one, each deleted only when it has been sent.
"""

import argparse
import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.errors import InfraError
from infra.installation import add_arguments, find

QUEUES = {
    name: (f"{name.capitalize()}FailuresUrl", f"{name.capitalize()}QueueUrl")
    for name in (
        "intake",
        "claims",
        "challenges",
        "nightly",
        "audit",
        "vouchers",
        "referrals",
        "surveys",
        "birthdays",
        "crossings",
        "scoring",
    )
}


def redrive(sqs: Any, failures: str, queue: str) -> str:
    """Send everything in `failures` back to `queue`; says what was done."""
    arn = sqs.get_queue_attributes(QueueUrl=failures, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    try:
        sqs.start_message_move_task(SourceArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidAction":
            raise
        return f"{_move(sqs, failures, queue)} messages moved"
    return "AWS moves the messages now; the queue's page in the console shows how far it is"


def _move(sqs: Any, failures: str, queue: str) -> int:
    moved = 0
    while True:
        messages = sqs.receive_message(
            QueueUrl=failures, MaxNumberOfMessages=10, AttributeNames=["All"], WaitTimeSeconds=0
        ).get("Messages", [])
        if not messages:
            return moved
        for message in messages:
            sqs.send_message(QueueUrl=queue, MessageBody=message["Body"], **_group(message))
            sqs.delete_message(QueueUrl=failures, ReceiptHandle=message["ReceiptHandle"])
            moved += 1


def _group(message: dict[str, Any]) -> dict[str, str]:
    group = message["Attributes"].get("MessageGroupId")
    # By its content the message would count as a duplicate of itself for five minutes, so it goes by its own id.
    return {"MessageGroupId": group, "MessageDeduplicationId": message["MessageId"]} if group else {}


def main(arguments: list[str] | None = None) -> int:
    """Redrive one queue of the local stack, or of a stack on AWS."""
    parser = argparse.ArgumentParser(prog="python -m infra.redrive", description=__doc__)
    parser.add_argument("queue", choices=list(QUEUES))
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        installation = find(options)
        failures, queue = (installation.outputs[name] for name in QUEUES[options.queue])
        print(redrive(installation.client("sqs"), failures, queue))
    except (InfraError, BotoCoreError, ClientError) as error:
        print(f"redrive: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
