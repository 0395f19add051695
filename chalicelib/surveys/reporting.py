"""The page of a survey's results: read from the tables of the night, or live where there are none yet."""

from __future__ import annotations

from typing import Final

from chalicelib.surveys import results
from chalicelib.surveys.report import page
from chalicelib.surveys.results import Wanted
from chalicelib.surveys.rules.crossing import Grouping

_TABLES: Final[tuple[Grouping, ...]] = ("tier", "segment", "channel", "store")


def page_of(survey_id: str, *, first: str = "", last: str = "", now: int) -> str:
    """The page as HTML, of the months from `first` to `last` (the last twelve where empty).

    Raises SurveyNotFound, Invalid (`query_invalid`) and TablesChanging.
    """
    told, groups = results.read_all(survey_id, Wanted(first=first, last=last, source="nightly"), _TABLES, now=now)
    if told.crossed_at is None:
        return page.html(results.read(survey_id, Wanted(first=first, last=last), now=now))
    return page.html(told, groups)
