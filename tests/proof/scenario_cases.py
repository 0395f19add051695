"""What the writers of the simulation ask for of cases: two handlers make one good while its member goes on."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.cases import compensating, feedback, moving
from chalicelib.cases.compensating import Amends
from chalicelib.cases.feedback import Sender
from chalicelib.cases.moving import Who, Words
from chalicelib.cases.opening import case_id_of
from chalicelib.cases.rules.moves import Assignment, Move
from chalicelib.cases.schema import FeedbackIn
from chalicelib.cases.table import step_id_of
from tests.proof import case_log as log
from tests.proof.areas import Area, Cast, Story
from tests.proof.model import Model
from tests.proof.rules_model import Rules
from tests.proof.scenario import SOON, Request, adjust, cancel_order, merge, order, redeem, refund
from tests.proof.scenario_surveys import EASILY, HARD, invite, invited, make, set_status

CASE = case_id_of("key", "system:crm", "complaint")
LI, WANG, BOSS = "staff:li", "staff:wang", "staff:boss"


def _request(name: str, send: Callable[[int], object], reasons: Callable[[Model], list[str]]) -> Request:
    def act(now: int) -> None:
        send(now)

    return Request(name, "", act, lambda _model, _at, _rules: None, reasons=lambda model, _now: reasons(model))


def complain(member: str) -> Request:
    """A member complains."""
    body = FeedbackIn(kind="complaint", text="Broken.", member_id=member)
    sender = Sender(actor="system:crm", key="complaint")
    return _request("complain", lambda now: feedback.receive(body, sender, now=now), lambda _model: [])


def take(actor: str) -> Request:
    """A handler takes the case."""
    wanted = Assignment(owner=actor)
    return _request(
        f"take case {actor}",
        lambda now: moving.assign(CASE, wanted, Words(), Who(actor, "take", now)),
        lambda model: model.cases.why_not_take(CASE, actor),
    )


def move(asked: Move, key: str = "") -> Request:
    """The case is moved on."""
    return _request(
        f"{asked} {key}",
        lambda now: moving.move(CASE, asked, Words(), Who(LI, f"{asked} {key}", now)),
        lambda model: model.cases.why_not_move(CASE, asked),
    )


def give(actor: str, points: int) -> Request:
    """A handler would give points."""
    wanted = Amends(points=points, reason="Sorry.")
    return _request(
        f"give {points} {actor}",
        lambda now: compensating.ask(CASE, wanted, Who(actor, f"{points}", now)),
        lambda model: model.cases.why_not_ask(CASE, points),
    )


def name_of(asker: str, points: int) -> str:
    """The id that a compensation will have."""
    return f"cmp_{step_id_of(CASE, 'compensation', asker, f'{points}').partition('.')[2]}"


def decide(actor: str, asker: str, points: int, *, approves: bool) -> Request:
    """Somebody decides on what waits."""
    name = name_of(asker, points)
    return _request(
        f"{'approve' if approves else 'refuse'} {points} of {asker} by {actor}",
        lambda now: compensating.decide(CASE, name, approves=approves, text="", who=Who(actor, "", now)),
        lambda model: model.cases.why_not_decide(CASE, name, actor, approves=approves),
    )


def stories(rules: Rules, cast: Cast) -> list[Story]:
    """Handlers compensate one case at once; its member buys, sends back, rates it, and becomes one with another."""
    member, other = cast.member, cast.other
    before = [complain(member), take(LI), move("analyse")]
    amends = [
        *(give(actor, points) for actor in (LI, WANG) for points in (300, 9_000)),
        give(WANG, 12_000),
        decide(BOSS, LI, 9_000, approves=True),
        decide(WANG, LI, 9_000, approves=False),
        decide(WANG, WANG, 9_000, approves=True),
        decide(BOSS, WANG, 12_000, approves=True),
        order("c1", rules, member=member),
        refund("1", "r0", SOON, rules, amount_minor=4_000),
        cancel_order("c1", SOON, rules),
        merge(member, other),
        adjust(member, -70, "down"),
    ]
    asked = [*before, make(), set_status("open survey", "open"), invite(member, "case", CASE)]
    worked = [
        invited("case", member, EASILY, rules),
        invited("case", member, HARD, rules, "phone"),
        take(WANG),
        move("act"),
        move("resolve"),
        move("verify"),
        move("reopen"),
        move("analyse", "again"),
        give(LI, 300),
        give(WANG, 300),
        decide(BOSS, WANG, 300, approves=True),
        merge(member, other),
        redeem(member, 90, "race-90"),
    ]
    return [Story(amends, before), Story(worked, asked)]


AREA = Area(stories=stories, hears=log.hears, tell=log.tell, unasked=log.is_fact, play=log.posted, judge=log.judge)
