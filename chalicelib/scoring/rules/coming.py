"""The care calendar of all members: which days hold what for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from chalicelib.scoring.rules.arrays import NO_DAY, Flags, Ints

OCCASIONS: Final = ("birthday", "anniversary", "expiring", "tier_ending")


class Coming(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What comes next for each member, as `care.Ahead` has it, and the code of the tier that each is in."""

    anniversary: Ints
    expiring: Ints
    expiring_points: Ints
    tier_ending: Ints
    tier: npt.NDArray[np.bytes_]

    @staticmethod
    def of(ahead: Sequence[Any], tiers: Sequence[str]) -> Coming:
        """From what is ahead of single members, by the arrays' names."""
        names = [name for name in Coming.__struct_fields__ if name != "tier"]
        arrays = {name: np.array([getattr(one, name) for one in ahead], np.int64) for name in names}
        return Coming(**arrays, tier=np.array([tier.encode() for tier in tiers], np.bytes_))

    def some(self, kept: Ints) -> Coming:
        """That of the members in these places."""
        return Coming(**{name: getattr(self, name)[kept] for name in self.__struct_fields__})


class Occasions(msgspec.Struct, frozen=True, eq=False):
    """One row an occasion, by day, then kind, then member: places in OCCASIONS, and of the members."""

    day: Ints
    kind: Ints
    member: Ints

    def counts(self, first_day: int, days: int) -> Ints:
        """How many there are, by day (rows) and kind."""
        place = (self.day - first_day) * len(OCCASIONS) + self.kind
        return np.bincount(place, minlength=days * len(OCCASIONS)).reshape(days, len(OCCASIONS))


def occasions(
    coming: Coming, birthdays: Mapping[int, Sequence[int]], first_day: int, days: int, *, points_least: int
) -> Occasions:
    """What the days from `first_day` on hold. `birthdays` are the members' places by day.

    Points that expire are an occasion from `points_least` on, since fewer of them are good for nothing.
    """
    found = {
        "anniversary": (coming.anniversary, np.ones(len(coming.anniversary), bool)),
        "expiring": (coming.expiring, coming.expiring_points >= points_least),
        "tier_ending": (coming.tier_ending, np.ones(len(coming.tier_ending), bool)),
    }
    columns = [_rows(OCCASIONS.index(kind), *what, (first_day, first_day + days)) for kind, what in found.items()]
    for day, members in birthdays.items():
        if first_day <= day < first_day + days:
            columns.append(np.array([(day, 0, member) for member in members], np.int64).reshape(-1, 3))
    rows = np.concatenate(columns)
    rows = rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
    return Occasions(rows[:, 0], rows[:, 1], rows[:, 2])


def _rows(kind: int, day: Ints, of: Flags, within: tuple[int, int]) -> Ints:
    members = np.flatnonzero(of & (day != NO_DAY) & (day >= within[0]) & (day < within[1]))
    return np.stack([day[members], np.full(len(members), kind), members], axis=1)
