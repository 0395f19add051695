"""A deployment that makes an alarm ring is taken back: what CloudFormation is told, and what the person is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from infra import change_set
from infra.change_set import ChangeSet
from infra.errors import InfraError
from infra.stage import Stage

STACK_ID = "arn:aws:cloudformation:eu-west-1:000000000000:stack/huike-prod/1"
ARNS = [f"arn:aws:cloudwatch:eu-west-1:000000000000:alarm:alarm-{number}" for number in range(5)]
WITH_ALARMS = [{"OutputKey": "RollbackAlarmArns", "OutputValue": ",".join(ARNS)}]
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass(frozen=True)
class Rehearsed(Stage):
    """A stage whose CloudFormation answers as it was told, and refuses what AWS's own model does not know."""

    cloudformation: Any = field(default_factory=lambda: boto3.client("cloudformation", region_name="eu-west-1"))

    def client(self, service: str) -> Any:
        assert service == "cloudformation"
        return self.cloudformation


@pytest.fixture
def stage() -> Rehearsed:
    return Rehearsed("prod")


@pytest.fixture
def answers(stage: Rehearsed) -> Iterator[Stubber]:
    with Stubber(stage.cloudformation) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def stack(*, status: str = "UPDATE_COMPLETE", outputs: list[dict[str, str]]) -> dict[str, Any]:
    found = {"StackName": "huike-prod", "StackId": STACK_ID, "CreationTime": NOW, "StackStatus": status}
    return {"Stacks": [{**found, "Outputs": outputs}]}


def expect_change_set(answers: Stubber, kind: str, **rollback: Any) -> None:
    """The change set is made with these parameters and no others."""
    asked = {
        "StackName": "huike-prod",
        "ChangeSetName": ANY,
        "ChangeSetType": kind,
        "TemplateURL": "https://bucket/template.json",
        "Parameters": ANY,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        **rollback,
    }
    answers.add_response("create_change_set", {"StackId": STACK_ID, "Id": "change-set"}, asked)
    for _look in range(2):
        answers.add_response("describe_change_set", {"Status": "CREATE_COMPLETE", "Changes": []})


def event(number: int, status: str, reason: str = "") -> dict[str, Any]:
    return {
        "EventId": str(number),
        "StackId": STACK_ID,
        "StackName": "huike-prod",
        "Timestamp": NOW,
        "LogicalResourceId": "huike-prod",
        "PhysicalResourceId": STACK_ID,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def make(stage: Stage, **parameters: str) -> ChangeSet:
    made = ChangeSet(stage)
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    made.create("https://bucket/template.json", given)
    return made


def test_an_update_is_watched_by_the_alarms_of_the_stage(stage: Rehearsed, answers: Stubber) -> None:
    answers.add_response("describe_stacks", stack(outputs=WITH_ALARMS))
    triggers = [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"} for arn in ARNS]
    watched = {"RollbackTriggers": triggers, "MonitoringTimeInMinutes": 5}
    expect_change_set(answers, "UPDATE", RollbackConfiguration=watched)

    make(stage, Stage="prod", ThrottleRate="7")


def test_without_alarms_nothing_is_left_of_what_was_watched_before(stage: Rehearsed, answers: Stubber) -> None:
    answers.add_response("describe_stacks", stack(outputs=[]))
    expect_change_set(answers, "UPDATE", RollbackConfiguration={"RollbackTriggers": []})

    make(stage)


def test_an_update_that_removes_the_alarms_is_not_watched_by_them(stage: Rehearsed, answers: Stubber) -> None:
    answers.add_response("describe_stacks", stack(outputs=WITH_ALARMS))
    expect_change_set(answers, "UPDATE", RollbackConfiguration={"RollbackTriggers": []})

    make(stage, Alarms="off")


def test_a_first_deployment_has_no_alarms_yet(stage: Rehearsed, answers: Stubber) -> None:
    answers.add_client_error("describe_stacks", "ValidationError", "Stack huike-prod does not exist")
    expect_change_set(answers, "CREATE")

    make(stage, Alarms="on")


def test_an_alarm_that_rings_ends_the_deployment_and_is_named(
    stage: Rehearsed, answers: Stubber, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(change_set, "_POLL_SECONDS", 0)
    answers.add_response("describe_stacks", stack(outputs=WITH_ALARMS))
    expect_change_set(answers, "UPDATE", RollbackConfiguration=ANY)
    happens = [
        event(1, "UPDATE_IN_PROGRESS"),
        event(2, "UPDATE_ROLLBACK_IN_PROGRESS", f"Alarm with arn {ARNS[1]} went into ALARM state"),
        event(3, "UPDATE_ROLLBACK_COMPLETE"),
    ]
    answers.add_response("describe_stack_events", {"StackEvents": []})
    answers.add_response(
        "execute_change_set", {}, {"StackName": ANY, "ChangeSetName": ANY, "RetainExceptOnCreate": True}
    )
    for until in (1, 2, 3):
        answers.add_response("describe_stack_events", {"StackEvents": happens[:until][::-1]})

    with pytest.raises(InfraError, match=r"UPDATE_ROLLBACK_COMPLETE: CloudFormation has put everything back"):
        make(stage).execute()

    said = capsys.readouterr().out
    assert f"Alarm with arn {ARNS[1]} went into ALARM state" in said
    assert said.count("ROLLBACK_IN_PROGRESS") == 1


def test_the_template_names_five_of_its_alarms_which_is_what_cloudformation_takes(template: Path) -> None:
    document = json.loads(template.read_text(encoding="utf-8"))
    output = document["Outputs"]["RollbackAlarmArns"]
    separator, arns = output["Value"]["Fn::Join"]
    named = [arn["Fn::GetAtt"] for arn in arns]

    assert output["Condition"] == "HasAlarms"
    assert separator == ","
    assert len(named) == len({name for name, _attribute in named}) <= 5
    for name, attribute in named:
        assert attribute == "Arn"
        assert document["Resources"][name]["Type"] == "AWS::CloudWatch::Alarm"
        assert document["Resources"][name]["Condition"] == "HasAlarms"
