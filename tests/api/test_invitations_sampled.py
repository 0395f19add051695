"""The quarterly sample: the night asks whose day it is, once in a quarter, though nights fall out or come twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pytest

from chalicelib import night as deployed
from chalicelib.base import clock, queues
from chalicelib.ledger import projector
from chalicelib.ledger.table import AccountItem, read_view
from chalicelib.ledger.walk import Leg
from chalicelib.program import service as programs
from chalicelib.surveys import inviting, reacting, sampling
from chalicelib.surveys.sampler import Drawn, Sampler
from tests.api import asking
from tests.api.asking import enrol, invite
from tests.api.test_invitations import merge

PERCENT = 60
QUARTER = "2027-Q1"


@pytest.fixture
def members() -> list[str]:
    """Members of whom some are drawn."""
    asking.publish(invite("pulse", on="quarterly", percent=PERCENT))
    asking.survey()
    found = [enrol(f"m{number}") for number in range(8)]
    projector_sees(found)
    return found


def projector_sees(members: Iterable[str]) -> None:
    for member_id in members:
        projector.rebuild(member_id)


def day(number: int) -> int:
    """The instant at which a day of the quarter begins (0: the first)."""
    zone = programs.in_force(clock.now(), now=clock.now()).program.zone
    return int(datetime(2027, 1, 1, tzinfo=zone).timestamp()) + number * clock.DAY_S


def views(members: Iterable[str]) -> list[AccountItem]:
    return [view for member_id in members if (view := read_view(member_id))]


def night(seen: list[AccountItem], number: int) -> list[Drawn]:
    """What the night of a day draws."""
    found: list[Drawn] = []
    cut = day(number)
    visitor = Sampler(Leg(walk="sweep", night="n", cut=cut, segment=0, segments=1), {})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(queues, "send", lambda _url, message: found.append(message))
        for account in seen:
            visitor.visit(account)
    assert visitor.carry() == {"drawn": len(found)}
    return found


def invited(member_id: str, now: int) -> list[int]:
    """The days of the quarter on which a member was invited."""
    contacts = asking.contacts(member_id)
    assert all(inviting.read(made.invitation_id).member_id == member_id for made in contacts)
    return [(made.at - day(0)) // clock.DAY_S for made in contacts if made.at <= now]


def test_the_deployed_night_draws_samples() -> None:
    assert deployed.VISITORS["survey_sample"] is Sampler


def test_whoever_is_drawn_is_asked_once_on_the_day(members: list[str]) -> None:
    seen = views(members)
    for number in range(90):
        for _time in range(2):
            for drawn in night(seen, number):
                reacting.drawn(drawn, now=day(number) + 3_600)

    drawn_ones = {one for one in members if sampling.is_drawn(PERCENT, one, "pulse", QUARTER)}
    assert 0 < len(drawn_ones) < len(members)
    for member_id in members:
        expected = [sampling.day_of(90, member_id, "pulse", QUARTER)] if member_id in drawn_ones else []
        assert invited(member_id, day(90)) == expected


def test_two_nights_that_fell_out_are_made_up_for(members: list[str]) -> None:
    seen = views(members)
    drawn_one = next(one for one in members if sampling.is_drawn(PERCENT, one, "pulse", QUARTER))
    own = sampling.day_of(90, drawn_one, "pulse", QUARTER)
    for late in (0, 1, 2):
        assert drawn_one in {drawn.member_id for drawn in night(seen, own + late)} or own + late > 89
    assert drawn_one not in {drawn.member_id for drawn in night(seen, own + 3)}


def test_whoever_has_left_is_not_asked(members: list[str]) -> None:
    drawn_one, *others = [one for one in members if sampling.is_drawn(PERCENT, one, "pulse", QUARTER)]
    own = sampling.day_of(90, drawn_one, "pulse", QUARTER)
    before = views([drawn_one])
    merge(drawn_one, others[0])
    projector_sees([drawn_one])

    assert night(views([drawn_one]), own) == []
    # A view that is behind still draws; whoever took over is asked in the other's place.
    (drawn,) = night(before, own)
    reacting.drawn(drawn, now=day(own) + 60)
    assert [made.at for made in asking.contacts(others[0])] == [day(own) + 60]


def test_without_a_rule_the_night_sends_nothing(members: list[str]) -> None:
    asking.publish(invite())
    programs.reset_cache()
    assert [drawn for number in range(90) for drawn in night(views(members), number + 400)] == []
