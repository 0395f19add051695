"""`python -m infra.local.token`: prints a bearer token for the running local stack."""

import argparse
import sys

from infra.errors import InfraError
from infra.local.deploy import Stack
from infra.local.paths import PORT, stack_file
from infra.local.tokens import member_token, system_token


def main(arguments: list[str] | None = None) -> int:
    """Print one token."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.token", description=__doc__)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--system", nargs="*", metavar="SCOPE", help="a machine's token, e.g. orders.write (default: all)")
    who.add_argument("--member", metavar="ID", help="a member's token")
    parser.add_argument("--port", type=int, default=PORT, help=f"port of the stack's front (default: {PORT})")
    options = parser.parse_args(arguments)
    try:
        stack = Stack.load(stack_file(options.port))
        print(member_token(stack, options.member) if options.member else system_token(stack, options.system))
    except InfraError as error:
        print(f"token: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
