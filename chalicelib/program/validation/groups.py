"""Whether the stacking groups make sense."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.program.document import Program
from chalicelib.program.document.earning import EarningRule, PerAmount, PerEvent, PerItem, Voucher
from chalicelib.program.validation.problem import Problem


def check_groups(program: Program) -> Iterator[Problem]:
    """Every group is listed and used, by rules that can be chosen between, all in one place."""
    first: dict[str, tuple[str, str]] = {}
    for scope, path, rule in _rules(program):
        if rule.group is None:
            continue
        if rule.group not in program.stacking:
            yield Problem(f"{path}.group", f"The group {rule.group} does not stand in `stacking`.")
        found_scope, found_sort = first.setdefault(rule.group, (scope, _sort(rule)))
        if scope != found_scope:
            yield Problem(f"{path}.group", f"The group {rule.group} reaches beyond a campaign; give it one of its own.")
        elif _sort(rule) != found_sort:
            detail = (
                f"The group {rule.group} has a rule that gives for {found_sort}, and this one gives for {_sort(rule)}."
            )
            yield Problem(f"{path}.group", detail)
    for group in program.stacking:
        if group not in first:
            yield Problem(f"stacking.{group}", "No rule has this group.")


def _rules(program: Program) -> Iterator[tuple[str, str, EarningRule]]:
    for index, rule in enumerate(program.earning_rules):
        yield "", f"earning_rules[{index}]", rule
    for place, campaign in enumerate(program.campaigns):
        for index, rule in enumerate(campaign.rules):
            yield campaign.code, f"campaigns[{place}].rules[{index}]", rule


def _sort(rule: EarningRule) -> str:
    if isinstance(rule, PerAmount | PerItem):
        return "lines"
    is_on_events = isinstance(rule, PerEvent) or (isinstance(rule, Voucher) and rule.events)
    return "an event" if is_on_events else "the whole purchase"
