"""Refuses a template whose roles may do more than their functions need.

Twice: against `infra/needs.py`, where a person has written down what each role needs, exactly; and against the code and
the template themselves, so that what was written down too generously shows as well.
"""

import json
from collections.abc import Iterator
from typing import Any

from infra.errors import InfraError
from infra.needs import NEEDS
from infra.reach import ALL_TABLES, Code, Name

_ROLE, _POLICY = "AWS::IAM::Role", "AWS::IAM::Policy"
_FUNCTION, _TABLE, _QUEUE = "AWS::Serverless::Function", "AWS::DynamoDB::Table", "AWS::SQS::Queue"
_SEND = "SendMessage"


def check(template: dict[str, Any], code: Code) -> None:
    """Compare every policy with what is needed; `code` is what the functions run.

    Raises InfraError with each action too many, or missing, by name.
    """
    resources = template["Resources"]
    faults = [*_faults(resources), *_beyond_code(resources, code)]
    if faults:
        raise InfraError("The policies are not what their functions need (infra/needs.py):\n" + "\n".join(faults))


def _faults(resources: dict[str, Any]) -> Iterator[str]:
    found = {name: kept for name, kept in resources.items() if kept["Type"] in (_ROLE, _POLICY)}
    for name, resource in resources.items():
        yield from _ways_around(name, resource)
    for name in sorted(set(NEEDS) - set(found)):
        yield f"{name} is gone: its row must go as well"
    for name, resource in found.items():
        if name not in NEEDS:
            yield f"{name} has no row that says what it needs"
        granted, needed = _granted(resource), {on: set(may.split()) for on, may in NEEDS.get(name, {}).items()}
        for on in sorted(set(granted) | set(needed)):
            has, needs = granted.get(on, set()), needed.get(on, set())
            yield from (f"{name} may {action} on {on}, and need not" for action in sorted(has - needs))
            yield from (f"{name} may not {action} on {on}, and needs to" for action in sorted(needs - has))


def _beyond_code(resources: dict[str, Any], code: Code) -> Iterator[str]:
    """Rights to tables that no code makes use of, and rights to queues and streams that nothing connects to."""
    tables = {
        found["Properties"]["TableName"]["Fn::Sub"].rpartition("-")[2]: name
        for name, found in resources.items()
        if found["Type"] == _TABLE
    }
    for name, function in resources.items():
        role = function["Properties"]["Role"]["Fn::GetAtt"][0] if function["Type"] == _FUNCTION else ""
        if role not in resources:
            continue
        can = code.actions(_entrances(code, function["Properties"]["Handler"]))
        on = {tables[table]: actions for table, actions in can.items() if table in tables}
        for target, actions in _granted(resources[role]).items():
            resource = target.removeprefix("${").partition(".")[0]
            kind = resources.get(resource, {}).get("Type")
            if kind == _TABLE and "tream" not in target:
                beyond = actions - on.get(resource, set()) - can.get(ALL_TABLES, set())
            elif kind in (_TABLE, _QUEUE):
                beyond = actions - _connected(function["Properties"], resource)
            else:
                continue
            yield from (
                f"{role} may {action} on {target}, and nothing that {name} runs does" for action in sorted(beyond)
            )


def _entrances(code: Code, handler: str) -> list[Name]:
    """Where a function begins: at a function of ours, or with an HTTP application at all of its routes."""
    module, _, name = handler.rpartition(".")
    if (module, name) in code.entrances(module):
        return [(module, name)]
    routes = [found for found in sorted(code.imports(module)) if found.endswith("routes")]
    return [(module, name), *(entrance for found in routes for entrance in code.entrances(found))]


def _connected(function: dict[str, Any], resource: str) -> set[str]:
    """What the template's own wiring of a function takes: its event sources, its destinations, its environment."""
    found: set[str] = set()
    for event in function.get("Events", {}).values():
        properties = json.dumps(event["Properties"])
        if event["Type"] == "SQS" and resource in properties:
            found |= {"ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage"}
        elif event["Type"] == "DynamoDB" and resource in json.dumps(event["Properties"]["Stream"]):
            found |= {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}
        if resource in json.dumps(event["Properties"].get("DestinationConfig", {})):
            found.add(_SEND)
    if {"Ref": resource} in function.get("Environment", {}).get("Variables", {}).values():
        found.add(_SEND)
    return found


def _ways_around(name: str, resource: dict[str, Any]) -> Iterator[str]:
    """How a right could be given where the comparison does not look."""
    properties = resource.get("Properties", {})
    if resource["Type"].startswith("AWS::IAM::") and resource["Type"] not in (_ROLE, _POLICY):
        yield f"{name} is of type {resource['Type']}: write the rights into the policy of a role"
    if resource["Type"] == _ROLE and properties.get("ManagedPolicyArns"):
        yield f"{name} has managed policies beside its own"
    if resource["Type"] == _FUNCTION and properties.get("Policies"):
        yield f"{name} has policies of its own beside those of its role"
    if any("NotAction" in statement for statement in _statements(resource)):
        yield f"{name} names what it may not do (NotAction), and so may do everything else"


def _statements(resource: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements that allow something: of the policies in a role, or of a policy that stands alone."""
    properties = resource.get("Properties", {})
    if resource["Type"] == _ROLE:
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    else:
        documents = [properties["PolicyDocument"]] if resource["Type"] == _POLICY else []
    return [
        statement for document in documents for statement in document["Statement"] if statement["Effect"] == "Allow"
    ]


def _granted(resource: dict[str, Any]) -> dict[str, set[str]]:
    """The actions that are allowed, by resource."""
    found: dict[str, set[str]] = {}
    for statement in _statements(resource):
        actions = {action.rpartition(":")[2] for action in _as_list(statement.get("Action", []))}
        targets = [_name(target) for target in _as_list(statement.get("Resource", []))]
        targets += [f"all but {_name(target)}" for target in _as_list(statement.get("NotResource", []))]
        for target in targets:
            found.setdefault(target, set()).update(actions)
    return found


def _name(target: str | dict[str, Any]) -> str:
    """`{"Fn::GetAtt": ["LedgerTable", "Arn"]}` → `LedgerTable`."""
    if isinstance(target, str):
        return target
    if "Fn::Sub" in target:
        return str(target["Fn::Sub"])
    if "Fn::GetAtt" in target:
        return ".".join(target["Fn::GetAtt"]).removesuffix(".Arn")
    return json.dumps(target)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
