"""Where the local tools keep their files: inside the project, because nothing else need be writable."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
OPENAPI = ROOT / "docs" / "openapi.json"
PORT = 8080


def run_folder(port: int) -> Path:
    """The files of the stack that is served at this port."""
    return LOCAL / f"run-{port}"


def stack_file(port: int) -> Path:
    """Where the running stack is written down for the commands beside it."""
    return run_folder(port) / "stack.json"
