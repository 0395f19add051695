"""What answers say, over HTTP: results, the answers themselves, and both as CSV."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from chalicelib.base.errors import Invalid
from chalicelib.program.document.cases import Dimension
from chalicelib.surveys import answers, defining, exporting, results
from chalicelib.surveys.answers import Filter, Given, Place
from chalicelib.surveys.result_schema import AnswerOut, AnswerPage, AnswersCsv, ResultsCsv
from chalicelib.surveys.results import Wanted
from chalicelib.surveys.rules.crossing import Grouping
from chalicelib.surveys.rules.figures import Results, Source
from chalicelib.web.call import Call, Reply
from chalicelib.web.room import ACCEPT_LANGUAGE, PAGE, Param, Room

room = Room("surveys")
"""Apart from the room in which answers are taken, which is to start fast."""

READ: Final = ("surveys.read",)
PERSONAL: Final = "surveys.personal"
_STAFF: Final = ("staff", "system")
_MONTHS: Final = (
    Param("from", "The first month, such as `2026-01`; eleven before the last one without it."),
    Param("to", "The last month; the present one without it."),
)
_TABLES: Final = (
    *_MONTHS,
    Param(
        "source",
        "`live`: all answers until now. `nightly`: the tables of the last night, with key drivers and groups.",
        Source,
    ),
    Param("group_by", "One table more, by this; only of the night.", Grouping),
)
_IS_PERSONAL: Final = Param(
    "personal", f"`true`: with texts, and with who wrote them. Needs the scope `{PERSONAL}` as well.", Literal["true"]
)
_FILTERS: Final = (
    Param("nps", "Only from promoters, passives or detractors.", Literal["promoter", "passive", "detractor"]),
    Param("dimension", "Only with a text on this dimension; needs `personal=true`.", Dimension),
)
_CHOICES: Final[dict[str, Any]] = {param.name: param.schema for param in (*_TABLES, _IS_PERSONAL, *_FILTERS)}


@room.get(
    "/v1/surveys/{survey_id}/results",
    answer=Results,
    scopes=READ,
    callers=_STAFF,
    query=_TABLES,
    summary="Read what answers say",
    statuses={200: "Figures with their 95 % intervals; those of fewer than 30 answers are hidden."},
    errors=("survey_not_found", "tables_changing", "busy"),
)
def get_results(call: Call[None], survey_id: str) -> Reply[Results]:
    """NPS, CSAT and CES of 1 to 36 months, by question, dimension and month, with changes and the response rate.

    Answers that are flagged (straight-lined, too fast) are left out of every figure but their own.
    """
    return Reply(results.read(survey_id, _wanted(call), now=call.now))


@room.get(
    "/v1/surveys/{survey_id}/results/csv",
    answer=ResultsCsv,
    scopes=READ,
    callers=_STAFF,
    query=_TABLES,
    headers=(ACCEPT_LANGUAGE,),
    summary="Export what answers say",
    statuses={200: "All tables as CSV, with titles in the language asked for."},
    errors=("survey_not_found", "tables_changing", "busy"),
)
def get_results_csv(call: Call[None], survey_id: str) -> Reply[ResultsCsv]:
    """What the results have, a figure a line. Nothing in it is run by a spreadsheet."""
    told = results.read(survey_id, _wanted(call), now=call.now)
    return Reply(ResultsCsv(csv=exporting.results(told, call.locale)))


@room.get(
    "/v1/surveys/{survey_id}/answers",
    answer=AnswerPage,
    scopes=READ,
    callers=_STAFF,
    query=(*_MONTHS, *_FILTERS, _IS_PERSONAL, *PAGE),
    summary="List answers",
    statuses={200: "Answers of these months, newest first."},
    errors=("survey_not_found", "cursor_invalid", "busy"),
)
def list_answers(call: Call[None], survey_id: str) -> Reply[AnswerPage]:
    """With `dimension`, what people wrote about it. Texts are as they were written: escape them."""
    defining.read(survey_id, now=call.now)
    wanted = Filter(nps=_choice(call, "nps"), dimension=_choice(call, "dimension"))
    personal = _personal(call)
    if wanted.dimension and not personal:
        raise Invalid("Texts are only there with personal=true.", field="dimension", code="query_invalid")
    page = answers.page(
        survey_id, _months(call), after=_after(call, survey_id), limit=call.limit, wanted=wanted, personal=personal
    )
    shown = tuple(_shown(given) for given in page.answers)
    return Reply(AnswerPage(answers=shown, next_cursor=_cursor(call, survey_id, page.after)))


@room.get(
    "/v1/surveys/{survey_id}/answers/csv",
    answer=AnswersCsv,
    scopes=READ,
    callers=_STAFF,
    query=(*_MONTHS, _IS_PERSONAL, Param("cursor", "`next_cursor` of the page before.")),
    summary="Export answers",
    statuses={200: f"Up to {exporting.ANSWERS_MAX} answers as CSV, newest first."},
    errors=("survey_not_found", "cursor_invalid", "busy"),
)
def get_answers_csv(call: Call[None], survey_id: str) -> Reply[AnswersCsv]:
    """Pages put one behind the other are one file. Nothing that people wrote is run by a spreadsheet."""
    survey, personal = defining.read(survey_id, now=call.now), _personal(call)
    questions, months = results.questions_of(survey), _months(call)
    page = exporting.answers(survey_id, questions, months, after=_after(call, survey_id), personal=personal)
    next_cursor = _cursor(call, survey_id, page.after)
    return Reply(AnswersCsv(csv=page.csv, answers=page.answers, next_cursor=next_cursor))


def _wanted(call: Call[None]) -> Wanted:
    by = _choice(call, "group_by")
    return Wanted(
        first=call.query("from") or "",
        last=call.query("to") or "",
        source=_choice(call, "source") or ("nightly" if by else "live"),
        by=by or None,
    )


def _months(call: Call[None]) -> range:
    return results.months_asked(Wanted(first=call.query("from") or "", last=call.query("to") or ""), now=call.now)


def _choice(call: Call[None], name: str) -> Any:
    """One of the words that a parameter knows, empty without it. Raises Invalid `query_invalid`."""
    text = call.query(name) or ""
    try:
        return msgspec.convert(text, _CHOICES[name]) if text else ""
    except msgspec.ValidationError as error:
        raise Invalid(f"{name} is none of those that it may be.", field=name, code="query_invalid") from error


def _personal(call: Call[None]) -> bool:
    """Whether words and names are asked for. Raises Forbidden unless the caller may have them."""
    if not _choice(call, "personal"):
        return False
    call.caller.require(PERSONAL)
    return True


def _after(call: Call[None], survey_id: str) -> Place | None:
    found = call.cursor(_list(call, survey_id))
    return msgspec.convert(found, Place) if found is not None else None


def _cursor(call: Call[None], survey_id: str, after: Place | None) -> str | None:
    return call.next_cursor(_list(call, survey_id), after) if after is not None else None


def _list(call: Call[None], survey_id: str) -> str:
    """The list that a cursor belongs to: these answers of this survey."""
    return "#".join([survey_id, *(call.query(name) or "" for name in ("from", "to", "nps", "dimension", "personal"))])


def _shown(given: Given) -> AnswerOut:
    context = given.context
    return AnswerOut(
        id=given.response_id,
        version=given.version,
        answered_at=given.answered_at,
        channel=context.channel,
        tier=context.tier,
        segments=context.segments,
        store=context.store,
        locale=context.locale,
        seconds=context.seconds,
        flags=context.flags,
        member_id=given.member_id,
        answers=given.answers,
    )
