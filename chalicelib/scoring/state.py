"""What scoring knows of one member: plain, packed data, folded from the ledger's facts. It needs no numpy.

It is stored as MessagePack arrays, so a field is only ever added at the end, with a default. Days count from the epoch
in the programme's zone. What moves with time alone (windows of so many days, silence, fading) is not stored: it follows
from the days that are.
"""

from __future__ import annotations

import itertools
import math
from typing import Final

import msgspec

NO_DAY: Final = -1
KEPT_DAYS: Final = 365 + 91
"""So many days before the last purchase, every purchase day is kept: a year, as it was 91 days ago."""

ACTIVITY_HALF_LIFE_DAYS: Final = 30.0
_LAST_DAY: Final = 3_000_000
_MINOR_MAX: Final = 10**15


class Said(msgspec.Struct, array_like=True, frozen=True):
    """What a member has answered: the latest recommendation (0 to 10), and how many of all ratings were satisfied."""

    nps: int = -1
    nps_day: int = NO_DAY
    satisfied: int = 0
    rated: int = 0


class State(msgspec.Struct, array_like=True, frozen=True):
    """One member's purchases and signals.

    `entries` is the number of the last entry that is in it. Purchases of a day are one: `purchase_days` counts such
    days, `discounted_days` those with a discount. `ln_gaps` sums the logarithms of the days between them. `value_minor`
    is all that was paid less what was refunded, in the base currency, `first_minor` what was paid on the first day.

    `recent` are the days before the last one on which something was bought, as their distances from it, newest first
    and beginning with 0 for the last day itself; `recent_minor` is what was paid on each. Of those older than
    KEPT_DAYS the latest two are kept as well. `activity` is as of `activity_day`, and is halved every 30 days.
    `latest_day` is the latest day of all that is in it.
    """

    version: int = 1
    entries: int = 0
    first_day: int = NO_DAY
    last_day: int = NO_DAY
    purchase_days: int = 0
    discounted_days: int = 0
    ln_gaps: float = 0.0
    first_minor: int = 0
    value_minor: int = 0
    recent: tuple[int, ...] = ()
    recent_minor: tuple[int, ...] = ()
    activity: float = 0.0
    activity_day: int = NO_DAY
    said: Said = Said()
    friends: int = 0
    latest_day: int = NO_DAY
    last_discounted: bool = False

    @property
    def repeats(self) -> int:
        """Purchase days after the first one."""
        return max(self.purchase_days - 1, 0)

    @property
    def last_gap_days(self) -> int:
        """Days between the last two purchase days; 0 where there are not two."""
        return self.recent[1] if len(self.recent) > 1 else 0

    def bought_since(self, now: int, days: int, before: int = 0) -> tuple[int, int]:
        """Purchase days, and what was paid on them, of the `days` days up to `now`, the last `before` of them left out.

        Reaches back no more than KEPT_DAYS before the last purchase.
        """
        count, paid_minor = 0, 0
        for distance, minor in zip(self.recent, self.recent_minor, strict=True):
            since = now - self.last_day + distance
            if before <= since < days:
                count, paid_minor = count + 1, paid_minor + minor
        return count, paid_minor

    def as_on(self, day: int) -> State:
        """The state as it was at the end of a day, by what is known now of the purchases until then.

        A day more than 91 days before the last purchase is too long ago to be told. What was said and done beside
        buying is left as it is.
        """
        if self.last_day <= day:
            return self
        later = sum(self.last_day - distance > day for distance in self.recent)
        if later >= self.purchase_days:
            return State()
        moved = self.recent[later]
        gone = self.recent[: later + 1]
        gaps = (older - newer for newer, older in itertools.pairwise(gone))
        return msgspec.structs.replace(
            self,
            last_day=self.last_day - moved,
            purchase_days=self.purchase_days - later,
            ln_gaps=self.ln_gaps - math.fsum(math.log(gap) for gap in gaps),
            value_minor=self.value_minor - sum(self.recent_minor[:later]),
            recent=tuple(distance - moved for distance in self.recent[later:]),
            recent_minor=self.recent_minor[later:],
        )

    def active_on(self, now: int) -> float:
        """The activity that is left of it on the day `now`."""
        if self.activity_day == NO_DAY:
            return 0.0
        return self.activity * 0.5 ** (max(now - self.activity_day, 0) / ACTIVITY_HALF_LIFE_DAYS)


class AbsurdFacts(ValueError):
    """Facts that no history of purchases can have led to."""


def checked(state: State) -> State:
    """The state, if sums and models can be made of it. Raises AbsurdFacts: one such member would spoil everybody's."""
    days, minor = state.recent, (state.value_minor, state.first_minor, *state.recent_minor)
    if state.purchase_days:
        is_fine = (
            0 <= state.first_day <= state.last_day <= _LAST_DAY
            and 0 < len(days) == len(state.recent_minor) <= state.purchase_days
            and days[0] == 0
            and all(near < far for near, far in itertools.pairwise(days))
            and days[-1] <= state.last_day - state.first_day
        )
    else:
        is_fine = state.first_day == state.last_day == NO_DAY and not days and not state.recent_minor
    is_fine = is_fine and 0 <= state.discounted_days <= state.purchase_days
    is_fine = is_fine and all(abs(amount) <= _MINOR_MAX for amount in minor)
    is_fine = is_fine and math.isfinite(state.ln_gaps) and math.isfinite(state.activity)
    if not is_fine:
        raise AbsurdFacts(f"These facts cannot be: {state}")
    return state


_DECODER = msgspec.msgpack.Decoder(State)
_ENCODER = msgspec.msgpack.Encoder()


def pack(state: State) -> bytes:
    """The stored form of a state."""
    return _ENCODER.encode(state)


def unpack(packed: bytes) -> State:
    """The inverse of `pack`, for this and every earlier version."""
    return _DECODER.decode(packed)
