"""What a night leaves behind for the next one, and for whoever reads a score: parameters, distributions, means.

It is plain data without numpy. The night scores by the very same steps as a read, so both say the same of a member.
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.scoring.closed_form import Layer, Parameters

VALUE_SHIFT: Final = 15
"""How many bits of a 32-bit floating-point number the bin of a value leaves out."""

_LARGEST: Final = 3.4028234663852886e38


class Steps(msgspec.Struct, frozen=True):
    """A function of bins that changes at some of them: from `begins[i]` on it is `values[i]`, below the first one 0."""

    begins: tuple[int, ...] = ()
    values: tuple[float, ...] = ()

    def at(self, place: int) -> float:
        """The value of a bin."""
        found = bisect.bisect_right(self.begins, place)
        return self.values[found - 1] if found else 0.0


class Groups(msgspec.Struct, frozen=True):
    """Personas: centroids in standardised features, as `rules.personas` has them, with their names."""

    mean: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()
    centroids: tuple[tuple[float, ...], ...] = ()
    names: tuple[str, ...] = ()


class Usual(msgspec.Struct, frozen=True):
    """What is usual in the programme: the mean recommendation and satisfaction (0 to 1), the median activity.

    None for what nobody has said or done yet: then it is no part of any score.
    """

    nps: float | None = None
    csat: float | None = None
    activity: float | None = None
    friends: bool = False
    discounts: bool = False
    redemptions: bool = False


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What a night scores by.

    `number` counts them, `day` is the last day that is in it, `members` how many there were; `fits` are for the next.
    `r`, `f` and `m` give 1 to 5 by bins of days and purchases and of what was spent in a year, `value` the share of
    members with less 12-month value. `means` are those of the composite's parts, `weights` theirs by the programme.
    `layer` lies over the model's chance of a purchase and number of them, where it has proved better. Amounts are in
    the base currency, one of which is `minor_units` minor ones.
    """

    number: int
    day: int
    model: Parameters
    spend: tuple[float, float, float]
    r: Steps
    f: Steps
    m: Steps
    value: Steps
    means: tuple[float, ...]
    weights: tuple[float, ...]
    groups: Groups = Groups()
    usual: Usual = Usual()
    members: int = 0
    margin: float = 1.0
    discount_a_year: float = 0.15
    fits: msgspec.Raw = msgspec.Raw(b"{}")
    layer: Layer = Layer()
    minor_units: int = 100


_DECODER = msgspec.json.Decoder(Basis)


def encode(basis: Basis) -> bytes:
    """The stored form."""
    return msgspec.json.encode(basis)


def decode(stored: bytes | str) -> Basis:
    """The inverse of `encode`."""
    return _DECODER.decode(stored)


def value_bin(value: float) -> int:
    """The bin of an amount: the leading bits of its 32-bit floating-point form; those below 0 count as 0."""
    packed = struct.pack("<f", min(max(value, 0.0), _LARGEST))
    return int(struct.unpack("<I", packed)[0]) >> VALUE_SHIFT


def runs(values: Sequence[float]) -> Steps:
    """A table by bin, as steps."""
    begins: list[int] = []
    kept: list[float] = []
    for place, value in enumerate(values):
        if not kept or value != kept[-1]:
            begins.append(place)
            kept.append(value)
    return Steps(tuple(begins), tuple(kept))
