"""What a worker of the night hands to the one that reduces: members' arrays, as files in the installation's bucket."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from chalicelib.base import objects
from chalicelib.scoring.rules import segments
from chalicelib.scoring.rules.arrays import Floats, Ints
from chalicelib.scoring.rules.coming import Coming
from chalicelib.scoring.rules.history import LONG_AGO, QUARTER_DAYS, Members, Purchases, partly
from chalicelib.scoring.rules.rows import Raw, members_long_ago, members_of
from chalicelib.scoring.state import NO_DAY, State
from chalicelib.scoring.told import Before

_MEDIA_TYPE: Final = "application/octet-stream"
_ARRAYS: Final = tuple(name for name in Members.__struct_fields__ if name != "now")


class Rows(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Members by name, as they are on a day and as they were 91 days before, with their purchases of late.

    `value` and `behaviour` are what had been told of each before this night, as places in `segments.VALUES` and
    `segments.BEHAVIOURS`; so is `score`, −1 where nothing had. `available` are points, `coming` is for the care
    calendar. A member's first purchase is among the purchases even where it is long past. `early` is 182 days ago, and
    has the arrays of `LONG_AGO` only.
    """

    names: tuple[str, ...]
    now: Members
    then: Members
    purchases: Purchases
    raw: Raw
    behaviour: Ints
    score: Ints
    available: Ints
    value: Ints
    coming: Coming
    early: Members

    @staticmethod
    def of(
        names: Sequence[str],
        states: Sequence[State],
        raw: Raw,
        last: Sequence[Before | None],
        today: int,
        *,
        available: Sequence[int],
        coming: Coming,
        minor_units: int = 100,
    ) -> Rows:
        """From states; `last` is what had been told before this night, `minor_units` are those of the base currency."""
        then = today - QUARTER_DAYS
        told = np.array([_places(one) for one in last], np.int64).reshape(len(names), 3)
        return Rows(
            names=tuple(names),
            now=members_of(states, today, minor_units),
            then=members_of([state.as_on(then) for state in states], then, minor_units),
            purchases=_purchases(states, minor_units),
            raw=raw,
            behaviour=told[:, 0],
            score=told[:, 1],
            available=np.array(available, np.int64),
            value=told[:, 2],
            coming=coming,
            early=members_long_ago(states, then - QUARTER_DAYS),
        )

    @property
    def last(self) -> segments.Last:
        """What had been told before, as scoring asks for it."""
        return segments.Last(np.where(self.score >= 0, self.value, NO_DAY), self.behaviour.astype(np.uint8))

    def some(self, places: Sequence[int]) -> Rows:
        """The rows of these members only; `places` rise."""
        kept = np.array(places, np.int64)
        moved = np.full(len(self.names), NO_DAY)
        moved[kept] = np.arange(len(kept))
        use = moved[self.purchases.member] != NO_DAY
        bought = self.purchases
        return Rows(
            names=tuple(self.names[place] for place in places),
            now=_picked(self.now, kept),
            then=_picked(self.then, kept),
            purchases=Purchases(len(kept), moved[bought.member[use]], bought.day[use], bought.value[use]),
            raw=Raw(**{name: getattr(self.raw, name)[kept] for name in Raw.__struct_fields__}),
            behaviour=self.behaviour[kept],
            score=self.score[kept],
            available=self.available[kept],
            value=self.value[kept],
            coming=self.coming.some(kept),
            early=_early(self.now.now, {name: getattr(self.early, name)[kept] for name in LONG_AGO}),
        )


def _places(told: Before | None) -> tuple[int, int, int]:
    """What had been told of a member, as `Rows` has it: behaviour, score and value."""
    if told is None:
        return (0, -1, 0)
    return (segments.BEHAVIOURS.index(told.behaviour), told.score, segments.VALUES.index(told.value))


def _early(today: int, arrays: dict[str, Ints]) -> Members:
    return partly(today - 2 * QUARTER_DAYS, arrays)


