"""Facts about the packaged template that must hold before anything is deployed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.base import metrics
from chalicelib.ledger import audit_walk
from chalicelib.program.document import default
from chalicelib.web.scopes import SCOPES
from infra import checks
from tests.tables import INDEXES

# What a browser opens from a link: a page that is the same for everybody.
PUBLIC = {"/v1/answer"}
FUNCTIONS = {
    "APIHandler": "ApiHandlerRole",
    "JwtAuthorizer": "JwtAuthorizerRole",
    "ProjectAccounts": "ProjectAccountsRole",
    "RouteFacts": "RouteFactsRole",
    "IntakeOrders": "IntakeOrdersRole",
    "ClaimOrders": "ClaimOrdersRole",
    "AdvanceChallenges": "AdvanceChallengesRole",
    "AdvanceReferrals": "AdvanceReferralsRole",
    "GiveBirthdayGifts": "GiveBirthdayGiftsRole",
    "AdministerProgram": "AdministerProgramRole",
    "AdvanceSurveys": "AdvanceSurveysRole",
    "CrossSurveys": "CrossSurveysRole",
    "AdministerSurveys": "AdministerSurveysRole",
    "WatchCases": "WatchCasesRole",
    "StartNight": "StartNightRole",
    "WalkAccounts": "WalkAccountsRole",
    "ReduceNight": "ReduceNightRole",
    "AdministerScoring": "AdministerScoringRole",
    "AuditAccounts": "AuditAccountsRole",
    "AdministerLedger": "AdministerLedgerRole",
    "MakeVouchers": "MakeVouchersRole",
    "AdministerVouchers": "AdministerVouchersRole",
}


@pytest.fixture(scope="module")
def document(template: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(template.read_text(encoding="utf-8"))
    return found


def of_type(document: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: found for name, found in document["Resources"].items() if found["Type"] == kind}


def statements(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, role in of_type(document, "AWS::IAM::Role").items():
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def sources(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: event["Properties"]
        for function in of_type(document, "AWS::Serverless::Function").values()
        for name, event in function["Properties"].get("Events", {}).items()
    }


def test_it_passes_cfn_lint_before_and_after_sam(template: Path) -> None:
    checks.check(template)


def test_every_function_is_expected_and_has_a_role_of_its_own(document: dict[str, Any]) -> None:
    roles = {
        name: function["Properties"]["Role"]["Fn::GetAtt"][0]
        for name, function in of_type(document, "AWS::Serverless::Function").items()
    }

    assert roles == FUNCTIONS


def test_every_role_is_written_down_in_a_policy_file_of_its_own(document: dict[str, Any]) -> None:
    folder = Path(__file__).parents[2] / ".chalice"
    written = sorted(
        json.dumps(json.loads(path.read_text(encoding="utf-8")), sort_keys=True)
        for path in folder.glob("policy-*.json")
    )
    deployed = sorted(
        json.dumps(document["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"], sort_keys=True)
        for role in FUNCTIONS.values()
    )

    assert written == deployed


def test_no_policy_allows_everything_of_anything(document: dict[str, Any]) -> None:
    for role, statement in statements(document):
        for action in as_list(statement["Action"]):
            assert re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+", action), f"{role} allows {action}"
        for resource in as_list(statement.get("Resource", [])):
            # A literal ARN would name no resource of this stack.
            assert isinstance(resource, dict), f"{role} names {resource}"


def test_a_wildcard_stands_only_where_there_is_no_name(document: dict[str, Any]) -> None:
    wild = {
        (role, json.dumps(statement.get("Resource", statement.get("NotResource"))))
        for role, statement in statements(document)
        if "*" in json.dumps([statement.get("Resource"), statement.get("NotResource")])
    }

    # A table's streams have labels that AWS makes up; a text message goes to a phone, which has no ARN.
    streams = '[{"Fn::Sub": "${LedgerTable.Arn}/stream/*"}]'
    assert wild == {
        ("ProjectAccountsRole", streams),
        ("RouteFactsRole", streams),
        ("UserPoolSmsRole", '{"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}'),
        # Files have no names of their own here; what they begin with says whose they are.
        ("ApiHandlerRole", '{"Fn::Sub": "${FilesBucket.Arn}/cases/*"}'),
        ("ApiHandlerRole", '{"Fn::Sub": "${FilesBucket.Arn}/uploads/*"}'),
        ("WalkAccountsRole", '{"Fn::Sub": "${FilesBucket.Arn}/nights/*"}'),
        ("ReduceNightRole", '{"Fn::Sub": "${FilesBucket.Arn}/nights/*"}'),
        ("ReduceNightRole", '{"Fn::Sub": "${FilesBucket.Arn}/reports/*"}'),
        ("AdministerScoringRole", '{"Fn::Sub": "${FilesBucket.Arn}/reports/*"}'),
        ("AdministerScoringRole", '{"Fn::Sub": "${FilesBucket.Arn}/exports/*"}'),
    }


def roles_that_may(document: dict[str, Any], action: str, table: str) -> set[str]:
    return {
        role
        for role, statement in statements(document)
        if action in as_list(statement["Action"]) and table in json.dumps(statement.get("Resource", []))
    }


def test_only_the_walks_may_scan_and_only_the_view(document: dict[str, Any]) -> None:
    scans = [(role, statement) for role, statement in statements(document) if "dynamodb:Scan" in statement["Action"]]

    assert {role for role, _ in scans} == {"WalkAccountsRole", "AuditAccountsRole"}
    assert all(statement["Resource"] == [{"Fn::GetAtt": ["AccountsTable", "Arn"]}] for _, statement in scans)


def test_only_the_projector_a_rebuild_and_the_night_may_write_the_view(document: dict[str, Any]) -> None:
    writing = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")
    roles = set().union(*(roles_that_may(document, f"dynamodb:{action}", "AccountsTable") for action in writing))

    # The night keeps what it scores beside the view, in attributes of its own, and an admin may have them made anew.
    assert roles == {"ProjectAccountsRole", "AdministerLedgerRole", "WalkAccountsRole", "AdministerScoringRole"}


def test_the_audit_cannot_write_what_it_audits(document: dict[str, Any]) -> None:
    mine = [found for role, found in statements(document) if role == "AuditAccountsRole"]
    writing = [
        found for found in mine if re.search("Put(Item)|Update|Delete(Item)|BatchWrite", json.dumps(found["Action"]))
    ]

    assert [found["Resource"] for found in writing] == [[{"Fn::GetAtt": ["NightsTable", "Arn"]}]]


def test_the_night_begins_by_schedule_in_the_programme_s_zone(document: dict[str, Any]) -> None:
    schedule = of_type(document, "AWS::Scheduler::Schedule")["NightlyStart"]

    assert schedule["Properties"]["State"] == {"Ref": "NightlySchedule"}
    assert schedule["Properties"]["ScheduleExpressionTimezone"] == {"Ref": "NightlyTimeZone"}
    assert document["Parameters"]["NightlyTimeZone"]["Default"] == default().time_zone
    assert document["Parameters"]["NightlyExpression"]["Default"] == "cron(30 2 * * ? *)"


def test_a_walk_may_hand_on_as_often_as_it_takes(document: dict[str, Any]) -> None:
    functions = of_type(document, "AWS::Serverless::Function")
    loops = {name for name, found in functions.items() if found["Properties"].get("RecursiveLoop") == "Allow"}

    assert loops == {
        *("WalkAccounts", "AuditAccounts", "MakeVouchers", "AdvanceReferrals", "GiveBirthdayGifts"),
        *("AdvanceSurveys", "CrossSurveys"),
    }


def test_one_alarm_watches_the_audit_and_can_be_turned_off(document: dict[str, Any]) -> None:
    alarm = document["Resources"]["AuditMismatchAlarm"]

    assert alarm["Condition"] == "HasAuditAlarm"
    assert document["Parameters"]["AuditAlarm"]["Default"] == "on"
    found = alarm["Properties"]
    assert (found["Namespace"], found["MetricName"]) == (metrics.NAMESPACE, audit_walk.MISMATCHES)
    assert (found["Threshold"], found["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


def test_entries_are_never_changed_nor_deleted(document: dict[str, Any]) -> None:
    for role, statement in statements(document):
        if "LedgerTable" in json.dumps(statement.get("Resource", [])):
            forbidden = {"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}
            assert not forbidden & set(as_list(statement["Action"])), role


def test_every_source_reports_partial_failures(document: dict[str, Any]) -> None:
    found = sources(document)

    assert len(found) == 13
    assert all(source["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for source in found.values())


def test_a_stream_function_gives_up_in_the_end_and_leaves_word(document: dict[str, Any]) -> None:
    streams = [source for source in sources(document).values() if "Stream" in source]

    assert len(streams) == 2
    for source in streams:
        assert source["MaximumRecordAgeInSeconds"] < 24 * 3600
        assert source["BisectBatchOnFunctionError"] is True
        assert source["DestinationConfig"]["OnFailure"]["Type"] == "SQS"
    destinations = [json.dumps(source["DestinationConfig"]) for source in streams]
    assert len(set(destinations)) == 2


def test_every_work_queue_has_a_dead_letter_queue_and_waits_long_enough(document: dict[str, Any]) -> None:
    functions = of_type(document, "AWS::Serverless::Function")
    queues = of_type(document, "AWS::SQS::Queue")
    for function in functions.values():
        for event in function["Properties"].get("Events", {}).values():
            if event["Type"] == "SQS":
                name = event["Properties"]["Queue"]["Fn::Sub"].removeprefix("${").removesuffix(".Arn}")
                queue = queues[name]["Properties"]
                dead = queues[queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]]["Properties"]
                assert queue["VisibilityTimeout"] >= 6 * function["Properties"]["Timeout"]
                assert queue.get("FifoQueue") == dead.get("FifoQueue")
                assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_tables_cost_nothing_idle_and_survive(document: dict[str, Any]) -> None:
    tables = of_type(document, "AWS::DynamoDB::Table")

    assert {"LedgerTable", "AccountsTable", "MembersTable", "OrdersTable"} <= set(tables)
    for name, table in tables.items():
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST", name
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain", name


def test_an_index_is_there_for_birthdays_alone_and_holds_nothing_but_keys(document: dict[str, Any]) -> None:
    """As the tests' own tables have it: it costs nothing idle, and a write only where a birthday is told or changed."""
    tables = of_type(document, "AWS::DynamoDB::Table").values()
    found = {
        str(table["Properties"]["TableName"]["Fn::Sub"]).rpartition("-")[2]: table["Properties"][
            "GlobalSecondaryIndexes"
        ]
        for table in tables
        if "GlobalSecondaryIndexes" in table["Properties"]
    }

    assert set(found) == set(INDEXES)
    for name, (index, hash_key, range_key) in INDEXES.items():
        assert found[name] == [
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": hash_key, "KeyType": "HASH"},
                    {"AttributeName": range_key, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ]


def test_every_function_logs_for_a_limited_time(document: dict[str, Any]) -> None:
    for function in of_type(document, "AWS::Serverless::Function").values():
        group = document["Resources"][function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_the_pool_offers_exactly_the_scopes_that_the_code_knows(document: dict[str, Any]) -> None:
    offered = document["Resources"]["ResourceServer"]["Properties"]["Scopes"]
    allowed = document["Resources"]["MachineClient"]["Properties"]["AllowedOAuthScopes"]

    assert {scope["ScopeName"] for scope in offered} == set(SCOPES)
    assert set(allowed) == {f"huike/{name}" for name in SCOPES}


def test_the_secret_has_no_default_and_is_not_shown(document: dict[str, Any]) -> None:
    assert document["Parameters"]["IdSecret"]["NoEcho"] is True
    assert "Default" not in document["Parameters"]["IdSecret"]


def test_every_route_asks_the_authorizer(document: dict[str, Any]) -> None:
    for path, methods in document["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"].items():
        for method, operation in methods.items():
            if method != "options" and path not in PUBLIC:
                assert operation["security"] == [{"jwt_authorizer": []}], f"{method} {path}"
