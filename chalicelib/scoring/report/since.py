"""What has changed since the night before: who went from which segment to which, and whose score has moved."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.report.model import Flow, Mover, Since
from chalicelib.scoring.rules import composite, segments
from chalicelib.scoring.rules.arrays import Flags, Floats, Ints
from chalicelib.scoring.rules.history import Purchases, members_on
from chalicelib.scoring.rules.loyalty import Signals
from chalicelib.scoring.rules.scoring import Scores, Standing, score

NOT_THERE: Final = "not_there"
MOVED: Final = 5.0
_SHOWN: Final = 6
_HARDLY: Final = 0.005


class Said(msgspec.Struct, frozen=True, eq=False):
    """What is said of each member: places in the tuples of `segments`, and the score; `there` where anything is."""

    there: Flags
    value: Ints
    behaviour: Ints
    score: Floats

    @staticmethod
    def of(scores: Scores, there: Flags) -> Said:
        """What scores say, of those who are there."""
        value, behaviour = (codes.astype(np.int64) for codes in (scores.value, scores.behaviour))
        return Said(there, value, behaviour, scores.score)


class Earlier(msgspec.Struct, frozen=True, eq=False):
    """What was said on an earlier `day`, and what is `now`; both by one standing, or each as members were told it."""

    day: int
    before: Said
    now: Said
    standing: Standing


def earlier(standing: Standing, purchases: Purchases, day: int, now: Scores, signals: Signals | None) -> Earlier:
    """What the standing of today makes of an earlier day, with what members had said until then."""
    old = score(standing, members_on(purchases, day), signals)[0]
    return Earlier(day, Said.of(old, old.bought), Said.of(now, now.bought), standing)


def since(names: tuple[str, ...], purchases: Purchases, found: Earlier, until: int, day: str) -> Since:
    """What has changed since the earlier day, which is called `day`."""
    before, now = found.before, found.now
    kept = before.there & now.there
    pairs = {
        "behaviour": (segments.BEHAVIOURS, before.behaviour, now.behaviour),
        "value": (segments.VALUES, before.value, now.value),
    }
    moved = np.where(kept, now.score - before.score, 0.0)
    return Since(
        day=day,
        members=int(now.there.sum()),
        stayed={kind: int((kept & (old == new)).sum()) for kind, (_names, old, new) in pairs.items()},
        came=int((now.there & ~before.there).sum()),
        behaviour=_flows(*pairs["behaviour"], found),
        value=_flows(*pairs["value"], found),
        risers=_movers(names, purchases, found, until, moved),
        fallers=_movers(names, purchases, found, until, -moved),
    )


def _flows(names: tuple[str, ...], old: Ints, new: Ints, found: Earlier) -> tuple[Flow, ...]:
    """Who moved, and who came."""
    there = found.now.there
    before = np.where(found.before.there, old, len(names))[there]
    pairs = np.bincount(before * len(names) + new[there], minlength=(len(names) + 1) * len(names))
    return tuple(
        Flow((*names, NOT_THERE)[place // len(names)], names[place % len(names)], count)
        for place, count in enumerate(pairs.tolist())
        if count and place // len(names) != place % len(names)
    )


def _movers(names: tuple[str, ...], purchases: Purchases, found: Earlier, until: int, way: Floats) -> tuple[Mover, ...]:
    """Whose score has moved most in one direction, by five points at least."""
    rows = np.flatnonzero(way >= MOVED)
    order = sorted(rows.tolist(), key=lambda row: (-float(way[row]), names[row]))[:_SHOWN]
    if not order:
        return ()
    changed = _changes(found.standing, _only(purchases, order), (found.day, until))
    before, now = found.before.score.tolist(), found.now.score.tolist()
    return tuple(
        Mover(names[row], before[row], now[row], _reason(changed[:, place], now[row] - before[row]))
        for place, row in enumerate(order)
    )


def _changes(standing: Standing, purchases: Purchases, days: tuple[int, int]) -> Floats:
    """By how much each part that purchases make moves a score from one day to the other, one row a part."""
    old, new = (score(standing, members_on(purchases, day))[0] for day in days)
    return changes(standing.part_weights, new, old)


def changes(weights: tuple[float, ...], new: Scores, old: Scores) -> Floats:
    """By how much each part that purchases make has moved the score, one row a part."""
    parts = []
    for scores in (new, old):
        course = np.clip(0.5 + 0.25 * scores.trend, 0.0, 1.0)
        parts.append(np.array([1.0 - scores.churn, scores.percentile, scores.rfm // 10 % 10 / 4.0, course]))
    return (parts[0] - parts[1]) * np.array(weights[: len(parts[0])])[:, None]


def _reason(changed: Floats, moved: float) -> str:
    """The part that has moved a score most; none where it was something beside buying."""
    way = changed if moved > 0 else -changed
    best = int(way.argmax())
    return composite.PARTS[best] if way[best] > _HARDLY else ""


def _only(purchases: Purchases, members: list[int]) -> Purchases:
    """The purchases of some members, in this order."""
    place = np.full(purchases.members, -1)
    place[members] = np.arange(len(members))
    use = place[purchases.member] >= 0
    owner = place[purchases.member[use]]
    order = np.lexsort((purchases.day[use], owner))
    return Purchases(len(members), owner[order], purchases.day[use][order], purchases.value[use][order])
