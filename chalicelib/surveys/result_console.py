"""What an admin can ask of surveys' results from the AWS console."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.base import queues
from chalicelib.base.console import Request
from chalicelib.base.errors import Invalid
from chalicelib.base.settings import settings
from chalicelib.surveys import defining, exporting, reporting, results
from chalicelib.surveys.answers import Place
from chalicelib.surveys.crossing import Month
from chalicelib.surveys.results import Wanted
from chalicelib.surveys.rules.crossing import Grouping
from chalicelib.surveys.rules.figures import Source

_LIST_MAX = 100

_HELP = {
    "list": {"action": "list", "(gives)": f"the newest {_LIST_MAX} surveys"},
    "results": {
        "action": "results",
        "survey": "its code or id",
        "from": "2026-01",
        "to": "2026-11",
        "source": "live | nightly",
        "group_by": "tier | channel | store | segment | language (of the night)",
    },
    "page": {"action": "page", "survey": "its code or id", "(gives)": "a page with charts, to be saved as .html"},
    "export_results": {"action": "export_results", "survey": "its code or id", "locale": "en", "(gives)": "CSV"},
    "export_answers": {
        "action": "export_answers",
        "survey": "its code or id",
        "personal": False,
        "after": None,
        "(gives)": f"up to {exporting.ANSWERS_MAX} answers as CSV, and where to go on",
    },
    "cross": {"action": "cross", "survey": "its code or id", "month": "2026-11", "(does)": "makes its tables anew"},
}


class Help(Request, frozen=True, kw_only=True, tag="help"):
    """What can be asked for."""


class List(Request, frozen=True, kw_only=True, tag="list"):
    """The newest surveys."""


class _Asked(Request, frozen=True, kw_only=True):
    survey: Annotated[str, Meta(min_length=1, max_length=64)]
    first: str = msgspec.field(name="from", default="")
    last: str = msgspec.field(name="to", default="")


class ReadResults(_Asked, frozen=True, kw_only=True, tag="results"):
    """What answers say."""

    source: Source = "live"
    group_by: Grouping | None = None


class ReadPage(_Asked, frozen=True, kw_only=True, tag="page"):
    """The same as a page with charts, of the night's tables."""


class ExportResults(_Asked, frozen=True, kw_only=True, tag="export_results"):
    """The same as CSV."""

    source: Source = "live"
    group_by: Grouping | None = None
    locale: str = "en"


class ExportAnswers(_Asked, frozen=True, kw_only=True, tag="export_answers"):
    """The answers themselves, after a place."""

    personal: bool = False
    after: Place | None = None


class Cross(Request, frozen=True, kw_only=True, tag="cross"):
    """Make the tables of a month anew."""

    survey: Annotated[str, Meta(min_length=1, max_length=64)]
    month: str


Requests = Help | List | ReadResults | ReadPage | ExportResults | ExportAnswers | Cross


def done(request: Requests, now: int) -> dict[str, Any]:
    """Do what is asked. Raises SurveyNotFound, Invalid and TablesChanging."""
    match request:
        case Help():
            return {"actions": _HELP}
        case List():
            return {"surveys": [_line(place) for place in defining.listed(after=None, limit=_LIST_MAX)]}
        case ReadResults() | ReadPage() | ExportResults():
            return _told(request, now)
        case ExportAnswers():
            return _answers(request, now)
        case Cross():
            return _crossed(request, now)


def _told(request: ReadResults | ReadPage | ExportResults, now: int) -> dict[str, Any]:
    survey_id = _id(request.survey, now)
    if isinstance(request, ReadPage):
        return {"html": reporting.page_of(survey_id, first=request.first, last=request.last, now=now)}
    told = results.read(survey_id, _wanted(request), now=now)
    if isinstance(request, ExportResults):
        return {"csv": exporting.results(told, request.locale)}
    return {"results": msgspec.to_builtins(told)}


def _wanted(request: ReadResults | ExportResults) -> Wanted:
    source: Source = "nightly" if request.group_by else request.source
    return Wanted(first=request.first, last=request.last, source=source, by=request.group_by)


def _answers(request: ExportAnswers, now: int) -> dict[str, Any]:
    survey = defining.read(_id(request.survey, now), now=now)
    months = results.months_asked(Wanted(first=request.first, last=request.last), now=now)
    questions = results.questions_of(survey)
    found = exporting.answers(survey.survey_id, questions, months, after=request.after, personal=request.personal)
    return {"csv": found.csv, "answers": found.answers, "after": msgspec.to_builtins(found.after)}


def _crossed(request: Cross, now: int) -> dict[str, Any]:
    survey_id = _id(request.survey, now)
    defining.read(survey_id, now=now)
    # Checked as the months of results are.
    results.months_asked(Wanted(first=request.month, last=request.month), now=now)
    if not request.month:
        raise Invalid("Say which month.", field="month")
    queues.send(settings().crossings_queue_url, Month(survey_id, request.month, anew=True))
    return {"asked_for": request.month, "survey_id": survey_id}


def _id(survey: str, now: int) -> str:
    """A survey by its id or its code. Raises SurveyNotFound."""
    return survey if survey.startswith("srv_") else defining.by_code(survey, now=now).survey_id


def _line(listed: tuple[str, defining.Survey]) -> dict[str, Any]:
    survey = listed[1]
    return {
        "survey_id": survey.survey_id,
        "code": survey.code,
        "status": survey.status,
        "title": survey.definition.title.en,
        "version": survey.number,
        "changed_at": survey.changed_at,
    }
