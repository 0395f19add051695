"""What the report says of the layer over the model: whether it is in use, how both did, and why not if not."""

from __future__ import annotations

from typing import Final

from chalicelib.base.svg import Both
from chalicelib.scoring.closed_form import Layer, Tried
from chalicelib.scoring.report.words import filled, key

_TRIED: Final = ("not_better", "ranks_worse")


def told(layer: Layer | None) -> list[Both]:
    """Some lines; none of a report that was made before there was a layer."""
    if layer is None:
        return []
    if layer.chance and layer.brier:
        return [filled("layer_chance", **_both(layer.brier)), _number(layer)]
    reason = next(iter(layer.refused), "too_young")
    values = _both(layer.auc if reason == "ranks_worse" else layer.brier) if reason in _TRIED else {}
    lines = [filled(f"layer_{reason}", **values)]
    return [*lines, _number(layer)] if layer.number else lines


def _number(layer: Layer) -> Both:
    if layer.number and layer.mae:
        return filled("layer_number", **_both(layer.mae, 3))
    return key("layer_number_alone")


def _both(tried: Tried | None, digits: int = 4) -> dict[str, str]:
    if tried is None:
        return {"model": "–", "layer": "–"}
    return {"model": f"{tried.model:.{digits}f}", "layer": f"{tried.layer:.{digits}f}"}
