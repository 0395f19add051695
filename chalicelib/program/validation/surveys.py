"""Whether the policy for surveys fits together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chalicelib.program.document import Program
from chalicelib.program.validation.campaigns import audience_problems
from chalicelib.program.validation.problem import Problem

PLACEHOLDER: Final = "{token}"


def check_surveys(program: Program) -> Iterator[Problem]:
    """The link leads somewhere, codes are given once, and only purchases are counted."""
    link = program.surveys.link_url
    if link and not (link.startswith("https://") and link.count(PLACEHOLDER) == 1):
        yield Problem("surveys.link_url", "The link begins with https:// and has {token} in it once.")
    elif not (link.isascii() and (not link or link.isprintable()) and " " not in link):
        yield Problem("surveys.link_url", "The link has only characters that a link may have.")
    codes: set[str] = set()
    for index, invite in enumerate(program.surveys.invites):
        at = f"surveys.invites[{index}]"
        if invite.code in codes:
            yield Problem(f"{at}.code", f"The code {invite.code} is given twice.")
        if invite.nth_orders and invite.on != "order":
            yield Problem(f"{at}.nth_orders", "Only an invitation that a purchase sets off counts purchases.")
        yield from audience_problems(program, invite.audience, f"{at}.audience")
        codes.add(invite.code)
