"""What an order gained beside its points: limits and budgets go back with refunds, explanations stay as they were."""

from __future__ import annotations

import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import money
from chalicelib.ledger.state import NEVER, Limit
from chalicelib.orders import reasons, rules
from chalicelib.orders.rules import Earnings, Refunded
from chalicelib.program.rules.inputs import Explanation
from chalicelib.program.rules.takes import Take

AMOUNTS = (1000, 500, 333)
TOTAL = sum(AMOUNTS)


@st.composite
def orders(draw: st.DrawFn) -> Earnings:
    points = draw(st.integers(0, 500))
    limits = st.builds(Limit, st.sampled_from("abc"), st.just(NEVER), st.integers(0, 1), st.integers(0, points))
    takes = st.builds(Take, st.sampled_from("xyz"), st.integers(0, points), st.just(1), st.just(2))
    return Earnings(
        total_minor=TOTAL,
        line_amounts_minor=AMOUNTS,
        line_quantities=(3, 1, 1),
        points=points,
        line_points=tuple(money.share(points, AMOUNTS)),
        limits=tuple(draw(st.lists(limits, max_size=3))),
        takes=tuple(draw(st.lists(takes, max_size=3))),
    )


@st.composite
def refunds(draw: st.DrawFn, order: Earnings) -> list[Refunded]:
    """The totals after each of some refunds by amount, up to a cancellation or a withdrawal of what is pending."""
    steps = [rules.nothing_refunded(order)]
    for _refund in range(draw(st.integers(0, 4))):
        left = order.total_minor - steps[-1].total_minor
        if left:
            steps.append(rules.add_refund(order, steps[-1], [], draw(st.integers(1, left))))
    if draw(st.booleans()):
        steps.append(rules.void(order, steps[-1]))
    return [*steps, rules.cancel(order, steps[-1])]


@given(st.data())
def test_everything_that_goes_back_is_everything_that_was_gained(data: st.DataObject) -> None:
    order = data.draw(orders())
    steps = data.draw(refunds(order))
    gone = [rules.gone_back(order, before, after) for before, after in itertools.pairwise(steps)]
    for place, limit in enumerate(order.limits):
        deltas = [back.limits[place] for back in gone]
        assert all(delta.count <= 0 and delta.points <= 0 for delta in deltas)
        assert (sum(delta.count for delta in deltas), sum(delta.points for delta in deltas)) == (
            -limit.count,
            -limit.points,
        )
    for place, take in enumerate(order.takes):
        backs = [back.budgets[place] for back in gone]
        assert all(back.points >= 0 and back.awards >= 0 for back in backs)
        assert sum(back.points for back in backs) == take.points
        assert sum(back.awards for back in backs) == 1


@given(st.data())
def test_a_late_claim_takes_what_later_refunds_give_back(data: st.DataObject) -> None:
    order = data.draw(orders())
    steps = data.draw(refunds(order))
    claimed = data.draw(st.integers(0, len(steps) - 1))
    taken = rules.still_taken(order, steps[claimed])
    later = [rules.gone_back(order, before, after) for before, after in itertools.pairwise(steps[claimed:])]
    back = [sum(item.budgets[place].points for item in later) for place in range(len(order.takes))]
    awards = [sum(item.budgets[place].awards for item in later) for place in range(len(order.takes))]
    assert [take.points for take in taken] == back[: len(taken)]
    assert awards == [1] * len(taken) + [0] * (len(order.takes) - len(taken))
    assert taken or not sum(back)


@given(st.data())
def test_no_more_goes_back_of_a_budget_than_of_the_points_it_was_part_of(data: st.DataObject) -> None:
    order = data.draw(orders())
    steps = data.draw(refunds(order))
    for after in steps:
        gone = rules.gone_back(order, steps[0], after)
        assert all(back.points <= gone.points for back in gone.budgets)


@given(
    st.builds(
        Explanation,
        rule=st.text(),
        fired=st.booleans(),
        reason=st.text(),
        points=st.integers(-5, 5),
        campaign=st.sampled_from(["", "spring"]),
        cut_points=st.integers(0, 3),
        cut_by=st.sampled_from(["", "campaign_day"]),
    )
)
def test_an_explanation_is_read_as_it_was_written(explanation: Explanation) -> None:
    assert reasons.unpacked(reasons.packed(explanation)) == explanation


def test_an_explanation_takes_little_room() -> None:
    silent = Explanation(rule="gold", fired=False, reason="tier", points=0)
    assert reasons.packed(silent) == ("gold", "tier")


def test_a_record_of_before_there_were_campaigns_is_read_as_one_without() -> None:
    stored = (
        b'{"total_minor":10000,"line_amounts_minor":[],"line_quantities":[],"points":100,"line_points":[],'
        b'"qualifying_points":100,"spend_minor":10000,"month":24321,"expires_at":1900000000,"available_at":null,'
        b'"program":1,"refundable_until":1800000000}'
    )
    order = msgspec.json.decode(stored, type=Earnings)
    assert (order.points, order.limits, order.takes, order.reasons) == (100, (), (), ())
    back = rules.gone_back(order, rules.nothing_refunded(order), rules.cancel(order, rules.nothing_refunded(order)))
    assert (back.points, back.limits, back.budgets) == (100, (), ())
