"""The report's page about last night and the coming two weeks."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from chalicelib.scoring.report import build, care_sheet, page, words
from chalicelib.scoring.report.model import CareDay, Flow, Mover, Report, Since
from chalicelib.scoring.rules.coming import OCCASIONS, Coming, Occasions, occasions
from chalicelib.scoring.rules.outcomes import Economy
from tests.pages.test_backtest_page import EVIL, Elements
from tests.pages.test_scoring_page import made, rows
from tests.scoring import NOW


@pytest.fixture(scope="module")
def report() -> Report:
    return made(rows(60))


def since(**changed: Any) -> Since:
    fields: dict[str, Any] = {
        "day": "2026-11-21",
        "members": 1_234,
        "came": 3,
        "stayed": {"behaviour": 1_220, "value": 1_200},
        "behaviour": (Flow("none", "new", 7), Flow("active", "at_risk", 4), Flow("not_there", "none", 3)),
        "value": (Flow("gold", "mid", 31), Flow("not_there", "low", 3)),
        "risers": (Mover(EVIL, 20.4, 61.6, "value"),),
        "fallers": (Mover("ann", 90.0, 70.0, ""),),
    }
    return Since(**(fields | changed))


def fortnight(**changed: int) -> tuple[CareDay, ...]:
    """Two weeks from the end of November on, of which the third day holds something."""
    empty: dict[str, int] = dict.fromkeys((*OCCASIONS, "points"), 0)
    days = [date(2026, 11, 25) + timedelta(days=place) for place in range(14)]
    return tuple(
        CareDay(day=day.isoformat(), **(empty | (changed if place == 2 else {}))) for place, day in enumerate(days)
    )


def shown(report: Report, **changed: Any) -> str:
    html = page.rendered(msgspec.structs.replace(report, **changed))
    found = Elements(html)
    assert len(found.ids) == len(set(found.ids))
    assert set(found.labels) <= set(found.ids)
    assert EVIL not in html
    return html


def test_last_night_is_shown_by_behaviour_and_by_value(report: Report) -> None:
    html = shown(report, since=since())
    assert "Who moved since 2026-11-21" in html
    assert "自 2026-11-21 以来的变化" in html
    # Newcomers are told of beside those who moved.
    assert "Of 1,234 members 11 moved by behaviour and 31 by value, 3 are new" in html
    assert "no purchase yet → new: 7" in html
    assert "gold → mid: 31" in html
    for stayed in ("1,220", "1,200"):
        assert f"{stayed} stayed" in html
        assert f"{stayed} 名未变" in html
    assert "20 → 62" in html
    assert '<td class="n">31</td>' in html


def test_a_night_in_which_nobody_moved_says_so(report: Report) -> None:
    html = shown(report, since=since(behaviour=(), value=(), risers=(), fallers=()))
    for text in words.TEXTS["nobody_moved"] + words.TEXTS["nobody"]:
        assert text in html


def test_a_first_night_says_that_there_is_none_before_it(report: Report) -> None:
    html = shown(report, since=None)
    for text in words.TEXTS["first_night"]:
        assert text in html
    assert "chart-since" not in html


def test_the_calendar_shows_every_day_of_two_weeks(report: Report) -> None:
    html = shown(report, care=fortnight(birthday=3, anniversary=1_200, expiring=9, tier_ending=1, points=1_300_000))
    assert "2026-11-25 to 2026-12-08" in html
    tiles = re.findall(r"<li(?: class=\"weekend\")?><h3>.*?</li>", html)
    assert len(tiles) == 14
    assert [place for place, tile in enumerate(tiles) if "weekend" in tile] == [3, 4, 10, 11]
    assert [place for place, tile in enumerate(tiles) if "<i" in tile] == [2]
    assert "anniversaries of joining: 1,200" in tiles[2]
    assert "1.3M points" in tiles[2]
    assert "130万 积分" in tiles[2]
    assert '<td class="n">1,300,000</td>' in html


def test_two_weeks_without_anything_say_so_and_a_file_has_no_calendar(report: Report) -> None:
    html = shown(report, care=fortnight())
    for text in words.TEXTS["no_occasions"]:
        assert text in html
    assert words.TEXTS["care"][0] not in shown(report, care=())


def coming(*members: tuple[int, int, int, int]) -> Coming:
    anniversary, expiring, points, tier = (np.array(column) for column in zip(*members, strict=True))
    tiers = np.array([b"=gold", b"silver"] * len(members), dtype="S64")[: len(members)]
    return Coming(anniversary=anniversary, expiring=expiring, expiring_points=points, tier_ending=tier, tier=tiers)


def triples(found: Occasions) -> list[tuple[int, str, int]]:
    kinds = [OCCASIONS[kind] for kind in found.kind.tolist()]
    return list(zip((found.day - NOW).tolist(), kinds, found.member.tolist(), strict=True))


def test_occasions_are_those_of_the_days_by_day_kind_and_member() -> None:
    members = coming((NOW, NOW + 13, 500, -1), (NOW + 14, NOW + 2, 99, NOW + 2), (NOW - 1, -1, 0, NOW + 14))
    birthdays = {NOW + 2: [2, 1], NOW + 14: [0], NOW: []}
    found = occasions(members, birthdays, NOW, 14, points_least=100)
    assert triples(found) == [
        (0, "anniversary", 0),
        (2, "birthday", 1),
        (2, "birthday", 2),
        (2, "tier_ending", 1),
        (13, "expiring", 0),
    ]
    counts = found.counts(NOW, 14)
    assert counts.shape == (14, len(OCCASIONS))
    assert counts[2].tolist() == [2, 0, 0, 1]
    assert int(counts.sum()) == 5


def test_the_sheet_is_safe_for_spreadsheets() -> None:
    members = coming((NOW, NOW, 500, -1), (NOW, -1, 0, -1))
    found = occasions(members, {}, NOW, 14, points_least=1)
    scores = build.assessed(rows(2), NOW, "mbg-nbd", Economy()).now.scores
    out = io.StringIO()
    care_sheet.write(found, care_sheet.Members(("=cmd()", "bert"), members, np.array([700, -5]), scores), out)
    lines = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert tuple(lines[0]) == care_sheet.COLUMNS
    assert [line["member_id"] for line in lines] == ["'=cmd()", "bert", "'=cmd()"]
    assert [line["tier"] for line in lines] == ["'=gold", "silver", "'=gold"]
    assert [(line["occasion"], line["points"], line["points_expiring"]) for line in lines] == [
        ("anniversary", "700", ""),
        ("anniversary", "-5", ""),
        ("expiring", "700", "500"),
    ]
