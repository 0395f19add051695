"""What the programme says of scoring: the night's basis is made with it, and so is every score after that."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock, facts
from chalicelib.ledger.table import EntryItem
from chalicelib.scoring import closed_form, member
from chalicelib.scoring.member import Score
from chalicelib.scoring.rules.composite import PARTS
from tests.api import night, scoring_night, shop
from tests.campaigns import publish

EVEN = {"staying": 40, "value": 60} | dict.fromkeys(PARTS[2:], 0)


def bought(purchases: int) -> str:
    found = shop.enrol()
    for number in range(purchases):
        moment = shop.moment(3 + 6 * number)
        assert shop.post_order(f"o{number}", member_id=found, occurred_at=moment).status == 201
    night.project(found)
    return found


def scored(member_id: str, **scoring: Any) -> Score:
    """The score after a night by these settings."""
    publish(scoring=scoring)
    scoring_night.whole()
    return member.read(member_id, now=clock.now()).score


def test_parts_count_as_the_programme_says() -> None:
    found = scored(bought(4), weights=EVEN)
    assert [(part.name, round(part.weight, 6)) for part in found.parts] == [("staying", 0.4), ("value", 0.6)]
    assert found.score == pytest.approx(100 * (0.4 * (1 - found.seen.churn) + 0.6 * found.percentile))


def test_the_night_scores_by_the_same_weights() -> None:
    one = bought(4)
    scored(one, weights=EVEN)
    stored, account = scoring_night.last_told(one), member.Account(400, 0, None)
    then = member.score_on(stored.day, scoring_night.basis(), scoring_night.facts(one), account)
    assert [part.name for part in then.parts] == ["staying", "value"]
    assert stored.score == pytest.approx(then.score, abs=0.5)


def standing(found: Score) -> closed_form.Standing:
    state = found.facts
    return closed_form.Standing(state.repeats, state.last_day - state.first_day, found.seen.age_days)


@pytest.mark.parametrize(("margin", "discount"), [(100, 15), (35, 15), (35, 0)])
def test_value_is_what_is_left_of_a_purchase(margin: int, discount: int) -> None:
    found = scored(bought(4), margin_percent=margin, discount_percent=discount)
    assert (found.basis.margin, found.basis.discount_a_year) == (margin / 100, discount / 100)
    # Purchases of twelve months are worth what they bring, and those of the last months least.
    purchases = found.seen.value_12 / found.basis.margin / found.seen.basket
    undiscounted = closed_form.expected(found.basis.model, standing(found), 12 * 30.4375)
    assert purchases == pytest.approx(undiscounted) if not discount else 0.85 * undiscounted < purchases < undiscounted


def test_the_model_is_the_one_that_is_asked_for() -> None:
    assert scored(bought(4), model="bg-nbd").basis.model.name == "bg-nbd"


@pytest.mark.parametrize(("least", "alerts"), [(None, 1), (500, 1), (501, 0)])
def test_so_many_points_must_expire_for_an_alert(
    least: int | None, alerts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bought(4)
    scored(one, expiring_points_min=least)
    start = clock.now()
    expires_at = scoring_night.view(one).next_expiry_at
    assert expires_at
    monkeypatch.setattr(clock, "now", lambda: max(start, clock.parse(expires_at) - 10 * clock.DAY_S))
    scoring_night.whole()
    found = [entry for entry in EntryItem.query(one) if entry.kind == facts.ALERT and entry.reason == "expiring"]
    assert len(found) == alerts
