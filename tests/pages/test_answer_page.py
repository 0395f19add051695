"""The answering page: served to everybody, in three languages, whole, and with leave to do nothing but ask its API."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from chalicelib.surveys import page
from chalicelib.web.languages import Locale
from infra import trim
from tests.api.client import client, link, member

FOLDER = Path(page.__file__).parent
TEXTS: dict[str, dict[str, str]] = json.loads((FOLDER / "texts.json").read_text(encoding="utf-8"))
LOGIC, SCRIPT = ((FOLDER / name).read_text(encoding="utf-8") for name in ("logic.js", "page.js"))
VOID = {"meta", "link", "input", "br"}


class Elements(HTMLParser):
    """Reads the page, sees that every element is closed, and keeps what it met."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.inside:
            self.inside[self.open[-1]].append(data)


@pytest.fixture(scope="module")
def shown() -> Any:
    answer = client.get("/v1/answer")
    assert answer.status == 200
    return answer


@pytest.fixture(scope="module")
def elements(shown: Any) -> Elements:
    return Elements(shown.text)


def policy(shown: Any) -> dict[str, list[str]]:
    """The rules of the content security policy by their names."""
    rules = [rule.split() for rule in shown.headers["content-security-policy"].split(";")]
    return {name: sources for name, *sources in rules}


def test_it_is_the_same_for_everybody(shown: Any) -> None:
    for caller in (member(), link()):
        assert client.get("/v1/answer", caller=caller).text == shown.text
    assert client.get("/v1/answer?utm_source=sms").text == shown.text


def test_its_headers_keep_the_token_and_the_page_to_themselves(shown: Any) -> None:
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert shown.headers["x-frame-options"] == "DENY"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in shown.headers


def test_it_may_run_its_own_script_and_speak_to_its_api_and_nothing_else(shown: Any, elements: Elements) -> None:
    rules = policy(shown)
    assert rules["default-src"] == ["'none'"]
    assert rules["connect-src"] == ["'self'"]
    assert rules["img-src"] == ["data:"]
    assert [rules[name] for name in ("base-uri", "form-action", "frame-ancestors")] == [["'none'"]] * 3
    for name in ("script", "style"):
        (source,) = elements.inside[name]
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert rules[f"{name}-src"] == [f"'sha256-{digest}'"]


def test_it_loads_nothing_from_anywhere(shown: Any, elements: Elements) -> None:
    assert not re.findall(r"https?:|//[a-z]|@import|url\(", shown.text.replace("// ", ""))
    addresses = [found[name] for _tag, found in elements.seen for name in ("src", "href", "action") if name in found]
    assert addresses == ["data:,"]


def test_it_has_no_script_nor_style_in_its_attributes(elements: Elements) -> None:
    names = {name for _tag, found in elements.seen for name in found}
    assert not {name for name in names if name.startswith("on") or name == "style"}
    assert [tag for tag, _found in elements.seen if tag in {"script", "style"}] == ["style", "script"]


def test_what_others_have_written_is_never_read_as_markup() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function", LOGIC + SCRIPT)


def test_the_token_goes_into_a_header_and_nowhere_else() -> None:
    uses = [line.strip() for line in SCRIPT.splitlines() if re.search(r"\btoken\b", line)]
    assert len(uses) == 3
    assert "location.hash" in uses[0]
    assert "Authorization: `Bearer ${token}`" in uses[1]
    assert uses[2].startswith("if (/^hkl_")
    assert not re.search(r"localStorage|sessionStorage|document\.cookie|console\.", SCRIPT)


def test_every_text_is_there_in_every_language() -> None:
    assert set(TEXTS) == set(Locale.__args__)  # type: ignore[attr-defined]
    holes = {name: sorted(re.findall(r"\{\w+\}", text)) for name, text in TEXTS["en"].items()}
    for locale, texts in TEXTS.items():
        assert all(texts.values())
        assert {name: sorted(re.findall(r"\{\w+\}", text)) for name, text in texts.items()} == holes, locale


def test_every_text_is_used_and_none_is_missing() -> None:
    named = set(re.findall(r"\"(\w+)\"", LOGIC + SCRIPT))
    made = {f"{kind}_{end}" for kind in ("nps", "csat", "ces") for end in ("low", "high")}
    more = {f"{name}_more" for name in named}
    assert {name for name in TEXTS["en"] if name not in named | made | more} == {"noscript"}
    asked = set(re.findall(r"say\(\"(\w+)\"", SCRIPT)) | set(re.findall(r"screen\(\"(\w+)\"", SCRIPT))
    assert asked <= set(TEXTS["en"])


def test_whoever_runs_no_scripts_is_told_so_in_every_language(shown: Any) -> None:
    before_the_script = shown.text.partition("<script>")[0]
    assert all(texts["noscript"] in before_the_script for texts in TEXTS.values())


def test_a_reader_of_screens_finds_its_way(elements: Elements) -> None:
    tags = [tag for tag, _found in elements.seen]
    assert [tags.count(name) for name in ("main", "header", "nav", "progress")] == [1, 1, 1, 1]
    assert dict(elements.seen)["html"]["lang"] == "en"
    assert any(found.get("aria-live") == "polite" for _tag, found in elements.seen)
    assert 'role: "alert"' in SCRIPT
    assert '"aria-labelledby": "title"' in SCRIPT


def test_it_fits_the_dark_and_whoever_wants_no_motion() -> None:
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    for wanted in ("prefers-color-scheme: dark", "prefers-reduced-motion: reduce", "forced-colors: active"):
        assert wanted in style
    heights = [int(height) for height in re.findall(r"min-height: (\d+)px", style)]
    assert min(heights) >= 44


def test_its_files_ship(tmp_path: Path) -> None:
    code = tmp_path / "chalicelib" / "surveys" / "page"
    code.mkdir(parents=True)
    for path in FOLDER.iterdir():
        if path.is_file():
            (code / path.name).write_bytes(path.read_bytes())
    trim.clean(tmp_path)
    assert {"answer.html", "logic.js", "page.js", "style.css", "texts.json"} <= {path.name for path in code.iterdir()}


def test_it_is_small(shown: Any) -> None:
    assert len(shown.text.encode()) < 48 * 1024
