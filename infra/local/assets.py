"""Fetches the demo's purchases and the page's assets once, pinned by hash, into .local."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from infra.errors import InfraError
from infra.local.paths import LOCAL
from infra.locks import locked

_LOCK = Path(__file__).with_name("assets.txt")


def assets() -> Path:
    """The folder into which the packages of assets.txt are unpacked."""
    folder = LOCAL / f"assets-{hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]}"
    # Two commands may be the first ones at once; the second one finds what the first one has fetched.
    with locked(LOCAL / "assets.lock"):
        if not folder.exists():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    work = folder.with_suffix(".partial")
    shutil.rmtree(work, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--no-compile", "--only-binary=:all:", "--require-hashes", "--target", str(work)]
    result = subprocess.run([*command, "-r", str(_LOCK)], capture_output=True, text=True, check=False)
    if result.returncode:
        raise InfraError(f"pip could not fetch the demo's files:\n{result.stderr.strip()}")
    work.rename(folder)


def purchases(*, whole: bool = False) -> Path:
    """The file of the CDNOW purchases: those of every tenth customer, or the whole of them."""
    return assets() / "lifetimes" / "datasets" / ("CDNOW_master.txt" if whole else "CDNOW_sample.txt")


def swagger_ui() -> Path:
    """The folder of Swagger UI."""
    return assets() / "flask_swagger_ui" / "dist"
