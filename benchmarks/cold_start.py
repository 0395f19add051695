"""What the first call costs a new process: the API function's import and first read, as packaged, against others.

Each row is a process of its own that imports from its folder alone and reads once from a DynamoDB that answers at once
over plain HTTP; TLS comes on top for every row alike. Counted is the process's CPU time, without the interpreter's own
start. The rows take turns, so that a busy machine slows all of them.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import member
from benchmarks.stub import answering
from infra import bundle, package

_ROUNDS = 11
_PLAIN, _SLIM = "plain packaging", "the package"

_TIMED = """
import sys, time
sys.path.insert(0, {folder!r})
begun = time.process_time()
{code}
print(time.process_time() - begun)
assert answer in (200, 201), answer
"""
_API = """
import importlib, types
module, _, name = {handler!r}.rpartition(".")
context = types.SimpleNamespace(aws_request_id="bench", function_name="api")
answer = getattr(importlib.import_module(module), name)({event!r}, context)["statusCode"]
"""
_BARE = """
import botocore.session
client = botocore.session.get_session().create_client("dynamodb")
found = client.query(TableName={table!r}, Limit=1, ScanIndexForward=False, ConsistentRead=True,
    KeyConditionExpression="member_id = :m", ExpressionAttributeValues={{":m": {{"S": {member!r}}}}})
answer = found["ResponseMetadata"]["HTTPStatusCode"]
"""


@dataclass(frozen=True)
class Row:
    """One way to start, in the folder that it imports from."""

    name: str
    folder: Path
    code: str


def main() -> None:
    """Print the medians, and each as a share of bare botocore and of plain packaging."""
    with _folders() as folders, answering(member.answers()) as endpoint:
        rows = _rows(folders)
        seconds: dict[str, list[float]] = {row.name: [] for row in rows}
        for _round in range(_ROUNDS):
            for row in rows:
                seconds[row.name].append(_spent(row, endpoint))
    medians = {name: 1000 * statistics.median(found) for name, found in seconds.items()}
    bare, plain = medians[f"bare botocore, {_PLAIN} with bytecode"], medians[f"API, {_PLAIN}"]
    print("| import and first read | CPU ms | of bare botocore | of plain packaging |\n|---|--:|--:|--:|")
    for name, spent in medians.items():
        print(f"| {name} | {spent:.0f} | {spent / bare:.2f} | {spent / plain:.2f} |")


@contextmanager
def _folders() -> Iterator[dict[str, Path]]:
    """The package unzipped, and the same sources as `chalice package` would ship them, without and with bytecode."""
    local = package.local_package().with_name("deployment.zip")
    target = bundle.this_machine()
    with TemporaryDirectory() as scratch:
        slim, plain, compiled = (Path(scratch) / name for name in ("slim", "plain", "compiled"))
        with zipfile.ZipFile(local) as archive:
            archive.extractall(slim)
        bundle.install(package.ROOT / "requirements.txt", target, plain)
        for name in ("chalicelib", "chalice", "app.py"):
            _copy_sources(slim / name, plain / name)
        shutil.copytree(plain, compiled)
        bundle.compile_folder(compiled, target)
        yield {_SLIM: slim, _PLAIN: plain, f"{_PLAIN} with bytecode": compiled}


def _copy_sources(source: Path, to: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, to)


def _rows(folders: dict[str, Path]) -> list[Row]:
    bare = _BARE.format(table=member.TABLE, member=member.MEMBER_ID)
    rows = []
    for name, folder in folders.items():
        handler = member.API_HANDLER if name == _SLIM else member.PLAIN_HANDLER
        rows.append(Row(f"API, {name}", folder, _API.format(handler=handler, event=member.account_event())))
    # Most code of all is loaded for an order, and it sends two requests instead of one.
    order = _API.format(handler=member.API_HANDLER, event=member.order_event())
    rows.append(Row(f"API, {_SLIM}, and an order instead of the read", folders[_SLIM], order))
    return rows + [Row(f"bare botocore, {name}", folder, bare) for name, folder in folders.items()]


def _spent(row: Row, endpoint: str) -> float:
    environment: dict[str, Any] = {**member.ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint}
    script = _TIMED.format(folder=str(row.folder), code=row.code)
    # -B: where functions run, the code's folder cannot be written to.
    command = [sys.executable, "-I", "-S", "-B", "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 -- our own script
    if done.returncode:
        raise SystemExit(f"{row.name} failed:\n{done.stderr}")
    return float(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
