"""What has changed since the night before: flows add up, movers moved, newcomers came, whatever the order of rows."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.scoring.report import build, since
from chalicelib.scoring.report.model import Report, Since
from chalicelib.scoring.report.since import NOT_THERE, Earlier, Said
from chalicelib.scoring.rules import composite, segments
from chalicelib.scoring.rules.history import members_on
from chalicelib.scoring.rules.outcomes import Economy
from chalicelib.scoring.rules.scoring import score
from tests.scoring import NOW, bought, standing

Purchase = tuple[int, int, float]


def rows(found: list[Purchase], members: int) -> build.Rows:
    member, day, amount = (np.array(column) for column in zip(*found, strict=True))
    names = tuple(f"c{place:03}" for place in range(members))
    return build.Rows(names=names, member=member, day=day, amount=amount)


def made(given_rows: build.Rows, until: int = NOW) -> Report:
    found = build.assessed(given_rows, until, "mbg-nbd", Economy())
    return build.report(given_rows, found, source="x", until=until)


def changed(report: Report) -> Since:
    assert report.since is not None
    return report.since


def crowd(seed: int, members: int = 120) -> list[Purchase]:
    random = np.random.default_rng(seed)
    found = []
    for member in range(members):
        days = NOW - random.integers(0, 500, int(random.integers(1, 12)))
        found += [(member, int(day), float(random.gamma(2.0, 30.0))) for day in days]
    return found


@given(seed=st.integers(0, 10_000))
@settings(max_examples=12, deadline=None)
def test_everybody_stayed_moved_or_came(seed: int) -> None:
    found = changed(made(rows(crowd(seed), 120)))
    assert found.members == 120
    for kind in ("behaviour", "value"):
        flows = getattr(found, kind)
        assert all(flow.before != flow.now and flow.members > 0 for flow in flows)
        assert sum(flow.members for flow in flows if flow.before == NOT_THERE) == found.came
        assert found.stayed[kind] + sum(flow.members for flow in flows) == found.members


def test_a_file_is_held_against_the_day_before_by_the_same_standing() -> None:
    given_rows = rows(crowd(3), 120)
    today = build.assessed(given_rows, NOW, "mbg-nbd", Economy())
    old = score(today.now.standing, members_on(given_rows.until(NOW), NOW - 1))[0]
    told = changed(made(given_rows))
    assert told.day == "2024-10-03"
    names, there = segments.BEHAVIOURS, old.bought
    pairs = zip(old.behaviour[there].tolist(), today.now.scores.behaviour[there].tolist(), strict=True)
    moved = [(names[before], names[now]) for before, now in pairs if before != now]
    flows = [(flow.before, flow.now) for flow in told.behaviour for _one in range(flow.members)]
    assert sorted(flow for flow in flows if flow[0] != NOT_THERE) == sorted(moved)


def test_who_bought_today_rises_and_who_came_today_is_new() -> None:
    others = [buy for buy in crowd(5) if buy[1] < NOW and buy[0] != 7]
    back = [(7, NOW - 300, 40.0), (7, NOW - 250, 40.0), (7, NOW, 80.0)]
    found = changed(made(rows([*others, *back, (120, NOW, 50.0)], 121)))
    assert found.came == 1
    assert (NOT_THERE, "new", 1) in [(flow.before, flow.now, flow.members) for flow in found.behaviour]
    assert found.risers[0].member == "c007"
    assert all(mover.now - mover.before >= since.MOVED for mover in found.risers)
    assert all(mover.before - mover.now >= since.MOVED for mover in found.fallers)
    by_far = [mover.now - mover.before for mover in found.risers]
    assert by_far == sorted(by_far, reverse=True)
    assert {mover.reason for mover in found.risers} <= set(composite.PARTS)


def test_the_order_of_rows_does_not_matter() -> None:
    given_rows = crowd(9)
    turned = list(reversed(given_rows))
    assert changed(made(rows(given_rows, 120))) == changed(made(rows(turned, 120)))


def test_on_the_very_first_day_there_is_nothing_to_compare_with() -> None:
    assert made(rows([(0, NOW, 9.0), (1, NOW, 3.0)], 2)).since is None


@pytest.mark.parametrize("told", [60.0, 20.0])
def test_a_score_that_something_beside_buying_moved_has_no_part_for_a_reason(told: float) -> None:
    # Nobody has bought anything on these days: an answer has moved the score.
    purchases = bought((0, NOW - 200, 30.0), (0, NOW - 100, 30.0))
    there, code = np.ones(1, bool), np.zeros(1, np.int64)
    before, now = Said(there, code, code, np.array([told])), Said(there, code, code, np.array([40.0]))
    found = since.since(("ann",), purchases, Earlier(NOW, before, now, standing()), NOW, "day")
    (mover,) = found.risers + found.fallers
    assert (mover.reason, mover.before, mover.now) == ("", told, 40.0)
    assert bool(found.risers) == (told < 40.0)


def test_members_without_a_purchase_move_as_well() -> None:
    there = np.array([True, True, False])
    none, new = (segments.BEHAVIOURS.index(name) for name in ("none", "new"))
    value, marks = np.zeros(3, np.int64), np.zeros(3)
    before = Said(there, value, np.array([none, none, none]), marks)
    now = Said(np.ones(3, bool), value, np.array([none, new, none]), marks)
    purchases = bought((1, NOW, 9.0), members=3)
    found = since.since(("a", "b", "c"), purchases, Earlier(NOW - 1, before, now, standing()), NOW, "day")
    assert [msgspec.structs.astuple(flow) for flow in found.behaviour] == [("none", "new", 1), (NOT_THERE, "none", 1)]
    assert (found.stayed, found.came, found.members) == ({"behaviour": 1, "value": 2}, 1, 3)
