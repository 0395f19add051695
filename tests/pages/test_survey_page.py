"""The page of a survey's results: whole, in both languages, safe from what a survey says, with all its numbers."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from typing import Any

import pytest

from chalicelib.surveys.document import Definition
from chalicelib.surveys.report import page
from chalicelib.surveys.rules import assembling
from chalicelib.surveys.rules.assembling import Material, MonthCounts
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.rules.crossing import GROUPINGS, Tables
from chalicelib.surveys.rules.figures import Results
from tests.pages.test_backtest_page import EVIL, Elements
from tests.surveys import VISIT, answers, definition, repeatable, rows, texts

TALKATIVE = definition(
    {"kind": "nps", "code": "nps", "title": texts(EVIL)},
    {
        "kind": "matrix",
        "code": "rating",
        "title": texts(EVIL),
        "rows": [row | {"title": texts(EVIL)} for row in rows(goods="product", staff="service")],
    },
    {
        "kind": "single",
        "code": "why",
        "options": [{"code": "a", "title": texts(EVIL)}, {"code": "b", "title": texts("b")}],
    },
    {"kind": "text", "code": "words", "dimension": "service"},
    title=texts(EVIL),
)


def told(survey: Definition, per_month: int = 60, months: int = 12, store: str = EVIL) -> list[Results]:
    chance = repeatable(3)
    found, groups = {}, Counter[str]()
    cells: dict[str, dict[str, Counter[str]]] = {grouping: {} for grouping in GROUPINGS}
    for month in range(1, months + 1):
        tables = Tables()
        for number in range(per_month):
            staff = chance.randint(1, 5)
            given: dict[str, Any] = {
                "nps": min(10, 4 + staff + chance.randint(-1, 1) - 3 * (month > 6)),
                "rating": {"goods": chance.randint(1, 5), "staff": staff},
                "why": ["a"],
                "words": "…",
            }
            context = Context(channel="app", tier="gold", store=f"{store} {number % 20}", invited=f"2026-{month:02d}")
            tables.add(survey, answers(**given), context, number % 16)
        for grouping, made in tables.cells.items():
            for value, counts in made.items():
                if grouping != "all":
                    cells[grouping].setdefault(value, Counter()).update(counts)
        whole = tables.cells.get("all", {})
        found[f"2026-{month:02d}"] = MonthCounts(whole.get("sound", groups), whole.get("flagged", groups))
    return [
        assembling.results(
            Material(
                survey_id="srv_x",
                definition=survey,
                questions=survey.questions,
                first="2026-01",
                last="2026-12",
                source="nightly",
                crossed_at="2026-12-31T18:30:00Z",
                months=found,
                sent=1_000,
                responded=300,
                by=by,
                groups=cells[by],
            )
        )
        for by in GROUPINGS
    ]


@pytest.fixture(name="full", scope="module")
def _full() -> str:
    results = told(TALKATIVE)
    return page.html(results[0], [each.groups for each in results if each.groups])


def test_the_page_is_whole_and_safe(full: str) -> None:
    found = Elements(full)
    assert "script" not in found.seen
    assert EVIL not in full
    assert len(found.ids) == len(set(found.ids))
    assert set(found.labels) <= set(found.ids)
    assert found.addresses == []
    assert "url(" not in full
    assert "nan" not in re.sub(r"<style>.*?</style>", "", full, flags=re.DOTALL)


def test_every_chart_is_well_formed_and_named_by_its_heading(full: str) -> None:
    charts = re.findall(r"<svg.*?</svg>", full, flags=re.DOTALL)
    assert len(charts) >= 9
    for chart in charts:
        root = ET.fromstring(chart)  # noqa: S314 -- our own
        assert f'id="{root.attrib["aria-labelledby"]}"' in full


def test_every_chart_but_the_gauge_has_its_numbers_in_a_table_beside_it(full: str) -> None:
    for figure in re.findall(r"<figure>.*?</figure>", full, flags=re.DOTALL):
        assert "<table>" in figure
        assert "<caption>" in figure


def test_both_languages_say_as_much(full: str) -> None:
    assert full.count('class="en"') == full.count('class="zh"') > 100


def test_the_page_tells_of_the_change_and_of_what_moves_nps(full: str) -> None:
    assert "from 2026-07:" in full
    assert 'id="chart-drivers"' in full
    assert "and 8 more, in the table" in full


def test_a_table_has_all_rows_though_the_chart_has_no_room(full: str) -> None:
    (stores,) = re.findall(r'<figure><figcaption id="chart-store">.*?</figure>', full, flags=re.DOTALL)
    assert stores.count('<th scope="row">') == 20


@pytest.mark.parametrize(("per_month", "months"), [(0, 1), (1, 1), (29, 1), (30, 1), (10, 12)])
def test_with_few_answers_or_none_the_page_says_so(per_month: int, months: int) -> None:
    results = told(VISIT, per_month, months)
    made = page.html(results[0], [each.groups for each in results if each.groups])
    assert Elements(made).seen
    if per_month * months < 30:
        # Once it stands among the notes in any case.
        assert (made.count("fewer than 30 answers") > 1) == bool(per_month)
        assert 'class="big"' not in made


def test_a_survey_without_nps_is_about_its_csat() -> None:
    survey = definition({"kind": "csat", "code": "rating"})
    made = page.html(told(survey, 0, 1)[0])
    assert "Satisfied (CSAT)" in made
    assert "chart-drivers" not in made
