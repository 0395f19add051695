"""Random programmes, purchases and members for the tests of earning, out of a small vocabulary so that things meet."""

from __future__ import annotations

from typing import Any, TypeAlias

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from chalicelib.program.document import Program
from chalicelib.program.rules.inputs import Line, Member, Payment, Purchase
from tests.programs import program, texts

NOON = 1_795_233_600
"""12:00 in Shanghai on Saturday, 21 November 2026."""
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Whole programmes take a while to draw on a busy machine."""
SKUS, CATEGORIES = ("tea", "cup", "pot", "cake"), ("drinks", "wares", "")
CHANNELS, STORES = ("web", "shop", ""), ("bund", "")
TIERS = ("member", "silver", "gold", "diamond")
CURRENCIES = {"CNY": {"points": 1, "per_minor": 100}, "JPY": {"points": 3, "per_minor": 7}}
PERIODS = ("order", "day", "week", "month", "year", "ever")
FACTORS = ("0.5", "0.3333", "1", "1.5", "2", "3.3")


def some(values: tuple[Any, ...]) -> st.SearchStrategy[list[Any]]:
    """Up to two of them."""
    return st.lists(st.sampled_from(values), unique=True, max_size=2)


Json: TypeAlias = dict[str, Any]
items: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "skus": some(SKUS),
        "categories": some(CATEGORIES[:2]),
        "excluded_skus": some(SKUS),
        "excluded_categories": some(CATEGORIES[:2]),
    },
)
pieces: st.SearchStrategy[Json] = st.builds(
    lambda chosen, quantity: {"items": chosen, "quantity": quantity}, items, st.integers(1, 2)
)
rare: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "tiers": some(TIERS),
        "segments": some(("loyal", "new")),
        "tags": some(("vip", "staff")),
        "channels": some(CHANNELS[:2]),
        "stores": some(STORES[:1]),
        "weekdays": some(tuple(range(1, 8))),
        "month_days": some((20, 21, 22)),
        "dates": some(("11-20", "11-21", "11-22")),
        "birthday": st.sampled_from(["day", "week", "month"]),
        "first_purchase": st.booleans(),
    },
)
thresholds: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "minimum_minor": st.dictionaries(st.sampled_from(("CNY", "JPY")), st.integers(1, 3_000), max_size=2),
        "minimum_quantity": st.integers(1, 4),
        "combination": st.lists(pieces, max_size=3),
    },
)
nothing: Json = {}
whens: st.SearchStrategy[Json] = st.one_of(
    st.just(nothing), thresholds, st.builds(lambda one, two: one | two, rare, thresholds)
)


earning: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "on_shipping": st.booleans(),
        "excluded_skus": some(SKUS[3:]),
        "excluded_stores": some(STORES[:1]),
    },
)


@st.composite
def caps(draw: st.DrawFn) -> list[Json]:
    found = []
    for per in draw(st.lists(st.sampled_from(PERIODS), unique=True, max_size=2)):
        cap = {"per": per, "points": draw(st.integers(1, 40))}
        if per != "order" and draw(st.booleans()):
            cap["times"] = draw(st.integers(1, 2))
        found.append(cap)
    return found


@st.composite
def steps(draw: st.DrawFn, value: str, values: st.SearchStrategy[Any]) -> list[Json]:
    quantities = sorted(draw(st.lists(st.integers(1, 8), unique=True, max_size=2)))
    return [{"quantity": quantity, value: draw(values)} for quantity in quantities]


@st.composite
def rules(draw: st.DrawFn, code: str, groups: dict[str, str], *, capped: bool = True) -> Json:
    """One rule for purchases; `groups` are those of this place, the first half of them for base rules."""
    kind = draw(st.sampled_from(["per_amount", "per_item", "multiplier", "bonus"]))
    rule: Json = {"kind": kind, "code": code, "title": texts(code), "when": draw(whens)}
    rule |= {"items": draw(items), "caps": draw(caps()) if capped and draw(st.booleans()) else []}
    is_base = kind in {"per_amount", "per_item"}
    if draw(st.booleans()):
        rule["group"] = draw(st.sampled_from([name for name in groups if name.startswith("lines") == is_base]))
    if is_base:
        rule["qualifies"] = draw(st.booleans())
    match kind:
        case "per_amount":
            rule["rates"] = draw(st.sampled_from([{}, {"CNY": {"points": 2, "per_minor": 33}}]))
        case "per_item":
            rule |= {"points": draw(st.integers(1, 9)), "steps": draw(steps("points", st.integers(1, 20)))}
        case "multiplier":
            rule |= {"factor": draw(st.sampled_from(FACTORS)), "of": draw(st.sampled_from(["base", "so_far"]))}
            rule["steps"] = draw(steps("factor", st.sampled_from(FACTORS)))
        case "bonus":
            when = rule["when"]
            threshold = when.get("minimum_minor") or when.get("minimum_quantity") or when.get("combination")
            rule |= {"points": draw(st.integers(1, 30)), "repeats": bool(threshold) and draw(st.booleans())}
    return rule


@st.composite
def programmes(draw: st.DrawFn, *, campaigns: int = 2, most: int = 6) -> Program:
    modes = st.sampled_from(["stack", "best", "exclusive"])
    stacking: dict[str, str] = {}

    def place(name: str, count: int) -> list[Json]:
        groups = {f"lines_{name}": draw(modes), f"whole_{name}": draw(modes)}
        stacking.update(groups)
        return [draw(rules(f"{name}_{index}", groups)) for index in range(count)]

    own = place("own", draw(st.integers(1, most)))
    found = []
    for number in range(draw(st.integers(0, campaigns))):
        campaign: Json = {
            "code": f"campaign_{number}",
            "title": texts("Campaign"),
            "status": draw(st.sampled_from(["draft", "active", "active", "active", "paused"])),
            "starts_at": draw(st.sampled_from(["2026-11-11T00:00", "2026-11-21T20:00", "2026-12-12T00:00"])),
            "ends_at": draw(st.sampled_from([None, "2026-12-24T00:00", "2027-01-01T00:00"])),
            "audience": draw(st.sampled_from([{}, {}, {"tiers": ["gold"]}, {"tags": ["vip"], "segments": ["loyal"]}])),
            "rules": place(f"c{number}", draw(st.integers(1, 3))),
            "caps": draw(caps()),
            "budget": draw(st.sampled_from([None, {"points": 500}])),
        }
        found.append(campaign)
    used = {rule.get("group") for rule in [*own, *(rule for one in found for rule in one["rules"])]}
    return program(
        currencies=CURRENCIES,
        earning=draw(earning),
        earning_rules=own,
        campaigns=found,
        stacking={name: mode for name, mode in stacking.items() if name in used},
    )


@st.composite
def purchases(draw: st.DrawFn, *, occurred_at: int = NOON) -> Purchase:
    lines = draw(
        st.lists(
            st.builds(
                Line,
                st.sampled_from(SKUS),
                st.sampled_from(CATEGORIES),
                st.integers(1, 4),
                st.sampled_from([0, 0, 1, 99, 100, 1_234, 5_000]) | st.integers(0, 9_999),
            ),
            max_size=5,
        )
    )
    tax, shipping = draw(st.integers(0, 300)), draw(st.sampled_from([0, 0, 800]))
    total = sum(line.amount_minor for line in lines) + tax + shipping
    if not lines:
        total += draw(st.integers(0, 9_999))
    with_points = draw(st.sampled_from([0, 0, 1])) * draw(st.integers(0, total))
    return Purchase(
        currency=draw(st.sampled_from(["CNY", "JPY"])),
        total_minor=total,
        tax_minor=tax,
        shipping_minor=shipping,
        lines=tuple(lines),
        payments=(Payment("points", with_points), Payment("card", total - with_points)),
        channel=draw(st.sampled_from(CHANNELS)),
        store=draw(st.sampled_from(STORES)),
        occurred_at=occurred_at,
    )


members = st.builds(
    Member,
    member_id=st.sampled_from(["mem_1", ""]),
    tier=st.sampled_from([*TIERS, "unknown"]),
    segments=some(("loyal", "new")).map(tuple),
    tags=some(("vip", "staff")).map(tuple),
    birthday=st.sampled_from(["", "1990-11-21", "1988-02-29", "1999-11-22", "2001-11-01"]),
    purchases=st.integers(0, 2),
    at=st.just(NOON),
)
