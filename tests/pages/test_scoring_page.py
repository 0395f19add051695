"""The loyalty report's page: whole, in both languages, light and dark, and safe from what members are called."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import msgspec
import numpy as np
import pytest

from chalicelib.scoring import texts
from chalicelib.scoring.closed_form import Layer, Tried
from chalicelib.scoring.report import build, page, words
from chalicelib.scoring.report.answers import Answers
from chalicelib.scoring.report.model import Report
from chalicelib.scoring.rules import kpis
from chalicelib.scoring.rules.outcomes import Economy
from tests.pages.test_backtest_page import EVIL, Elements
from tests.scoring import NOW

EMPTY = np.zeros(0, np.int64)


def rows(count: int, **changed: Any) -> build.Rows:
    random = np.random.default_rng(4)
    found = [
        (member, int(at), float(random.gamma(3.0, 20.0)))
        for member in range(count)
        for at in NOW - random.integers(0, 700, int(random.integers(1, 15)))
    ]
    member, day, amount = (np.array(column) for column in zip(*found, strict=True))
    names = tuple(f"{EVIL} {place}" for place in range(count))
    return build.Rows(**({"names": names, "member": member, "day": day, "amount": amount} | changed))


def made(given: build.Rows, notes: tuple[Any, ...] = ()) -> Report:
    found = build.assessed(given, NOW, "mbg-nbd", Economy())
    return build.report(given, found, source=f"{EVIL}.csv", until=NOW, notes=notes)


@pytest.fixture(scope="module")
def full() -> Report:
    random = np.random.default_rng(5)
    who = random.integers(0, 200, 300)
    answers = Answers(who, NOW - random.integers(0, 150, 300), np.arange(300) % 3, random.integers(1, 6, 300))
    lots = kpis.breakage(kpis.fifo(np.full(30, 100.0), np.full(30, 70.0), 24))
    return made(rows(200, answers=answers, points=lots), (("later", {"count": "3"}),))


def test_the_page_is_whole_and_safe(full: Report) -> None:
    html = page.rendered(full)
    found = Elements(html)
    assert "script" not in found.seen
    assert EVIL not in html
    assert len(found.ids) == len(set(found.ids))
    assert set(found.labels) <= set(found.ids)
    # Nothing is fetched.
    assert found.addresses == []
    assert "url(" not in html
    assert "nan" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL).lower().replace("dominant", "")


def test_every_part_of_the_indicator_system_is_there(full: Report) -> None:
    html = page.rendered(full)
    names = ("satisfaction", "behaviour", "retention", "lifetime", "together", "where", "flows", "pareto", "cohorts")
    more = ("prediction", "alerts", "warnings", "risers", "fallers", "points", "personas", "rfm", "scores", "months")
    for name in names + more:
        for text in words.TEXTS[name]:
            assert text in html, name
    assert words.TEXTS["no_data"][0] not in html
    assert "mbg-nbd" in html
    assert f"{full.model.parameters['alpha']:.4f}" in html


def test_both_languages_are_in_it_and_one_is_chosen(full: Report) -> None:
    english, chinese = page.rendered(full, "en"), page.rendered(full, "zh")
    assert '<html lang="en">' in english
    assert '<html lang="zh-Hans">' in chinese
    assert re.search(r'id="l-zh"[^>]* checked', chinese)
    assert english.count('class="en"') == english.count('class="zh"')
    for html in (english, chinese):
        assert "会员忠诚度报告" in html
        assert "Loyalty report" in html


def test_light_and_dark_give_every_colour(full: Report) -> None:
    html = page.rendered(full)
    blocks = re.findall(r"color-scheme: (?:light|dark);(.*?)\}", html, flags=re.DOTALL)
    light, auto, dark = [set(re.findall(r"--[\w-]+(?=:)", block)) for block in blocks]
    assert light == auto == dark
    used = set(re.findall(r"var\((--[\w-]+)\)", html)) - {"--c"}
    assert used <= light


TRIED: dict[str, Any] = {
    "brier": Tried(0.1057, 0.1049),
    "auc": Tried(0.8, 0.79),
    "mae": Tried(0.35, 0.34),
    "members": 400,
}


@pytest.mark.parametrize(
    ("layer", "names", "figures"),
    [
        (None, (), ()),
        (Layer(), ("layer_too_young",), ()),
        (Layer(chance=(1.0,) * 5, **TRIED), ("layer_chance", "layer_number_alone"), ("0.1057", "0.1049")),
        (Layer(chance=(1.0,) * 5, number=(1.0,) * 5, **TRIED), ("layer_chance", "layer_number"), ("0.350", "0.340")),
        (Layer(refused=("not_better",), **TRIED), ("layer_not_better",), ("0.1057", "0.1049")),
        (Layer(refused=("ranks_worse",), **TRIED), ("layer_ranks_worse",), ("0.8000", "0.7900")),
        (Layer(refused=("not_better",), number=(1.0,) * 5, **TRIED), ("layer_not_better", "layer_number"), ("0.340",)),
        *((Layer(refused=(why,)), (f"layer_{why}",), ()) for why in ("too_few_members", "too_few_outcomes")),
    ],
)
def test_it_says_whether_a_layer_corrects_the_model(
    full: Report, layer: Layer | None, names: tuple[str, ...], figures: tuple[str, ...]
) -> None:
    html = page.rendered(msgspec.structs.replace(full, layer=layer))
    for name, both in words.TEXTS.items():
        if name.startswith("layer_"):
            for text in both:
                assert (escape(text.split("{")[0]) in html) == (name in names), name
    for figure in figures:
        assert figure in html


def test_without_surveys_and_history_the_page_says_so() -> None:
    one = made(build.Rows(names=("ann",), member=np.array([0]), day=np.array([NOW]), amount=np.array([9.0])))
    html = page.rendered(one)
    Elements(html)
    assert words.TEXTS["no_data"][0] in html
    assert one.prediction is None
    nobody = made(build.Rows(names=(), member=EMPTY, day=EMPTY, amount=np.zeros(0)))
    Elements(page.rendered(nobody))
    assert nobody.members == 0


def test_the_report_is_plain_json(full: Report) -> None:
    decoded = msgspec.json.decode(msgspec.json.encode(full))
    assert set(decoded["model"]) >= {"name", "parameters", "log_likelihood"}
    assert decoded["spend"]["parameters"].keys() == {"p", "q", "gamma"}
    assert sum(flow["members"] for flow in decoded["flows"]) == decoded["bought"] == 200
    assert sum(decoded["segments"]["value"].values()) == 200
    assert sum(map(sum, decoded["rfm"])) == 200
    assert msgspec.convert(decoded, Report) == full


def test_every_text_takes_what_the_page_fills_in() -> None:
    for en, zh in words.TEXTS.values():
        assert set(re.findall(r"{(\w+)}", en)) == set(re.findall(r"{(\w+)}", zh))
    for table in (texts.ALERTS, texts.CHURN_REASONS):
        assert words.of(table, "unknown") == ("–", "–")
