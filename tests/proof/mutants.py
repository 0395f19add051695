"""`make mutants`: plants one fault at a time in a copy of the engine and runs layers of tests until one finds it."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from rich.console import Console

from tests.proof.mutant import Mutant
from tests.proof.planted import MUTANTS

ROOT = Path(__file__).parents[2]
COPIED = ("app.py", "chalicelib", "docs", "infra", "pyproject.toml", "tests", ".chalice")
LAYERS = {
    "rules": ("tests/rules",),
    # Publishing programmes moves no points.
    "storage": ("tests/storage", "--ignore-glob=*/test_program*"),
    "examples": (
        *("tests/proof/test_found.py", "tests/api/test_reactions.py", "tests/api/test_pending.py"),
        *("tests/api/test_referrals.py", "tests/api/test_referrals_fraud.py"),
    ),
    "state machine": ("tests/proof/test_state_machine.py", "-k", "Trade-"),
    "programmes": ("tests/proof/test_state_machine.py", "-k", "Community-"),
    "friends": ("tests/proof/test_state_machine.py", "-k", "Referring-"),
    "simulation": ("tests/proof/test_simulation.py",),
}
SURVIVED = "**survived**"
TIMEOUT_S = 900
DOCUMENT = ROOT / "docs" / "proof.md"
BEGIN, END = "<!-- mutants -->\n", "<!-- /mutants -->"
console = Console(width=160)


def main() -> int:
    """Plant what is asked for, print which layer found it, and write the table if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="plant only faults whose description contains this")
    parser.add_argument("--layers", default=",".join(LAYERS), help="layers to run, in this order")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time")
    parser.add_argument("--write", action="store_true", help="write the table into docs/proof.md")
    asked = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if asked.only in mutant.fault]
    layers = asked.layers.split(",")
    rows = []
    copies: SimpleQueue[Path] = SimpleQueue()
    with _scratch(asked.jobs) as paths, ThreadPoolExecutor(asked.jobs) as pool:
        for path in paths:
            copies.put(path)
        for mutant, layer in zip(chosen, pool.map(lambda mutant: _judge(copies, mutant, layers), chosen), strict=True):
            rows.append((mutant, layer))
            console.print(f"{layer:14} {mutant.fault}", markup=False)
    survivors = [mutant for mutant, layer in rows if layer == SURVIVED]
    console.print(f"{len(rows) - len(survivors)} of {len(rows)} found")
    if asked.write:
        _write(rows)
    return 1 if survivors else 0


@contextmanager
def _scratch(jobs: int) -> Iterator[list[Path]]:
    """Copies of the project that may be spoilt."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        paths = [Path(directory) / str(number) for number in range(jobs)]
        for path in paths:
            path.mkdir()
            for name in COPIED:
                source = ROOT / name
                if source.is_dir():
                    shutil.copytree(source, path / name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(source, path / name)
        yield paths


def _judge(copies: SimpleQueue[Path], mutant: Mutant, layers: list[str]) -> str:
    """The first layer that finds a fault."""
    copy = copies.get()
    spoilt = copy / "chalicelib" / mutant.path
    sound = spoilt.read_text()
    try:
        spoilt.write_text(sound.replace(mutant.text, mutant.planted))
        return next((layer for layer in layers if _fails(copy, LAYERS[layer])), SURVIVED)
    finally:
        spoilt.write_text(sound)
        copies.put(copy)


def _fails(copy: Path, tests: tuple[str, ...]) -> bool:
    """Whether tests fail in a copy. Raises where they could not even be run, which proves nothing."""
    command = [sys.executable, "-B", "-m", "pytest", "-xqq", "-p", "no:cacheprovider", *tests]
    try:
        # Our own interpreter and our own tests.
        done = subprocess.run(  # noqa: S603
            command,
            cwd=copy,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            env={**os.environ, "HUIKE_PROOF_UNSHRUNK": "1"},
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode == 1


def _write(rows: list[tuple[Mutant, str]]) -> None:
    table = ["| planted fault | in | found by |", "|---|---|---|"]
    table += [f"| {mutant.fault} | `{mutant.path}` | {layer} |" for mutant, layer in rows]
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + "\n".join(table) + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    sys.exit(main())
