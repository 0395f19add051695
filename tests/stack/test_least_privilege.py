"""A role may do what its function needs: packaging refuses everything beyond."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra import bundle, package, privilege
from infra.errors import InfraError
from infra.needs import NEEDS
from infra.reach import Code

Resources = dict[str, Any]


@pytest.fixture(scope="module")
def document(template: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(template.read_text(encoding="utf-8"))
    return found


CODE = Code(package.ROOT / "chalicelib")


def statements(resources: Resources, role: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return found


def allow(action: str, resource: object) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def test_a_widened_policy_stops_the_packaging(tmp_path: Path) -> None:
    root = tmp_path / "sources"
    root.mkdir()
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(package.ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "requirements.txt"):
        shutil.copy(package.ROOT / name, root / name)
    path = root / ".chalice" / "policy-project_accounts.json"
    policy = json.loads(path.read_text(encoding="utf-8"))
    policy["Statement"].append(allow("dynamodb:DeleteItem", arn("AccountsTable")))
    path.write_text(json.dumps(policy), encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    # What an earlier packaging has left there must not be taken for this one's.
    for stale in ("template.json", "deployment.zip"):
        (out / stale).write_text("stale", encoding="utf-8")

    with pytest.raises(InfraError, match=r"ProjectAccountsRole may DeleteItem on AccountsTable, and need not"):
        package.package(root, bundle.this_machine(), "local", out)

    assert not (out / "template.json").exists()
    assert not (out / "deployment.zip").exists()


def more_of_a_table(resources: Resources) -> None:
    statements(resources, "WalkAccountsRole").append(allow("dynamodb:PutItem", arn("AccountsTable")))


def another_table(resources: Resources) -> None:
    statements(resources, "WalkAccountsRole").append(allow("dynamodb:Scan", arn("MembersTable")))


def every_action(resources: Resources) -> None:
    statements(resources, "WalkAccountsRole").append(allow("dynamodb:*", arn("AccountsTable")))


def every_table(resources: Resources) -> None:
    statements(resources, "WalkAccountsRole").append(allow("dynamodb:Scan", "*"))


def an_alternative_spelling(resources: Resources) -> None:
    index = {"Fn::Sub": "${AccountsTable.Arn}/index/*"}
    statements(resources, "WalkAccountsRole").append(allow("dynamodb:Query", index))


def all_but_something(resources: Resources) -> None:
    statement = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    statements(resources, "WalkAccountsRole").append(statement)


def everything_but_one_table(resources: Resources) -> None:
    statement = {"Effect": "Allow", "Action": "dynamodb:Scan", "NotResource": arn("OrdersTable")}
    statements(resources, "WalkAccountsRole").append(statement)


def a_managed_policy(resources: Resources) -> None:
    resources["WalkAccountsRole"]["Properties"]["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AdministratorAccess"]


def a_policy_of_the_function(resources: Resources) -> None:
    resources["WalkAccounts"]["Properties"]["Policies"] = ["AmazonDynamoDBFullAccess"]


def a_policy_that_stands_alone(resources: Resources) -> None:
    found = copy.deepcopy(resources["TracingPolicy"])
    resources["WidePolicy"] = found


def a_managed_policy_of_ours(resources: Resources) -> None:
    resources["WidePolicy"] = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {}}


def a_role_that_nobody_wrote_down(resources: Resources) -> None:
    resources["OtherRole"] = copy.deepcopy(resources["JwtAuthorizerRole"])


def something_it_needs(resources: Resources) -> None:
    statements(resources, "WalkAccountsRole").clear()


def a_role_that_went(resources: Resources) -> None:
    del resources["JwtAuthorizerRole"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (more_of_a_table, "WalkAccountsRole may PutItem on AccountsTable, and need not"),
        (another_table, "WalkAccountsRole may Scan on MembersTable, and need not"),
        (every_action, "WalkAccountsRole may * on AccountsTable, and need not"),
        (every_table, "WalkAccountsRole may Scan on *, and need not"),
        (an_alternative_spelling, "WalkAccountsRole may Query on ${AccountsTable.Arn}/index/*, and need not"),
        (all_but_something, "WalkAccountsRole names what it may not do"),
        (everything_but_one_table, "WalkAccountsRole may Scan on all but OrdersTable, and need not"),
        (a_managed_policy, "WalkAccountsRole has managed policies"),
        (a_policy_of_the_function, "WalkAccounts has policies of its own"),
        (a_policy_that_stands_alone, "WidePolicy has no row"),
        (a_managed_policy_of_ours, "WidePolicy is of type AWS::IAM::ManagedPolicy"),
        (a_role_that_nobody_wrote_down, "OtherRole has no row"),
        (something_it_needs, "WalkAccountsRole may not Scan on AccountsTable, and needs to"),
        (a_role_that_went, "JwtAuthorizerRole is gone"),
    ],
)
def test_whatever_is_not_needed_is_named(
    document: dict[str, Any], change: Callable[[Resources], None], said: str
) -> None:
    changed = copy.deepcopy(document)
    change(changed["Resources"])

    privilege.check(document, CODE)
    with pytest.raises(InfraError) as refused:
        privilege.check(changed, CODE)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("action", "resource", "said"),
    [
        ("dynamodb:Scan", arn("LedgerTable"), "Scan on LedgerTable"),
        ("dynamodb:DeleteItem", arn("NightsTable"), "DeleteItem on NightsTable"),
        ("dynamodb:Scan", arn("MembersTable"), "Scan on MembersTable"),
        ("dynamodb:Scan", {"Fn::Sub": "${MembersTable.Arn}/index/*"}, "Scan on ${MembersTable.Arn}/index/*"),
        ("dynamodb:GetRecords", {"Fn::GetAtt": ["LedgerTable", "StreamArn"]}, "GetRecords on LedgerTable.StreamArn"),
        ("sqs:SendMessage", arn("ClaimsQueue"), "SendMessage on ClaimsQueue"),
        ("sqs:ReceiveMessage", arn("IntakeQueue"), "ReceiveMessage on IntakeQueue"),
        ("sqs:PurgeQueue", arn("NightlyQueue"), "PurgeQueue on NightlyQueue"),
    ],
)
def test_what_was_written_down_too_generously_shows_by_the_code(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch, action: str, resource: dict[str, Any], said: str
) -> None:
    changed = copy.deepcopy(document)
    statements(changed["Resources"], "WalkAccountsRole").append(allow(action, resource))
    on, verb = privilege._name(resource), action.partition(":")[2]
    row = NEEDS["WalkAccountsRole"]
    monkeypatch.setitem(NEEDS, "WalkAccountsRole", row | {on: f"{row.get(on, '')} {verb}"})

    with pytest.raises(InfraError) as refused:
        privilege.check(changed, CODE)

    faults = str(refused.value).splitlines()[1:]
    assert faults == [f"WalkAccountsRole may {said}, and nothing that WalkAccounts runs does"]


def test_a_role_can_be_taken_by_one_service_only(document: dict[str, Any]) -> None:
    roles = {name: found for name, found in document["Resources"].items() if found["Type"] == "AWS::IAM::Role"}
    services = {
        (name, json.dumps(statement["Principal"]))
        for name, found in roles.items()
        for statement in found["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    }

    assert {name for name, _principal in services} == set(roles)
    assert len(services) == len(roles)
    assert not any("AWS" in json.loads(principal) or "*" in principal for _name, principal in services)
