"""The process that is the local AWS. It is started by `aws.LocalAws`, never by hand.

It reads its standard input and ends with its whole process group as soon as that closes. The starting process holds
the other end, so even when that one is killed outright nothing is left running.
"""

import os
import signal
import sys
import threading

from infra.local.unpacked import share


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os.killpg(0, signal.SIGTERM)
    threading.Event().wait(float(os.environ["HUIKE_LOCAL_GRACE_SECONDS"]))
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Run ministack until the parent lets go."""
    # They read their settings when they are imported.
    from ministack.app import main as ministack  # noqa: PLC0415
    from ministack.core import lambda_runtime  # noqa: PLC0415

    # ministack runs functions with `sys.executable`. A bare interpreter sees the package and the standard library
    # only, as on Lambda, so a dependency that the package lacks fails here and not first in production.
    sys.executable = os.environ["HUIKE_LOCAL_FUNCTION_PYTHON"]
    share(lambda_runtime)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = ["ministack"]
    ministack()


if __name__ == "__main__":
    main()
