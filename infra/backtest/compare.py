"""Two tallies side by side."""

from collections import Counter, defaultdict
from typing import Final

from chalicelib.base import clock
from chalicelib.program.document import Program, Texts
from infra.backtest import judging, money
from infra.backtest.recorded import Recorded, Spent
from infra.backtest.replay import WELCOME
from infra.backtest.report import (
    Bar,
    BudgetRow,
    Comparison,
    Cost,
    CostRow,
    Flow,
    MemberRow,
    Month,
    Pair,
    RuleRow,
    TierRow,
)
from infra.backtest.tally import MonthTally, RuleKey, RuleTally, Tally

TOP: Final = 10
EXAMPLES: Final = 3
_STEPS: Final = (1, 2, 5)

ENGINE_RULES: Final = {
    "tier_multiplier": Texts(en="Multiplier of the tier", zh_hans="等级倍数", zh_hant="等級倍數"),
    WELCOME: Texts(en="Welcome points", zh_hans="入会赠送", zh_hant="入會贈送"),
}
"""What the report calls points that no rule of the document gives."""


def compare(recorded: Recorded, today: Tally, candidate: Tally) -> Comparison:
    """The report on two documents over the same facts."""
    changes = _changes(today, candidate)
    bought = Counter(purchase.member for purchase in recorded.purchases)
    return Comparison(
        source=recorded.source,
        today=today.program,
        candidate=candidate.program,
        first_at=recorded.facts[0].posted_at,
        last_at=recorded.facts[-1].posted_at,
        purchases=len(today.order_points),
        affected=sum(map(int.__ne__, today.order_points, candidate.order_points)),
        redemptions=sum(isinstance(fact, Spent) for fact in recorded.facts),
        members=len(today.states),
        gaining=sum(pair.change > 0 for pair in changes.values()),
        losing=sum(pair.change < 0 for pair in changes.values()),
        total_today=today.total,
        total_candidate=candidate.total,
        vouchers=Pair(today.vouchers, candidate.vouchers),
        months=_months(recorded, today, candidate),
        run_off=tuple(
            (month, Pair(today.run_off[month], candidate.run_off[month]))
            for month in sorted({*today.run_off, *candidate.run_off})
        ),
        rules=_rules(today, candidate),
        tiers=_tiers(today, candidate),
        flows=_flows(today, candidate),
        gains=_extremes(changes, bought, today, candidate, sign=1),
        losses=_extremes(changes, bought, today, candidate, sign=-1),
        distribution=distribution([pair.change for pair in changes.values()]),
        budgets=_budgets(candidate),
        cost=_cost(today, candidate, Pair(today.total.issued, candidate.total.issued)),
        costs=_costs(today, candidate),
        refused=tuple(
            (code, Pair(today.refused[code], candidate.refused[code]))
            for code in sorted({*today.refused, *candidate.refused})
        ),
        unjudged=judging.unjudged(recorded, today.program, candidate.program),
    )


def _changes(today: Tally, candidate: Tally) -> dict[str, Pair]:
    """By member the points that came, less what refunds took back."""
    return {member: Pair(_kept(today, member), _kept(candidate, member)) for member in today.states}


def _kept(tally: Tally, member: str) -> int:
    lifetime = tally.states[member].lifetime
    return lifetime.earned - lifetime.clawed


def _months(recorded: Recorded, today: Tally, candidate: Tally) -> tuple[Month, ...]:
    zone = today.program.zone
    first, last = (clock.month_of(recorded.facts[place].posted_at, zone) for place in (0, -1))
    span = range(first, last + 1)
    none = MonthTally()
    rows = []
    for month, before, after in zip(span, today.outstanding(span), candidate.outstanding(span), strict=True):
        old, new = today.months.get(month, none), candidate.months.get(month, none)
        rows.append(
            Month(
                month,
                issued=Pair(old.issued, new.issued),
                expired=Pair(old.expired, new.expired),
                redeemed=Pair(old.redeemed - old.restored, new.redeemed - new.restored),
                outstanding=Pair(before, after),
                cost=_cost(today, candidate, Pair(old.issued, new.issued)),
            )
        )
    return tuple(rows)


def _rules(today: Tally, candidate: Tally) -> tuple[RuleRow, ...]:
    titles = _titles(today.program) | _titles(candidate.program)
    keys = dict.fromkeys([*_in_sequence(today), *_in_sequence(candidate), *today.rules, *candidate.rules])
    none = RuleTally()
    rows = []
    for key in sorted(keys, key=lambda key: key.rule in ENGINE_RULES):
        old, new = today.rules.get(key, none), candidate.rules.get(key, none)
        title, campaign = titles.get(key) or (Texts(en=key.rule, zh_hans=key.rule, zh_hant=key.rule), None)
        rows.append(
            RuleRow(
                key,
                title,
                campaign,
                points=Pair(old.points, new.points),
                times=Pair(old.times, new.times),
                cut_points=Pair(old.cut_points, new.cut_points),
            )
        )
    return tuple(rows)


