"""From purchases to the report of a day: pure, and the same for the same rows in any order."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any, Final

import msgspec
import numpy as np

from chalicelib.scoring.closed_form import Layer
from chalicelib.scoring.report import drift, numbers, tables, warning
from chalicelib.scoring.report.answers import Answers, heard, satisfaction
from chalicelib.scoring.report.model import CareDay, Change, Fitted, Flow, Indicators, Pareto, Persona, Report, Since
from chalicelib.scoring.report.programme import Programme
from chalicelib.scoring.report.since import Earlier, earlier, since
from chalicelib.scoring.rules import kpis, loyalty, personas, segments
from chalicelib.scoring.rules.arrays import Floats, Ints
from chalicelib.scoring.rules.calibration import Quality, quality
from chalicelib.scoring.rules.fitting import Fit
from chalicelib.scoring.rules.history import QUARTER_DAYS, Purchases, bought_between, members_on, purchase_days
from chalicelib.scoring.rules.kpis import Breakage
from chalicelib.scoring.rules.mbgnbd import Name
from chalicelib.scoring.rules.night import Night, assess, learned
from chalicelib.scoring.rules.outcomes import Economy

_SCORE_BARS: Final = 20
_EPOCH: Final = date(1970, 1, 1).toordinal()
_PARETO_HELD: Final = 0.8


class Rows(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What a report is made from: members' names, and purchases by row, of which amounts below 0 are refunds.

    Days count from the epoch. `answers` and `points` where they are known, `programme` where there is more than that.
    """

    names: tuple[str, ...]
    member: Ints
    day: Ints
    amount: Floats
    answers: Answers | None = None
    points: Breakage | None = None
    care: tuple[CareDay, ...] = ()
    programme: Programme | None = None

    def until(self, day: int) -> Purchases:
        """The purchase days as they were known on a day: refunds of later days are not foreseen."""
        use = self.day <= day
        return purchase_days(len(self.names), self.member[use], self.day[use], self.amount[use])


class Assessed(msgspec.Struct, frozen=True, eq=False):
    """Today and 91 days ago, with the purchases known then; `before` is None where nobody had bought yet.

    `last` holds today against the night before, if there was one.
    """

    purchases: Purchases
    now: Night
    before: Night | None
    last: Earlier | None = None


def assessed(rows: Rows, until: int, name: Name, economy: Economy) -> Assessed:
    """Scores as of the day `until`, and as they would have been 91 days before."""
    then, purchases = until - QUARTER_DAYS, rows.until(until)
    early, old = (members_on(rows.until(day), day) for day in (then - QUARTER_DAYS, then))
    past = learned(name, early, old, purchases, Layer())
    before = None
    if past.fits is not None:
        signals = heard(rows.answers, len(rows.names), then) if rows.answers else None
        before = assess(name, old, signals=signals, economy=economy, layer=past.layers.then, known=past.fits)
    signals = heard(rows.answers, len(rows.names), until) if rows.answers else None
    now = assess(name, members_on(purchases, until), signals=signals, economy=economy, layer=past.layers.now)
    heard_before = heard(rows.answers, len(rows.names), until - 1) if rows.answers else None
    return Assessed(purchases, now, before, earlier(now.standing, purchases, until - 1, now.scores, heard_before))


def report(rows: Rows, found: Assessed, *, source: str, until: int, notes: tuple[Any, ...] = ()) -> Report:
    """The report of what was found."""
    now, before, purchases = found.now, found.before, found.purchases
    scores, members = now.scores, now.members
    spent = np.maximum(members.value, 0.0)[scores.bought]
    curve, top = kpis.pareto(spent)
    programme = rows.programme
    known_from = programme.known_from if programme is not None else None
    months = tables.months(purchases, until, known_from)
    counts, worth = tables.rfm_grid(scores)
    alerts, alert_counts = warning.member_alerts(rows.names, purchases, now, until)
    return Report(
        source=source,
        until=_text(until),
        compared_with=_text(until - QUARTER_DAYS),
        first_day=_text(int(purchases.day.min(initial=until))),
        members=len(members),
        bought=int(scores.bought.sum()),
        # Of each member's own sums: a night keeps the days of purchases no longer than it needs them.
        purchases=int((members.repeats + 1)[scores.bought].sum()),
        spending=float(members.value.sum()),
        model=fitted(now.standing.model.name, now.buying),
        spend=fitted("gamma-gamma", now.spending),
        economy=msgspec.structs.asdict(now.standing.economy),
        indicators=indicators(rows, found, until),
        scores=tuple(np.histogram(scores.score, _SCORE_BARS, (0.0, 100.0))[0].tolist()),
        segments=segment_counts(now),
        value_by_segment=_value_by_segment(now),
        flows=flows(found),
        pareto=Pareto(curve, top, kpis.concentration(spent, _PARETO_HELD)),
        rfm=counts,
        rfm_value=worth,
        cohorts=tuple(tables.cohorts(purchases, until, known_from)),
        prediction=prediction(found, until),
        personas=_personas(now),
        months=months,
        warnings=drift.programme_warnings(months, purchases, until, programme),
        alert_counts=alert_counts,
        alerts=alerts,
        calls=warning.calls(rows.names, now),
        risers=warning.movers(rows.names, now, before, rising=True),
        fallers=warning.movers(rows.names, now, before, rising=False),
        points=rows.points if programme is None else programme.breakage,
        notes=notes,
        since=_since(rows.names, found, until),
        care=rows.care,
        layer=now.standing.layer,
        holdings=programme.holdings if programme is not None else None,
    )


