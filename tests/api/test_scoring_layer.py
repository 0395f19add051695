"""A layer over the model at night and in a read: both say the same of every member."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chalicelib.base import clock, objects
from chalicelib.program.document.scoring import ScoringPolicy
from chalicelib.scoring import keeping, member, parts, reducing, told
from chalicelib.scoring.care import Ahead
from chalicelib.scoring.closed_form import Layer, Tried
from chalicelib.scoring.console_triggers import administer_scoring
from chalicelib.scoring.rules import layering
from chalicelib.scoring.rules.coming import Coming
from chalicelib.scoring.rules.layering import Layers
from chalicelib.scoring.rules.rows import Raw
from tests.api import night, scoring_night, shop
from tests.rules.test_scoring_reading import TODAY, some_state

CHANCE = Layer(chance=(0.6, 0.8, 0.1, 0.7, -0.9), brier=Tried(0.11, 0.10), members=400)
BOTH = Layer(chance=(-0.5, 1.2, -0.2, 0.4, 0.3), number=(0.2, -0.1, 0.9, 0.5, -0.3), mae=Tried(0.5, 0.4), members=400)


@pytest.fixture
def members() -> list[str]:
    """Members with 0 to 5 purchases on different days."""
    found = []
    for number in range(6):
        one = shop.enrol(f"m{number}", phone=f"+861380013800{number}")
        for purchase in range(number):
            moment = shop.moment(2 + number + 5 * purchase)
            assert shop.post_order(f"o{number}-{purchase}", member_id=one, occurred_at=moment).status == 201
        night.project(one)
        found.append(one)
    return found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets so many days pass."""

    def pass_by(days: int) -> None:
        then = clock.now() + days * clock.DAY_S
        monkeypatch.setattr(clock, "now", lambda: then)
        keeping.forget()

    return pass_by


def found_by_nights(monkeypatch: pytest.MonkeyPatch, layer: Layer) -> None:
    """Let nights find this layer, as if there were members and years enough."""
    monkeypatch.setattr(layering, "layers", lambda *_seen: Layers(layer, layer))


def test_a_young_programme_goes_by_the_model_alone(members: list[str]) -> None:
    scoring_night.whole()
    assert scoring_night.basis().layer == Layer(refused=("too_young",), number_refused=("too_young",))
    report = msgspec.json.decode(objects.get("reports/latest/report.json") or b"{}")
    assert (report["layer"]["chance"], report["layer"]["refused"]) == ([], ["too_young"])
    found = administer_scoring({"action": "basis"}, None)["layer"]
    assert (found["in_use_for"], list(found["refused"])) == ([], ["too_young"])
    assert members


@pytest.mark.parametrize("layer", [CHANCE, BOTH])
def test_what_a_read_says_with_a_layer_is_what_the_night_tells(
    layer: Layer, members: list[str], later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found_by_nights(monkeypatch, layer)
    # Nights store what they say of everybody, whether or not it has changed.
    monkeypatch.setattr(told, "next_told", lambda _last, now, *_alerts, **_more: now)
    chance = random.Random(7)  # noqa: S311 -- not for secrets
    scoring_night.whole()
    for turn in range(4):
        later(chance.choice([1, 20, 70]))
        one = chance.choice(members)
        moment = clock.text(clock.now() - chance.randrange(2 * clock.DAY_S))
        assert shop.post_order(f"t{turn}", member_id=one, occurred_at=moment).status == 201
        night.project(one)
        read = {each: member.read(each, now=clock.now()).score for each in members}
        later(1)
        scoring_night.whole()
        for each, said in read.items():
            stored = scoring_night.last_told(each)
            assert said.basis.layer == layer
            assert (stored.day, stored.basis) == (said.day, said.basis.number)
            assert (stored.value, stored.behaviour) == (said.value, said.behaviour)
            assert abs(stored.score - said.score) <= 0.5 + 1e-6


def test_a_layer_changes_the_chance_and_leaves_the_rest(members: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    scoring_night.whole()
    plain = [member.read(one, now=clock.now()).score.seen for one in members]
    found_by_nights(monkeypatch, BOTH)
    with night.queued() as lying:
        administer_scoring({"action": "run"}, None)
        scoring_night.run(lying)
    keeping.forget()
    layered = [member.read(one, now=clock.now()).score.seen for one in members]
    assert plain[0] == layered[0]
    for before, after in zip(plain[1:], layered[1:], strict=True):
        assert abs(after.churn - before.churn) > 0.01
        assert abs(after.expected - before.expected) > 0.01
        assert after.expected >= 1.0 - after.churn
        for name in ("active", "overdue", "basket", "value_12"):
            assert getattr(after, name) == pytest.approx(getattr(before, name), rel=1e-6), name


def test_the_console_shows_a_layer_and_explains_with_it(members: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found_by_nights(monkeypatch, BOTH)
    scoring_night.whole()
    found = administer_scoring({"action": "basis"}, None)["layer"]
    assert found["in_use_for"] == ["chance", "number"]
    assert list(found["chance"].values()) == list(BOTH.chance)
    assert found["number"]["log_number"] == 0.9
    assert found["mae"] == {"model": 0.5, "layer": 0.4}
    seen = member.read(members[4], now=clock.now()).score.seen
    explained = administer_scoring({"action": "explain", "member_id": members[4]}, None)
    assert explained["score"]["churn"]["probability"] == pytest.approx(seen.churn, abs=1e-3)
    assert explained["score"]["expected_purchases"] == pytest.approx(seen.expected, abs=0.1)


def test_a_programme_of_some_years_finds_its_own_layer_and_keeps_it() -> None:
    """From states through the files that workers hand on to the basis, and to the night after."""
    chance = random.Random(3)  # noqa: S311 -- not for secrets
    states = [some_state(chance) for _member in range(900)]
    names = [f"mem_{place:04}" for place in range(len(states))]
    for begin in (0, 500):
        part = slice(begin, begin + 500)
        count = len(names[part])
        raw = Raw.of(states[part], [0] * count, [0] * count, TODAY)
        given: Any = {"available": [0] * count, "coming": Coming.of([Ahead()] * count, [""] * count)}
        parts.write(f"nights/x/{begin}", parts.Rows.of(names[part], states[part], raw, [None] * count, TODAY, **given))
    rows = parts.read(["nights/x/500", "nights/x/0", "nights/x/0"])
    assert rows is not None
    assert len(rows.names) == 900
    assert (rows.early.now, len(rows.early)) == (TODAY - 182, 900)
    found, basis = reducing.assessed(rows, None, TODAY, ScoringPolicy())
    layer = basis.layer
    assert layer.chance
    assert layer.brier is not None
    assert layer.brier.layer < layer.brier.model
    assert found.now.standing.layer == layer
    # The day before is told with the layer of that time, and both by models of their own.
    assert found.before is not None
    assert found.before.standing.layer.chance not in {layer.chance, ()}
    assert found.before.standing.model != found.now.standing.model
    assert reducing.assessed(rows, basis, TODAY, ScoringPolicy())[1].layer == layer
    some = rows.some(range(0, 900, 2))
    assert some.early.repeats.tolist() == rows.early.repeats[::2].tolist()
