"""Members and purchases for the tests of scoring."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from chalicelib.scoring.rules import gammagamma, mbgnbd, personas, segments
from chalicelib.scoring.rules.composite import PARTS
from chalicelib.scoring.rules.history import Members, Purchases, members_on, purchase_days
from chalicelib.scoring.rules.scoring import Standing
from infra.local import assets, cdnow

EPOCH = date(1970, 1, 1).toordinal()
NOW = 20_000
Arrays = dict[str, Any]


def day(text: str) -> int:
    """Days since the epoch."""
    return date.fromisoformat(text).toordinal() - EPOCH


def cdnow_purchases(*, whole: bool = False) -> Purchases:
    """The real purchases that `make run` brings in, on the days on which they were made."""
    rows = [
        (row.customer, row.occurred_at.date().toordinal() - EPOCH, row.total_minor / 100)
        for row in cdnow.read_rows(assets.purchases(whole=whole))
    ]
    numbers = {name: place for place, name in enumerate(sorted({row[0] for row in rows}))}
    member = np.array([numbers[row[0]] for row in rows])
    return purchase_days(len(numbers), member, np.array([row[1] for row in rows]), np.array([row[2] for row in rows]))


def bought(*rows: tuple[int, int, float], members: int | None = None) -> Purchases:
    """Purchases of rows (member, day, amount)."""
    count = max((row[0] for row in rows), default=-1) + 1 if members is None else members
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return purchase_days(
        count,
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.int64),
        np.array(columns[2], dtype=np.float64),
    )


def crowd(seed: int, count: int, *, now: int = NOW, busiest: int = 20) -> Members:
    """Members of all kinds: many with one purchase, some with many, one with none."""
    random = np.random.default_rng(seed)
    rows = []
    for member in range(count - 1):
        purchases = 1 if random.random() < 0.4 else int(random.integers(2, busiest))
        days = now - random.integers(0, 900, purchases)
        rows += [(member, int(at), float(random.gamma(2.0, 20.0))) for at in days]
    return members_on(bought(*rows, members=count), now)


def standing(name: mbgnbd.Name = "mbg-nbd", **changed: Any) -> Standing:
    """A standing with the default's parameters, and nothing known of the programme yet."""
    fields: Arrays = {
        "model": mbgnbd.model(name, mbgnbd.default(name)),
        "spend": gammagamma.Spend(6.25, 3.74, 15.45),
        "ranks": segments.Ranks.unknown(),
        "means": np.full(len(PARTS), 0.5),
        "personas": personas.Personas(),
    }
    return Standing(**(fields | changed))
