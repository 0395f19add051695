"""A programme made ready for judging: names resolved, numbers exact, rules in the order in which they are judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.base import money
from chalicelib.program.document import Program
from chalicelib.program.document.earning import Campaign, Cap, EarningRule, PerAmount, PerEvent, PerItem, Voucher
from chalicelib.program.document.tiers import Tier
from chalicelib.program.rules import campaigns, conditions, kinds, windows
from chalicelib.program.rules.conditions import Check, Facts, Threshold
from chalicelib.program.rules.inputs import Explanation
from chalicelib.program.rules.lines import Selectors

_KEPT: Final = 16
Mode: TypeAlias = Literal["stack", "best", "exclusive"]


class ReadyRule(msgspec.Struct):
    """A rule that is ready. `gives` says what it brings; None for one on events, whose points are plain.

    `batch_id` is the batch of the voucher that it gives, "" for none.
    """

    rule: EarningRule
    campaign: str
    selector: int
    checks: tuple[Check, ...]
    threshold: Threshold | None
    last_check: Check | None
    gives: kinds.Gives | None
    is_base: bool
    qualifies: bool
    batch_id: str = ""
    _silent: dict[str, Explanation] = msgspec.field(default_factory=dict)

    @property
    def code(self) -> str:
        """The rule's code."""
        return self.rule.code

    @property
    def kind(self) -> str:
        """The rule's kind, such as `per_amount`."""
        return str(self.rule.__struct_config__.tag)

    @property
    def caps(self) -> tuple[Cap, ...]:
        """The rule's caps."""
        return self.rule.caps

    def silent(self, reason: str) -> Explanation:
        """That the rule did not fire, and why."""
        found = self._silent.get(reason)
        if found is None:
            found = self._silent[reason] = Explanation(self.rule.code, False, reason, 0, self.campaign)  # noqa: FBT003
        return found


class Unit(msgspec.Struct, frozen=True):
    """Rules that are judged together, where the first of them stands: one, or those of a stacking group."""

    rules: tuple[ReadyRule, ...]
    mode: Mode = "stack"


class RuleSet(msgspec.Struct, frozen=True):
    """The rules of the programme or of a campaign: base rules, then multipliers and bonuses; and those for events."""

    base: tuple[Unit, ...]
    extras: tuple[Unit, ...]
    events: tuple[Unit, ...]


class ReadyCampaign(msgspec.Struct, frozen=True):
    """A campaign that is ready; its window is in seconds."""

    campaign: Campaign
    starts_at: int
    ends_at: int | None
    audience: tuple[Check, ...]
    rules: RuleSet

    def refusal(self, facts: Facts, exhausted: AbstractSet[str]) -> str:
        """Why the campaign gives nothing here, "" where it may."""
        state = campaigns.state_within(self.campaign.status, self.starts_at, self.ends_at, facts.occurred_at)
        if state != campaigns.LIVE:
            return f"campaign_{state}"
        if conditions.first_unmet(self.audience, facts):
            return "not_in_audience"
        return "budget_exhausted" if self.campaign.code in exhausted else ""


class ReadyProgram(msgspec.Struct, frozen=True):
    """A programme that is ready. `extras` is, of each tier, what its multiplier adds to one point, as a ratio."""

    program: Program
    zone: ZoneInfo
    tiers: dict[str, Tier]
    extras: dict[str, tuple[int, int]]
    selectors: Selectors
    rules: RuleSet
    campaigns: tuple[ReadyCampaign, ...]
    excluded_channels: frozenset[str]
    excluded_stores: frozenset[str]

    def tier(self, code: str) -> Tier:
        """The tier of this code, the first one for a code that the programme does not know."""
        return self.tiers.get(code) or self.program.tiers[0]


_ready: dict[int, ReadyProgram] = {}


def made_ready(program: Program) -> ReadyProgram:
    """The programme, made ready once in a process for as long as it is among the last few that were asked for."""
    found = _ready.get(id(program))
    # What is kept keeps the programme alive, so that no other one can have its identity.
    if found is None:
        found = _compile(program)
        for oldest in list(_ready)[: max(len(_ready) - _KEPT + 1, 0)]:
            _ready.pop(oldest, None)
        _ready[id(program)] = found
    return found


def _compile(program: Program) -> ReadyProgram:
    selectors = Selectors(program.earning)
    rules = _rule_set(program, program.earning_rules, "", selectors)
    live = tuple(_campaign(program, campaign, selectors) for campaign in program.campaigns)
    return ReadyProgram(
        program=program,
        zone=program.zone,
        tiers={code: tier for tier in program.tiers for code in (*tier.replaces, tier.code)},
        extras={tier.code: (money.rate(tier.multiplier) - 1).as_integer_ratio() for tier in program.tiers},
        selectors=selectors,
        rules=rules,
        campaigns=live,
        excluded_channels=frozenset(program.earning.excluded_channels),
        excluded_stores=frozenset(program.earning.excluded_stores),
    )


def _campaign(program: Program, campaign: Campaign, selectors: Selectors) -> ReadyCampaign:
    zone = program.zone
    return ReadyCampaign(
        campaign=campaign,
        starts_at=windows.instant(campaign.starts_at, zone),
        ends_at=windows.instant(campaign.ends_at, zone) if campaign.ends_at is not None else None,
        audience=campaigns.audience_checks(program, campaign.audience),
        rules=_rule_set(program, campaign.rules, campaign.code, selectors),
    )


def _rule_set(program: Program, rules: Sequence[EarningRule], campaign: str, selectors: Selectors) -> RuleSet:
    ready = [_ready_rule(program, rule, campaign, selectors) for rule in rules]
    extras = [rule for rule in ready if not rule.is_base and rule.gives is not None]
    multipliers_first = sorted(extras, key=lambda rule: rule.kind != "multiplier")
    return RuleSet(
        base=_units(program, (rule for rule in ready if rule.is_base)),
        extras=_units(program, multipliers_first),
        events=_units(program, (rule for rule in ready if rule.gives is None)),
    )


def _ready_rule(program: Program, rule: EarningRule, campaign: str, selectors: Selectors) -> ReadyRule:
    when = rule.when
    selector = 0 if isinstance(rule, PerEvent) else selectors.number(rule.items)
    is_on_events = isinstance(rule, PerEvent) or (isinstance(rule, Voucher) and bool(rule.events))
    return ReadyRule(
        rule=rule,
        campaign=campaign,
        selector=selector,
        checks=conditions.checks(program, when),
        threshold=conditions.threshold(when, selectors),
        last_check=conditions.condition(when),
        gives=None if isinstance(rule, PerEvent) or is_on_events else kinds.gives(program, rule, selector),
        is_base=isinstance(rule, PerAmount | PerItem),
        qualifies=isinstance(rule, PerAmount | PerItem) and rule.qualifies,
        batch_id=rule.voucher_batch_id if isinstance(rule, Voucher) else "",
    )


def _units(program: Program, rules: Iterable[ReadyRule]) -> tuple[Unit, ...]:
    units: list[list[ReadyRule]] = []
    groups: dict[str, list[ReadyRule]] = {}
    for rule in rules:
        group = rule.rule.group
        if group is None or program.stacking.get(group, "stack") == "stack":
            units.append([rule])
        elif group in groups:
            groups[group].append(rule)
        else:
            units.append(groups.setdefault(group, [rule]))
    return tuple(Unit(tuple(unit), _mode(program, unit)) for unit in units)


def _mode(program: Program, unit: list[ReadyRule]) -> Mode:
    return program.stacking.get(unit[0].rule.group or "", "stack") if len(unit) > 1 else "stack"