def _picked(members: Members, kept: Ints) -> Members:
    return Members(now=members.now, **{name: getattr(members, name)[kept] for name in _ARRAYS})


def _purchases(states: Sequence[State], minor_units: int) -> Purchases:
    member: list[int] = []
    day: list[int] = []
    minor: list[int] = []
    for place, state in enumerate(states):
        days = [state.last_day - distance for distance in state.recent]
        if days and days[-1] != state.first_day:
            days.append(state.first_day)
        paid = [*state.recent_minor, state.first_minor][: len(days)]
        member += [place] * len(days)
        day += reversed(days)
        minor += reversed(paid)
    paid_major = np.array(minor, np.float64) / minor_units
    return Purchases(len(states), np.array(member, np.int64), np.array(day, np.int64), paid_major)


def write(key: str, rows: Rows) -> None:
    """Store rows as one file."""
    arrays: dict[str, Any] = {"names": np.array(rows.names, dtype="S40"), "today": np.array(rows.now.now)}
    for prefix, members in (("now", rows.now), ("then", rows.then)):
        arrays |= {f"{prefix}_{name}": getattr(members, name) for name in _ARRAYS}
    arrays |= {f"bought_{name}": getattr(rows.purchases, name) for name in ("member", "day", "value")}
    arrays |= {f"raw_{name}": getattr(rows.raw, name) for name in Raw.__struct_fields__}
    arrays |= {name: getattr(rows, name) for name in ("behaviour", "score", "available", "value")}
    arrays |= {f"coming_{name}": getattr(rows.coming, name) for name in Coming.__struct_fields__}
    arrays |= {f"early_{name}": getattr(rows.early, name) for name in LONG_AGO}
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    objects.put(key, file.getvalue(), media_type=_MEDIA_TYPE)


def read(keys: Iterable[str]) -> Rows | None:
    """The rows of some files together, by name; a member who is in several counts once. None where there is no file."""
    found = [_loaded(objects.get(key) or b"") for key in keys]
    if not found:
        return None
    names = np.concatenate([part["names"] for part in found])
    _names, kept = np.unique(names, return_index=True)
    today = int(found[0]["today"])

    def joined(name: str) -> Any:
        return np.concatenate([part[name] for part in found])[kept]

    return Rows(
        names=tuple(name.decode() for name in names[kept].tolist()),
        now=Members(now=today, **{name: joined(f"now_{name}") for name in _ARRAYS}),
        then=Members(now=today - QUARTER_DAYS, **{name: joined(f"then_{name}") for name in _ARRAYS}),
        purchases=_joined(found, kept),
        raw=Raw(**{name: joined(f"raw_{name}") for name in Raw.__struct_fields__}),
        behaviour=joined("behaviour"),
        score=joined("score"),
        available=joined("available"),
        value=joined("value"),
        coming=Coming(**{name: joined(f"coming_{name}") for name in Coming.__struct_fields__}),
        early=_early(today, {name: joined(f"early_{name}") for name in LONG_AGO}),
    )


def _joined(found: Sequence[Any], kept: Ints) -> Purchases:
    """The purchases of the members who are kept, by their new places."""
    sizes = np.array([len(part["names"]) for part in found])
    offsets = np.cumsum(sizes) - sizes
    member = np.concatenate([part["bought_member"] + offset for part, offset in zip(found, offsets, strict=True)])
    day = np.concatenate([part["bought_day"] for part in found])
    value: Floats = np.concatenate([part["bought_value"] for part in found])
    place = np.full(int(sizes.sum()), NO_DAY)
    place[kept] = np.arange(len(kept))
    use = place[member] != NO_DAY
    owner = place[member[use]]
    order = np.lexsort((day[use], owner))
    return Purchases(len(kept), owner[order], day[use][order], value[use][order])


def _loaded(file: bytes) -> Any:
    return np.load(io.BytesIO(file), allow_pickle=False)
