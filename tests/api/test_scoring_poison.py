"""One member of whom something is wrong: reported, counted, passed over; everybody else is scored, the night ends."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.base.errors import Unavailable
from chalicelib.ledger.table import AccountItem
from chalicelib.scoring import member, state, telling, told, tonight, visiting
from chalicelib.scoring.telling import News
from tests.api import night, scoring_night, shop


@pytest.fixture
def members() -> list[str]:
    found = []
    for number in range(5):
        one = shop.enrol(f"m{number}", phone=f"+861380013800{number}")
        for purchase in range(1 + number):
            fields = {"member_id": one, "occurred_at": shop.moment(2 + number + 4 * purchase)}
            assert shop.post_order(f"o{number}-{purchase}", **fields).status == 201
        night.project(one)
        found.append(one)
    scoring_night.whole()
    return found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def pass_by(days: int) -> None:
        then = clock.now() + days * clock.DAY_S
        monkeypatch.setattr(clock, "now", lambda: then)

    return pass_by


@pytest.fixture(autouse=True)
def _tonight(later: Callable[[int], None], members: list[str]) -> None:
    """Long after the first night, so that there is something to tell of everybody."""
    assert members
    later(120)


def failed() -> int:
    return sum(item.failed for item in night.progress(night.today(), "sweep"))


def write(member_id: str, **values: bytes) -> None:
    AccountItem(member_id).update(actions=[getattr(AccountItem, name).set(value) for name, value in values.items()])


def test_a_member_with_absurd_facts_is_passed_over_and_can_still_be_read(members: list[str]) -> None:
    right = scoring_night.facts(members[2])
    write(members[2], score_facts=state.pack(msgspec.structs.replace(right, first_day=-9)))
    scoring_night.whole()
    assert failed() == 1
    assert scoring_night.basis().members == len(members) - 1
    assert member.read(members[2], now=clock.now()).score.facts == right


def test_what_was_last_told_and_cannot_be_read_is_told_anew(members: list[str]) -> None:
    write(members[2], score_told=b"\xc1 nonsense")
    assert member.read(members[2], now=clock.now()).score.score >= 0
    scoring_night.whole()
    assert failed() == 0
    assert scoring_night.last_told(members[2]).day > scoring_night.basis().day - 2


def test_an_account_whose_state_cannot_be_read_is_passed_over(members: list[str]) -> None:
    write(members[2], state=b"\xc1 nonsense")
    scoring_night.whole()
    # The sweep cannot read it either.
    assert failed() == 2
    assert scoring_night.basis().members == len(members) - 1


def test_who_makes_scoring_itself_fail_is_found_among_many_and_left_out(members: list[str]) -> None:
    strange = told.Told(day=1, basis=1, score=50, value="platinum", behaviour="active")
    write(members[3], score_told=told.pack(strange))
    scoring_night.whole()
    assert failed() == 1
    assert scoring_night.basis().members == len(members) - 1
    others = [one for one in members if one != members[3]]
    assert {scoring_night.last_told(one).behaviour for one in others} <= {"at_risk", "lapsed"}
    assert scoring_night.last_told(members[3]) == strange


def test_who_fails_is_counted_once_over_many_legs(members: list[str]) -> None:
    write(members[3], score_told=told.pack(told.Told(day=1, basis=1, value="platinum", behaviour="active")))
    with night.queued() as lying:
        night.start(per_leg=1)
        assert len(scoring_night.run(lying)) > len(members)
    assert failed() == 1


def test_if_nobody_can_be_scored_the_night_is_not_reduced(members: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def score(*_given: object) -> None:
        raise ArithmeticError

    before = scoring_night.basis()
    monkeypatch.setattr(visiting, "_FAILED_MAX", len(members) - 1)
    monkeypatch.setattr(tonight, "scored", score)
    with night.queued(nightly_segments=1) as lying:
        night.start()
        queue, body = next(message for message in lying.messages if message[0] == "nightly")
        assert scoring_night.deliver(queue, body) == ["m0"]
    assert scoring_night.basis() == before


def failing(monkeypatch: pytest.MonkeyPatch, *whom: str) -> None:
    real = telling.tell

    def tell(news: News, *, now: int) -> bool:
        if news.account.member_id in whom:
            raise Unavailable("by the test", code="busy")
        return real(news, now=now)

    monkeypatch.setattr(telling, "tell", tell)


def test_a_member_who_cannot_be_written_to_keeps_nobody_from_being_told(
    members: list[str], monkeypatch: pytest.MonkeyPatch, later: Callable[[int], None]
) -> None:
    before = [scoring_night.last_told(one) for one in members]
    with monkeypatch.context() as patch:
        failing(patch, members[4])
        scoring_night.whole()
    after = [scoring_night.last_told(one) for one in members]
    assert [old != new for old, new in zip(before, after, strict=True)] == [True, True, True, True, False]
    assert failed() == 1
    # Nothing was written, so the next night tells it.
    later(1)
    scoring_night.whole()
    assert failed() == 0
    assert scoring_night.last_told(members[4]) != before[4]


def test_where_nobody_can_be_written_to_the_leg_begins_again(
    members: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visiting, "_FAILED_MAX", 2)
    with night.queued(nightly_segments=1) as lying, monkeypatch.context() as patch:
        failing(patch, *members)
        night.start()
        queue, body = next(message for message in lying.messages if message[0] == "nightly")
        assert scoring_night.deliver(queue, body) == ["m0"]
        assert night.progress(night.today(), "sweep") == []
        patch.undo()
        assert scoring_night.deliver(queue, body) == []
    assert failed() == 0
