"""What all commands share is fetched once, however many of them start together."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import pytest

from infra import bundle, trim
from infra.local import assets
from infra.local.unpacked import SharedZip

AT_ONCE = 4


class SlowPip:
    """Stands for every program that is started: `pip install` fills its target, slowly, and may be alone there."""

    def __init__(self) -> None:
        self.installed = 0

    def run(self, command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        if "install" in command:
            folder = Path(command[command.index("--target") + 1])
            folder.mkdir(exist_ok=folder.exists() and not any(folder.iterdir()))
            (folder / "half").touch()
            time.sleep(0.05)
            (folder / "half").rename(folder / "whole")
            self.installed += 1
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> SlowPip:
    pip = SlowPip()
    monkeypatch.setattr(subprocess, "run", pip.run)
    return pip


def test_the_demos_files(pip: SlowPip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "LOCAL", tmp_path)

    found = at_once(assets.assets)

    assert pip.installed == 1
    assert found == [[found[0][0], "whole"]] * AT_ONCE


def test_the_packages_dependencies(pip: SlowPip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trim, "trim", lambda _folder: None)
    lock = tmp_path / "requirements.txt"
    lock.touch()

    found = at_once(lambda: bundle.dependencies(lock, bundle.this_machine(), tmp_path / "cache"))

    assert pip.installed == 1
    assert found == [[found[0][0], "whole"]] * AT_ONCE


def test_a_functions_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    unpack = mock.Mock(side_effect=Path.mkdir)
    monkeypatch.setattr(zipfile.ZipFile, "extractall", unpack)
    for name, content in (("one", "a"), ("again", "a"), ("other", "b")):
        place = tmp_path / name
        place.mkdir()
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("app.py"), content)
        with SharedZip(tmp_path / f"{name}.zip") as archive:
            archive.extractall(str(place))

    assert unpack.call_count == 2
    assert (tmp_path / "one").resolve() == (tmp_path / "again").resolve() != (tmp_path / "other").resolve()


def at_once(fetch: Callable[[], Path]) -> list[list[str]]:
    """The folder and what lies in it, as each of several that start together finds it."""
    start = threading.Barrier(AT_ONCE)

    def one(_number: int) -> list[str]:
        start.wait()
        folder = fetch()
        return [str(folder), *(path.name for path in folder.iterdir())]

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(one, range(AT_ONCE)))
