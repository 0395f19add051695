"""The part of the loyalty report that is of the programme as a whole: points, surveys, indicators."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import numpy as np
import pytest

from chalicelib.scoring.report import numbers, page, words
from chalicelib.scoring.report.model import Holdings, Report
from chalicelib.scoring.report.programme import Programme
from chalicelib.scoring.report.tables import last_whole_month
from chalicelib.scoring.rules import kpis
from chalicelib.scoring.rules.past import Heard, PointMonth
from chalicelib.scoring.rules.voices import Rated, Said
from tests.pages.test_backtest_page import Elements
from tests.pages.test_scoring_page import made, rows
from tests.scoring import NOW

LAST = last_whole_month(NOW)
FULL = 12_345


def holdings(count: int = 14, **changed: Any) -> Holdings:
    months = tuple(
        PointMonth(LAST - count + 1 + place, 1_000 + place, 400, 7 * place, known=place != 3) for place in range(count)
    )
    fields: dict[str, Any] = {
        "outstanding": FULL,
        "available": FULL - 45,
        "pending": 40,
        "held": 5,
        "owed": 3,
        "members": 200,
    }
    return Holdings(
        **fields | {"since": "2023-08-02", "opening": 777, "months": months, "expiry": "inactivity"} | changed
    )


def programme(**changed: Any) -> Programme:
    heard = tuple(
        Heard(LAST - back, NOW, "n", 60 if back > 4 else 5, 5, 90, complaints=back % 3)
        for back in range(14)
        if back != 7
    )
    fields: dict[str, Any] = {
        "said": Said(nps={10: 50, 7: 10, 0: 20}, csat=Rated(70, 90, 80), dimensions={"price": Rated(20, 40, 40)}),
        "surveys": 3,
        "heard_since": LAST - 5,
        "heard": heard,
        "holdings": holdings(),
        "breakage": kpis.breakage(kpis.fifo(np.full(14, 1e3), np.full(14, 400.0), 25)),
        "known_from": NOW - 700,
    }
    return Programme(**fields | changed)


def report(given: Programme) -> Report:
    return made(rows(60, programme=given))


def html(given: Report) -> str:
    found = page.rendered(given)
    elements = Elements(found)
    assert len(elements.ids) == len(set(elements.ids))
    assert "nan" not in re.sub(r"<style>.*?</style>", "", found, flags=re.DOTALL).lower().replace("dominant", "")
    return found


@pytest.fixture(scope="module")
def full() -> Report:
    return report(programme())


def test_points_by_month_stand_beside_what_is_expected_of_them(full: Report) -> None:
    found = html(full)
    keys = (
        "points_pending",
        "points_held",
        "points_owed",
        "breakage",
        "hazards",
        "points_issued",
        "breakage_inactivity",
    )
    for name in keys:
        for text in words.TEXTS[name]:
            assert text in found, name
    assert "777 points were held" in found
    # A month that no night closed is no month of nothing.
    gap = numbers.month(LAST - 10)
    assert re.search(rf"{gap}<.*?–.*?–.*?–.*?</tr>", found)


def test_satisfaction_is_told_by_dimension_and_of_all_surveys(full: Report) -> None:
    found = html(full)
    assert words.TEXTS["with_price"][1] in found
    assert words.TEXTS["with_product"][1] not in found
    assert "surveys: 3" in found
    assert "50%" in found


def test_an_indicator_that_is_outside_says_since_when_and_complaints_that_rise_are_bad_news(full: Report) -> None:
    ways = {one.indicator: one.direction for one in full.warnings}
    assert ways["nps"] == "falling"
    since = tuple(msgspec.structs.replace(one, since="2024-09-30" if one.direction else "") for one in full.warnings)
    rising = tuple(
        msgspec.structs.replace(one, direction="rising") if one.indicator == "complaint_rate" else one for one in since
    )
    found = html(msgspec.structs.replace(full, warnings=rising))
    assert "since 2024-09-30" in found
    complaints = found.index(words.TEXTS["complaint_rate"][0])
    assert 'class="drift falling"' in found[complaints - 60 : complaints]


@pytest.mark.parametrize("unknown", ["never", "too_young", "older"])
def test_without_an_estimate_the_page_says_why(unknown: str) -> None:
    found = html(report(programme(breakage=None, holdings=holdings(1, unknown=unknown, opening=0))))
    assert words.TEXTS[f"breakage_{unknown}"][0] in found
    assert words.TEXTS["hazards"][0] not in found
    assert "points were held" not in found


def test_a_programme_of_nothing_has_a_page_too() -> None:
    empty = report(
        Programme(holdings=holdings(0, outstanding=0, available=0, pending=0, held=0, owed=0, unknown="never"))
    )
    found = html(empty)
    assert words.TEXTS["no_answers"][0] in found
    assert empty.indicators.nps is None
    assert words.TEXTS["outstanding"][1] not in html(report(Programme()))


def test_the_report_is_plain_json(full: Report) -> None:
    decoded = msgspec.json.decode(msgspec.json.encode(full))
    assert decoded["holdings"]["outstanding"] == FULL
    assert None in next(one["series"] for one in decoded["warnings"] if one["indicator"] == "nps")
    assert msgspec.convert(decoded, Report) == full
