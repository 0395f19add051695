"""Programme documents for tests: the default with some of it changed."""

from __future__ import annotations

import copy
from typing import Any

import msgspec

from chalicelib.program.document import Program, default, encode
from chalicelib.program.validation import validate


def document(**changes: Any) -> dict[str, Any]:
    """The default document as plain JSON data, with these fields in place of its own."""
    plain: dict[str, Any] = msgspec.json.decode(encode(default()))
    return plain | copy.deepcopy(changes)


def program(**changes: Any) -> Program:
    """The default programme with these fields in place of its own."""
    return validate(document(**changes))


def texts(text: str) -> dict[str, str]:
    """The same text in every language."""
    return {"en": text, "zh-Hans": text, "zh-Hant": text}


def tier(
    code: str,
    threshold_points: int | None = None,
    multiplier: str = "1",
    replaces: tuple[str, ...] = (),
    **thresholds: int,
) -> dict[str, Any]:
    """A tier without benefits; `thresholds` are its further ones."""
    return {
        "code": code,
        "name": texts(code),
        "threshold_points": threshold_points,
        "multiplier": multiplier,
        "replaces": replaces,
        **thresholds,
    }


def ladder(**thresholds: int) -> list[dict[str, Any]]:
    """Tiers by their thresholds, lowest first."""
    return [tier(code, points) for code, points in thresholds.items()]
