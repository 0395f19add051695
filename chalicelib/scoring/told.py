"""What was last told of a member, and whether what is to be said now is different enough to be told again: pure."""

from __future__ import annotations

from typing import Final

import msgspec

MOVED: Final = 5
"""So many points of the score are worth telling."""

COOL_DOWN_DAYS: Final = 14
ALERTS: Final = ("churn", "overdue", "slowing", "fluctuation", "expiring")


class Told(msgspec.Struct, array_like=True, frozen=True):
    """A member's score as it was last told, on `day`, by basis number `basis`.

    `on` are the states of ALERTS (one bit each) that held then; `alerted` is, by ALERTS, the day of the last alert
    (−1 for none).
    """

    version: int = 1
    day: int = -1
    basis: int = 0
    score: int = 0
    value: str = ""
    behaviour: str = ""
    on: int = 0
    alerted: tuple[int, ...] = (-1,) * len(ALERTS)

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments that rules and surveys may name: gold members are high ones as well."""
        value = (self.value, "high") if self.value == "gold" else (self.value,)
        return tuple(sorted(filter(None, (*value, self.behaviour))))

    @property
    def text(self) -> str:
        """In short, for people."""
        return f"{self.score} {self.value} {self.behaviour}"


def bits(holds: tuple[bool, ...]) -> int:
    """States of ALERTS as a number."""
    return sum(1 << place for place, held in enumerate(holds) if held)


def onsets(last: Told, holds: tuple[bool, ...], today: int) -> tuple[str, ...]:
    """The alerts that begin now: not there when something was last told, nor alerted within 14 days."""
    return tuple(
        name
        for place, name in enumerate(ALERTS)
        if holds[place]
        and not last.on >> place & 1
        and (last.alerted[place] < 0 or today - last.alerted[place] >= COOL_DOWN_DAYS)
    )


def next_told(last: Told | None, now: Told, alerts: tuple[str, ...]) -> Told | None:
    """What is to be written down, None where nothing has changed that is worth it.

    A night that is run twice finds what it has told itself, and changes nothing.
    """
    if last is None:
        return now
    alerted = tuple(now.day if name in alerts else day for name, day in zip(ALERTS, last.alerted, strict=True))
    is_same = (
        abs(now.score - last.score) < MOVED
        and (now.value, now.behaviour, now.on) == (last.value, last.behaviour, last.on)
        and not alerts
    )
    return None if is_same else msgspec.structs.replace(now, alerted=alerted)


_DECODER = msgspec.msgpack.Decoder(Told)
_ENCODER = msgspec.msgpack.Encoder()


def pack(told: Told) -> bytes:
    """The stored form."""
    return _ENCODER.encode(told)


def unpack(packed: bytes) -> Told:
    """The inverse of `pack`, for this and every earlier version."""
    return _DECODER.decode(packed)
