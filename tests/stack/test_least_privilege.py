"""What each function may do, written down a second time: a policy that grows is a decision, and shows here.

Table by table, the actions of DynamoDB that a role may use; queue by queue, those of SQS.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_LOGS = "CreateLogStream PutLogEvents"
_CONSUME = "ChangeMessageVisibility DeleteMessage GetQueueAttributes ReceiveMessage"
_READ_PROGRAM = {"ProgramsTable": "GetItem Query"}
_APPEND = "PutItem Query"
_STREAM = {
    "LedgerTable.StreamArn": "DescribeStream GetRecords GetShardIterator",
    "${LedgerTable.Arn}/stream/*": "ListStreams",
}

EXPECTED: dict[str, dict[str, str]] = {
    "ApiHandlerRole": {
        "ApiLogs": _LOGS,
        "LedgerTable": _APPEND,
        "MembersTable": "BatchGetItem ConditionCheckItem DeleteItem GetItem PutItem Query UpdateItem",
        "OrdersTable": _APPEND,
        "RedemptionsTable": _APPEND,
        **_READ_PROGRAM,
    },
    "JwtAuthorizerRole": {"JwtAuthorizerLogs": _LOGS},
    "ProjectAccountsRole": {
        "ProjectAccountsLogs": _LOGS,
        "AccountsTable": "UpdateItem",
        "ProjectionFailures": "SendMessage",
        **_STREAM,
    },
    "RouteFactsRole": {
        "RouteFactsLogs": _LOGS,
        "ClaimsQueue": "SendMessage",
        "RoutingFailures": "SendMessage",
        **_STREAM,
    },
    "IntakeOrdersRole": {
        "IntakeOrdersLogs": _LOGS,
        "IntakeQueue": _CONSUME,
        "LedgerTable": _APPEND,
        "MembersTable": "ConditionCheckItem GetItem Query",
        "OrdersTable": _APPEND,
        "RedemptionsTable": _APPEND,
        **_READ_PROGRAM,
    },
    "ClaimOrdersRole": {
        "ClaimOrdersLogs": _LOGS,
        "ClaimsQueue": _CONSUME,
        "LedgerTable": _APPEND,
        "MembersTable": "Query",
        "OrdersTable": "DeleteItem PutItem Query",
        **_READ_PROGRAM,
    },
    "StartNightRole": {
        "StartNightLogs": _LOGS,
        "AuditQueue": "SendMessage",
        "NightlyQueue": "SendMessage",
        "NightsTable": "GetItem PutItem UpdateItem",
        **_READ_PROGRAM,
    },
    "WalkAccountsRole": {
        "WalkAccountsLogs": _LOGS,
        "NightlyQueue": f"{_CONSUME} SendMessage",
        "AccountsTable": "Scan",
        "LedgerTable": _APPEND,
        "NightsTable": "PutItem",
        **_READ_PROGRAM,
    },
    "AuditAccountsRole": {
        "AuditAccountsLogs": _LOGS,
        "AuditQueue": f"{_CONSUME} SendMessage",
        "AccountsTable": "GetItem Scan",
        "LedgerTable": "Query",
        "MembersTable": "BatchGetItem",
        "NightsTable": "GetItem PutItem Query",
        "OrdersTable": "BatchGetItem",
        "RedemptionsTable": "BatchGetItem",
    },
    "AdministerLedgerRole": {
        "AdministerLedgerLogs": _LOGS,
        "AccountsTable": "GetItem UpdateItem",
        "LedgerTable": _APPEND,
        "MembersTable": "BatchGetItem PutItem Query",
        "OrdersTable": "BatchGetItem",
        "RedemptionsTable": "BatchGetItem",
        **_READ_PROGRAM,
    },
    "AdministerProgramRole": {"AdministerProgramLogs": _LOGS, "ProgramsTable": "GetItem PutItem Query"},
    "NightlySchedulerRole": {"StartNight": "InvokeFunction"},
    # A text to a phone has no name; that one statement is held by `test_template.py`.
    "UserPoolSmsRole": {},
}


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def name_of(resource: dict[str, Any]) -> str:
    """`{"Fn::GetAtt": ["LedgerTable", "Arn"]}` → `LedgerTable`."""
    if "Fn::Sub" in resource:
        return str(resource["Fn::Sub"])
    return ".".join(resource["Fn::GetAtt"]).removesuffix(".Arn")


def granted(role: dict[str, Any]) -> dict[str, set[str]]:
    """What a role may do, by resource."""
    found: dict[str, set[str]] = {}
    for policy in role["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            for resource in as_list(statement.get("Resource", [])):
                actions = {action.partition(":")[2] for action in as_list(statement["Action"])}
                found.setdefault(name_of(resource), set()).update(actions)
    return found


def test_every_role_may_do_what_is_written_here_and_nothing_else(template: Path) -> None:
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"]
    roles = {name: found for name, found in resources.items() if found["Type"] == "AWS::IAM::Role"}

    found = {
        name: {resource: " ".join(sorted(may)) for resource, may in granted(role).items()}
        for name, role in roles.items()
    }

    assert found == EXPECTED


def test_no_role_has_managed_policies_beside_its_own(template: Path) -> None:
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"]

    for name, found in resources.items():
        if found["Type"] == "AWS::IAM::Role":
            assert not found["Properties"].get("ManagedPolicyArns"), name


def test_a_role_can_be_taken_by_one_service_only(template: Path) -> None:
    resources = json.loads(template.read_text(encoding="utf-8"))["Resources"]
    services = {
        (name, json.dumps(statement["Principal"]))
        for name, found in resources.items()
        if found["Type"] == "AWS::IAM::Role"
        for statement in found["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    }

    assert {name for name, _principal in services} == set(EXPECTED)
    assert len(services) == len(EXPECTED)
    assert not any("AWS" in json.loads(principal) or "*" in principal for _name, principal in services)
