"""From a score to what callers see: rounded, and named in a language."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from chalicelib.scoring import schema, texts
from chalicelib.scoring.member import Read, Score
from chalicelib.scoring.reading import Part
from chalicelib.scoring.told import Told

_EPOCH: Final = date(1970, 1, 1)
_FELT: Final = 0.01


def score_of(found: Read, locale: str) -> schema.ScoreOut:
    """The score of one member."""
    score = found.score
    seen, has_bought = score.seen, score.has_bought
    return schema.ScoreOut(
        member_id=found.member_id,
        as_of=day(score.day),
        basis=schema.BasisOut(number=score.basis.number, day=day(score.basis.day)),
        score=round(score.score, 1),
        parts=tuple(_part(part, locale) for part in score.parts),
        reasons=reasons(score, locale),
        value=schema.ValueOut(**_named(texts.VALUES, score.value, locale), higher_than=score.percentile),
        behaviour=schema.BehaviourOut(**_named(texts.BEHAVIOURS, score.behaviour, locale)),
        segments=Told(value=score.value, behaviour=score.behaviour).segments,
        stage=schema.StageOut(**_named(texts.STAGES, score.stage, locale)),
        loyalty=_loyalty(score, locale),
        churn=_churn(score, locale),
        active=round(seen.active, 4) if has_bought else None,
        overdue=round(seen.overdue, 4) if has_bought else None,
        purchases=score.facts.purchase_days,
        days_since_purchase=seen.gap_days if has_bought else None,
        expected_purchases=round(seen.expected, 3) if has_bought else None,
        currency=found.currency,
        expected_basket_minor=round(seen.basket * score.basis.minor_units) if has_bought else None,
        value_12_months_minor=round(seen.value_12 * score.basis.minor_units),
        rfm=_rfm(score),
        trend=schema.TrendOut(value=round(score.trend.value, 3), is_significant=score.trend.is_significant)
        if score.has_trend
        else None,
        persona=schema.PersonaOut(**_named(texts.PERSONAS, score.persona, locale))
        if score.persona and has_bought
        else None,
        next_action=schema.ActionOut(**_named(texts.ACTIONS, score.action, locale)),
    )


def reasons(score: Score, locale: str) -> tuple[schema.ReasonOut, ...]:
    """What lifts a member above the usual one, and what holds one back: what moves the score most comes first."""
    felt = [part for part in score.parts if abs(part.moves) > _FELT]
    return tuple(_reason(part, locale) for part in sorted(felt, key=lambda part: -abs(part.moves)))


def day(number: int) -> str:
    """A day counted from the epoch, such as `2026-11-22`."""
    return (_EPOCH + timedelta(days=number)).isoformat()


def _reason(part: Part, locale: str) -> schema.ReasonOut:
    is_up = part.moves > 0
    return schema.ReasonOut(
        part=part.name,  # type: ignore[arg-type]
        direction="lifts" if is_up else "holds",
        moves=_points(part.moves),
        text=texts.word(texts.LIFTS if is_up else texts.HOLDS, part.name, locale),
    )


def _part(part: Part, locale: str) -> schema.PartOut:
    return schema.PartOut(
        **_named(texts.PARTS, part.name, locale),
        value=round(part.value, 4),
        weight=round(part.weight, 4),
        moves=_points(part.moves),
    )


def _points(moves: float) -> float:
    return round(100.0 * moves, 1)


def _loyalty(score: Score, locale: str) -> schema.LoyaltyOut:
    return schema.LoyaltyOut(
        **_named(texts.LOYALTY, score.loyalty, locale), confidence=round(score.loyalty_confidence, 2)
    )


def _churn(score: Score, locale: str) -> schema.ChurnOut:
    return schema.ChurnOut(
        probability=round(score.seen.churn, 4) if score.has_bought else None,
        reason=schema.ChurnReasonOut(**_named(texts.CHURN_REASONS, score.churn_reason, locale)),
    )


def _rfm(score: Score) -> schema.RfmOut | None:
    if not score.has_bought:
        return None
    return schema.RfmOut(recency=score.rfm // 100, frequency=score.rfm // 10 % 10, monetary=score.rfm % 10)


def _named(words: texts.Words, code: str, locale: str) -> dict[str, Any]:
    return {"code": code, "name": texts.word(words, code, locale)}
