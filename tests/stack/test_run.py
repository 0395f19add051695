"""`make run` itself: a taken port, and whatever may interrupt it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.local.aws import free_port
from infra.local.paths import ROOT
from tests.stack.conftest import eventually


@pytest.fixture
def port() -> int:
    return free_port()


def start(port: int, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-m", "infra.local", "--no-seed", "--port", str(port), *arguments]
    return subprocess.Popen(  # noqa: S603 -- our own command
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def processes_of(port: int) -> list[str]:
    """The command lines of processes that belong to the run at this port: by its folder, which all of them name."""
    mark = f"run-{port}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                known = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            except OSError:
                continue
            if mark in known:
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def wait_for(run: subprocess.Popen[str], word: str) -> str:
    said = ""
    assert run.stdout is not None
    for line in run.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(f"it ended before it said {word!r}:\n{said}")


def end(run: subprocess.Popen[str]) -> str:
    said, _ = run.communicate(timeout=60)
    return said


def test_a_taken_port_gives_one_sentence_and_exit_code_2(port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        run = start(port)
        said = end(run)

    assert run.returncode == 2
    assert len(said.splitlines()) == 1
    assert f"Port {port} cannot be used (Address already in use)" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("word", ["packaging", "starting", "deploying", "ready http"])
def test_an_interrupt_leaves_no_process_behind(port: int, number: signal.Signals, word: str) -> None:
    run = start(port)
    wait_for(run, word)

    run.send_signal(number)
    said = end(run)

    assert said.splitlines()[-1] == "stopped"
    # An interrupt that hits Python in the middle of `exec` (a named tuple in the making, say) makes it report the
    # signal, although it was handled.
    assert run.returncode in {0, -signal.SIGINT}
    assert processes_of(port) == []


def test_a_killed_run_takes_everything_with_it_and_the_next_one_starts(port: int) -> None:
    run = start(port)
    wait_for(run, "ready http")
    run.kill()
    end(run)
    eventually(lambda: not processes_of(port))

    again = start(port)
    said = wait_for(again, "ready http")
    again.terminate()
    end(again)

    assert said.splitlines()[-1] == f"ready http://127.0.0.1:{port}/v1"


def test_what_is_kept_is_there_again(port: int, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    first = start(port, "--keep", str(keep))
    wait_for(first, "ready http")
    first.terminate()
    end(first)

    begun = time.monotonic()
    second = start(port, "--keep", str(keep))
    wait_for(second, "ready http")
    second.terminate()

    assert "stopped" in end(second)
    assert time.monotonic() - begun < 60
    assert (keep / "dynamodb.json").exists()
