"""What the writers of the simulation ask for of surveys: an invitation answered on three ways, a survey that ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from chalicelib.base import ids
from chalicelib.ledger.records import Record
from chalicelib.surveys import by_hand, changing, defining, respondents, responding
from chalicelib.surveys.document import Answer, Channel, Definition
from chalicelib.surveys.preparing import Submission
from chalicelib.surveys.respondents import Respondent
from tests.proof import survey_log as log
from tests.proof.areas import Area, Cast, Story
from tests.proof.model import Model
from tests.proof.rules_model import Rules
from tests.proof.scenario import SOON, STARTED, Request, cancel_order, merge, order, redeem, refund
from tests.proof.survey_log import EASY, OPEN_DAYS, RECOMMEND, SURVEY, own, own_names
from tests.proof.survey_model import UNHAPPY, Ask, Said
from tests.rules.survey_cases import definition, question

ANSWERED_AT = STARTED - 60
UNHAPPILY, HAPPILY = Said(2), Said(9)
HARD, EASILY = Said(3, 2), Said(8, 6)
FIRST_POINTS, LATER_POINTS = 30, 12


def survey(points: int) -> Definition:
    """A survey whose unhappy answers open a case."""
    questions = [question("nps", RECOMMEND), question("ces", EASY, required=False)]
    rules = [{"question": RECOMMEND, "at_most": UNHAPPY}]
    return definition(*questions, code=log.CODE, points=points, case_rules=rules)


def _quiet(
    name: str, send: Callable[[int], object], reasons: Callable[[Model, int], list[str]] | None = None
) -> Request:
    """A request that leaves no record of its own, and moves no points."""

    def act(now: int) -> None:
        defining.forget_all()
        send(now)

    return Request(name, "", act, lambda _model, _at, _rules: None, reasons=reasons or (lambda _model, _now: []))


def make() -> Request:
    """There is a survey."""
    return _quiet("make survey", lambda now: changing.create(survey(FIRST_POINTS), actor="staff", now=now))


def set_status(name: str, status: Literal["open", "closed"]) -> Request:
    """The survey takes answers, or does so no more."""
    return _quiet(name, lambda now: changing.set_status(SURVEY, status, actor="staff", now=now))


def edit(points: int, based_on: int) -> Request:
    """The survey gives something else."""

    def reasons(model: Model, _now: int) -> list[str]:
        head = model.surveys.heads[-1]
        return ["survey_changed"] if head.version != based_on else []

    return _quiet(
        f"edit survey {points}",
        lambda now: changing.change(SURVEY, survey(points), based_on=str(based_on), actor="staff", now=now),
        reasons,
    )


def invite(member: str, key: str, case: str = "") -> Request:
    """A member is invited by hand."""
    wanted = by_hand.Request(member_id=member, open_days=OPEN_DAYS, case_id=case, override="asked for")
    return _quiet(f"invite {key}", lambda now: by_hand.invite(SURVEY, wanted, key=key, actor="staff", now=now))


def _answer(  # noqa: PLR0917 -- who answers what, and how
    told: str, name: str, said: Said, respondent: Callable[[], Respondent], ask: Ask, rules: Rules, channel: Channel
) -> Request:
    answers = {RECOMMEND: Answer(number=said.recommend)} | ({EASY: Answer(number=said.easy)} if said.easy else {})
    submission = Submission(survey_id=SURVEY, answers=answers, channel=channel, actor="system", occurred_at=ANSWERED_AT)

    def send(now: int) -> Record | None:
        # What a process remembers of a survey for five seconds is not looked for here.
        defining.forget_all()
        record = responding.respond(submission, respondent(), now=now).record
        # Of members who became one, each may have given this answer.
        return record if record.record_id == name else None

    return Request(
        f"answer {told} {said.recommend}",
        name,
        send,
        lambda _model, _at, _rules: None,
        reasons=lambda model, now: model.surveys.why_not(model, ask, now, rules),
    )


def in_the_app(member: str, said: Said, rules: Rules) -> Request:
    """A member answers, uninvited."""
    ask = Ask(lambda model: own_names(model, member), said, ANSWERED_AT)
    return _answer(
        f"of {member[-4:]}", own(member), said, lambda: respondents.of_member(SURVEY, member), ask, rules, "app"
    )


def read_in(row: str, member: str, said: Said, rules: Rules) -> Request:
    """What a member answered on paper is read in."""
    name = ids.derived("rsp", SURVEY, "row", "paper", row)
    ask = Ask(lambda model: [name, *own_names(model, member)], said, ANSWERED_AT)
    return _answer(
        f"on paper {row}", name, said, lambda: respondents.of_row(SURVEY, "paper", row, member), ask, rules, "paper"
    )


def invited(key: str, member: str, said: Said, rules: Rules, channel: Channel = "link") -> Request:
    """An invitation is answered: by its link, on the phone, or by its member in the app."""
    invitation = log.invitation_of(key)
    name = ids.derived("rsp", invitation)
    ask = Ask(lambda _model: [name], said, ANSWERED_AT, invitation)

    def respondent() -> Respondent:
        if channel == "app":
            return respondents.of_member(SURVEY, member, invitation)
        return respondents.of_link(SURVEY, invitation)

    return _answer(f"to {key} by {channel}", name, said, respondent, ask, rules, channel)


def stories(rules: Rules, cast: Cast) -> list[Story]:
    """One member answers in every way; two become one meanwhile; the survey is changed, closed and opened again."""
    member, other = cast.member, cast.other
    before = [make(), set_status("open survey", "open"), invite(member, "one"), invite(other, "two")]
    ways = [
        invited("one", member, UNHAPPILY, rules),
        invited("one", member, UNHAPPILY, rules, "phone"),
        invited("one", member, HAPPILY, rules, "phone"),
        invited("one", member, HAPPILY, rules, "app"),
        in_the_app(member, HAPPILY, rules),
        in_the_app(member, UNHAPPILY, rules),
        read_in("1", member, UNHAPPILY, rules),
        edit(LATER_POINTS, 2),
    ]
    ended = [
        *(in_the_app(one, said, rules) for one in (member, other) for said in (HARD, EASILY)),
        invited("two", other, EASILY, rules),
        set_status("close survey", "closed"),
        edit(LATER_POINTS, 2),
        set_status("open survey again", "open"),
    ]
    united = [
        *(in_the_app(one, HAPPILY, rules) for one in (member, other)),
        in_the_app(other, UNHAPPILY, rules),
        read_in("2", other, HAPPILY, rules),
        invited("one", member, HAPPILY, rules),
        invited("two", other, UNHAPPILY, rules),
        merge(member, other),
        redeem(member, 90, "race-90"),
        refund("1", "r0", SOON, rules, amount_minor=4_000),
        order("s1", rules, member=member),
        cancel_order("s1", SOON, rules),
    ]
    return [Story(race, before) for race in (ways, ended, united)]


AREA = Area(
    stories=stories,
    hears=log.hears,
    hears_updates=True,
    tell=log.tell,
    unasked=lambda news: news.text("key").startswith("rsp_"),
    play=log.taken,
    judge=log.judge,
)
