"""The look at a real account, rehearsed on a local AWS: in a process of its own, as it is run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from infra.local.aws import client
from infra.local.deploy import Stack
from infra.local.paths import ROOT
from tests.costs import EARN


@pytest.fixture(scope="module")
def run(stack: Stack) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.verify_aws", "--stage", "rehearsal", "--endpoint-url", stack.endpoint]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 -- our own code


def test_races_and_tokens_are_as_they_must_be(run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 0, run.stdout + run.stderr
    assert "nothing lost or doubled" in run.stdout
    assert "IdempotentParameterMismatchException" in run.stdout


def test_capacity_is_reported_and_not_judged(run: subprocess.CompletedProcess[str]) -> None:
    assert EARN.operation in run.stdout
    assert "judged on AWS only" in run.stdout


@pytest.mark.usefixtures("run")
def test_its_tables_are_gone_and_those_of_others_are_not(stack: Stack) -> None:
    names = client("dynamodb", stack.endpoint).list_tables()["TableNames"]

    assert not [name for name in names if "verify" in name]
    assert stack.outputs["LedgerTableName"] in names
