"""Refuses a template whose roles may do anything but what `infra/needs.py` says they need."""

import json
from collections.abc import Iterator
from typing import Any

from infra.errors import InfraError
from infra.needs import NEEDS

_ROLE, _POLICY = "AWS::IAM::Role", "AWS::IAM::Policy"


def check(template: dict[str, Any]) -> None:
    """Compare every policy with what is needed. Raises InfraError with each action too many, or missing, by name."""
    faults = list(_faults(template["Resources"]))
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


def _ways_around(name: str, resource: dict[str, Any]) -> Iterator[str]:
    """How a right could be given where the comparison does not look."""
    properties = resource.get("Properties", {})
    if resource["Type"].startswith("AWS::IAM::") and resource["Type"] not in (_ROLE, _POLICY):
        yield f"{name} is of type {resource['Type']}: write the rights into the policy of a role"
    if resource["Type"] == _ROLE and properties.get("ManagedPolicyArns"):
        yield f"{name} has managed policies beside its own"
    if resource["Type"] == "AWS::Serverless::Function" and properties.get("Policies"):
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
