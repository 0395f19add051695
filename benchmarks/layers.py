"""The layer over the model on real members: what the gate decides night by night, and whether it was right."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import pairwise

import msgspec
import numpy as np

from chalicelib.scoring.closed_form import Layer
from chalicelib.scoring.rules import layering, mbgnbd
from chalicelib.scoring.rules.calibration import Quality, quality
from chalicelib.scoring.rules.history import QUARTER_DAYS, Purchases, bought_between, members_on
from chalicelib.scoring.rules.layering import Foreseen
from chalicelib.scoring.rules.mbgnbd import Name
from chalicelib.scoring.rules.night import fits

_FIRST_DAY = 207
_EVERY_DAYS = 13
_SHOWN = (272, 363, 454)


class _Day(msgspec.Struct, frozen=True):
    """What was in use on a day, and how good both words proved in the 91 days after it."""

    day: int
    layer: Layer
    model: Quality
    layered: Quality


def main(crowds: Mapping[str, Purchases]) -> None:
    """Print what came of the layer on some days, and of all days together."""
    found = {(crowd, kind): _days(crowds[crowd], kind) for crowd in crowds for kind in ("mbg-nbd", "bg-nbd")}
    print("\n| the layer, on the 91 days after | in use for | Brier | AUC | MAE | RMSE |\n|---|---|--:|--:|--:|--:|")
    for (crowd, kind), days in found.items():
        for one in days if kind == "mbg-nbd" else ():
            if one.day in _SHOWN:
                figures = " | ".join(_beside(one, name) for name in ("brier", "auc", "mae", "rmse"))
                print(f"| {crowd}, day {one.day} | {_used(one.layer)} | {figures} |")
    print(
        "\n| the layer, every 13 days | days | chance in use | Brier rose after | AUC fell after | came or went |",
        end="",
    )
    print(" number in use | MAE rose after |\n|---|--:|--:|--:|--:|--:|--:|--:|")
    for (crowd, kind), days in found.items():
        chance = [one for one in days if one.layer.chance]
        number = [one for one in days if one.layer.number]
        rose = sum(one.layered.brier > one.model.brier for one in chance)
        fell = sum((one.layered.auc or 0.0) < (one.model.auc or 0.0) for one in chance)
        turns = sum(bool(a.layer.chance) != bool(b.layer.chance) for a, b in pairwise(days))
        worse = sum(one.layered.mae > one.model.mae for one in number)
        cells = (crowd + ", " + kind, len(days), len(chance), rose, fell, turns, len(number), worse)
        print("| " + " | ".join(map(str, cells)) + " |")


def _days(purchases: Purchases, kind: Name) -> list[_Day]:
    """Every 13 days, each with the layer of 13 days before in use until then."""
    begun = int(purchases.day.min())
    last = int(purchases.day.max()) - begun - QUARTER_DAYS

    @cache
    def seen(day: int) -> Foreseen:
        members = members_on(purchases, begun + day)
        model = mbgnbd.model(kind, fits(kind, members)[0])
        return layering.foreseen(model, members, bought_between(purchases, members.now, members.now + QUARTER_DAYS))

    found: list[_Day] = []
    for day in sorted({*range(last, _FIRST_DAY, -_EVERY_DAYS), *(one for one in _SHOWN if one <= last)}):
        in_use = found[-1].layer if found else Layer()
        layer = layering.layers(seen(day - 2 * QUARTER_DAYS), seen(day - QUARTER_DAYS), in_use).now
        now = seen(day)
        found.append(_Day(day, layer, _quality(Layer(), now), _quality(layer, now)))
    return found


def _quality(layer: Layer, seen: Foreseen) -> Quality:
    buys, number = layering.applied(layer, seen)
    return quality(buys, number, np.asarray(seen.actual))


def _beside(one: _Day, name: str) -> str:
    before, after = getattr(one.model, name), getattr(one.layered, name)
    digits = 4 if name == "brier" else 3
    return f"{before:.{digits}f}" if before == after else f"{before:.{digits}f} → {after:.{digits}f}"


def _used(layer: Layer) -> str:
    return " and ".join(name for name in ("chance", "number") if getattr(layer, name)) or "nothing"