def _in_sequence(tally: Tally) -> list[RuleKey]:
    return list(_titles(tally.program))


def _titles(program: Program) -> dict[RuleKey, tuple[Texts, Texts | None]]:
    """The titles of all rules, and of the campaigns that they stand in."""
    found: dict[RuleKey, tuple[Texts, Texts | None]] = {
        RuleKey(rule.code): (rule.title, None) for rule in program.earning_rules
    }
    for campaign in program.campaigns:
        found |= {RuleKey(rule.code, campaign.code): (rule.title, campaign.title) for rule in campaign.rules}
    return found | {RuleKey(code): (title, None) for code, title in ENGINE_RULES.items()}


def _tiers(today: Tally, candidate: Tally) -> tuple[TierRow, ...]:
    names = {tier.code: tier.name for program in (candidate.program, today.program) for tier in program.tiers}
    held = [Counter(tally.tiers.values()) for tally in (today, candidate)]
    return tuple(
        TierRow(
            code,
            name,
            members=Pair(held[0][code], held[1][code]),
            points=Pair(today.tier_points[code], candidate.tier_points[code]),
        )
        for code, name in names.items()
    )


def _flows(today: Tally, candidate: Tally) -> tuple[Flow, ...]:
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for member, tier in today.tiers.items():
        found[tier, candidate.tiers[member]].append(member)
    places = {tier.code: place for tally in (today, candidate) for place, tier in enumerate(tally.program.tiers)}
    return tuple(
        Flow(*pair, len(members), tuple(members[:EXAMPLES]))
        for pair, members in sorted(found.items(), key=lambda item: (places[item[0][0]], places[item[0][1]]))
    )


def _extremes(
    changes: dict[str, Pair], bought: Counter[str], today: Tally, candidate: Tally, *, sign: int
) -> tuple[MemberRow, ...]:
    """Who gains most (`sign` 1) or loses most (-1)."""
    found = [(member, pair) for member, pair in changes.items() if pair.change * sign > 0]
    found.sort(key=lambda item: (-sign * item[1].change, item[0]))
    return tuple(
        MemberRow(member, bought[member], pair, today.tiers[member], candidate.tiers[member])
        for member, pair in found[:TOP]
    )


def distribution(changes: list[int]) -> tuple[Bar, ...]:
    """Members by what they gain: bars of 1, 2, 5, 10, 20, 50 … points each way, and one for no difference."""
    bounds = [0]
    furthest = max(map(abs, changes), default=0)
    power = 1
    while bounds[-1] < furthest:
        bounds += [step * power for step in _STEPS]
        power *= 10
    counts: Counter[tuple[int, int]] = Counter()
    for change in changes:
        size = abs(change)
        # The bar of a size is the first whose upper bound covers it.
        place = next(place for place, bound in enumerate(bounds) if size <= bound)
        low = bounds[place - 1] + 1 if place else 0
        counts[(low, bounds[place]) if change >= 0 else (-bounds[place], -low)] += 1
    return tuple(Bar(low, high, members) for (low, high), members in sorted(counts.items()))


def _budgets(tally: Tally) -> tuple[BudgetRow, ...]:
    rows = []
    for campaign in tally.program.campaigns:
        used = tally.budgets.get(campaign.code)
        if campaign.budget is None:
            continue
        rows.append(
            BudgetRow(
                campaign.title,
                points=used.points if used else 0,
                awards=used.awards if used else 0,
                limit_points=campaign.budget.points,
                limit_awards=campaign.budget.awards,
                spent_at=used.spent_at if used else None,
            )
        )
    return tuple(rows)


def _costs(today: Tally, candidate: Tally) -> tuple[CostRow, ...]:
    rows = []
    for code in sorted({*today.currencies, *candidate.currencies}):
        old, new = today.currency(code), candidate.currency(code)
        known = old if old.purchases >= new.purchases else new
        points = Pair(old.points, new.points)
        rows.append(CostRow(known.purchases, known.spend_minor, points, _cost(today, candidate, points, code)))
    return tuple(rows)


def _cost(today: Tally, candidate: Tally, points: Pair, currency: str = "") -> Cost:
    """What points are worth by the redemption of each document, in the base currency unless told otherwise."""
    code = currency or today.program.base_currency
    return Cost(
        code,
        money.worth(today.program, points.today, code),
        money.worth(candidate.program, points.candidate, code),
    )
