"""A change set: made, shown, executed and waited for. CloudFormation itself puts everything back when one fails."""

import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.errors import InfraError
from infra.stage import Stage

Changes = list[dict[str, Any]]

_POLL_SECONDS = 1.0
_PATIENCE_SECONDS = 3600
# Should one of the stage's alarms ring while this lasts, the update is taken back.
_WATCH_MINUTES = 5
_HOLDS_DATA = ("AWS::DynamoDB::Table", "AWS::Cognito::UserPool")
_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")


class ChangeSet:
    """One change set of a stage's stack."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._cloudformation = stage.client("cloudformation")
        self._before = stage.found()
        self._names = {"StackName": stage.stack, "ChangeSetName": f"huike-{time.time_ns()}"}
        self._stack_id = ""

    def create(self, template_url: str, parameters: list[dict[str, Any]]) -> Changes:
        """Make it, and give the changes; none where the stack is as it should be already. Raises InfraError."""
        made = self._cloudformation.create_change_set(
            **self._names,
            ChangeSetType="UPDATE" if self._before else "CREATE",
            TemplateURL=template_url,
            Parameters=parameters,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            **self._rollback(parameters),
        )
        self._stack_id = str(made["StackId"])
        for described in self._described():
            if described["Status"] == "CREATE_COMPLETE":
                return self._changes()
            if described["Status"] == "FAILED":
                reason = described.get("StatusReason", "no reason given")
                self.drop()
                if "didn't contain changes" in reason or "No updates are to be performed" in reason:
                    return []
                raise InfraError(f"CloudFormation cannot make the change set: {reason}")
        raise InfraError("CloudFormation did not make the change set within an hour.")

    def execute(self) -> None:
        """Do what was shown and say how it goes. Raises InfraError if it did not come about; then all is as before."""
        seen = {event["EventId"] for event in events(self._cloudformation, self._stack_id)}
        # Without it, tables of a creation that fails would stay and be in the way of the next one.
        self._cloudformation.execute_change_set(**self._names, RetainExceptOnCreate=True)
        ended = follow(self._cloudformation, self._stack_id, seen)
        if ended not in _GOOD:
            raise InfraError(
                f"The stack ended as {ended}: CloudFormation has put everything back as it was. The first line with "
                "FAILED or ROLLBACK above says why. A stack whose first creation failed must go before it can be made "
                f"again: make destroy STAGE={self._stage.name}"
            )

    def drop(self) -> None:
        """Forget it; of a stack that does not exist yet, nothing stays."""
        self._cloudformation.delete_change_set(**self._names)
        if self._before is None:
            self._cloudformation.delete_stack(StackName=self._stage.stack)

    def _rollback(self, parameters: list[dict[str, Any]]) -> dict[str, Any]:
        """What an update is watched by: the alarms that the template names, as far as they are there and stay there.

        CloudFormation remembers what it was told last, so that an update without alarms says so by an empty list; with
        alarms that the update itself removes, it would fail.
        """
        if self._before is None:
            return {}
        outputs = {output["OutputKey"]: output["OutputValue"] for output in self._before.get("Outputs", [])}
        stay = {"ParameterKey": "Alarms", "ParameterValue": "off"} not in parameters
        arns = outputs["RollbackAlarmArns"].split(",") if stay and "RollbackAlarmArns" in outputs else []
        triggers = [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"} for arn in arns]
        watched = {"MonitoringTimeInMinutes": _WATCH_MINUTES} if triggers else {}
        return {"RollbackConfiguration": {"RollbackTriggers": triggers, **watched}}

    def _described(self) -> Iterator[dict[str, Any]]:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            yield self._cloudformation.describe_change_set(**self._names)
            time.sleep(_POLL_SECONDS)

    def _changes(self) -> Changes:
        pages = self._cloudformation.get_paginator("describe_change_set").paginate(**self._names)
        return [change["ResourceChange"] for page in pages for change in page["Changes"]]


def show(changes: Changes, console: Console) -> None:
    """Print the changes, and what of them would cost data."""
    table = Table("what", "resource", "type", "replaced", box=None, pad_edge=False)
    for change in sorted(changes, key=lambda change: (change["Action"], change["LogicalResourceId"])):
        table.add_row(
            change["Action"], change["LogicalResourceId"], change["ResourceType"], change.get("Replacement", "")
        )
    console.print(table)
    for change in changes:
        replaced = change["Action"] == "Remove" or change.get("Replacement") in ("True", "Conditional")
        if replaced and change["ResourceType"] in _HOLDS_DATA:
            name = change["LogicalResourceId"]
            console.print(f"[red]{name} holds data, and would be put aside for another or removed.[/red]")


def follow(cloudformation: Any, stack_id: str, seen: set[str]) -> str:
    """Print what happens to the stack until it rests, leaving out the events `seen`; gives the status it ends with.

    The stack is named by its id, because one that is gone is not found by its name.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for event in reversed(events(cloudformation, stack_id)):
            if event["EventId"] in seen:
                continue
            seen.add(event["EventId"])
            status = str(event["ResourceStatus"])
            # That it is being put back is told at once, with the reason: an alarm leaves no FAILED behind.
            if not status.endswith("IN_PROGRESS") or "ROLLBACK" in status:
                print(f"  {status:<24} {event['LogicalResourceId']}  {event.get('ResourceStatusReason', '')}".rstrip())
                if event.get("PhysicalResourceId") == stack_id and not status.endswith("IN_PROGRESS"):
                    return status
        time.sleep(_POLL_SECONDS)
    raise InfraError(f"{stack_id} did not come to rest within an hour. CloudFormation goes on with it.")


def events(cloudformation: Any, stack: str) -> list[dict[str, Any]]:
    """The stack's events, the newest first."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    return [event for page in pages for event in page["StackEvents"]]
