"""CSV that people open in a spreadsheet: nothing in it runs, and nothing in it breaks out of its cell: pure.

Spreadsheets take a text that begins with `=`, `+`, `-` or `@` for a formula, in full width too, whatever blanks stand
before it. Such a text gets an apostrophe in front. The same may begin in the middle of a text, where a spreadsheet of
another country splits at semicolons or tabs, or forgets a quote at the end of a line: it gets one there as well. All
texts are quoted, numbers are not, and control characters are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

BOM: Final = "\ufeff"
"""What a file begins with, so that Excel reads it as UTF-8."""

Value: TypeAlias = str | int | float | None

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BLANK: Final = r"\s\u200b-\u200f\u2028-\u202e\u2060\ufeff'\""
_SIGN: Final = r"[=+\-@\uff1d\uff0b\uff0d\uff20\u2212\ufe63\ufe62\ufe66\ufe6b]"
# A whole run of blanks and of what spreadsheets split at, in one go: texts that are nothing else must not take long.
_RUN: Final = re.compile(rf"(?<![{_BLANK};|])[{_BLANK};|]*+(?={_SIGN})")
_SPLIT: Final = re.compile(r"[;|\t\r\n]")
# Blanks that a spreadsheet passes over, or a line end that it might split at, and a formula behind them.
_BEGINS: Final = re.compile(rf"[\t\r\n]|[{_BLANK}]*'{_SIGN}")


def cell(value: Value) -> str:
    """One cell: a number as it is, a text quoted and harmless, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = _RUN.sub(_defused, _CONTROL.sub("", value))
    if _BEGINS.match(text) and not text.startswith("'"):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"'


def lines(rows: Iterable[Iterable[Value]]) -> str:
    """Rows of cells, each ended as spreadsheets like it."""
    return "".join(",".join(cell(value) for value in row) + "\r\n" for row in rows)


def _defused(run: re.Match[str]) -> str:
    """What stands before a sign, with an apostrophe where a cell may begin."""
    found = run.group()
    return f"{found}'" if run.start() == 0 or _SPLIT.search(found) else found
