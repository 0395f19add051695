"""Caps: how often a member may gain, and how many points, in each period."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.base import clock
from chalicelib.ledger.limits import added_limits
from chalicelib.ledger.state import NEVER, Limit
from chalicelib.program.document import Program
from chalicelib.program.rules.earning import evaluate
from chalicelib.program.rules.inputs import Earned, Member
from tests.programs import texts
from tests.rules.test_earning_rules import BASE, bought, explained, rule, tea, told, with_rules

NOON = 1_795_233_600
"""12:00 in Shanghai on Saturday, 21 November 2026."""
DAY_END = NOON + 12 * 3_600


def capped(*caps: dict[str, Any], **fields: Any) -> Program:
    return with_rules(rule("bonus", "gift", points=10, caps=list(caps)), BASE, **fields)


def gift(earned: Earned) -> int | str:
    return told(earned)["gift"]


class History:
    """Purchases of one member, one after the other."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.limits: tuple[Limit, ...] = ()

    def buys(self, at: int = NOON, amount_minor: int = 1_000, *, posted_at: int | None = None) -> Earned:
        now = posted_at or at
        purchase = bought(tea(amount_minor), occurred_at=at)
        earned = evaluate(self.program, purchase, Member(limits=self.limits, at=now))
        self.limits = added_limits(self.limits, earned.limits, now)
        return earned


def test_a_cap_per_order_cuts_each_order() -> None:
    earned = evaluate(capped({"per": "order", "points": 7}), bought(tea()), Member())
    cut = explained(earned, "gift")
    assert (cut.points, cut.cut_points, cut.cut_by, cut.fired) == (7, 3, "order", True)
    assert earned.limits == ()


def test_a_cap_of_times_counts_orders() -> None:
    history = History(capped({"per": "day", "times": 2}))
    assert [gift(history.buys()) for _ in range(3)] == [10, 10, "capped"]
    assert gift(history.buys(DAY_END - 1)) == "capped"
    assert gift(history.buys(DAY_END)) == 10


def test_a_cap_of_points_gives_what_is_left() -> None:
    history = History(capped({"per": "day", "points": 25}))
    assert [gift(history.buys()) for _ in range(4)] == [10, 10, 5, "capped"]
    none = explained(history.buys(), "gift")
    assert (none.points, none.cut_points, none.cut_by, none.fired) == (0, 10, "day", False)


def test_limits_are_named_by_rule_and_period_and_end_with_it() -> None:
    earned = evaluate(
        capped({"per": "day", "times": 2}, {"per": "ever", "points": 90}), bought(tea(), occurred_at=NOON), Member()
    )
    assert earned.limits == (Limit("gift:day", DAY_END, 1, 10), Limit("gift:ever", NEVER, 1, 10))


@pytest.mark.parametrize(
    ("per", "last", "first"),
    [
        ("day", "2026-11-21T15:59:59Z", "2026-11-21T16:00:00Z"),
        ("week", "2026-11-22T15:59:59Z", "2026-11-22T16:00:00Z"),
        ("month", "2026-11-30T15:59:59Z", "2026-11-30T16:00:00Z"),
        ("year", "2026-12-31T15:59:59Z", "2026-12-31T16:00:00Z"),
    ],
)
def test_periods_end_on_the_programmes_clocks(per: str, last: str, first: str) -> None:
    history = History(capped({"per": per, "times": 1}))
    assert [gift(history.buys(at)) for at in (NOON, clock.parse(last), clock.parse(first))] == [10, "capped", 10]


def test_once_ever_is_once_ever() -> None:
    history = History(capped({"per": "ever", "times": 1}))
    assert [gift(history.buys(NOON + years * 366 * clock.DAY_S)) for years in range(3)] == [10, "capped", "capped"]


def test_a_late_order_counts_in_the_period_in_which_it_was_made() -> None:
    history = History(capped({"per": "day", "times": 1}))
    today, yesterday = NOON, NOON - clock.DAY_S
    assert gift(history.buys(yesterday)) == 10
    assert gift(history.buys(today)) == 10
    assert gift(history.buys(yesterday, posted_at=today)) == "capped"


