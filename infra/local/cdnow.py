"""The CDNOW purchases: 2,357 real customers of a music shop and what they bought in 1997 and 1998.

21 rows look exactly like another one and are purchases all the same, so a row is known by its line number. Eight cost
nothing. The dates are moved so that the last purchase was yesterday.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

SOURCE = "cdnow"
_SPREAD_S = 36_000


@dataclass(frozen=True)
class Purchase:
    """One row: which customer paid how much and when, and for how many discs."""

    line: int
    customer: str
    occurred_at: datetime
    discs: int
    total_minor: int


def read(path: Path, now: datetime, limit: int | None = None) -> list[Purchase]:
    """The purchases in the order of time; with `limit`, those of the first customers only, up to so many rows."""
    rows = list(read_rows(path))[:limit]
    if not rows:
        return []
    shift = now - timedelta(days=1) - max(row.occurred_at for row in rows)
    moved = [
        Purchase(row.line, row.customer, row.occurred_at + timedelta(days=shift.days), row.discs, row.total_minor)
        for row in rows
    ]
    return sorted(moved, key=lambda row: (row.occurred_at, row.line))


def read_rows(path: Path) -> Iterator[Purchase]:
    """The purchases as they are in the file, on the days on which they were made."""
    for line, text in enumerate(path.read_text(encoding="ascii").splitlines(), start=1):
        if "customer_id" in text:
            continue
        # Columns: the customer's number in the full data, in the sample also the one in it, date, discs, dollars.
        *_, customer, day, discs, dollars = text.split()
        # The data knows days only. Seconds by line number keep one day's purchases apart, and on their day.
        moment = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) + timedelta(hours=12, seconds=line % _SPREAD_S)
        whole, cents = dollars.split(".")
        yield Purchase(line, customer, moment, int(discs), int(whole) * 100 + int(cents.ljust(2, "0")))
