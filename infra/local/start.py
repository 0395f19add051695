"""From nothing to a deployed stack: package, local AWS, CloudFormation."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from infra import package
from infra.local import deploy
from infra.local.assets import assets
from infra.local.aws import LocalAws


@contextlib.contextmanager
def start(folder: Path, keep: Path | None, console: Console, template: Path | None = None) -> Iterator[deploy.Stack]:
    """A deployed local stack; leaving it ends all of its processes."""
    with step(console, "packaging"):
        assets()
        template = template or package.local_package()
    local_aws = LocalAws(folder, keep)
    try:
        with step(console, "starting the local AWS"):
            local_aws.start()
        with step(console, "deploying the template"):
            stack = deploy.deploy(local_aws, template)
        stack.save(folder / "stack.json")
        yield stack
    finally:
        (folder / "stack.json").unlink(missing_ok=True)
        local_aws.stop()


@contextlib.contextmanager
def step(console: Console, what: str) -> Iterator[None]:
    """Say what is being done and, when it is done, how long it took."""
    begun = time.monotonic()
    with console.status(f"{what} …"):
        yield
    console.print(f"[green]✓[/green] {what} [dim]({time.monotonic() - begun:.1f} s)[/dim]")
