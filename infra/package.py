"""`python -m infra.package`: app.py + chalicelib → a slim zip, a layer for scoring, and a checked SAM template.

The same code packages for AWS and for the local AWS; only wheels, bytecode, runtime and architecture differ.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra import bundle, checks, privilege, trim
from infra.errors import InfraError
from infra.fragments import fragments
from infra.locks import locked
from infra.reach import Code

ROOT = Path(__file__).resolve().parent.parent
RUNTIMES = ((3, 13), (3, 12), (3, 11))
# Chalice knows one stage: what differs between installations is a parameter of the template.
_CHALICE_STAGE = "huike"
_KEPT_SECONDS = 24 * 3600
_CODE, _LAYER = "AWS::Serverless::Function", "AWS::Serverless::LayerVersion"
PARTS = {_CODE: "deployment.zip", _LAYER: "layer.zip"}
"""The file that each type of resource is made of."""
_PLACES = {_CODE: "CodeUri", _LAYER: "ContentUri"}


def package(root: Path, target: bundle.Target, stage: str, out: Path, *, disposable: bool = False) -> Path:
    """Write `deployment.zip`, `layer.zip` and `template.json` to `out`, and return the template's path.

    Raises InfraError for what cannot be packaged, and for a role that may do more, or less, than its function needs.
    """
    # Chalice runs in another folder, where a relative path would lead elsewhere.
    out = out.resolve()
    work = out / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for stale in ("template.json", *PARTS.values()):
        (out / stale).unlink(missing_ok=True)
    template = _chalice_package(_stage_sources(root, work / "src"), work)
    privilege.check(template, Code(root / "chalicelib"))
    code = work / "code"
    with zipfile.ZipFile(work / "chalice" / "deployment.zip") as archive:
        archive.extractall(code)
    trim.clean(code)
    bundle.compile_folder(code, target)
    libraries = bundle.dependencies(root / "requirements.txt", target, ROOT / "build" / "cache")
    digest = bundle.write_zip([libraries, code], out / "deployment.zip")
    # What only the night reckons with; Lambda puts what lies under `python` where imports are looked for.
    numpy = bundle.dependencies(root / "requirements-scoring.txt", target, ROOT / "build" / "cache")
    bundle.write_zip([numpy], out / "layer.zip", under="python/")
    _patch(template, target, stage=stage, digest=digest, disposable=disposable)
    path = out / "template.json"
    path.write_text(json.dumps(template, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    shutil.rmtree(work)
    return path


def local_package(root: Path = ROOT) -> Path:
    """The package for this machine, built once for the same sources; returns its template's path."""
    folder = ROOT / "build" / "local"
    # Two stacks may be started at once; the second one finds what the first one has built.
    with locked(folder / "lock"):
        out = folder / _digest(root)
        template = out / "template.json"
        if not template.exists():
            _remove_old(folder)
            package(root, bundle.this_machine(), "local", out)
    return template


