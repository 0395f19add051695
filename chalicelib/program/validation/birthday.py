"""Whether everybody whose birthday is kept gets something."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.program.document import Program
from chalicelib.program.validation.campaigns import audience_problems
from chalicelib.program.validation.problem import Problem, repeated


def check_birthday(program: Program) -> Iterator[Problem]:
    """Every gift has a code of its own, an audience that there is, and something in it."""
    if program.birthday is None:
        return
    gifts = program.birthday.gifts
    for index in repeated([gift.code for gift in gifts]):
        yield Problem(f"birthday.gifts[{index}].code", f"{gifts[index].code} stands twice.")
    for index, gift in enumerate(gifts):
        path = f"birthday.gifts[{index}]"
        yield from audience_problems(program, gift.audience, f"{path}.audience")
        if not gift.points and gift.voucher_batch_id is None:
            yield Problem(f"{path}.points", "A gift is points, a voucher, or both.")
    for index, gift in enumerate(gifts[:-1]):
        if gift.audience == type(gift.audience)():
            yield Problem(
                f"birthday.gifts[{index}].audience", "This gift is for everybody, so no other comes after it."
            )