def test_a_period_of_which_the_account_knows_nothing_any_more_gives_nothing() -> None:
    history = History(capped({"per": "day", "times": 1}))
    for days in (1, 2):
        history.buys(NOON + days * clock.DAY_S)
    late = history.buys(NOON, posted_at=NOON + 2 * clock.DAY_S)
    assert gift(late) == "limit_period_closed"
    assert late.limits == ()


def test_the_narrowest_cap_cuts() -> None:
    history = History(capped({"per": "order", "points": 8}, {"per": "day", "points": 10}))
    first, second = (explained(history.buys(), "gift") for _ in range(2))
    assert ((first.points, first.cut_by), (second.points, second.cut_by)) == ((8, "order"), (2, "day"))


def test_a_cap_cuts_what_a_base_rule_gives_before_it_is_multiplied() -> None:
    """10 of 100 points, then twice as much by the tier; the lines share what is left as they shared the whole."""
    found = with_rules(BASE | {"caps": [{"per": "order", "points": 10}]})
    earned = evaluate(found, bought(tea(3_000), tea(7_000)), Member(tier="gold"))
    assert (earned.points, earned.qualifying_points, earned.line_points) == (20, 10, (6, 14))


def test_a_cap_that_takes_no_whole_point_has_cut_nothing() -> None:
    told_of = explained(
        evaluate(with_rules(BASE | {"caps": [{"per": "order", "points": 10}]}), bought(tea(1_050)), Member()), "base"
    )
    assert (told_of.points, told_of.cut_points, told_of.cut_by) == (10, 0, "")


def test_a_gain_of_less_than_a_point_uses_nothing_up() -> None:
    history = History(with_rules(BASE | {"caps": [{"per": "day", "times": 1}]}))
    assert history.buys(amount_minor=99).limits == ()
    assert history.buys(amount_minor=100).points == 1


def test_what_a_refund_gives_back_may_be_gained_again() -> None:
    history = History(capped({"per": "day", "points": 10}))
    first = history.buys()
    back = tuple(Limit(limit.limit_id, limit.until, -limit.count, -limit.points) for limit in first.limits)
    history.limits = added_limits(history.limits, back, NOON)
    assert gift(history.buys()) == 10


def campaign(*caps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    rules = [rule("bonus", "one", points=10), rule("bonus", "two", points=10)]
    window = {"starts_at": "2026-11-01T00:00", "status": "active"}
    return {"code": "party", "title": texts("party"), "rules": rules, "caps": list(caps), **window, **fields}


def test_a_campaigns_cap_holds_for_all_its_rules_together() -> None:
    found = with_rules(BASE, campaigns=[campaign({"per": "day", "points": 35, "times": 3})])
    history = History(found)
    given = [told(history.buys()) for _ in range(3)]
    assert [(points["one"], points["two"]) for points in given] == [(10, 10), (10, 5), ("capped", "capped")]
    cut = explained(
        evaluate(found, bought(tea(), occurred_at=NOON), Member(limits=(Limit("party:day", DAY_END, 1, 20),))), "two"
    )
    assert (cut.points, cut.cut_points, cut.cut_by, cut.campaign) == (5, 5, "campaign_day", "party")


def test_an_order_uses_a_campaign_once_though_two_of_its_rules_fire() -> None:
    found = with_rules(BASE, campaigns=[campaign({"per": "day", "times": 2})])
    earned = evaluate(found, bought(tea(), occurred_at=NOON), Member())
    assert earned.limits == (Limit("party:day", DAY_END, 1, 20),)


def test_a_campaigns_cap_per_order_is_shared_in_the_order_of_its_rules() -> None:
    found = with_rules(BASE, campaigns=[campaign({"per": "order", "points": 13})])
    assert told(evaluate(found, bought(tea(), occurred_at=NOON), Member()))["two"] == 3


@pytest.mark.parametrize(("own", "together", "cut"), [(6, 8, (6, 4, "day")), (8, 6, (6, 4, "campaign_day"))])
def test_of_a_rules_cap_and_its_campaigns_the_narrower_cuts(own: int, together: int, cut: tuple[int, int, str]) -> None:
    one = rule("bonus", "one", points=10, caps=[{"per": "day", "points": own}])
    found = with_rules(BASE, campaigns=[campaign({"per": "day", "points": together}, rules=[one])])
    told_of = explained(evaluate(found, bought(tea(), occurred_at=NOON), Member()), "one")
    assert (told_of.points, told_of.cut_points, told_of.cut_by) == cut
