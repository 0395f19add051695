"""What was last told of a member, and whether what is to be said now is different enough to be told again: pure."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.scoring import care

logger = logging.getLogger(__name__)

MOVED: Final = 5
"""So many points of the score are worth telling where there is news of the member: something is written anyway."""

DRIFTED: Final = 15
"""So many where time alone has moved it: a read works that out by itself."""

COOL_DOWN_DAYS: Final = 14
ALERTS: Final = ("churn", "overdue", "slowing", "fluctuation", "expiring")
NEWS: Final = (*ALERTS, *care.KINDS)
"""Whatever is told of a member once, in the order in which their days are stored: new ones come at the end."""

_NEVER: Final = -1


class Before(msgspec.Struct, array_like=True, frozen=True):
    """What was told of a member before the day of the telling that it stands in."""

    score: int
    value: str
    behaviour: str


class Told(msgspec.Struct, array_like=True, frozen=True):
    """A member's score as it was last told, on `day`, by basis number `basis`.

    `on` are the states of ALERTS (one bit each) that held then; `alerted` is, by NEWS, the day on which each was last
    told (−1 for none; those that are missing in earlier versions were not). `before` is what had been told until then.
    """

    version: int = 1
    day: int = -1
    basis: int = 0
    score: int = 0
    value: str = ""
    behaviour: str = ""
    on: int = 0
    alerted: tuple[int, ...] = (_NEVER,) * len(NEWS)
    before: Before | None = None

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments that rules and surveys may name: gold members are high ones as well."""
        value = (self.value, "high") if self.value == "gold" else (self.value,)
        return tuple(sorted(filter(None, (*value, self.behaviour))))

    @property
    def text(self) -> str:
        """In short, for people."""
        return f"{self.score} {self.value} {self.behaviour}"

    @property
    def days(self) -> tuple[int, ...]:
        """The days by NEWS, of an earlier version too."""
        return self.alerted + (_NEVER,) * (len(NEWS) - len(self.alerted))


def before(last: Told | None, today: int) -> Before | None:
    """What had been told of a member until the end of the day before, however often `today` has been told of since."""
    if last is None:
        return None
    return last.before if last.day >= today else Before(last.score, last.value, last.behaviour)


def bits(holds: tuple[bool, ...]) -> int:
    """States of ALERTS as a number."""
    return sum(1 << place for place, held in enumerate(holds) if held)


def onsets(last: Told, holds: tuple[bool, ...], today: int) -> tuple[str, ...]:
    """The alerts that begin now: not there when something was last told, nor alerted within 14 days."""
    return tuple(
        name
        for place, name in enumerate(ALERTS)
        if holds[place] and not last.on >> place & 1 and _is_cool(last.days[place], today)
    )


def cares(last: Told | None, since: Sequence[int], today: int) -> tuple[str, ...]:
    """What the care calendar has to tell now: what is due, and was not told since it is; `since` is by `care.KINDS`.

    It goes by days alone, so that nothing need be written down when an occasion has passed; and what is near on a
    member's first night is told then.
    """
    days = last.days[len(ALERTS) :] if last is not None else (_NEVER,) * len(care.KINDS)
    return tuple(
        name
        for name, first, day in zip(care.KINDS, since, days, strict=True)
        if first != _NEVER and day < first <= today and _is_cool(day, today)
    )


def next_told(last: Told | None, now: Told, news: tuple[str, ...], *, is_new: bool) -> Told | None:
    """What is to be written down, None where nothing has changed that is worth it; `news` are told along with it.

    `is_new` says that the ledger has had something of the member since the night before. A night that is
    run twice finds what it has told itself, and changes nothing.
    """
    known = last.days if last is not None else (_NEVER,) * len(NEWS)
    days = tuple(now.day if name in news else day for name, day in zip(NEWS, known, strict=True))
    is_same = (
        last is not None
        and abs(now.score - last.score) < (MOVED if is_new else DRIFTED)
        and (now.value, now.behaviour, now.on) == (last.value, last.behaviour, last.on)
        and not news
    )
    return None if is_same else msgspec.structs.replace(now, alerted=days, before=before(last, now.day))


def _is_cool(told_on: int, today: int) -> bool:
    return told_on == _NEVER or today - told_on >= COOL_DOWN_DAYS


def read(packed: bytes | None) -> Told | None:
    """What is stored; None where nothing is, or nothing that can be read: then it is told as if for the first time."""
    if packed is None:
        return None
    try:
        return unpack(packed)
    except msgspec.DecodeError:
        logger.warning("what was last told of a member cannot be read: %s", packed.hex())
        return None


_DECODER = msgspec.msgpack.Decoder(Told)
_ENCODER = msgspec.msgpack.Encoder()


def pack(told: Told) -> bytes:
    """The stored form."""
    return _ENCODER.encode(told)


def unpack(packed: bytes) -> Told:
    """The inverse of `pack`, for this and every earlier version."""
    return _DECODER.decode(packed)
