"""The backtest's page: whole, in both languages, and safe from what merchants write."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from infra.backtest import page, texts
from infra.backtest.__main__ import main
from infra.backtest.report import Comparison
from tests.campaigns import bonus, campaign
from tests.programs import document, program
from tests.programs import texts as named
from tests.rules.test_backtest import RICH, back, bought, compared

VOID = {"meta", "input", "rect", "line", "polyline", "polygon", "path"}
EVIL = '<script>alert("1")</script>'


class Elements(HTMLParser):
    """Reads a page, sees that every element is closed, and keeps what it met."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.addresses: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.labels += [found["aria-labelledby"] or ""] if "aria-labelledby" in found else []
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def report() -> Comparison:
    candidate = program(
        **{name: getattr(RICH, name) for name in ("welcome_points",)},
        name=named(EVIL),
        campaigns=[campaign(title=named(EVIL), budget={"points": 70}, rules=[bonus(title=named(EVIL))])],
    )
    facts = [
        bought(str(number), f"<b>{number % 5}", day=7 * number, total_minor=1 + 90_00 * number) for number in range(20)
    ]
    return compared(candidate, *facts, back("3", day=60))


@pytest.mark.parametrize("locale", texts.LOCALES)
def test_the_page_is_whole_and_fetches_nothing(report: Comparison, locale: str) -> None:
    found = Elements(page.rendered(report, locale))
    assert found.seen.count("svg") == 6
    assert found.addresses == []
    assert len(set(found.ids)) == len(found.ids)
    # Every chart is named by a heading that is there.
    assert set(found.labels) <= set(found.ids)


def test_what_merchants_write_is_text_and_never_markup(report: Comparison) -> None:
    html = page.rendered(report, "en")
    assert "<script" not in html
    assert "<b>1" not in html
    assert "&lt;script&gt;" in html


def test_both_languages_are_in_it_and_one_is_chosen(report: Comparison) -> None:
    html = page.rendered(report, "zh")
    assert html.startswith('<!doctype html><html lang="zh-Hans">')
    assert 'id="l-zh" aria-label="简体中文" checked' in html
    for english, chinese in (texts.TEXTS["points_per_month"], texts.TEXTS["lose_most"]):
        assert english in html
        assert chinese in html


def test_every_text_is_there_in_both_languages() -> None:
    for english, chinese in texts.TEXTS.values():
        assert english.strip()
        assert chinese.strip()
        assert english != chinese


PURCHASES = "member,order_id,occurred_at,currency,total_minor\nann,1,2026-03-10,CNY,10000\nbob,2,2026-04-10,CNY,5000\n"


class TestTheCommand:
    def run(self, folder: Path, document_text: str, *more: str) -> int:
        (folder / "orders.csv").write_text(PURCHASES, encoding="utf-8")
        (folder / "candidate.json").write_text(document_text, encoding="utf-8")
        files = ["--programme", str(folder / "candidate.json"), "--purchases", str(folder / "orders.csv")]
        return main([*files, "--page", str(folder / "report.html"), *more])

    @pytest.mark.parametrize("locale", texts.LOCALES)
    def test_shows_the_report_and_writes_the_page_though_the_candidate_is_worse(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], locale: str
    ) -> None:
        assert self.run(tmp_path, json.dumps(document(welcome_points=0)), "--locale", locale) == 0
        assert texts.TEXTS["lose_most"][1 if locale == "zh" else 0] in capsys.readouterr().out
        Elements((tmp_path / "report.html").read_text(encoding="utf-8"))

    def test_ends_with_2_and_every_problem_of_an_invalid_candidate(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        broken = document(base_currency="EUR", time_zone="Asia")
        assert self.run(tmp_path, json.dumps(broken)) == 2
        told = capsys.readouterr().out
        assert "base_currency" in told
        assert "time_zone" in told
        assert not (tmp_path / "report.html").exists()

    def test_ends_with_1_where_a_file_is_missing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--programme", str(tmp_path / "nothing.json")]) == 1
        assert "nothing.json" in capsys.readouterr().err
