"""Ranks from histograms that merge: the same cut points however members are dealt out to workers.

Values are counted by the leading bits of their floating-point number, bins of at most 0.4 % width, so no pass for a
range is needed; counts and days by themselves. Equal values share the middle of the ranks that they cover.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from chalicelib.scoring.rules.arrays import Floats, Ints

_SHIFT: Final = 15
BINS: Final = 1 << (31 - _SHIFT)
DAY_BINS: Final = 4096
COUNT_BINS: Final = 4096
_LARGEST: Final = float(np.finfo(np.float32).max)


def value_bins(values: Floats) -> Ints:
    """The bin of each value; those below 0 count as 0."""
    small = np.clip(values, 0.0, _LARGEST).astype(np.float32)
    return (small.view(np.uint32) >> _SHIFT).astype(np.int64)


def bin_floor(place: int) -> float:
    """The least value of a bin."""
    return float(np.array([place << _SHIFT], dtype=np.uint32).view(np.float32)[0])


class Histogram(msgspec.Struct, frozen=True, eq=False):
    """How many members fall into each bin."""

    counts: Ints

    @staticmethod
    def of_values(values: Floats) -> Histogram:
        """A histogram of amounts and other real values from 0."""
        return Histogram(np.bincount(value_bins(values), minlength=BINS))

    @staticmethod
    def of_counts(values: npt.NDArray[np.integer[Any]], bins: int = COUNT_BINS) -> Histogram:
        """A histogram of whole numbers; what lies beyond the last bin is counted in it."""
        return Histogram(np.bincount(np.clip(values, 0, bins - 1), minlength=bins))

    @staticmethod
    def merged(parts: Iterable[Histogram]) -> Histogram:
        """All parts together. There must be one at least."""
        found = list(parts)
        return Histogram(np.sum([part.counts for part in found], axis=0))

    @property
    def members(self) -> int:
        """How many were counted."""
        return int(self.counts.sum())

    def ranks(self) -> Floats:
        """By bin, the share of members below it and half of those in it; 0.5 each without members."""
        below = np.cumsum(self.counts) - self.counts / 2.0
        members = self.members
        return below / members if members else np.full(len(self.counts), 0.5)

    def fifths(self, *, falling: bool = False) -> npt.NDArray[np.int8]:
        """By bin, its quintile 1 to 5; with `falling`, small values are the best."""
        ranks = 1.0 - self.ranks() if falling else self.ranks()
        return (1 + np.minimum((ranks * 5.0).astype(np.int8), 4)).astype(np.int8)

    def quantile_bin(self, share: float) -> int:
        """The bin in which the member at this share stands; 0 without members."""
        return int(np.searchsorted(np.cumsum(self.counts), share * self.members, "right")) if self.members else 0
