"""Campaigns for tests, and programmes that hold them."""

from __future__ import annotations

from typing import Any

from chalicelib.base import clock
from chalicelib.counters import service as counters
from chalicelib.program import service as programs
from chalicelib.program.budgets import counter_name
from tests.programs import document, texts

Plain = dict[str, Any]


def bonus(code: str = "gift", points: int = 50, **fields: Any) -> Plain:
    """A rule that gives so many points for every purchase."""
    return {"kind": "bonus", "code": code, "title": texts(code), "points": points, **fields}


def campaign(code: str = "spring", points: int = 50, **fields: Any) -> Plain:
    """A campaign that has been live for years, with one rule of the same name, unless told otherwise."""
    plain: Plain = {
        "code": code,
        "title": texts(code),
        "status": "active",
        "starts_at": "2020-01-01T00:00",
        "rules": [bonus(f"{code}_gift", points)],
    }
    return plain | fields


def publish(*campaigns: Plain, now: int | None = None, **changes: Any) -> programs.Publication:
    """Publish the default programme with these campaigns; the first version is in force for everything before, too."""
    plain = document(campaigns=list(campaigns), **changes)
    return programs.publish(plain, by="li.wei", note="test", now=now or clock.now())


def put_in_force(*campaigns: Plain, **changes: Any) -> programs.Publication:
    """Publish once more, so long ago that the version counts for what happens now."""
    published = publish(*campaigns, now=clock.now() - 2 * programs.LEAD_S, **changes)
    programs.reset_cache()
    return published


def budget(code: str = "spring", unit: str = "points") -> tuple[int, int, int]:
    """What was put into a budget, taken of it and left, each shard holding the invariant for itself."""
    found = counters.read(counter_name(code, unit))
    for item in found.shards:
        assert item.put_in == item.taken + item.left
        assert min(item.put_in, item.taken, item.left) >= 0
    return found.put_in, found.taken, found.left
