"""The benchmark that counts a month of nights: what it counts adds up."""

from __future__ import annotations

import contextlib

from benchmarks import counted_nights as counted
from benchmarks import scoring_month, shoppers
from benchmarks.counted_nights import Count, Nights
from benchmarks.shoppers import MONTHLY, Clock, Crowd
from chalicelib.base import clock

BEGIN = 1_699_977_600
MEMBERS = 40
CAUSES = {
    *(counted.SCAN, counted.ENTRIES, counted.RECORDS, counted.FACTS, counted.TOLD, counted.SEGMENTS, counted.ALERTS),
    *(counted.NOTES, counted.REDUCE, counted.SWEEP, "nightly", "scoring"),
}


def nights(stack: contextlib.ExitStack, count: int) -> tuple[Crowd, list[Count]]:
    """So many nights after a year."""
    now = stack.enter_context(Clock(BEGIN))
    scoring_month._installed(stack)
    crowd = Crowd(MONTHLY, MEMBERS, BEGIN, shoppers.HISTORY_DAYS + count)
    found = []
    for night in range(count):
        midnight = BEGIN + (shoppers.HISTORY_DAYS + night) * clock.DAY_S
        crowd.live(now, midnight)
        now.now = midnight + 9_000
        found.append(Nights().run())
    return crowd, found


def test_every_request_of_a_night_is_put_down_to_something() -> None:
    with contextlib.ExitStack() as stack:
        crowd, (first, *later) = nights(stack, 4)
    # The very first night walks twice, the second time to tell everybody.
    assert first.members == 2 * later[0].members
    assert first.why == {"first time": later[0].members}
    assert first.write[counted.SEGMENTS] == later[0].members
    assert crowd.counts["buy"] > 5 * MEMBERS
    for night in later:
        assert set(night.requests) <= CAUSES
        assert night.write[counted.SCAN] == 0
        assert night.read[counted.SCAN] > 0
        # An alert is a read of the chain's end and a transaction.
        told = night.requests[counted.TOLD] + night.requests[counted.ALERTS] / 2
        assert sum(night.why.values()) == told
        assert night.write[counted.FACTS] <= night.requests[counted.ENTRIES]
