"""Whether a survey's definition fits together: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from chalicelib.base.errors import Invalid
from chalicelib.program.validation.problem import Problem
from chalicelib.surveys.document import (
    AnyQuestion,
    CaseRule,
    Ces,
    Definition,
    Matrix,
    Multiple,
    Nps,
    Scale,
    ShowIf,
    Single,
)
from chalicelib.surveys.rules import answering


class DefinitionInvalid(Invalid):
    """The definition cannot be a survey. `problems` says everything that is wrong with it."""

    code = "survey_invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(
            " ".join(f"{problem.field}: {problem.detail}" for problem in problems), field=problems[0].field or None
        )
        self.problems = tuple(problems)


def check(definition: Definition) -> None:
    """Raises DefinitionInvalid with everything that is wrong with a definition."""
    problems = [problem for find in _CHECKS for problem in find(definition)]
    if problems:
        raise DefinitionInvalid(problems)


def _check_codes(definition: Definition) -> Iterator[Problem]:
    yield from _twice([question.code for question in definition.questions], "questions", "code")
    for path, question in _questions(definition):
        if isinstance(question, Single | Multiple):
            yield from _twice([option.code for option in question.options], f"{path}.options", "code")
        elif isinstance(question, Matrix):
            yield from _twice([row.code for row in question.rows], f"{path}.rows", "code")


def _check_blocks(definition: Definition) -> Iterator[Problem]:
    """Questions in random order stand one after the other."""
    ended: set[str] = set()
    before: str | None = None
    for path, question in _questions(definition):
        if question.block != before and before is not None:
            ended.add(before)
        if question.block in ended and question.block != before:
            yield Problem(f"{path}.block", f"The questions of block {question.block} stand one after the other.")
        before = question.block


def _check_options(definition: Definition) -> Iterator[Problem]:
    for path, question in _questions(definition):
        if isinstance(question, Multiple) and (question.maximum or 0) > len(question.options):
            yield Problem(f"{path}.maximum", "There are fewer options than that.")
        if isinstance(question, Single | Multiple):
            if sum(option.open_text for option in question.options) > 1:
                yield Problem(f"{path}.options", "One option takes words at the most, or nobody knew whose they are.")
            if isinstance(question, Multiple) and all(option.exclusive for option in question.options):
                yield Problem(f"{path}.options", "Not every option can exclude all others.")


def _check_scales(definition: Definition) -> Iterator[Problem]:
    for path, question in _questions(definition):
        if isinstance(question, Scale) and (question.lowest_title is None) != (question.highest_title is None):
            yield Problem(f"{path}.lowest_title", "Both ends of a scale have a word, or none has.")


def _check_conditions(definition: Definition) -> Iterator[Problem]:
    """Conditions lead back to a question that stands before this one for everybody, and can be so answered."""
    before: dict[str, AnyQuestion] = {}
    for path, question in _questions(definition):
        for index, condition in enumerate(question.show_if):
            at = f"{path}.show_if[{index}]"
            asked = before.get(condition.question)
            if asked is None:
                yield Problem(f"{at}.question", f"No question before this one has the code {condition.question}.")
            elif asked.block is not None and asked.block == question.block:
                detail = f"{condition.question} stands in the same block, so it may well be asked after this one."
                yield Problem(f"{at}.question", detail)
            else:
                yield from _condition_problems(condition, asked, at)
        before[question.code] = question


def _condition_problems(condition: ShowIf, asked: AnyQuestion, at: str) -> Iterator[Problem]:
    bounds = [bound for bound in (condition.at_least, condition.at_most) if bound is not None]
    if bool(bounds) == bool(condition.any_of):
        yield Problem(at, "A condition has either a range of numbers or some options.")
    elif condition.any_of:
        yield from _option_problems(condition.any_of, asked, f"{at}.any_of")
    else:
        yield from _number_problems(bounds, asked, at)
        if len(bounds) > 1 and bounds[0] > bounds[1]:
            yield Problem(f"{at}.at_least", "No number is in this range.")


def _check_case_rules(definition: Definition) -> Iterator[Problem]:
    known = {question.code: question for question in definition.questions}
    for index, rule in enumerate(definition.case_rules):
        at = f"case_rules[{index}]"
        asked = known.get(rule.question)
        if asked is None:
            yield Problem(f"{at}.question", f"No question has the code {rule.question}.")
        else:
            yield from _case_problems(rule, asked, at)


def _case_problems(rule: CaseRule, asked: AnyQuestion, at: str) -> Iterator[Problem]:
    if (rule.at_most is None) == (not rule.any_of):
        yield Problem(at, "A rule for cases has either a number or some options.")
    elif rule.any_of:
        yield from _option_problems(rule.any_of, asked, f"{at}.any_of")
    elif isinstance(asked, Matrix):
        yield from _range_problems([rule.at_most or 0], (answering.ROW_LOWEST, answering.ROW_HIGHEST), at)
    else:
        yield from _number_problems([rule.at_most or 0], asked, at)


def _option_problems(codes: Iterable[str], asked: AnyQuestion, at: str) -> Iterator[Problem]:
    if not isinstance(asked, Single | Multiple):
        yield Problem(at, f"{asked.code} is answered without options.")
        return
    known = {option.code for option in asked.options}
    for code in codes:
        if code not in known:
            yield Problem(at, f"{asked.code} has no option {code}.")


def _number_problems(bounds: Sequence[int], asked: AnyQuestion, at: str) -> Iterator[Problem]:
    scale = answering.scale_of(asked)
    if scale is None:
        yield Problem(at, f"{asked.code} is answered without a number.")
    else:
        yield from _range_problems(bounds, scale, at)


def _range_problems(bounds: Sequence[int], scale: tuple[int, int], at: str) -> Iterator[Problem]:
    lowest, highest = scale
    if any(not lowest <= bound <= highest for bound in bounds):
        yield Problem(at, f"The answers are numbers from {lowest} to {highest}.")


def _check_kind(definition: Definition) -> Iterator[Problem]:
    """The kinds whose results are known by one question have it; and something must be there to be answered."""
    wanted: Mapping[str, type[AnyQuestion]] = {"relationship": Nps, "post_case": Ces}
    measure = wanted.get(definition.kind)
    if measure and not any(isinstance(question, measure) for question in definition.questions):
        yield Problem("questions", f"A survey of kind {definition.kind} asks for the {measure.__name__.upper()}.")
    if not any(question.required for question in definition.questions):
        yield Problem("questions", "At least one question is required, or an empty answer would be a complete one.")


def _check_points(definition: Definition) -> Iterator[Problem]:
    if definition.points > POINTS_MAX:
        yield Problem("points", f"An answer gives {POINTS_MAX} points at the most.")


def _twice(codes: Sequence[str], path: str, name: str) -> Iterator[Problem]:
    for index, code in enumerate(codes):
        if code in codes[:index]:
            yield Problem(f"{path}[{index}].{name}", f"The code {code} is given twice.")


def _questions(definition: Definition) -> Iterator[tuple[str, AnyQuestion]]:
    for index, question in enumerate(definition.questions):
        yield f"questions[{index}]", question


POINTS_MAX: Final = 1_000_000
"""More than this is a slip of the pen: whoever wants to give it does so by hand."""

_CHECKS: Final[tuple[Callable[[Definition], Iterable[Problem]], ...]] = (
    _check_codes,
    _check_blocks,
    _check_options,
    _check_scales,
    _check_conditions,
    _check_case_rules,
    _check_kind,
    _check_points,
)
