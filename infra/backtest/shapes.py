"""What the report's charts are drawn with: the engine's own shapes, and the report's texts."""

from chalicelib.base.svg import Both, area, compact, drawing, grid, grouped, line, rect, same, span, text
from infra.backtest.texts import TEXTS

__all__ = ["Both", "area", "compact", "drawing", "grid", "grouped", "key", "line", "rect", "same", "span", "text"]


def key(name: str) -> Both:
    """One of the report's own texts in both languages."""
    return TEXTS[name]
