"""Personas: members grouped by what they are like, with groups that keep their names from night to night."""

from __future__ import annotations

from itertools import permutations
from typing import Final

import msgspec
import numpy as np

from chalicelib.scoring.rules.arrays import Codes, Floats, Ints

FEATURES: Final = ("recency", "frequency", "monetary", "trend", "engagement", "discount")
GROUPS_MIN, GROUPS_MAX = 4, 8
SAMPLE: Final = 50_000
_JUDGED: Final = 2_000
_ROUNDS: Final = 25
_SEED: Final = 20_260
TREND_SCALE: Final = 2.0
_TINY: Final = 1e-9


class Personas(msgspec.Struct, frozen=True):
    """Centroids in standardised features, by persona; `mean` and `spread` standardise. Empty where all are alike."""

    mean: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()
    centroids: tuple[tuple[float, ...], ...] = ()

    def levels(self) -> Floats:
        """The centroids in the features' own units, one row a persona."""
        return np.array(self.centroids).reshape(-1, len(FEATURES)) * np.array(self.spread) + np.array(self.mean)


def features(rfm: Ints, trend: Floats, engagement: Floats | None, discount: Floats | None) -> Floats:
    """The six features of each member: quintiles from 0 to 1, trend, engagement and discounted share."""
    count = len(rfm)
    result = np.zeros((count, len(FEATURES)), np.float32)
    result[:, 0] = (rfm // 100 - 1) / 4
    result[:, 1] = (rfm // 10 % 10 - 1) / 4
    result[:, 2] = (rfm % 10 - 1) / 4
    result[:, 3] = np.clip(trend / TREND_SCALE, -1.0, 1.0)
    if engagement is not None:
        result[:, 4] = engagement
    if discount is not None:
        result[:, 5] = discount
    return result


def assign(personas: Personas, points: Floats) -> Codes:
    """The persona of each member, the nearest centroid; 0 where there are none."""
    if not personas.centroids:
        return np.zeros(len(points), np.uint8)
    centres = np.array(personas.centroids)
    spread = np.array(personas.spread)
    # |p − c|² without |p|², which is the same for every c.
    inward = (centres / spread).astype(np.float32)
    offset = ((centres + np.array(personas.mean) / spread) ** 2 - (np.array(personas.mean) / spread) ** 2) / 2.0
    return (points @ inward.T - offset.sum(axis=1).astype(np.float32)).argmax(axis=1).astype(np.uint8)


def found(points: Floats, last: Personas | None = None, groups: int | None = None) -> Personas:
    """Personas of a sample, in which the order of members does not matter; as many as separate best, or `groups`.

    Matched to last night's, so that a persona keeps its place while it is still about the same.
    """
    # Sorted, because the first centroids are drawn by place.
    points = points[np.lexsort(points.T[::-1])].astype(np.float64)
    kinds = len(np.unique(points, axis=0))
    if kinds < GROUPS_MIN:
        return Personas()
    mean, spread = points.mean(axis=0), points.std(axis=0)
    spread = np.where(spread > _TINY, spread, 1.0)
    scaled = (points - mean) / spread
    if groups is None and last is not None and last.centroids:
        groups = len(last.centroids)
    tried = [groups] if groups else range(GROUPS_MIN, min(GROUPS_MAX, kinds) + 1)
    runs = [_clustered(scaled, min(count, kinds)) for count in tried]
    centres = runs[0] if len(runs) == 1 else max(runs, key=lambda centroids: _silhouette(scaled, centroids))
    fresh = Personas(tuple(mean.tolist()), tuple(spread.tolist()), tuple(map(tuple, centres.tolist())))
    return _matched(fresh, last)


def _clustered(points: Floats, groups: int) -> Floats:
    """Lloyd's algorithm from k-means++ with a fixed seed."""
    random = np.random.default_rng(_SEED)
    centres = points[[int(random.integers(len(points)))]]
    apart = ((points - centres[0]) ** 2).sum(axis=1)
    for _more in range(groups - 1):
        total = float(apart.sum())
        at = np.searchsorted(np.cumsum(apart), random.random() * total) if total > 0.0 else 0
        centre = points[min(int(at), len(points) - 1)]
        centres = np.vstack([centres, centre])
        apart = np.minimum(apart, ((points - centre) ** 2).sum(axis=1))
    for _round in range(_ROUNDS):
        nearest = (points @ centres.T - (centres**2).sum(axis=1) / 2.0).argmax(axis=1)
        counts = np.bincount(nearest, minlength=groups)
        sums = np.array([np.bincount(nearest, column, groups) for column in points.T]).T
        moved = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
        if np.allclose(moved, centres, atol=1e-9):
            break
        centres = moved
    return centres


def _silhouette(points: Floats, centres: Floats) -> float:
    """The simplified silhouette: how much nearer the own centroid is than the next one, over an even sample."""
    sample = points[:: max(len(points) // _JUDGED, 1)]
    apart = np.sqrt(((sample[:, None, :] - centres[None]) ** 2).sum(axis=2))
    apart.partition(1, axis=1)
    return float(np.mean(1.0 - apart[:, 0] / np.maximum(apart[:, 1], 1e-12)))


def _matched(fresh: Personas, last: Personas | None) -> Personas:
    """The same personas in the order in which they are nearest to last night's, else by spending, highest first."""
    levels = fresh.levels()
    if last is None or len(last.centroids) != len(fresh.centroids):
        order: tuple[int, ...] = tuple(
            np.argsort(-(levels[:, 2] + levels[:, 1] + levels[:, 0]), kind="stable").tolist()
        )
    else:
        costs = ((last.levels()[:, None, :] - levels[None]) ** 2).sum(axis=2)
        order = min(
            permutations(range(len(levels))), key=lambda way: sum(costs[row, way[row]] for row in range(len(way)))
        )
    return msgspec.structs.replace(fresh, centroids=tuple(fresh.centroids[place] for place in order))


NAMES: Final = (
    *("regulars", "rising", "cooling", "big_spenders", "frequent", "newcomers", "occasional", "middle"),
    *("fading", "lost_spenders", "lost"),
)
_HIGH, _MIDDLE, _LOW = 0.6, 0.5, 0.4
_FRESH: Final = 0.8
_TURN: Final = 0.25


def names(personas: Personas) -> list[str]:
    """What each persona is called, by its levels; two of them may be called alike."""
    return [_name(*row[:4].tolist()) for row in personas.levels()] if personas.centroids else []


def _name(recency: float, frequency: float, monetary: float, trend: float) -> str:
    if recency < _MIDDLE:
        return "fading" if frequency >= _HIGH else "lost_spenders" if monetary >= _HIGH else "lost"
    if abs(trend) >= _TURN:
        return "rising" if trend > 0 else "cooling"
    if max(frequency, monetary) <= _LOW:
        return "newcomers" if recency >= _FRESH else "occasional"
    if min(frequency, monetary) >= _HIGH:
        return "regulars"
    return "big_spenders" if monetary >= _HIGH else "frequent" if frequency >= _HIGH else "middle"
