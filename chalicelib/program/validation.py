"""Whether a document may become the programme: its structure, and that its fields fit together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.base import money
from chalicelib.base.errors import Invalid
from chalicelib.ledger.state import MONTHS_MAX
from chalicelib.program.document import DOCUMENT_MAX_BYTES, Program, decode

_MULTIPLIER_MAX: Final = 100
# With these the largest order there may be, multiplied as far as a tier may, still brings a number of points that every
# reader of JSON keeps exact.
_POINTS_PER_MINOR_MAX: Final = 90
_DECIMAL = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")
_AT_PATH = re.compile(r" - at (`key` in )?`\$\.?(?P<path>[^`]*)`$")


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong, and where: a path such as `tiers[1].multiplier`, "" for the document itself."""

    field: str
    detail: str


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


def _check_currencies(program: Program) -> Iterator[Problem]:
    if program.base_currency not in program.currencies:
        yield Problem("base_currency", f"{program.base_currency} is not among the currencies.")
    for currency, rate in program.currencies.items():
        if rate.points > _POINTS_PER_MINOR_MAX * rate.per_minor:
            yield Problem(f"currencies.{currency}", f"At most {_POINTS_PER_MINOR_MAX} points are given a minor unit.")


def _check_rules(program: Program) -> Iterator[Problem]:
    codes = [rule.code for rule in program.earning_rules]
    for index in _repeated(codes):
        yield Problem(f"earning_rules[{index}].code", f"{codes[index]} stands twice.")
    if len(codes) > 1:
        yield Problem("earning_rules", "Only one rule may give points per amount.")


def _check_thresholds(program: Program) -> Iterator[Problem]:
    thresholds = [tier.threshold_points for tier in program.tiers]
    if thresholds[0] != 0:
        yield Problem("tiers[0].threshold_points", "The first tier is everyone's: its threshold is 0.")
    for index in range(1, len(thresholds)):
        if thresholds[index] <= thresholds[index - 1]:
            yield Problem(f"tiers[{index}].threshold_points", "The threshold must be above that of the tier before.")


def _check_tier_codes(program: Program) -> Iterator[Problem]:
    places = [(f"tiers[{index}].code", tier.code) for index, tier in enumerate(program.tiers)]
    for index, tier in enumerate(program.tiers):
        places += [(f"tiers[{index}].replaces[{place}]", code) for place, code in enumerate(tier.replaces)]
    for index in _repeated([code for _path, code in places]):
        yield Problem(places[index][0], f"{places[index][1]} stands for another tier already.")


def _check_multipliers(program: Program) -> Iterator[Problem]:
    for index, tier in enumerate(program.tiers):
        value = money.rate(tier.multiplier) if _DECIMAL.fullmatch(tier.multiplier) else Fraction(0)
        if not 0 < value <= _MULTIPLIER_MAX:
            yield Problem(
                f"tiers[{index}].multiplier",
                f'A multiplier is a decimal above 0 and up to {_MULTIPLIER_MAX}, written as text such as "1.25".',
            )


def _check_tier_policy(program: Program) -> Iterator[Problem]:
    policy = program.tier_policy
    # The grace that touches the most months is one that begins in February.
    last_day = date(2025, 2, 1) + timedelta(policy.grace_days - 1)
    grace_months = last_day.year * 12 + last_day.month - 2025 * 12 - 1
    if policy.window_months + policy.keep_months + grace_months > MONTHS_MAX:
        # What a tier was reached with must be remembered for as long as the tier is kept, or no refund could reach it.
        detail = f"window_months, keep_months and the months of grace_days are {MONTHS_MAX} together at the most."
        yield Problem("tier_policy", detail)


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
    _check_currencies,
    _check_rules,
    _check_thresholds,
    _check_tier_codes,
    _check_multipliers,
    _check_tier_policy,
    _check_redemption,
)


def _repeated(values: Sequence[Any]) -> list[int]:
    """The places at which a value stands that stood before."""
    return [index for index, value in enumerate(values) if value in values[:index]]
