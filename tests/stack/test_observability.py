"""Limits, alarms and traces of the packaged template: what can be switched on, and that nothing is missed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.scoring import looking_back
from infra.gateway import PROBLEMS
from tests.stack.test_template import FUNCTIONS, of_type


@pytest.fixture(scope="module")
def document(template: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(template.read_text(encoding="utf-8"))
    return found


def alarms_of(document: dict[str, Any], metric: str) -> dict[str, dict[str, Any]]:
    found = of_type(document, "AWS::CloudWatch::Alarm")
    return {name: alarm for name, alarm in found.items() if alarm["Properties"]["MetricName"] == metric}


def test_the_gateway_limits_every_method_by_parameters(document: dict[str, Any]) -> None:
    (setting,) = document["Resources"]["RestAPI"]["Properties"]["MethodSettings"]

    assert (setting["HttpMethod"], setting["ResourcePath"]) == ("*", "/*")
    assert setting["ThrottlingRateLimit"] == {"Ref": "ThrottleRate"}
    assert setting["ThrottlingBurstLimit"] == {"Ref": "ThrottleBurst"}


@pytest.mark.parametrize("kind", ["THROTTLED", "QUOTA_EXCEEDED", "WAF_FILTERED"])
def test_too_many_requests_are_a_problem_that_says_when_to_come_again(document: dict[str, Any], kind: str) -> None:
    definition = document["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    response = definition["x-amazon-apigateway-gateway-responses"][kind]

    assert response["statusCode"] == 429
    assert response["responseParameters"]["gatewayresponse.header.Retry-After"] == "'5'"
    assert response["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    problem = json.loads(response["responseTemplates"]["application/json"])
    assert (problem["status"], problem["code"]) == (429, "too_many_requests")
    assert problem["detail"] == PROBLEMS[kind].detail


def test_limits_by_address_and_by_client_are_off_because_they_cost_while_idle(document: dict[str, Any]) -> None:
    for name in ("AddressLimit", "ClientLimit"):
        assert document["Parameters"][name]["Default"] == 0
    for name in ("LimitsAcl", "LimitsAclOfTheApi"):
        assert document["Resources"][name]["Condition"] == "HasAcl"
    either = [{"Condition": "HasAddressLimit"}, {"Condition": "HasClientLimit"}]
    assert document["Conditions"]["HasAcl"] == {"Fn::Or": either}


def test_a_client_is_told_by_its_token_and_counted_by_a_rule_of_its_own(document: dict[str, Any]) -> None:
    rules = {
        condition: (rule, otherwise)
        for condition, rule, otherwise in (
            rule["Fn::If"] for rule in document["Resources"]["LimitsAcl"]["Properties"]["Rules"]
        )
    }
    address, client = (
        rules[name][0]["Statement"]["RateBasedStatement"] for name in ("HasAddressLimit", "HasClientLimit")
    )

    assert (address["AggregateKeyType"], address["Limit"]) == ("IP", {"Ref": "AddressLimit"})
    assert (client["AggregateKeyType"], client["Limit"]) == ("CUSTOM_KEYS", {"Ref": "ClientLimit"})
    assert [key["Header"]["Name"] for key in client["CustomKeys"]] == ["authorization"]
    # A refusal by any other kind of rule would be told as 429 as well.
    assert all(rule["Action"] == {"Block": {}} for rule, _otherwise in rules.values())
    assert all(otherwise == {"Ref": "AWS::NoValue"} for _rule, otherwise in rules.values())


@pytest.mark.parametrize("name", ["Alarms", "Tracing", "RequestMetrics"])
def test_what_costs_is_off_by_default(document: dict[str, Any], name: str) -> None:
    assert document["Parameters"][name]["Default"] == "off"


def test_every_alarm_but_the_audit_s_is_off_by_default(document: dict[str, Any]) -> None:
    conditions = {name: alarm["Condition"] for name, alarm in of_type(document, "AWS::CloudWatch::Alarm").items()}

    assert conditions.pop("AuditMismatchAlarm") == "HasAuditAlarm"
    assert set(conditions.values()) == {"HasAlarms"}


def test_alerts_of_the_programme_and_of_members_ring(document: dict[str, Any]) -> None:
    found = {
        name: (alarm["Properties"]["Threshold"], alarm["Properties"]["ComparisonOperator"])
        for metric in (looking_back.OUTSIDE, looking_back.ALERTED)
        for name, alarm in alarms_of(document, metric).items()
    }

    assert found == {
        "ProgramAlertAlarm": (1, "GreaterThanOrEqualToThreshold"),
        "MemberAlertsAlarm": ({"Ref": "MemberAlertsLimit"}, "GreaterThanThreshold"),
    }
    assert document["Parameters"]["MemberAlertsLimit"]["Default"] == 50
    for name in found:
        alarm = document["Resources"][name]["Properties"]
        assert alarm["Dimensions"] == [{"Name": "Stage", "Value": {"Ref": "Stage"}}]
        # A night tells it once: over less than a day the alarm would be quiet by the morning.
        assert alarm["Period"] == 86400


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_is_watched(document: dict[str, Any], metric: str) -> None:
    watched = [alarm["Properties"]["Dimensions"] for alarm in alarms_of(document, metric).values()]

    assert sorted(dimension["Value"]["Ref"] for (dimension,) in watched) == sorted(FUNCTIONS)


def test_every_dead_letter_queue_is_watched(document: dict[str, Any]) -> None:
    work = of_type(document, "AWS::SQS::Queue")
    dead = {name for name, queue in work.items() if "RedrivePolicy" not in queue["Properties"]}
    found = alarms_of(document, "ApproximateNumberOfMessagesVisible").values()
    watched = [alarm["Properties"]["Dimensions"][0]["Value"]["Fn::GetAtt"] for alarm in found]

    assert sorted(watched) == sorted([name, "QueueName"] for name in dead)
    assert len(dead) == 13


def test_the_age_of_both_streams_is_watched_well_before_a_record_is_given_up(document: dict[str, Any]) -> None:
    found = alarms_of(document, "IteratorAge")

    assert set(found) == {"ProjectAccountsAgeAlarm", "RouteFactsAgeAlarm"}
    for alarm in found.values():
        assert alarm["Properties"]["Threshold"] < 43200 * 1000


def test_the_gateway_s_failures_are_watched_by_a_name_that_stages_do_not_share(document: dict[str, Any]) -> None:
    (alarm,) = alarms_of(document, "5XXError").values()
    name, stage = alarm["Properties"]["Dimensions"]

    definition = document["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    assert name == {"Name": "ApiName", "Value": definition["info"]["title"]}
    assert name["Value"] == {"Fn::Sub": "huike-${Stage}"}
    assert stage == {"Name": "Stage", "Value": {"Ref": "RestAPI.Stage"}}


def test_all_alarms_are_heard_by_the_same(document: dict[str, Any]) -> None:
    heard = {
        json.dumps(alarm["Properties"]["AlarmActions"])
        for alarm in of_type(document, "AWS::CloudWatch::Alarm").values()
    }

    (actions,) = heard
    assert "AlarmTopicArn" in actions
    assert "AlarmTopic" in document["Resources"]


def test_no_quiet_hour_rings(document: dict[str, Any]) -> None:
    for name, alarm in of_type(document, "AWS::CloudWatch::Alarm").items():
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching", name


def test_tracing_comes_with_its_rights_and_goes_with_them(document: dict[str, Any]) -> None:
    policy = document["Resources"]["TracingPolicy"]

    assert policy["Condition"] == "HasTracing"
    assert sorted(role["Ref"] for role in policy["Properties"]["Roles"]) == sorted(FUNCTIONS.values())
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    for function in of_type(document, "AWS::Serverless::Function").values():
        assert function["Properties"]["Tracing"] == {"Fn::If": ["HasTracing", "Active", "PassThrough"]}


def test_only_the_api_s_function_is_told_whether_to_measure(document: dict[str, Any]) -> None:
    told = [
        name
        for name, function in of_type(document, "AWS::Serverless::Function").items()
        if "HUIKE_REQUEST_METRICS" in json.dumps(function["Properties"].get("Environment", {}))
    ]

    assert told == ["APIHandler"]
