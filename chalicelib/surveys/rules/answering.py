"""Whether answers fit the questions that were asked: pure.

What is accepted is brought into one form, so that the same answer is always stored alike: texts without outer blanks
and with plain line ends, options and rows in the order of the survey, nothing for what was left empty.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

import msgspec

from chalicelib.base.errors import Invalid
from chalicelib.surveys.document import (
    Answer,
    Answers,
    AnyQuestion,
    Ces,
    Csat,
    Definition,
    FreeText,
    Matrix,
    Multiple,
    Nps,
    Scale,
    Single,
)
from chalicelib.surveys.rules import asking

OPTION_CHARACTERS: Final = 500
"""So many characters may be added to an option that takes words."""

ROW_LOWEST: Final = 1
ROW_HIGHEST: Final = 5

# Line ends and tabs belong to what people write.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LINE_END = re.compile(r"\r\n?|\u2028|\u2029")


class AnswersInvalid(Invalid):
    """The answers do not fit the questions."""

    code = "answers_invalid"


def checked(definition: Definition, answers: Mapping[str, Answer], partial: bool = False) -> Answers:  # noqa: FBT001, FBT002 -- agreed with who calls it
    """The answers in the form in which they are kept, in the order of the survey's questions.

    With `partial`, required questions and rows may still be missing. Raises AnswersInvalid with the path of the answer
    at fault, such as `answers.reason`: for a question that does not exist (`question_unknown`) or is not asked
    (`question_not_asked`), a required one without an answer (`answer_required`), a control character
    (`control_character`), and whatever else is wrong with an answer.
    """
    known = {question.code: question for question in definition.questions}
    for code in answers:
        if code not in known:
            raise AnswersInvalid("The survey has no such question.", field=f"answers.{code}", code="question_unknown")
    given = {
        code: answer
        for code, question in known.items()
        if code in answers and (answer := _checked(question, answers[code], partial=partial)) is not None
    }
    asked = asking.asked_codes(definition, given)
    for code, question in known.items():
        if code in given and code not in asked:
            detail = "This question is not asked after these answers. Leave it out."
            raise AnswersInvalid(detail, field=f"answers.{code}", code="question_not_asked")
        if not partial and question.required and code in asked and code not in given:
            raise AnswersInvalid("This question must be answered.", field=f"answers.{code}", code="answer_required")
    return given


def scale_of(question: AnyQuestion) -> tuple[int, int] | None:
    """The lowest and the highest number that answers a question, None for one without a number."""
    match question:
        case Nps():
            return 0, 10
        case Csat():
            return 1, 5
        case Ces():
            return 1, 7
        case Scale(lowest=lowest, highest=highest):
            return lowest, highest
        case _:
            return None


def without_words(answers: Mapping[str, Answer]) -> Answers:
    """The answers without anything that a person wrote; an answer that is nothing but words is left out."""
    bare = {code: msgspec.structs.replace(answer, text=None) for code, answer in answers.items()}
    return {code: answer for code, answer in bare.items() if answer != Answer()}


def _checked(question: AnyQuestion, answer: Answer, *, partial: bool) -> Answer | None:
    """One answer in its form, None for one that says nothing."""
    path = f"answers.{question.code}"
    match question:
        case FreeText(characters=characters):
            _only(answer, path, "text")
            text = _words(answer.text, characters, path)
            return Answer(text=text) if text else None
        case Single() | Multiple():
            return _chosen(question, answer, path)
        case Matrix():
            return _rated(question, answer, path, partial=partial)
    _only(answer, path, "number")
    if answer.number is None:
        return None
    lowest, highest = scale_of(question) or (0, 0)
    _check_number(answer.number, lowest, highest, f"{path}.number")
    return Answer(number=answer.number)


def _chosen(question: Single | Multiple, answer: Answer, path: str) -> Answer | None:
    _only(answer, path, "options", "text")
    known = {option.code: option for option in question.options}
    for code in answer.options:
        if code not in known:
            raise AnswersInvalid("This is none of the options.", field=f"{path}.options", code="option_unknown")
    chosen = tuple(code for code in known if code in answer.options)
    if len(chosen) < len(answer.options):
        raise AnswersInvalid("An option is chosen once.", field=f"{path}.options")
    maximum = 1 if isinstance(question, Single) else question.maximum or len(known)
    if len(chosen) > maximum:
        raise AnswersInvalid(f"At most {maximum} may be chosen.", field=f"{path}.options", code="options_too_many")
    if len(chosen) > 1 and any(known[code].exclusive for code in chosen):
        raise AnswersInvalid("An option that is chosen excludes all others.", field=f"{path}.options")
    text = _words(answer.text, OPTION_CHARACTERS, path)
    if text and not any(known[code].open_text for code in chosen):
        raise AnswersInvalid("Words go with an option that takes them.", field=f"{path}.text")
    return Answer(options=chosen, text=text or None) if chosen else None


def _rated(question: Matrix, answer: Answer, path: str, *, partial: bool) -> Answer | None:
    _only(answer, path, "rows")
    given = answer.rows or {}
    known = [row.code for row in question.rows]
    for code, number in given.items():
        if code not in known:
            raise AnswersInvalid("There is no such row.", field=f"{path}.rows.{code}", code="row_unknown")
        _check_number(number, ROW_LOWEST, ROW_HIGHEST, f"{path}.rows.{code}")
    missing = next((code for code in known if code not in given), None)
    if given and missing and question.required and not partial:
        raise AnswersInvalid("Every row must be rated.", field=f"{path}.rows.{missing}", code="answer_required")
    return Answer(rows={code: given[code] for code in known if code in given}) if given else None


def _only(answer: Answer, path: str, *members: str) -> None:
    """Raises AnswersInvalid where an answer says something that its question has no place for."""
    given = {"number": answer.number is not None, "options": bool(answer.options), "rows": answer.rows is not None}
    given["text"] = answer.text is not None
    for name, is_given in given.items():
        if is_given and name not in members:
            wanted = " and ".join(members)
            raise AnswersInvalid(f"This question is answered with {wanted}.", field=f"{path}.{name}")


def _check_number(number: int, lowest: int, highest: int, path: str) -> None:
    if not lowest <= number <= highest:
        raise AnswersInvalid(f"The answer is a number from {lowest} to {highest}.", field=path)


def _words(text: str | None, characters: int, path: str) -> str:
    """Words as they are kept. What looks like markup or a formula is kept as it is, and made harmless where it goes."""
    words = unicodedata.normalize("NFC", _LINE_END.sub("\n", text or "")).strip()
    if _CONTROL.search(words):
        raise AnswersInvalid("Texts hold no control characters.", field=f"{path}.text", code="control_character")
    if len(words) > characters:
        detail = f"The text has {len(words)} characters; {characters} are taken."
        raise AnswersInvalid(detail, field=f"{path}.text", code="text_too_long")
    return words
