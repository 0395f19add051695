"""A member's score in words, and a basis as a person reads it."""

from __future__ import annotations

import struct
from typing import Any, Final

import msgspec

from chalicelib.base import money
from chalicelib.scoring import reading, texts
from chalicelib.scoring.basis import VALUE_SHIFT, Basis, Steps
from chalicelib.scoring.closed_form import LAYER_INPUTS, Layer
from chalicelib.scoring.render import day
from chalicelib.scoring.schema import ScoreOut

_LINES: Final[texts.Words] = {
    "score": (
        "On {as_of}: {score} of 100, by the night of {night}",
        "{as_of}：得分 {score}（满分 100），依据 {night} 夜间评估",
        "{as_of}：得分 {score}（滿分 100），依據 {night} 夜間評估",
    ),
    "reason": ("  {moves:+.1f}  {text}", "  {moves:+.1f}  {text}", "  {moves:+.1f}  {text}"),
    "segments": (
        "Segments: {value}; {behaviour}; stage: {stage}",
        "分群：{value}；{behaviour}；生命周期：{stage}",
        "分群：{value}；{behaviour}；生命週期：{stage}",
    ),
    "loyalty": (
        "Kind of loyalty: {loyalty} (confidence {confidence:.0%})",
        "忠诚类型：{loyalty}（置信度 {confidence:.0%}）",
        "忠誠類型：{loyalty}（信心度 {confidence:.0%}）",
    ),
    "churn": (
        "Chance of no purchase in 91 days: {churn:.0%} ({reason}); last purchase {days} days ago",
        "91 天内不再消费的概率：{churn:.0%}（{reason}）；距上次消费 {days} 天",
        "91 天內不再消費的機率：{churn:.0%}（{reason}）；距上次消費 {days} 天",
    ),
    "worth": (
        "Expected: {purchases:.1f} purchases in 91 days of {basket} {currency}; {value} {currency} in a year",
        "预期：91 天内消费 {purchases:.1f} 次，每次 {basket} {currency}；未来 12 个月价值 {value} {currency}",
        "預期：91 天內消費 {purchases:.1f} 次，每次 {basket} {currency}；未來 12 個月價值 {value} {currency}",
    ),
    "next": ("Next: {action}", "建议：{action}", "建議：{action}"),
}


def in_words(score: ScoreOut, locale: str) -> str:
    """A member's score as some lines of text, in the language in which its names are."""
    lines = [_line("score", locale, as_of=score.as_of, score=score.score, night=score.basis.day)]
    lines += [_line("reason", locale, moves=reason.moves, text=reason.text) for reason in score.reasons]
    names = {"value": score.value.name, "behaviour": score.behaviour.name, "stage": score.stage.name}
    lines.append(_line("segments", locale, **names))
    lines.append(_line("loyalty", locale, loyalty=score.loyalty.name, confidence=score.loyalty.confidence))
    if score.churn.probability is not None:
        churn, reason = score.churn.probability, score.churn.reason.name
        lines.append(_line("churn", locale, churn=churn, reason=reason, days=score.days_since_purchase))
        lines.append(_worth(score, locale))
    return "\n".join([*lines, _line("next", locale, action=score.next_action.name)])


def _worth(score: ScoreOut, locale: str) -> str:
    digits = money.digits(score.currency)
    amounts = {"basket": score.expected_basket_minor or 0, "value": score.value_12_months_minor}
    return _line(
        "worth",
        locale,
        purchases=score.expected_purchases,
        currency=score.currency,
        **{name: f"{minor / 10**digits:.{digits}f}" for name, minor in amounts.items()},
    )


def _line(code: str, locale: str, **values: Any) -> str:
    return texts.word(_LINES, code, locale).format(**values)


def basis_of(basis: Basis) -> dict[str, Any]:
    """A basis as plain data: what its parameters are called, and from where on a member has which rank."""
    p, q, gamma = basis.spend
    return {
        "number": basis.number,
        "day": day(basis.day),
        "members": basis.members,
        "model": msgspec.to_builtins(basis.model),
        "spend": {"p": p, "q": q, "gamma": gamma},
        "margin": basis.margin,
        "discount_a_year": basis.discount_a_year,
        "weights": dict(zip(reading.PARTS, basis.weights, strict=True)),
        "usual_parts": dict(zip(reading.PARTS, basis.means, strict=True)),
        "recency_from_days": _ranks(basis.r, int),
        "frequency_from_purchases": _ranks(basis.f, int),
        "monetary_from": _ranks(basis.m, amount_of),
        "usual": msgspec.to_builtins(basis.usual),
        "personas": list(basis.groups.names),
        "fits": _fits(basis),
        "layer": _layer(basis.layer),
    }


def amount_of(place: int) -> float:
    """The least amount that lies in a bin: the inverse of `basis.value_bin`."""
    return float(struct.unpack("<f", struct.pack("<I", place << VALUE_SHIFT))[0])


def _ranks(steps: Steps, of: Any) -> list[dict[str, Any]]:
    return [{"from": of(begin), "rank": int(rank)} for begin, rank in zip(steps.begins, steps.values, strict=True)]


def _layer(layer: Layer) -> dict[str, Any]:
    """What corrects the model, with its weights by name, how both did 91 days ago, and why not where it does not."""
    found = msgspec.to_builtins(layer)
    for name in ("chance", "number"):
        found[name] = dict(zip(LAYER_INPUTS, found[name], strict=False))
    return {"in_use_for": [name for name in ("chance", "number") if found[name]], **found}


def _fits(basis: Basis) -> dict[str, Any]:
    """How each fit came about: `fitted`, `kept` or `default`, with what spoke against it."""
    told = ("source", "refused", "log_likelihood", "members", "evaluations")
    found: dict[str, dict[str, Any]] = msgspec.json.decode(basis.fits)
    return {name: {key: fit[key] for key in told if key in fit} for name, fit in found.items()}
