"""`make deploy STAGE=…`: package, upload, show what would change, ask, do it, wait, and see that the API answers."""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from infra import checks, package, stage
from infra.change_set import ChangeSet, show
from infra.errors import InfraError
from infra.smoke import smoke
from infra.stage import Stage

_CONSOLE = Console(highlight=False, soft_wrap=True)


def main(arguments: list[str] | None = None) -> int:
    """Deploy one stage."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__)
    stage.add_arguments(parser)
    parser.add_argument("--package", type=Path, metavar="DIR", help="what infra.package wrote (default: package now)")
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="of the template; it stays"
    )
    parser.add_argument("--yes", action="store_true", default=os.environ.get("YES") == "1", help="do not ask (YES=1)")
    options = parser.parse_args(arguments)
    try:
        return deploy(stage.of(options), options.package, _pairs(options.parameter), is_agreed=options.yes)
    except (InfraError, BotoCoreError, ClientError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1


def deploy(to: Stage, folder: Path | None, given: dict[str, str], *, is_agreed: bool) -> int:
    """Bring the stage to what the package says, unless the person says no. Raises InfraError and botocore's errors."""
    folder = folder or _packaged(to)
    document = json.loads((folder / "template.json").read_text(encoding="utf-8"))
    parameters = _parameters(to, document, given)
    url = _upload(to, document, folder)
    change_set = ChangeSet(to)
    changes = change_set.create(url, parameters)
    if not changes:
        _CONSOLE.print(f"{to.stack} is as it should be: nothing to change")
    else:
        show(changes, _CONSOLE)
        if not is_agreed and input(f"{len(changes)} changes to {to.stack}. Type yes to make them: ") != "yes":
            change_set.drop()
            _CONSOLE.print("nothing was changed")
            return 1
        change_set.execute()
    for name, value in sorted(to.outputs().items()):
        _CONSOLE.print(f"  {name:<28} {escape(value)}")
    if _own_pool(to):
        _CONSOLE.print(f"the API answers: {smoke(to)}")
    else:
        _CONSOLE.print("tokens come from an issuer of yours: GET v1/program with one of them answers 200")
    return 0


def _packaged(to: Stage) -> Path:
    folder = package.ROOT / "build" / to.name
    checks.check(package.package(package.ROOT, package.aws_target("arm64"), to.name, folder))
    return folder


def _pairs(texts: list[str]) -> dict[str, str]:
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def _parameters(to: Stage, document: dict[str, Any], given: dict[str, str]) -> list[dict[str, Any]]:
    """What is given now, what was given before, and the secret; the template's defaults do the rest."""
    known = document["Parameters"]
    unknown = sorted(set(given) - (set(known) - {"Stage", "IdSecret"}))
    if unknown:
        raise InfraError(f"The template takes no parameter {', '.join(unknown)} from here. It has: {', '.join(known)}.")
    before = {parameter["ParameterKey"] for parameter in (to.found() or {}).get("Parameters", [])}
    values = {**given, "Stage": to.name, "IdSecret": to.secret()}
    found: list[dict[str, Any]] = [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]
    kept = sorted(before & set(known) - set(values))
    return found + [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]


def _upload(to: Stage, document: dict[str, Any], folder: Path) -> str:
    """Put code, layer and template into the stage's bucket, each under its own digest; gives the template's address."""
    s3, bucket = to.client("s3"), to.bucket()

    def put(content: bytes, ending: str) -> str:
        key = hashlib.sha256(content).hexdigest() + ending
        s3.put_object(Bucket=bucket, Key=key, Body=content)
        return key

    keys = {part: put((folder / part).read_bytes(), ".zip") for part in package.PARTS.values()}
    package.place_parts(document, {part: {"Bucket": bucket, "Key": key} for part, key in keys.items()})
    return f"{s3.meta.endpoint_url}/{bucket}/{put(json.dumps(document).encode(), '.json')}"


def _own_pool(to: Stage) -> bool:
    parameters = (to.found() or {}).get("Parameters", [])
    issuer = {parameter["ParameterKey"]: parameter.get("ParameterValue", "") for parameter in parameters}
    return not issuer.get("OidcIssuer")


if __name__ == "__main__":
    sys.exit(main())
