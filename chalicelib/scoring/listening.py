"""What surveys and cases have counted by month, as the end of a night asks for it: bounded reads of live totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.base import clock
from chalicelib.cases import tallies as case_tallies
from chalicelib.cases.rules import counting as cases
from chalicelib.scoring.rules import voices
from chalicelib.scoring.rules.past import Heard
from chalicelib.scoring.rules.voices import Said
from chalicelib.surveys import defining, results, tallies
from chalicelib.surveys.defining import Survey
from chalicelib.surveys.rules import measures

WHOLE_MONTHS: Final = 6
"""Satisfaction is told of so many whole months, and of the present one."""

MONTHS_AT_FIRST: Final = 24
"""So many months are read once; what lies further back than the above is kept from then on."""

SURVEYS_MAX: Final = 100
"""So many surveys are read at the most, the newest ones."""

_PAGE: Final = 25
_COMPLAINTS: Final = cases.kind("complaint")


class Listened(msgspec.Struct, frozen=True):
    """What all `surveys` that were answered say of the latest months, and what was said in each month that was read."""

    said: Said
    surveys: int
    months: tuple[Heard, ...]


def listen(month: int, kept: Iterable[int], *, day: int, night: str, zone: ZoneInfo) -> Listened:
    """Read what was said in `month` and the six before it, and in what is not `kept` yet of the two years before.

    Of each survey that may have answers in them, 16 items a month. Raises Unavailable.
    """
    present = range(month - WHOLE_MONTHS, month + 1)
    wanted = sorted({*present, *(set(range(month - MONTHS_AT_FIRST, month)) - set(kept))})
    net = {one: Counter[str]() for one in wanted}
    all_said, answered = Said(), 0
    for survey in _surveys(clock.month_start(wanted[0], zone)):
        questions = results.questions_of(survey)
        counts = {one: found.sound for one, found in read(survey.survey_id, wanted).items()}
        for one in wanted:
            given = voices.said(questions, counts[one]).nps
            net[one].update(
                promoters=measures.promoters(given), detractors=measures.detractors(given), answers=sum(given.values())
            )
        together = sum((counts[one] for one in present), Counter[str]())
        all_said, answered = all_said.plus(voices.said(questions, together)), answered + bool(together)
    complaints = _complaints(wanted)
    heard = (Heard(one, day, night, **net[one], complaints=complaints[one]) for one in wanted)
    return Listened(all_said, answered, tuple(heard))


def _surveys(since: int) -> Iterator[Survey]:
    """The newest surveys that may have been answered since an instant."""
    after, left = None, SURVEYS_MAX
    while left > 0:
        page = defining.listed(after=after, limit=min(_PAGE, left))
        for place, survey in page:
            after, left = place, left - 1
            is_long_closed = survey.status == "closed" and clock.parse(survey.changed_at) < since
            if survey.opened and not is_long_closed:
                yield survey
        if len(page) < _PAGE:
            return


def read(survey_id: str, months: Sequence[int]) -> dict[int, tallies.Totals]:
    """What one survey has counted in some months (year x 12 + month − 1), as of a moment ago. Raises Unavailable."""
    texts = {clock.month_text(month): month for month in months}
    # Flagged answers count for nothing.
    found = tallies.read(survey_id, list(texts), consistent=False, flagged=False)
    return {texts[month]: totals for month, totals in found.items()}


def _complaints(months: Sequence[int]) -> dict[int, int]:
    texts = {clock.month_text(month): month for month in months}
    return {texts[month]: counts[_COMPLAINTS] for month, counts in case_tallies.read(list(texts)).items()}
