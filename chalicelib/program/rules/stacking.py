"""How rules that stand in one group share: all of them give, the best one, or the first that fires.

Base rules are chosen between line by line, so that no line earns twice by one group and none is left out; multipliers
and bonuses for the purchase as a whole.
"""

from __future__ import annotations

from math import lcm

from chalicelib.program.rules.compiled import Mode, ReadyRule, Unit
from chalicelib.program.rules.lines import Basket, Spread, at_places
from chalicelib.program.rules.tally import Allowance, Fit, Tally

_OTHER = {"best": "other_rule_better", "exclusive": "other_rule_first"}


def judge_base(tally: Tally, unit: Unit, allowance: Allowance) -> None:
    """Judge a base rule, or the base rules of a group."""
    if len(unit.rules) == 1:
        _single(tally, unit.rules[0], allowance)
        return
    offers = {rule.code: tally.offer(rule) for rule in unit.rules}
    competing = {
        code: offer
        for rule, (code, offer) in zip(unit.rules, offers.items(), strict=True)
        # A rule whose cap is used up leaves its lines to the others.
        if isinstance(offer, Spread) and tally.fit(rule, offer, allowance).spread is not None
    }
    won = _line_by_line(competing, tally.basket, unit.mode)
    for rule in unit.rules:
        offer = offers[rule.code]
        part = won.get(rule.code, offer)
        if isinstance(part, str):
            tally.explanations.append(rule.silent(part))
        elif not part.total:
            tally.explanations.append(rule.silent(_OTHER[unit.mode]))
        else:
            tally.give(rule, part, tally.fit(rule, part, allowance))


def judge_extra(tally: Tally, unit: Unit, allowance: Allowance) -> None:
    """Judge a multiplier or bonus, or those of a group where the first of them stands."""
    if len(unit.rules) == 1:
        _single(tally, unit.rules[0], allowance)
        return
    offers = [tally.offer(rule) for rule in unit.rules]
    fits = [
        tally.fit(rule, offer, allowance) if isinstance(offer, Spread) else None
        for rule, offer in zip(unit.rules, offers, strict=True)
    ]
    chosen = _chosen(fits, unit.mode)
    for place, (rule, offer, fit) in enumerate(zip(unit.rules, offers, fits, strict=True)):
        if isinstance(offer, str):
            tally.explanations.append(rule.silent(offer))
        elif fit is not None and (place == chosen or fit.spread is None):
            tally.give(rule, offer, fit)
        else:
            tally.explanations.append(rule.silent(_OTHER[unit.mode]))


def _single(tally: Tally, rule: ReadyRule, allowance: Allowance) -> None:
    offer = tally.offer(rule)
    if isinstance(offer, str):
        tally.explanations.append(rule.silent(offer))
    else:
        tally.give(rule, offer, tally.fit(rule, offer, allowance))


def _chosen(fits: list[Fit | None], mode: Mode) -> int | None:
    """The place of the first that fires, or of the one that brings most, the first of equals."""
    chosen: int | None = None
    most: Spread | None = None
    for place, fit in enumerate(fits):
        spread = fit.spread if fit is not None else None
        if spread is not None and (most is None or spread.total * most.over > most.total * spread.over):
            chosen, most = place, spread
            if mode == "exclusive":
                break
    return chosen


def _line_by_line(offers: dict[str, Spread], basket: Basket, mode: Mode) -> dict[str, Spread]:
    """What each offer has on the lines that it wins."""
    places = tuple(place for place, weight in enumerate(basket.weights) if weight)
    there = {code: at_places(offer, places, basket) for code, offer in offers.items()}
    over = lcm(*(spread.over for spread in there.values()))
    won: dict[str, Spread] = {code: Spread(over) for code in offers}
    for place in places:
        most, winner = 0, ""
        for code, spread in there.items():
            value = spread.places[place] * (over // spread.over)
            if value > most:
                most, winner = value, code
                if mode == "exclusive":
                    break
        if winner:
            won[winner].places[place] = most
    return won
