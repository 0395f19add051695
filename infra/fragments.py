"""Our part of the template: everything of the stack beyond what Chalice declares by itself."""

from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from chalicelib.web.scopes import SCOPES
from infra import gateway
from infra.errors import InfraError
from infra.watch import watch

FOLDER = Path(__file__).resolve().parent / "template"
_RESOURCE_SERVER = "huike"


def fragments() -> dict[str, Any]:
    """The YAML files of infra/template, joined, with the scopes and the gateway's answers that code knows."""
    merged: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        for section, entries in yaml_parse(path.read_text(encoding="utf-8")).items():
            _join(merged.setdefault(section, {}), entries, f"{path.name}: {section}")
    resources = merged["Resources"]
    resources["ResourceServer"]["Properties"] |= {
        "Identifier": _RESOURCE_SERVER,
        "Scopes": [{"ScopeName": name, "ScopeDescription": says} for name, says in SCOPES.items()],
    }
    resources["MachineClient"]["Properties"]["AllowedOAuthScopes"] = [f"{_RESOURCE_SERVER}/{name}" for name in SCOPES]
    definition = resources["RestAPI"]["Properties"]["DefinitionBody"]
    definition["x-amazon-apigateway-gateway-responses"] = gateway.gateway_responses()
    watch(resources)
    return merged


def _join(into: dict[str, Any], entries: dict[str, Any], where: str) -> None:
    """Join two mappings and the mappings in them. Raises InfraError where both give a value for one name."""
    for name, value in entries.items():
        here = into.get(name)
        if here is None:
            into[name] = value
        elif isinstance(here, dict) and isinstance(value, dict):
            _join(here, value, f"{where}/{name}")
        else:
            raise InfraError(f"{where}/{name} is declared a second time: keep one of them.")