def _since(names: tuple[str, ...], found: Assessed, until: int) -> Since | None:
    last = found.last
    if last is None or not last.before.there.any():
        return None
    return since(names, found.purchases, last, until, _text(last.day))


def fitted(name: str, fit: Fit) -> Fitted:
    """A fit as the report tells of it."""
    return Fitted(
        name=name,
        parameters=fit.named(),
        # Of a logarithm's error to that of the parameter itself.
        standard_errors={
            key: error * value
            for key, error, value in zip(fit.names, fit.standard_errors, fit.parameters, strict=False)
        },
        log_likelihood=fit.log_likelihood,
        members=fit.members,
        source=fit.source,
        refused=fit.refused,
    )


def indicators(rows: Rows, found: Assessed, until: int) -> Indicators:
    """The indicator system, today and 91 days ago."""
    now, before, purchases = found.now, found.before, found.purchases
    scores, has = now.scores, now.scores.bought
    ends = [until - n * QUARTER_DAYS for n in range(4)]
    quarters = [bought_between(purchases, old, new) > 0 for new, old in pairwise(ends)]
    nps, csat, ces, together = satisfaction(rows.answers, until, scores.score_without_surveys)
    again = now.members.repeats > 0

    def mean(night: Night | None, field: str) -> float | None:
        if night is None or not night.scores.bought.any():
            return None
        return float(getattr(night.scores, field)[night.scores.bought].mean())

    def repeat(night: Night | None) -> float | None:
        if night is None:
            return None
        return kpis.repeat_rate(night.members.repeats, night.scores.age_days, night.scores.bought)

    return Indicators(
        **_satisfaction(rows.programme) if rows.programme is not None else {"nps": nps, "csat": csat, "ces": ces},
        score=Change(mean(now, "score"), mean(before, "score")),
        repeat_rate=Change(repeat(now), repeat(before)),
        retention=Change(kpis.retention(quarters[1], quarters[0]), kpis.retention(quarters[2], quarters[1])),
        churn=Change(mean(now, "churn"), mean(before, "churn")),
        value_12_mean=Change(mean(now, "value_12"), mean(before, "value_12")),
        value_12_total=float(scores.value_12.sum()),
        expected_purchases=float(scores.expected[has].sum()),
        satisfaction_loyalty=together,
        spend_frequency=kpis.spearman(now.members.mean_repeat[again], now.members.repeats[again]),
    )


def _satisfaction(programme: Programme) -> dict[str, Any]:
    """Satisfaction by the answers to all surveys, whoever gave them."""
    return {
        "nps": programme.said.net_promoters(),
        "csat": programme.said.csat.estimate(),
        "ces": programme.said.ces.estimate(),
        "dimensions": programme.satisfied(),
        "surveys": programme.surveys,
        "heard_since": numbers.month(programme.heard_since) if programme.surveys else "",
    }


def segment_counts(night: Night) -> dict[str, dict[str, int]]:
    """How many members are in each segment, by kind of segment."""
    kinds = (
        ("value", segments.VALUES, night.scores.value),
        ("behaviour", segments.BEHAVIOURS, night.scores.behaviour),
        ("stage", segments.STAGES, night.scores.stage),
        ("loyalty", loyalty.TYPES, night.scores.loyalty),
    )
    return {
        kind: dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True))
        for kind, names, codes in kinds
    }


def _value_by_segment(night: Night) -> dict[str, float]:
    sums = np.bincount(night.scores.value, night.scores.value_12, len(segments.VALUES))
    return dict(zip(segments.VALUES, sums.tolist(), strict=True))


def flows(found: Assessed) -> tuple[Flow, ...]:
    """Who went from which behaviour segment to which since the day that is compared with."""
    now = found.now.scores.behaviour
    names = segments.BEHAVIOURS
    old = found.before.scores.behaviour if found.before is not None else np.zeros(len(now), np.uint8)
    pairs = np.bincount(old.astype(np.int64) * len(names) + now, minlength=len(names) ** 2)
    return tuple(
        Flow("not_there" if place // len(names) == 0 else names[place // len(names)], names[place % len(names)], count)
        for place, count in enumerate(pairs.tolist())
        if count and place % len(names)
    )


def prediction(found: Assessed, until: int) -> Quality | None:
    """How well the day that is compared with foresaw the 91 days since."""
    if found.before is None:
        return None
    has = found.before.scores.bought
    actual = bought_between(found.purchases, until - QUARTER_DAYS, until)[has]
    return quality(1.0 - found.before.scores.churn[has], found.before.scores.expected[has], actual)


def _personas(night: Night) -> tuple[Persona, ...]:
    has = night.scores.bought
    codes, value = night.scores.persona[has], night.scores.value_12[has]
    groups = night.standing.personas
    result = []
    for place, name in enumerate(personas.names(groups)):
        of = codes == place
        recency, frequency, monetary, trend = groups.levels()[place][:4].tolist()
        result.append(
            Persona(
                name,
                int(of.sum()),
                float(value[of].mean()) if of.any() else 0.0,
                recency,
                frequency,
                monetary,
                personas.TREND_SCALE * trend,
            )
        )
    return tuple(result)


def _text(day: int) -> str:
    return date.fromordinal(max(day + _EPOCH, 1)).isoformat()
