"""Alarms and traces of every function and queue that the template has, so that a new one cannot be forgotten."""

from typing import Any

_FIVE_MINUTES = 300
_AN_HOUR_MS = 3_600_000
# Who hears of an alarm: the merchant's own topic, else the stack's, else nobody but the console.
ACTIONS: dict[str, Any] = {
    "Fn::If": [
        "HasAlarmTopic",
        [{"Ref": "AlarmTopicArn"}],
        {"Fn::If": ["HasOwnTopic", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]},
    ]
}


def watch(resources: dict[str, Any]) -> None:
    """Add the alarms and the tracing to the template's resources."""
    functions = {
        name: found["Properties"] for name, found in resources.items() if "LoggingConfig" in found.get("Properties", {})
    }
    alarms: dict[str, Any] = {"GatewayErrorsAlarm": _gateway_errors()}
    for name, properties in functions.items():
        properties["Tracing"] = {"Fn::If": ["HasTracing", "Active", "PassThrough"]}
        alarms |= _of_function(name, reads_a_stream=any(map(_is_stream, properties.get("Events", {}).values())))
    for name, found in resources.items():
        if found.get("Type") == "AWS::SQS::Queue" and name.endswith("Failures"):
            alarms[f"{name}Alarm"] = _dead_letters(name)
    resources["TracingPolicy"]["Properties"]["Roles"] = [{"Ref": _role_of(name)} for name in functions]
    for name in ("AuditMismatchAlarm", "CaseBreachAlarm", "ProgramAlertAlarm", "MemberAlertsAlarm"):
        resources[name]["Properties"]["AlarmActions"] = ACTIONS
    resources |= alarms


def _role_of(function: str) -> str:
    """The logical id that Chalice gives to a function's role; the API's own is spelled by a rule of its own."""
    return "ApiHandlerRole" if function == "APIHandler" else f"{function}Role"


def _is_stream(event: dict[str, Any]) -> bool:
    return "Stream" in event["Properties"]


def _of_function(name: str, *, reads_a_stream: bool) -> dict[str, Any]:
    dimensions = {"FunctionName": {"Ref": name}}
    found = {
        f"{name}ErrorsAlarm": _alarm("AWS/Lambda", "Errors", dimensions, f"{name} has failed. Its log says why."),
        f"{name}ThrottlesAlarm": _alarm(
            "AWS/Lambda",
            "Throttles",
            dimensions,
            f"{name} was not let run: the account's concurrency is used up, or the function's own.",
        ),
    }
    if reads_a_stream:
        found[f"{name}AgeAlarm"] = _alarm(
            "AWS/Lambda",
            "IteratorAge",
            dimensions,
            f"{name} is an hour behind the ledger. The stream keeps a day.",
            statistic="Maximum",
            threshold=_AN_HOUR_MS,
        )
    return found


def _dead_letters(queue: str) -> dict[str, Any]:
    return _alarm(
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        {"QueueName": {"Fn::GetAtt": [queue, "QueueName"]}},
        f"Work has been given up and lies in {queue}. It is kept for 14 days.",
        statistic="Maximum",
    )


def _gateway_errors() -> dict[str, Any]:
    return _alarm(
        "AWS/ApiGateway",
        "5XXError",
        {"ApiName": {"Fn::Sub": "huike-${Stage}"}, "Stage": {"Ref": "RestAPI.Stage"}},
        "The API has answered with 5xx. The log of the API names the request.",
    )


def _alarm(
    namespace: str,
    metric: str,
    dimensions: dict[str, Any],
    says: str,
    *,
    statistic: str = "Sum",
    threshold: int = 1,
) -> dict[str, Any]:
    """An alarm without a name: the stack's name and the logical id make one, and a rename cannot collide."""
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Condition": "HasAlarms",
        "Properties": {
            "AlarmDescription": says,
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Statistic": statistic,
            "Period": _FIVE_MINUTES,
            "EvaluationPeriods": 1,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": ACTIONS,
        },
    }
