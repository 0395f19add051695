"""Whether campaigns can be run: windows, audiences and budgets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from chalicelib.program.document import Program
from chalicelib.program.document.earning import Audience
from chalicelib.program.validation.conditions import name_problems, tier_problems
from chalicelib.program.validation.problem import Problem

# A period without end is kept as an instant in 2106; no window comes near it.
_YEARS: Final = range(2000, 2101)


def check_campaigns(program: Program) -> Iterator[Problem]:
    """Every campaign has a window, an audience that there is, and a budget that says something."""
    for index, campaign in enumerate(program.campaigns):
        path = f"campaigns[{index}]"
        yield from window_problems(campaign.starts_at, campaign.ends_at, path)
        yield from audience_problems(program, campaign.audience, f"{path}.audience")
        if campaign.budget is not None and campaign.budget.points is None and campaign.budget.awards is None:
            yield Problem(f"{path}.budget", "A budget is of points, of awards, or of both.")


def window_problems(starts_at: str | None, ends_at: str | None, path: str) -> Iterator[Problem]:
    """What is wrong with a window: times that are none, or an end that does not come after the beginning."""
    found = False
    for name, text in (("starts_at", starts_at), ("ends_at", ends_at)):
        if text is not None and not _is_time(text):
            found = True
            years = f"{_YEARS[0]} to {_YEARS[-1]}"
            yield Problem(f"{path}.{name}", f"{text} is no time of the years {years}, such as 2026-11-11T00:00.")
    # The texts are as long as each other and sort like the times.
    if not found and starts_at is not None and ends_at is not None and ends_at <= starts_at:
        yield Problem(f"{path}.ends_at", "The window must end after it has begun.")


def audience_problems(program: Program, audience: Audience, path: str) -> Iterator[Problem]:
    """What is wrong with an audience."""
    yield from tier_problems(program, audience.tiers, f"{path}.tiers")
    for field in ("tiers", "segments", "tags", "members"):
        yield from name_problems(getattr(audience, field), f"{path}.{field}")


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).year in _YEARS
    except ValueError:
        return False
