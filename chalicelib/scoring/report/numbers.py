"""How figures are written on the page."""

from __future__ import annotations

from typing import Final

from chalicelib.base.svg import Both, compact, same

_SHORT_FROM: Final = 10_000
_WHOLE_FROM: Final = 100


def money(value: float) -> Both:
    """An amount: 12.34, 1,234, 1.2M and 120万."""
    if abs(value) >= _SHORT_FROM:
        return compact(round(value))
    return same(f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:,.2f}")


def whole(count: int) -> Both:
    """A number without fractions: 7, 1,234, 1.2M and 120万."""
    return compact(count) if abs(count) >= _SHORT_FROM else same(f"{count:,}")


def percent(share: float | None, digits: int = 0) -> str:
    """A share as 12%, or a dash."""
    return "–" if share is None else f"{share * 100:.{digits}f}%"


def month(number: int) -> str:
    """A month (year x 12 + month − 1) as 2026-11."""
    return f"{number // 12}-{number % 12 + 1:02d}"


def signed(value: float, digits: int = 1) -> str:
    """A change with its sign."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0.0:
        return f"±{text}"
    return ("+" if value > 0 else "−") + text
