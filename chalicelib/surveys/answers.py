"""The answers themselves, newest first, page by page: what was answered, and on request by whom and in what words.

A month's answers lie in 16 shards, each in the order of time. A page reads the newest of each and gives as many as are
surely the newest of all; where the present month has too few, the one before is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.base import clock
from chalicelib.surveys import defining, tallies
from chalicelib.surveys.document import Answer, Answers, Definition, FreeText, Nps
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.rules.measures import DETRACTOR, PROMOTER
from chalicelib.surveys.table import RESPONSE, SHARDS, AnswerItem, ResponseItem, answers_key

ROUNDS_MAX: Final = 20
"""So many times a page looks further for what fits, before it says where to go on."""

_SPARE: Final = 4
_AT_ONCE: Final = 100

_ANSWERS = msgspec.json.Decoder(Answers)
_CONTEXTS = msgspec.json.Decoder(Context)


class Place(msgspec.Struct, array_like=True, frozen=True):
    """How far a list has come: the month, and the last answer's part in it (empty before the first)."""

    month: int
    part: str = ""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, and its place in the list. `member_id` and the words in `answers` are only there on request."""

    place: Place
    response_id: str
    answered_at: str
    version: int
    context: Context
    answers: Answers
    member_id: str | None = None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which answers are asked for: from promoters, passives or detractors, or with words on a dimension."""

    nps: str = ""
    dimension: str = ""

    def fits(self, definition: Definition, given: Given) -> bool:
        """Whether an answer, with its words where these are asked for, is one of them."""
        return self._fits_nps(definition, given.answers) and self._fits_words(definition, given.answers)

    def _fits_nps(self, definition: Definition, answers: Answers) -> bool:
        if not self.nps:
            return True
        question = next((question for question in definition.questions if isinstance(question, Nps)), None)
        number = answers.get(question.code, Answer()).number if question else None
        if number is None:
            return False
        group = "promoter" if number >= PROMOTER else "detractor" if number <= DETRACTOR else "passive"
        return group == self.nps

    def _fits_words(self, definition: Definition, answers: Answers) -> bool:
        if not self.dimension:
            return True
        return any(
            isinstance(question, FreeText)
            and question.dimension == self.dimension
            and answers.get(question.code, Answer()).text
            for question in definition.questions
        )


class Page(msgspec.Struct, frozen=True):
    """Some answers, newest first, and the place after which there are more. A page may be short though there are."""

    answers: list[Given]
    after: Place | None


def page(
    survey_id: str,
    months: range,
    *,
    after: Place | None,
    limit: int,
    wanted: Filter | None = None,
    personal: bool = False,
) -> Page:
    """Up to `limit` of the answers of some months (counted as year x 12 + month - 1), after a place.

    With `personal` they come with who gave them, and with words; a filter for these needs it.
    """
    wanted = wanted or Filter()
    place = after or Place(months[-1])
    found: list[Given] = []
    for _round in range(ROUNDS_MAX):
        if place.month < months[0]:
            return Page(found, None)
        items, is_all = _newest(survey_id, place, limit - len(found))
        given = [_given(item, place.month) for item in items]
        if personal:
            given = _with_words(given)
        found += [one for one in given if wanted.fits(defining.version(survey_id, one.version), one)]
        place = _before(survey_id, place.month, months) if is_all else Place(place.month, str(items[-1].part))
        if len(found) >= limit:
            break
    return Page(found, place if place.month >= months[0] else None)


def _before(survey_id: str, month: int, months: range) -> Place:
    """The end of the newest month before this one that has answers; before all months where there is none."""
    earlier = {clock.month_text(other): other for other in range(months[0], month)}
    counts = tallies.answers_of(survey_id, list(earlier), consistent=False)
    return Place(max((earlier[text] for text, count in counts.items() if count), default=months[0] - 1))


def _newest(survey_id: str, place: Place, count: int) -> tuple[list[AnswerItem], bool]:
    """The newest answers of a month after a place, and whether these are all that it has."""
    month = clock.month_text(place.month)
    each = count // SHARDS + _SPARE
    found: list[AnswerItem] = []
    surely = ""
    for shard in range(SHARDS):
        before = AnswerItem.part < place.part if place.part else None
        key = answers_key(survey_id, month, shard)
        items = list(AnswerItem.query(key, before, scan_index_forward=False, limit=each))
        found += items
        if len(items) == each:
            # Behind this one the shard may have more, which are newer than what others have.
            surely = max(surely, str(items[-1].part))
    newest = sorted((item for item in found if item.part >= surely), key=lambda item: str(item.part), reverse=True)
    return newest[:count], not surely and len(newest) <= count


def _given(item: AnswerItem, month: int) -> Given:
    answered_at, _, response_id = str(item.part).partition("#")
    return Given(
        place=Place(month, str(item.part)),
        response_id=response_id,
        answered_at=answered_at,
        version=item.definition,
        context=_CONTEXTS.decode(item.context),
        answers=_ANSWERS.decode(item.answers),
    )


def _with_words(given: Sequence[Given]) -> list[Given]:
    records: dict[str, ResponseItem] = {}
    for begin in range(0, len(given), _AT_ONCE):
        keys = [(one.response_id, RESPONSE) for one in given[begin : begin + _AT_ONCE]]
        records |= {str(record.key): record for record in ResponseItem.batch_get(keys)}
    return [_told(one, records.get(one.response_id)) for one in given]


def _told(given: Given, record: ResponseItem | None) -> Given:
    if record is None:
        return given
    return msgspec.structs.replace(given, answers=_ANSWERS.decode(record.body), member_id=record.member_id)
