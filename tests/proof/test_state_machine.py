"""The real services beside the model: whatever is asked in whatever order, the two agree and no point is lost."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from chalicelib.base import dynamo
from tests.proof.machine import REACHED, Shop
from tests.proof.machine_programme import Community
from tests.proof.machine_referrals import Referring
from tests.proof.machine_trade import Trade
from tests.proof.store import Shadow, Store, intercepted
from tests.tables import empty_tables

RUNS = int(os.environ.get("HUIKE_PROOF_RUNS", "90"))
"""How many histories; `make test` runs a fixed few, anybody may run more."""
STEPS = int(os.environ.get("HUIKE_PROOF_STEPS", "40"))


class OnMoto(Shop):
    """On moto, with the store in memory beside it: every call of the engine must be answered alike by both."""

    @contextlib.contextmanager
    def tables(self) -> Iterator[object]:
        """The tables of this run, twice."""
        with empty_tables():
            shadow = Shadow(dynamo.client()._make_api_call, Store())  # type: ignore[attr-defined]
            with intercepted(shadow.call):
                yield shadow


class TradeOnMoto(OnMoto, Trade):
    pass


class CommunityOnMoto(OnMoto, Community):
    pass


class ReferringOnMoto(OnMoto, Referring):
    pass


MACHINES = [
    *((Trade, max(RUNS * 2 // 3, 1)), (TradeOnMoto, max(RUNS // 35, 1))),
    *((Community, max(RUNS * 2 // 5, 1)), (CommunityOnMoto, max(RUNS // 75, 1))),
    *((Referring, max(RUNS // 2, 1)), (ReferringOnMoto, max(RUNS // 150, 1))),
]


@pytest.mark.parametrize(("machine", "runs"), MACHINES)
def test_the_engine_does_what_the_model_says(machine: type[RuleBasedStateMachine], runs: int) -> None:
    # The same histories every time, unless somebody asks for others.
    run(machine, runs, is_fixed="HUIKE_PROOF_RUNS" not in os.environ)


def run(machine: type[RuleBasedStateMachine], runs: int, *, is_fixed: bool) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            derandomize=is_fixed,
            deadline=None,
            # For a planted fault it is enough that it is found; nobody reads the shortest history.
            phases=(Phase.generate,) if "HUIKE_PROOF_UNSHRUNK" in os.environ else tuple(Phase),
            suppress_health_check=list(HealthCheck),
        ),
    )


OUTCOMES = {
    "accepted": (
        *("enrol", "claim", "merge", "adjust", "order", "refund", "cancel order", "release pending", "cancel pending"),
        *("redeem", "hold", "commit redemption", "release redemption", "cancel redemption"),
        *("take reward", "hold reward"),
        *("issue voucher", "lock voucher", "use voucher", "roll back voucher", "claim code", "approve", "refuse"),
        *("event", "cancel event", "use benefit", "cancel use", "roll back"),
    ),
    "insufficient_points": ("adjust", "redeem", "hold"),
    "occurred_in_future": ("order",),
    "occurred_too_long_ago": ("order",),
    "refund_exceeds_order": ("refund",),
    "nothing_pending": ("release pending", "cancel pending"),
    "redemption_not_open": ("order", "commit redemption", "release redemption", "cancel redemption"),
    "sold_out": ("take reward", "hold reward"),
    "limit_reached": ("take reward", "hold reward"),
    "same_member": ("merge",),
    "written": ("sweep",),
    "event_type_unknown": ("event",),
    "budget_exhausted": ("explained",),
    "capped": ("explained",),
    "cooldown": ("explained",),
    "campaign_ended": ("explained",),
    "campaign_paused": ("explained",),
    "spent_before": ("publish",),
    "benefit_not_found": ("use benefit",),
    "benefit_not_held": ("use benefit",),
    "benefit_used_up": ("use benefit",),
    "paid": ("round", "referral"),
    "taken back": ("round", "everything", "referral"),
    "nothing due": ("sweep", "retier"),
    "voucher_locked": ("use voucher",),
    "voucher_expired": ("use voucher",),
    "done before": ("roll back voucher",),
    "voucher_used_up": ("lock voucher", "use voucher"),
    "voucher_member_limit": ("use voucher",),
    "went back": ("voucher",),
    "qualified": ("referral",),
    "held": ("referral",),
    "referral_not_new": ("claim code",),
    "referral_own_code": ("claim code",),
    "referral_not_newer": ("claim code",),
}


MORE = 5
"""How often more histories are made up for what was not reached; any change to the code changes the fixed ones."""


def test_everything_was_tried() -> None:
    for _time in range(MORE):
        if not untried():
            break
        for machine in (Trade, Community, Referring):
            run(machine, max(RUNS // 10, 1), is_fixed=False)
    assert untried() == []


def untried() -> list[tuple[str, str]]:
    return [(kind, code) for code, kinds in OUTCOMES.items() for kind in kinds if not REACHED[kind, code]]
