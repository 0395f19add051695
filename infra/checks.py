"""Refuses a template that CloudFormation would refuse later, or that cfn-lint finds faults with.

It is read twice: as we wrote it, and after SAM has expanded it, because some faults (an action that IAM does not know,
a runtime that a feature excludes) show only in the resources that SAM makes.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import boto3
from cfnlint.api import lint_by_config
from cfnlint.config import ManualArgs
from samtranslator.parser.parser import Parser
from samtranslator.sdk.parameter import SamParameterValues
from samtranslator.translator.translator import Translator

from infra.errors import InfraError

REGION = "us-east-1"


def check(template: Path) -> None:
    """Lint the template and its expansion; raise with all findings."""
    document = json.loads(template.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(dir=template.parent) as folder:
        expanded = Path(folder) / "expanded.json"
        expanded.write_text(json.dumps(expand(document)), encoding="utf-8")
        findings = [f"{path.name}: {match}" for path in (template, expanded) for match in _lint(path)]
    if findings:
        raise InfraError("cfn-lint refuses the template:\n" + "\n".join(findings))


def expand(template: dict[str, Any]) -> dict[str, Any]:
    """What CloudFormation's SAM transform makes of the template."""
    document = json.loads(json.dumps(template))
    for resource in document["Resources"].values():
        # The translator takes code from a bucket only; `aws cloudformation package` puts the real place in.
        for place in ("CodeUri", "ContentUri"):
            if place in resource.get("Properties", {}):
                resource["Properties"][place] = "s3://bucket/part.zip"
    parameters = SamParameterValues({}).parameter_values
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    result: dict[str, Any] = translator.translate(document, parameters, feature_toggle=None)
    return result


def _lint(path: Path) -> list[str]:
    matches = lint_by_config(ManualArgs(templates=[str(path)], regions=[REGION]))
    return [
        f"{match.rule.id} {match.message} ({'/'.join(str(part) for part in match.path or [])})" for match in matches
    ]
