"""The members as CSV: what a spreadsheet opens, and nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, Final, TextIO

from chalicelib.scoring.rules import composite, loyalty, reasons, segments
from chalicelib.scoring.rules.night import Night
from chalicelib.scoring.rules.personas import names as persona_names

COLUMNS: Final = (
    *("customer_id", "score", "value_segment", "behaviour", "stage", "rfm"),
    *("purchases", "spending", "last_purchase_days_ago", "active_probability", "churn_91_days"),
    *("expected_purchases_91_days", "expected_basket", "value_12_months", "churn_reason", "next_action"),
    *("lifted_by", "held_back_by", "loyalty_type", "loyalty_confidence", "persona"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe before it."""
    return "'" + text if text.lstrip(" ").startswith(_FORMULA) else text


def write(names: tuple[str, ...], night: Night, out: TextIO) -> None:
    """One line a member, in the order of `names`; what is not known of one who has bought nothing stays empty."""
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(COLUMNS)
    sheet.writerows(rows(names, night))


def rows(names: tuple[str, ...], night: Night) -> Iterator[tuple[Any, ...]]:
    """The lines of the file."""
    scores, members = night.scores, night.members
    groups = persona_names(night.standing.personas) or [""]
    columns: list[list[Any]] = [
        list(map(safe, names)),
        _rounded(scores.score, 1),
        _named(segments.VALUES, scores.value),
        _named(segments.BEHAVIOURS, scores.behaviour),
        _named(segments.STAGES, scores.stage),
        scores.rfm.tolist(),
        (members.repeats + scores.bought).tolist(),
        _rounded(members.value, 2),
        scores.gap_days.tolist(),
        _rounded(scores.active, 4),
        _rounded(scores.churn, 4),
        _rounded(scores.expected, 3),
        _rounded(scores.basket, 2),
        _rounded(scores.value_12, 2),
        _named(reasons.CHURN_REASONS, scores.churn_reason),
        _named(reasons.ACTIONS, scores.action),
        _named(("", *composite.PARTS), scores.lifts),
        _named(("", *composite.PARTS), scores.holds),
        _named(loyalty.TYPES, scores.loyalty),
        _rounded(scores.loyalty_confidence, 2),
        _named(groups, scores.persona),
    ]
    unknown = (5, 8, 9, 10, 11, 12, 20)
    for has, *cells in zip(scores.bought.tolist(), *columns, strict=True):
        if not has:
            for place in unknown:
                cells[place] = ""
        yield tuple(cells)


def _rounded(array: Any, digits: int) -> list[float]:
    # Not numpy's rounding, which scales and leaves 0.30000000000000004 behind.
    return [round(value, digits) for value in array.tolist()]


def _named(words: tuple[str, ...] | list[str], codes: Any) -> list[str]:
    return [words[code] for code in codes.tolist()]
