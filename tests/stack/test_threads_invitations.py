"""Real threads at invitations: the contact policy lets through as many as it says, and an answer is given once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.base.errors import Refusal, Unavailable
from chalicelib.ledger.posting import Lost, Outcome, commit
from chalicelib.surveys import by_hand, changing, defining, inviting, reacting
from chalicelib.surveys.by_hand import Request
from chalicelib.surveys.document import Definition
from chalicelib.surveys.invitation_table import read_contacts, read_invitation
from chalicelib.surveys.reacting import Asked
from chalicelib.surveys.table import RESPONSE, StandInItem
from infra.local.aws import LocalAws
from tests import writers
from tests.api import asking
from tests.api.asking import QUESTIONS, invite
from tests.local_engine import engine_on
from tests.programs import texts

_THREADS = 16


@pytest.fixture(autouse=True)
def engine(tmp_path: Path) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path)):
        yield


@pytest.fixture
def survey_id() -> str:
    """An open survey, and a policy of three invitations a year."""
    asking.publish(invite("pulse", on="quarterly"), per_year=3)
    defining.forget_all()
    body = {"code": "nps", "kind": "relationship", "title": texts("Visit"), "questions": QUESTIONS}
    made, _replayed = changing.create(msgspec.convert(body, Definition), actor="staff:x", now=clock.now())
    changing.set_status(made.survey_id, "open", actor="staff:x", now=clock.now())
    return made.survey_id


def at_once(acts: list[Callable[[], str]]) -> Counter[str]:
    """What comes of acts that are all done at once, each until it is known."""

    def patiently(act: Callable[[], str]) -> str:
        for _attempt in range(20):
            try:
                return act()
            except Refusal as refusal:
                if refusal.reason_code != "busy":
                    return refusal.reason_code
        raise AssertionError("it is busy for ever")

    random.Random(1).shuffle(acts)  # noqa: S311 -- an order like any other
    with ThreadPoolExecutor(_THREADS) as pool:
        return Counter(pool.map(patiently, acts))


def test_of_many_invitations_at_once_as_many_are_sent_as_the_policy_says(survey_id: str) -> None:
    (anna,) = writers.enrolled(1)

    def by_hand_of(key: str) -> Callable[[], str]:
        request = Request(member_id=anna, open_days=30)

        def act() -> str:
            posted = by_hand.invite(survey_id, request, key=key, actor="staff:x", now=clock.now())
            return "replayed" if posted.replayed else "sent"

        return act

    def by_rule_of(quarter: str) -> Callable[[], str]:
        def act() -> str:
            asked = Asked(member_id=anna, invite="pulse", occasion=quarter, due=clock.now())
            reacting.take(asked, now=clock.now())
            return "taken"

        return act

    # Each request twice, so that a replay races with its own first time as well.
    acts = [by_hand_of(f"k{number % 8}") for number in range(16)]
    acts += [by_rule_of(f"q{number % 8}") for number in range(16)]
    came = at_once(acts)

    contacts = read_contacts([anna])[anna].contacts
    made = [read_invitation(contact.invitation_id) for contact in contacts]
    assert len(made) == len({contact.invitation_id for contact in contacts}) == 3
    assert all(invitation and invitation.status == "open" for invitation in made)
    month = clock.text(clock.now() + 8 * 3600)[:7]
    assert inviting.sent_counts(survey_id, [month]) == {month: 3}
    assert sum(came.values()) == 32
    assert came["sent"] == sum(not invitation.invite for invitation in made if invitation)


def test_an_invitation_is_answered_or_withdrawn_once(survey_id: str) -> None:
    (anna,) = writers.enrolled(1)
    request = Request(member_id=anna, open_days=30)
    posted = by_hand.invite(survey_id, request, key="k", actor="staff:x", now=clock.now())
    found = inviting.read(posted.record.key)

    def answers(number: int) -> Callable[[], str]:
        def act() -> str:
            response_id = f"rsp_{number}"
            record = StandInItem(response_id, RESPONSE, record_id=response_id)
            try:
                outcome, _found = commit([], record, [inviting.answering(found, response_id, now=clock.now())])
            except Lost:
                return "lost"
            if outcome is Outcome.AGAIN:
                raise Unavailable("Once more.", code="busy")
            return "answered"

        return act

    def withdraws() -> str:
        inviting.withdraw(survey_id, found.invitation_id, actor="staff:x", now=clock.now())
        return "withdrawn"

    came = at_once([*(answers(number) for number in range(8)), *([withdraws] * 8)])
    after = inviting.read(found.invitation_id)

    assert came["answered"] == (after.status == "answered") <= 1
    if after.status == "withdrawn":
        assert (came["withdrawn"], came["lost"]) == (8, 8)
    else:
        assert (came["answered"], came["lost"], came["invitation_answered"]) == (1, 7, 8)
