"""Requests about a hold that meet: each is answered for what it asked, whoever was first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.ledger.holds import HoldOver
from chalicelib.ledger.posting import Posted
from chalicelib.rewards import history, service
from chalicelib.rewards.history import Redemption, RedemptionNotOpen
from chalicelib.rewards.schema import RedemptionIn
from tests.api import shop

NOW = clock.now()
CHANGES: list[Callable[..., Posted[Any]]] = [service.commit, service.release]


def held() -> Redemption:
    """A hold of 100 points, as somebody read it before anything else happened."""
    member_id = shop.enrol()
    body = msgspec.convert({"points": 100, "currency": "CNY", "hold_seconds": 60}, RedemptionIn)
    posted = service.redeem(member_id, body, key="hold", actor="system:test", now=NOW)
    return history.read(posted.record.redemption_id)


@pytest.mark.parametrize("change", CHANGES)
def test_a_request_that_was_sent_twice_at_once_is_answered_alike(change: Callable[..., Posted[Any]]) -> None:
    read_by_both = held()

    first = change(read_by_both, actor="system:test", now=NOW)
    second = change(read_by_both, actor="system:test", now=NOW)

    assert (first.replayed, second.replayed) == (False, True)
    assert second.record.serialize() == first.record.serialize()


@pytest.mark.parametrize(("first", "second"), [CHANGES, CHANGES[::-1]])
def test_of_commit_and_release_at_once_only_one_happens(
    first: Callable[..., Posted[Any]], second: Callable[..., Posted[Any]]
) -> None:
    read_by_both = held()
    first(read_by_both, actor="system:test", now=NOW)

    with pytest.raises(RedemptionNotOpen):
        second(read_by_both, actor="system:test", now=NOW)


@pytest.mark.parametrize("change", CHANGES)
def test_a_hold_that_has_lapsed_is_over(change: Callable[..., Posted[Any]]) -> None:
    lapsed = held()

    with pytest.raises((HoldOver, RedemptionNotOpen)):
        change(lapsed, actor="system:test", now=NOW + 3600)
