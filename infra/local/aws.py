"""Starts and stops the local AWS (ministack) in a process group of its own, on a free loopback port."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

from infra.errors import InfraError

REGION = "us-east-1"
ACCOUNT = "000000000000"
_START_SECONDS = 60
_GRACE_SECONDS = 20
# Lambda gives the root logger a handler before it imports a function; the template asks for INFO.
_LIKE_LAMBDA = """import logging
logging.basicConfig(level=logging.INFO, format="[%(levelname)s] %(name)s: %(message)s")
logging.getLogger("botocore").setLevel(logging.WARNING)
"""


class LocalAws:
    """A local AWS that ends, with every process that it started, when it is stopped or its owner dies."""

    def __init__(self, folder: Path, keep: Path | None = None) -> None:
        self._folder = folder
        self._keep = keep
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self.port = 0

    @property
    def endpoint(self) -> str:
        """The address of every service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the local AWS and the functions print."""
        return self._folder / "aws.log"

    def client(self, service: str) -> Any:
        """A boto3 client of this AWS."""
        return client(service, self.endpoint)

    def start(self) -> None:
        """Start, and wait until it answers. Whoever calls this calls `stop`, whatever happens in between."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._keep is not None:
            self._keep.mkdir(parents=True, exist_ok=True)
        # A run that was killed outright could not clean up after itself.
        for left_behind in self._folder.glob("aws-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        self._scratch = tempfile.TemporaryDirectory(prefix="aws-", dir=self._folder)
        self.port = free_port()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "infra.local.child"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,
            )
        self._wait()

    def stop(self) -> None:
        """End the local AWS and its functions; with `keep`, let it write down its state first."""
        process = self._process
        if process is not None:
            self._process = None
            try:
                if self._keep is not None and process.poll() is None:
                    process.terminate()
                    process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            finally:
                _kill_group(process)
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _environment(self) -> dict[str, str]:
        # Only what it needs: functions inherit this environment, and a merchant's AWS credentials must not reach them.
        assert self._scratch is not None
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": self._scratch.name,
            "TMPDIR": self._scratch.name,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "LOG_LEVEL": "INFO",
            # Functions may do what their roles allow, and nothing else, as on AWS.
            "AUTH": "true",
            # Services that would listen on ports of their own.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "HUIKE_LOCAL_FUNCTION_PYTHON": str(_function_python(self._folder)),
            "HUIKE_LOCAL_GRACE_SECONDS": str(_GRACE_SECONDS if self._keep else 0),
        }
        if self._keep is not None:
            state = self._keep.resolve()
            environment |= {"PERSIST_STATE": "1", "STATE_DIR": str(state)}
            environment |= {"S3_PERSIST": "1", "S3_DATA_DIR": str(state / "s3")}
        return environment

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.endpoint}/_ministack/health", timeout=2).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise InfraError(f"The local AWS did not start. Its last words are in {self.log}.")


def client(service: str, endpoint: str) -> Any:
    """A boto3 client with dummy credentials for a local AWS."""
    # Typed by the service's name, which is not known here.
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 -- the local AWS takes any
        config=Config(retries={"total_max_attempts": 2}, read_timeout=90, max_pool_connections=32),
    )


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _function_python(folder: Path) -> Path:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    home = folder / f"function-python-{version}"
    python = home / "bin" / "python"
    if not python.exists():
        venv.EnvBuilder(symlinks=True, clear=True).create(home)
    packages = home / "lib" / f"python{version}" / "site-packages"
    (packages / "sitecustomize.py").write_text(_LIKE_LAMBDA, encoding="utf-8")
    return python


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        process.stdin.close()