def _remove_old(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and path.stat().st_mtime < time.time() - _KEPT_SECONDS:
            shutil.rmtree(path)


def aws_target(architecture: str, python: str | None = None) -> bundle.Target:
    """The newest runtime whose interpreter is on this machine, since bytecode is compiled by that very interpreter."""
    names = [python] if python else [*_interpreters(), sys.executable]
    for name in names:
        version = _version_of(name)
        if version in RUNTIMES:
            return bundle.Target(shutil.which(name) or name, version, architecture)
    raise InfraError(f"None of {', '.join(names)} runs here: install one of them, or name one with --python.")


def _interpreters() -> Iterator[str]:
    """Where an interpreter of each runtime may be, the newest first.

    pyenv's own commands answer only for the versions that it was told to use, so its versions are looked at as well.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for major, minor in RUNTIMES:
        yield f"python{major}.{minor}"
        yield from map(str, sorted(pyenv.glob(f"versions/{major}.{minor}.*/bin/python{major}.{minor}"), reverse=True))


def _version_of(name: str) -> tuple[int, int] | None:
    found = shutil.which(name)
    if found is None:
        return None
    command = [found, "-c", "import sys; print(*sys.version_info[:2])"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        return None
    major, minor = result.stdout.split()
    return int(major), int(minor)


def _stage_sources(root: Path, to: Path) -> Path:
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "deployments", "deployed")
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(root / name, to / name, ignore=ignore)
    shutil.copy(root / "app.py", to / "app.py")
    # Empty on purpose: the dependencies are put in by `bundle`, whose failures are loud.
    (to / "requirements.txt").write_text("", encoding="utf-8")
    return to


def _chalice_package(sources: Path, work: Path) -> dict[str, Any]:
    merge = work / "merge.json"
    merge.write_text(json.dumps(fragments()), encoding="utf-8")
    out = work / "chalice"
    command = [sys.executable, "-c", "from chalice.cli import main; main()", "package", "--stage", _CHALICE_STAGE]
    command += ["--merge-template", str(merge), str(out)]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(work),
        "AWS_DEFAULT_REGION": "us-east-1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The app is imported to read its routes, and does not import without the settings that functions have.
        "HUIKE_TABLE_PREFIX": "unused-",
        "HUIKE_ID_SECRET": "unused",
    }
    result = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, check=False)
    if result.returncode or not (out / "sam.json").exists():
        raise InfraError(f"Chalice could not package the app:\n{(result.stdout + result.stderr).strip()}")
    template: dict[str, Any] = json.loads((out / "sam.json").read_text(encoding="utf-8"))
    return template


def _patch(template: dict[str, Any], target: bundle.Target, *, stage: str, digest: str, disposable: bool) -> None:
    template["Parameters"]["Stage"]["Default"] = stage
    template["Metadata"] = {"Package": {"Sha256": digest}}
    place_parts(template, {part: f"./{part}" for part in PARTS.values()})
    for resource in template["Resources"].values():
        if resource["Type"] == _CODE:
            resource["Properties"]["Runtime"] = target.runtime
            resource["Properties"]["Architectures"] = [target.architecture or "x86_64"]
        elif resource["Type"] == _LAYER:
            resource["Properties"]["CompatibleRuntimes"] = [target.runtime]
            resource["Properties"]["CompatibleArchitectures"] = [target.architecture or "x86_64"]
        if disposable and "DeletionPolicy" in resource:
            resource["DeletionPolicy"] = resource["UpdateReplacePolicy"] = "Delete"


def place_parts(template: dict[str, Any], places: dict[str, Any]) -> None:
    """Say in the template where each part lies, by its name."""
    for resource in template["Resources"].values():
        part = PARTS.get(resource["Type"])
        if part:
            resource["Properties"][_PLACES[resource["Type"]]] = places[part]


def _digest(root: Path) -> str:
    digest = hashlib.sha256(repr(bundle.this_machine()).encode())
    files = [
        root / "app.py",
        root / "requirements.txt",
        root / "requirements-scoring.txt",
        *(ROOT / "infra").glob("*.py"),
    ]
    for folder in (root / "chalicelib", root / ".chalice", ROOT / "infra" / "template"):
        files += [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in sorted(files):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def main(arguments: list[str] | None = None) -> int:
    """Package for AWS, check the template, and say what came out."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("--stage", default="dev", help="name of the installation (default: dev)")
    parser.add_argument("--out", type=Path, help="folder to write to (default: build/<stage>)")
    parser.add_argument("--architecture", default="arm64", choices=["arm64", "x86_64"])
    parser.add_argument("--python", help="interpreter of the runtime, e.g. python3.13 (default: the newest one found)")
    parser.add_argument("--disposable", action="store_true", help="delete tables and user pool together with the stack")
    options = parser.parse_args(arguments)
    out = options.out or ROOT / "build" / options.stage
    try:
        target = aws_target(options.architecture, options.python)
        print(f"packaging stage {options.stage} for {target.runtime} on {target.architecture}")
        template = package(ROOT, target, options.stage, out, disposable=options.disposable)
        checks.check(template)
    except InfraError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    sizes = " and ".join(f"{part} ({(out / part).stat().st_size / 1e6:.1f} MB)" for part in PARTS.values())
    print(f"wrote {template}, {sizes}; cfn-lint is content before and after SAM")
    return 0


if __name__ == "__main__":
    sys.exit(main())
