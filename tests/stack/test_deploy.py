"""Deploying and destroying stages, rehearsed on the local AWS beside the stack of the other tests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from infra import deploy, destroy, package
from infra.errors import InfraError
from infra.local.aws import client
from infra.local.deploy import Stack
from infra.stage import Stage

QUIET = ["--parameter", "NightlySchedule=DISABLED"]


@pytest.fixture(scope="module")
def rehearsal(stack: Stack) -> Stage:
    return Stage("rehearsal", stack.endpoint)


@pytest.fixture(scope="module")
def options(rehearsal: Stage, template: Path) -> list[str]:
    """What every command is told, and an account to be in for those that ask for a region."""
    assert rehearsal.endpoint
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    pool = ["--parameter", f"PoolEndpoint={rehearsal.endpoint}"]
    return [
        *("--stage", rehearsal.name, "--endpoint-url", rehearsal.endpoint),
        *("--package", str(template.parent), *QUIET, *pool),
    ]


@pytest.fixture(scope="module")
def first(rehearsal: Stage, options: list[str]) -> dict[str, str]:
    """The outputs of the stage after it was deployed for the first time."""
    assert deploy.main([*options, "--yes"]) == 0
    return rehearsal.outputs()


def table(rehearsal: Stage, name: str) -> Any:
    return rehearsal.client("dynamodb").describe_table(TableName=name)["Table"]


def test_a_change_set_that_nobody_agrees_to_changes_nothing(
    rehearsal: Stage, options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def answer(text: str) -> str:
        asked.append(text)
        return "y"

    monkeypatch.setattr("builtins.input", answer)

    assert deploy.main(options) == 1

    said = capsys.readouterr().out
    assert "LedgerTable" in said
    assert "nothing was changed" in said
    assert "Type yes" in asked[0]
    assert rehearsal.found() is None


def test_it_is_deployed_and_answers(first: dict[str, str], rehearsal: Stage) -> None:
    assert first["LedgerTableName"] == "huike-rehearsal-ledger"
    assert rehearsal.found()["StackStatus"] == "CREATE_COMPLETE"  # type: ignore[index]


def test_stages_stand_side_by_side(first: dict[str, str], stack: Stack) -> None:
    assert not set(first.values()) & set(stack.outputs.values())


@pytest.mark.usefixtures("first")
def test_the_secret_is_kept_by_aws_and_shown_to_nobody(
    rehearsal: Stage, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    secret = rehearsal.secret()
    assert deploy.main([*options, "--yes"]) == 0

    assert len(secret) == 64
    assert rehearsal.secret() == secret
    assert secret not in "".join(capsys.readouterr())
    store = rehearsal.client("ssm")
    assert store.get_parameter(Name="/huike/rehearsal/id-secret")["Parameter"]["Type"] == "SecureString"


@pytest.mark.usefixtures("first")
def test_the_bucket_is_versioned_encrypted_and_closed(rehearsal: Stage) -> None:
    s3, bucket = rehearsal.client("s3"), rehearsal.bucket()

    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())


@pytest.mark.usefixtures("first")
def test_what_is_as_it_should_be_is_left_alone(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main([*options, "--yes"]) == 0

    assert "nothing to change" in capsys.readouterr().out


@pytest.mark.usefixtures("first")
def test_a_parameter_stays_set(rehearsal: Stage, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main([*options, "--yes", "--parameter", "ThrottleRate=7"]) == 0
    assert "Modify" in capsys.readouterr().out
    assert deploy.main([*options, "--yes", "--parameter", "ThrottleBurst=9"]) == 0

    outputs = rehearsal.outputs()
    found = rehearsal.client("apigateway").get_stage(restApiId=outputs["RestAPIId"], stageName="api")
    setting = found["methodSettings"]["*/*"]
    assert (setting["throttlingRateLimit"], setting["throttlingBurstLimit"]) == (7, 9)


@pytest.mark.usefixtures("first")
def test_alarms_come_when_they_are_asked_for(rehearsal: Stage, options: list[str]) -> None:
    assert deploy.main([*options, "--yes", "--parameter", "Alarms=on", "--parameter", "Tracing=on"]) == 0

    alarms = rehearsal.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len([alarm for alarm in alarms if "rehearsal" in str(alarm["AlarmName"])]) > 30
    # The next update is watched by five of them, which stand among the outputs.
    arns = rehearsal.outputs()["RollbackAlarmArns"].split(",")
    assert len(arns) == 5
    assert set(arns) <= {alarm["AlarmArn"] for alarm in alarms}
    assert deploy.main([*options, "--yes", "--parameter", "ThrottleRate=8"]) == 0


@pytest.mark.usefixtures("first")
def test_an_unknown_parameter_is_named(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main([*options, "--yes", "--parameter", "Alarm=on"]) == 1

    assert "takes no parameter Alarm " in capsys.readouterr().err


@pytest.mark.usefixtures("first")
def test_a_deployment_that_fails_leaves_everything_as_it_was(
    rehearsal: Stage, options: list[str], template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rehearsal.outputs()
    broken = json.loads(template.read_text(encoding="utf-8"))
    # More than the twelve hours that SQS takes.
    broken["Resources"]["ClaimsQueue"]["Properties"]["VisibilityTimeout"] = 99_999
    (tmp_path / "template.json").write_text(json.dumps(broken), encoding="utf-8")
    for part in package.PARTS.values():
        (tmp_path / part).write_bytes(template.with_name(part).read_bytes())

    assert deploy.main([*options, "--yes", "--package", str(tmp_path)]) == 1

    assert "put everything back" in capsys.readouterr().err
    assert rehearsal.found()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"  # type: ignore[index]
    assert rehearsal.outputs() == before


@pytest.mark.usefixtures("first")
def test_a_stack_without_its_secret_gets_no_new_one(rehearsal: Stage) -> None:
    store, value = rehearsal.client("ssm"), rehearsal.secret()
    store.delete_parameter(Name=rehearsal.secret_name)

    with pytest.raises(InfraError, match=r"A new one would be wrong"):
        rehearsal.secret()

    store.put_parameter(Name=rehearsal.secret_name, Value=value, Type="SecureString")


@pytest.mark.parametrize("force", [[], ["--force", "other"], ["--force", "yes"]])
def test_a_stage_with_data_is_not_destroyed_by_mistake(
    first: dict[str, str], rehearsal: Stage, options: list[str], force: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    item = {"member_id": {"S": "mem_1"}}
    rehearsal.client("dynamodb").put_item(TableName=first["AccountsTableName"], Item=item)

    assert destroy.main([*options[:4], *force]) == 1

    said = capsys.readouterr().err
    assert "huike-rehearsal-accounts would be lost" in said
    assert "FORCE=rehearsal" in said
    assert table(rehearsal, first["AccountsTableName"])["TableStatus"] == "ACTIVE"


def test_destroyed_by_its_name_it_is_gone_and_can_be_made_again(
    first: dict[str, str], stack: Stack, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert destroy.main([*options[:4], "--force", "rehearsal"]) == 0
    assert "huike-rehearsal is gone" in capsys.readouterr().out

    names = client("dynamodb", stack.endpoint).list_tables()["TableNames"]
    assert not [name for name in names if "rehearsal" in name]
    assert stack.outputs["LedgerTableName"] in names
    assert deploy.main([*options, "--yes"]) == 0
    assert destroy.main(options[:4]) == 0
    assert first["RestAPIId"]


def test_a_stage_that_is_not_there_is_not_destroyed(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert destroy.main(["--stage", "nowhere", "--endpoint-url", stack.endpoint]) == 1

    assert "There is no stack huike-nowhere" in capsys.readouterr().err


def test_a_name_that_the_template_would_not_take_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main(["--stage", "Prod!"]) == 1

    assert "no name for a stage" in capsys.readouterr().err
