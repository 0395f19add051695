"""Accept-Language is read by weight, then by order; English is what everybody understands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.web.languages import best


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        (None, "en"),
        ("", "en"),
        ("fr-CH, fr;q=0.9", "en"),
        ("*", "en"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("ZH-tw", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-MO", "zh-Hant"),
        ("zh-Hant", "zh-Hant"),
        ("zh_TW", "zh-Hant"),
        ("en-GB,zh-CN", "en"),
        ("en;q=0.5, zh-CN;q=0.8", "zh-Hans"),
        ("de, zh-TW;q=0.9, en;q=0.8", "zh-Hant"),
        ("zh-CN;q=0, en;q=0.1", "en"),
        ("zh-CN;q=oops", "en"),
    ],
)
def test_the_best_language_is_chosen(header: str | None, locale: str) -> None:
    assert best(header) == locale


@given(st.text(max_size=200))
def test_any_header_gives_a_language(header: str) -> None:
    assert best(header) in {"en", "zh-Hans", "zh-Hant"}
