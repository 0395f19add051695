"""Our part of the template: everything of the stack beyond what Chalice declares by itself."""

from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from chalicelib.web.scopes import SCOPES
from infra import gateway
from infra.errors import InfraError

FOLDER = Path(__file__).resolve().parent / "template"
_RESOURCE_SERVER = "huike"


def fragments() -> dict[str, Any]:
    """The YAML files of infra/template, joined, with the scopes and the gateway's answers that code knows."""
    merged: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        for section, entries in yaml_parse(path.read_text(encoding="utf-8")).items():
            twice = merged.setdefault(section, {}).keys() & entries.keys()
            if twice:
                raise InfraError(f"{path.name} declares {sorted(twice)} of {section} a second time: keep one of them.")
            merged[section].update(entries)
    resources = merged["Resources"]
    resources["ResourceServer"]["Properties"] |= {
        "Identifier": _RESOURCE_SERVER,
        "Scopes": [{"ScopeName": name, "ScopeDescription": says} for name, says in SCOPES.items()],
    }
    resources["MachineClient"]["Properties"]["AllowedOAuthScopes"] = [f"{_RESOURCE_SERVER}/{name}" for name in SCOPES]
    definition = {"x-amazon-apigateway-gateway-responses": gateway.gateway_responses()}
    resources["RestAPI"] = {"Properties": {"DefinitionBody": definition}}
    return merged
