"""How an order's record keeps the explanations of its rules: short, and for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from chalicelib.program.rules.inputs import Explanation

Packed: TypeAlias = tuple[str | int, ...]
_BLANK: Packed = ("", "", 0, 0, "", 0, "", "")


def packed(explanation: Explanation) -> Packed:
    """Rule, reason, 1 if it fired, points, campaign, points cut, by what, voucher; blanks at the end are left out."""
    values: Packed = (
        *(explanation.rule, explanation.reason, int(explanation.fired), explanation.points),
        *(explanation.campaign, explanation.cut_points, explanation.cut_by),
        explanation.voucher_id,
    )
    length = max((place for place, value in enumerate(values, start=1) if value), default=0)
    return values[:length]


def unpacked(values: Sequence[str | int]) -> Explanation:
    """The inverse of `packed`."""
    rule, reason, fired, points, campaign, cut_points, cut_by, voucher_id = (*values, *_BLANK[len(values) :])
    return Explanation(
        rule=str(rule),
        fired=bool(fired),
        reason=str(reason),
        points=int(points),
        campaign=str(campaign),
        cut_points=int(cut_points),
        cut_by=str(cut_by),
        voucher_id=str(voucher_id),
    )
