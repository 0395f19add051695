"""What holds of every history of events, in whatever order they arrive."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ledger.limits import added_limits
from chalicelib.ledger.state import Limit
from chalicelib.program.document import Program
from chalicelib.program.rules import windows
from chalicelib.program.rules.events import evaluate
from chalicelib.program.rules.inputs import Event, Gained, Member
from tests.programs import texts
from tests.rules.earning_cases import NOON, UNHURRIED, caps
from tests.rules.test_earning_rules import BASE, rule, with_rules

MINUTE_S = 60
LAST = NOON + 40 * 86_400


@st.composite
def rules(draw: st.DrawFn, code: str) -> dict[str, Any]:
    events = draw(st.lists(st.sampled_from(["visit", "share", "review"]), min_size=1, max_size=2, unique=True))
    group = draw(st.sampled_from([None, f"group_{code[0]}"]))
    fields: dict[str, Any] = {"events": events, "points": draw(st.integers(0, 20)), "group": group}
    fields |= {"caps": draw(caps()), "cooldown_minutes": draw(st.sampled_from([0, 30, 600]))}
    return rule("per_event", code, **fields)


@st.composite
def programmes(draw: st.DrawFn) -> Program:
    own = [draw(rules(f"own_{number}")) for number in range(draw(st.integers(1, 3)))]
    party: dict[str, Any] = {
        "code": "party",
        "title": texts("party"),
        "status": "active",
        "starts_at": "2026-11-01T00:00",
        "rules": [draw(rules(f"party_{number}")) for number in range(draw(st.integers(1, 2)))],
        "caps": draw(caps()),
        "budget": {"points": 100},
    }
    groups = {one["group"] for one in [*own, *party["rules"]]} - {None}
    mode = st.sampled_from(["stack", "best", "exclusive"])
    return with_rules(BASE, *own, campaigns=[party], stacking={group: draw(mode) for group in sorted(groups)})


histories = st.lists(
    st.tuples(st.sampled_from(["visit", "share", "review"]), st.integers(0, 3 * 24 * 60)), min_size=1, max_size=12
)


@UNHURRIED
@given(programmes(), histories)
def test_no_cap_is_exceeded_and_every_cooldown_kept(program: Program, history: list[tuple[str, int]]) -> None:
    times: Counter[tuple[str, str, int]] = Counter()
    points: Counter[tuple[str, str, int]] = Counter()
    fired: dict[str, list[int]] = {}
    limits: tuple[Limit, ...] = ()
    for kind, minutes in history:
        at = NOON + minutes * MINUTE_S
        gained = evaluate(program, Event(type=kind, occurred_at=at), Member(limits=limits, at=LAST))
        _check_sums(gained)
        limits = added_limits(limits, gained.limits, LAST)
        for code, sum_of in _gains(gained).items():
            fired.setdefault(code, []).append(at)
            for per in ("day", "week", "month", "year", "ever"):
                period = (code, per, windows.period_end(per, at, program.zone))
                times[period] += 1
                points[period] += sum_of
    for code, document in _limited(program).items():
        for cap in document.caps:
            of_cap = [key for key in times if key[:2] == (code, cap.per)]
            assert all(cap.times is None or times[key] <= cap.times for key in of_cap)
            assert all(cap.points is None or points[key] <= cap.points for key in of_cap)
        moments = sorted(fired.get(code, []))
        apart = getattr(document, "cooldown_minutes", 0) * MINUTE_S
        assert all(later - earlier >= apart for earlier, later in pairwise(moments))


def _check_sums(gained: Gained) -> None:
    assert sum(item.points for item in gained.explanations) == gained.points
    of_party = sum(item.points for item in gained.explanations if item.campaign)
    assert sum(award.points for award in gained.awards) == of_party
    assert all(item.fired or not item.points for item in gained.explanations)


def _gains(gained: Gained) -> dict[str, int]:
    found = {item.rule: item.points for item in gained.explanations if item.fired}
    of_party = [item for item in gained.explanations if item.campaign and item.fired]
    return found | ({"party": sum(item.points for item in of_party)} if of_party else {})


def _limited(program: Program) -> dict[str, Any]:
    found: dict[str, Any] = {one.code: one for one in program.earning_rules[1:]}
    for campaign in program.campaigns:
        found |= {campaign.code: campaign} | {one.code: one for one in campaign.rules}
    return found
