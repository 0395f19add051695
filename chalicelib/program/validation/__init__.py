"""Whether a document may become the programme: its structure, and that its fields fit together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.base.errors import Invalid
from chalicelib.program.document import DOCUMENT_MAX_BYTES, Program, decode
from chalicelib.program.validation import (
    birthday,
    campaigns,
    cases,
    earning,
    engagement,
    groups,
    ladder,
    referrals,
    rewards,
    scoring,
    surveys,
    vouchers,
)
from chalicelib.program.validation.problem import Problem

__all__ = ["InvalidProgram", "Problem", "validate"]

_AT_PATH = re.compile(r" - at (`key` in )?`\$\.?(?P<path>[^`]*)`$")


class InvalidProgram(Invalid):
    """The document cannot be the programme. `problems` says everything that is wrong with it."""

    code = "program_invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        told = [f"{problem.field}: {problem.detail}" if problem.field else problem.detail for problem in problems]
        super().__init__(" ".join(told), field=problems[0].field or None)
        self.problems = tuple(problems)


def validate(document: bytes | str | object) -> Program:
    """The programme that JSON text, or plain JSON data, describes.

    Raises InvalidProgram with every problem that the checks find. A document of the wrong structure is refused for the
    first fault in it, since nothing can be said about the rest.
    """
    program = _decoded(_text(document))
    problems = [problem for check in _CHECKS for problem in check(program)]
    if problems:
        raise InvalidProgram(problems)
    return program


def _text(document: bytes | str | object) -> bytes:
    try:
        if isinstance(document, bytes):
            text = document
        else:
            text = document.encode() if isinstance(document, str) else msgspec.json.encode(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidProgram([Problem("", f"The document is not JSON: {error}.")]) from error
    if len(text) > DOCUMENT_MAX_BYTES:
        raise InvalidProgram([Problem("", f"The document has more than {DOCUMENT_MAX_BYTES} bytes.")])
    return text


def _decoded(text: bytes) -> Program:
    try:
        return decode(text)
    except msgspec.DecodeError as error:
        message = str(error)
        found = _AT_PATH.search(message)
        path, detail = (found["path"], message[: found.start()]) if found else ("", message)
        raise InvalidProgram([Problem(path, f"{detail}.")]) from error


def _check_zone(program: Program) -> Iterator[Problem]:
    try:
        ZoneInfo(program.time_zone)
    except (KeyError, ValueError, OSError):
        # The name of a folder of the zone database raises OSError, a path out of it ValueError.
        yield Problem("time_zone", f"{program.time_zone} is no zone of the IANA database, such as Asia/Shanghai.")


def _check_redemption(program: Program) -> Iterator[Problem]:
    redemption = program.redemption
    if redemption is None:
        return
    if redemption.minimum_points % redemption.step_points:
        yield Problem("redemption.minimum_points", "The minimum must be a multiple of step_points.")
    for currency, amount_minor in redemption.amount_minor.items():
        path = f"redemption.amount_minor.{currency}"
        if currency not in program.currencies:
            yield Problem(path, f"{currency} is not among the currencies.")
        if redemption.step_points * amount_minor % redemption.points_per:
            yield Problem(path, f"A step of {redemption.step_points} points is not a whole number of minor units.")


_CHECKS: Final[tuple[Callable[[Program], Iterable[Problem]], ...]] = (
    _check_zone,
    earning.check_currencies,
    earning.check_exclusions,
    earning.check_codes,
    earning.check_rules,
    earning.check_limits,
    groups.check_groups,
    campaigns.check_campaigns,
    vouchers.check_vouchers,
    ladder.check_thresholds,
    ladder.check_codes,
    ladder.check_multipliers,
    ladder.check_policy,
    _check_redemption,
    rewards.check_rewards,
    engagement.check_events,
    engagement.check_benefits,
    engagement.check_challenges,
    referrals.check_referrals,
    birthday.check_birthday,
    surveys.check_surveys,
    cases.check_cases,
    scoring.check_scoring,
)
