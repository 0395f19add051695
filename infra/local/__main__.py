"""`make run`: starts a local AWS, deploys the packaged template, brings in real purchases, and serves the API."""

import argparse
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from rich.console import Console

from infra.errors import InfraError
from infra.local.demo import bring_in_demo
from infra.local.paths import PORT, run_folder
from infra.local.serve import serve
from infra.local.start import start

_PORT_TAKEN = 2
_LAST_PORT = 65535
_STOPPING = (signal.SIGINT, signal.SIGTERM)


def main(arguments: list[str] | None = None) -> int:
    """Run until Ctrl-C."""
    options = _parse(arguments)
    # A terminated run must clean up like an interrupted one; and a shell that starts us in the background has told us
    # to ignore the interrupt.
    for number in _STOPPING:
        signal.signal(number, _interrupt)
    console = Console(highlight=False)
    try:
        with _bind(options.port) as listener, start(run_folder(options.port), options.keep, console) as stack:
            if options.seed:
                bring_in_demo(stack, console, keep=options.keep, limit=options.limit)
            serve(stack, listener, options.port, console)
    except InfraError as error:
        console.print(f"[red]make run:[/red] {error}", soft_wrap=True)
        return _PORT_TAKEN if isinstance(error, PortTaken) else 1
    except KeyboardInterrupt:
        console.print("stopped")
    return 0


class PortTaken(InfraError):
    """Somebody else listens on the port that was asked for."""


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    parser.add_argument("--port", type=_port, default=PORT, help=f"port of the front (default: {PORT})")
    parser.add_argument("--no-seed", dest="seed", action="store_false", help="start empty, without the demo")
    parser.add_argument("--limit", type=_count, metavar="N", help="bring in the first N purchases only")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the local AWS in this folder between runs")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{number} is no port: choose one from 1 to {_LAST_PORT}.")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("bring in at least one purchase, or none at all with --no-seed.")
    return number


@contextlib.contextmanager
def _bind(port: int) -> Iterator[socket.socket]:
    """The listening socket, taken before anything else, since a taken port would waste everything that comes before."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listener:
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(128)
        except OSError as error:
            raise PortTaken(
                f"Port {port} cannot be used ({os.strerror(error.errno or 0)}): stop what listens there, "
                f'or choose another one with ARGS="--port {port + 10}".'
            ) from None
        yield listener


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Somebody in a hurry presses Ctrl-C twice, and the second one must not cut the cleaning up short.
    for number in _STOPPING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
