"""The tables of the night: the same counters as the live totals, once for each tier, channel, store, segment …: pure.

A table is named by what it is grouped by, and has a cell of counters for each value. `all` has one cell for the answers
that count, with the sums by which key drivers are found, and one for those that are flagged; nothing else counts these.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from chalicelib.surveys.document import Answers, Definition
from chalicelib.surveys.rules import counting, drivers
from chalicelib.surveys.rules.context import Context

Grouping: TypeAlias = Literal["tier", "channel", "store", "segment", "language"]

GROUPINGS: Final[tuple[Grouping, ...]] = ("tier", "channel", "store", "segment", "language")

ALL: Final = "all"
SOUND: Final = "sound"
FLAGGED: Final = "flagged"

VALUES_MAX: Final = 5_000
"""So many values one table has at the most; what comes beyond them is counted together, as `OTHERS`."""

OTHERS: Final = "*"

CHUNK_BYTES: Final = 600_000
"""So long a chunk of a table is as JSON at the most; compressed it fits into an item with room to spare."""

Cells: TypeAlias = dict[str, Counter[str]]

_TABLES = msgspec.json.Decoder(dict[str, dict[str, int]])


class Tables:
    """Tables that grow by one answer after another; in whatever order they come, the sums are the same."""

    def __init__(self) -> None:
        self.cells: dict[str, Cells] = {}

    def add(self, definition: Definition, answers: Answers, context: Context, shard: int) -> None:
        """Count one answer; `shard` is the one that it lies in, which serves as its random group."""
        names = list(counting.added(definition, answers, context))
        if context.flags:
            self._cell(ALL, FLAGGED).update(names)
            return
        everything = self._cell(ALL, SOUND)
        everything.update(names)
        for name, sum_ in drivers.added(definition, answers, shard):
            everything[name] += sum_
        for grouping, value in _places(context):
            self._cell(grouping, value).update(names)

    def merge(self, grouping: str, cells: Mapping[str, Mapping[str, int]]) -> None:
        """Add a table, or a chunk of one, that was made before."""
        for value, counts in cells.items():
            cell = self._cell(grouping, value)
            for name, count in counts.items():
                cell[name] += count

    @property
    def answers(self) -> int:
        """How many answers were counted, flagged ones too."""
        return sum(cell[counting.ANSWERS] for cell in self.cells.get(ALL, {}).values())

    def _cell(self, grouping: str, value: str) -> Counter[str]:
        cells = self.cells.setdefault(grouping, {})
        if value not in cells and len(cells) >= VALUES_MAX:
            value = OTHERS
        return cells.setdefault(value, Counter())


def packed(cells: Mapping[str, Mapping[str, int]]) -> Iterator[bytes]:
    """A table in chunks that fit into items, cell by cell in the order of their values."""
    chunk: dict[str, Mapping[str, int]] = {}
    size = 0
    for value in sorted(cells):
        own = len(msgspec.json.encode({value: cells[value]}))
        if chunk and size + own > CHUNK_BYTES:
            yield pack(chunk)
            chunk, size = {}, 0
        chunk[value] = cells[value]
        size += own
    yield pack(chunk)


def pack(cells: Mapping[str, Mapping[str, int]]) -> bytes:
    """Some cells of a table, compressed."""
    return zlib.compress(msgspec.json.encode(cells, order="sorted"))


def unpacked(chunk: bytes) -> dict[str, dict[str, int]]:
    """The inverse of `pack`."""
    return _TABLES.decode(zlib.decompress(chunk))


def _places(context: Context) -> Iterator[tuple[Grouping, str]]:
    """The cells in which an answer counts. What is not known of it is a value too, the empty one."""
    yield "tier", context.tier
    yield "channel", context.channel
    yield "store", context.store
    yield "language", context.locale
    yield from (("segment", segment) for segment in dict.fromkeys(context.segments or ("",)))
