"""The care calendar as CSV: a line for each occasion of a member, for whoever writes to them."""

from __future__ import annotations

import csv
from typing import Final, TextIO

import msgspec

from chalicelib.scoring.report.export import safe
from chalicelib.scoring.rules import reasons, segments
from chalicelib.scoring.rules.arrays import Ints
from chalicelib.scoring.rules.coming import OCCASIONS, Coming, Occasions
from chalicelib.scoring.rules.scoring import Scores

COLUMNS: Final = (
    *("day", "occasion", "member_id", "points", "points_expiring", "tier", "value_segment", "behaviour", "next_action"),
)
_EXPIRING: Final = OCCASIONS.index("expiring")


class Members(msgspec.Struct, frozen=True, eq=False):
    """What the sheet says of members: their names, what comes next for them, their points, their scores."""

    names: tuple[str, ...]
    coming: Coming
    available: Ints
    scores: Scores


def write(found: Occasions, members: Members, out: TextIO) -> None:
    """One line an occasion, by day; `points` are the member's, `points_expiring` those that the occasion is about."""
    coming, scores = members.coming, members.scores
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(COLUMNS)
    days = found.day.astype("datetime64[D]").astype(str).tolist()
    for day, kind, member in zip(days, found.kind.tolist(), found.member.tolist(), strict=True):
        sheet.writerow(
            (
                day,
                OCCASIONS[kind],
                safe(members.names[member]),
                int(members.available[member]),
                int(coming.expiring_points[member]) if kind == _EXPIRING else "",
                safe(coming.tier[member].decode()),
                segments.VALUES[scores.value[member]],
                segments.BEHAVIOURS[scores.behaviour[member]],
                reasons.ACTIONS[scores.action[member]],
            )
        )
