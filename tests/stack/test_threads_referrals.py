"""Real threads at referrals: a code is claimed once by each person, and what qualifies is paid once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from chalicelib.base import clock
from chalicelib.base.errors import Refusal
from chalicelib.ledger import auditing
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import read_chain, read_view
from chalicelib.members import enrolling
from chalicelib.members.bringing import Brought
from chalicelib.members.schema import MemberIn
from chalicelib.orders import service
from chalicelib.orders.schema import OrderIn
from chalicelib.referrals import claiming, owning, reacting
from chalicelib.referrals.sightings import Given
from chalicelib.referrals.table import LeadItem, friends_key, referral_id_of
from infra.local.aws import LocalAws
from tests import writers
from tests.api.friends import notices, publish
from tests.local_engine import engine_on

_WRITERS = 16
_FRIENDS = 6


@pytest.fixture(autouse=True)
def engine(tmp_path: Path) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path)):
        yield


def buy(member_id: str) -> None:
    body = {
        "source": "threads",
        "order_id": member_id,
        "member_id": member_id,
        "occurred_at": clock.text(clock.now()),
        "currency": "CNY",
        "total_minor": 100_00,
    }
    service.post_order(msgspec.convert(body, OrderIn), actor="system:threads", now=clock.now())


def patiently(act: str, friend: str, code: str, notice: Notice | None) -> str:
    """What came of a claim or a reaction that comes again while the engine is busy, as clients and queues do."""
    for _attempt in range(20):
        try:
            if notice:
                reacting.react(notice, now=clock.now())
                return act
            return "again" if claiming.claim(friend, code, Given(), now=clock.now()).replayed else "claimed"
        except Refusal as refusal:
            if refusal.reason_code != "busy":
                return refusal.reason_code
    return "given up"


def test_sixteen_claims_of_one_code_by_each_are_one_claim_and_every_friend_is_paid_for_once() -> None:
    publish(referrer=[{"points": 100}], friend={"points": 50})
    anna, *friends = writers.enrolled(1 + _FRIENDS)
    code = owning.code_of(anna)

    with ThreadPoolExecutor(_WRITERS) as threads:
        asked = [friend for friend in friends for _copy in range(16)]
        random.Random(3).shuffle(asked)  # noqa: S311 -- an order of arrival, not a secret
        said = Counter(threads.map(lambda friend: patiently("claim", friend, code, None), asked))
    assert said == {"claimed": _FRIENDS, "again": 15 * _FRIENDS}

    for friend in friends:
        buy(friend)
    heard = [(friend, notice) for friend in friends for notice in notices(friend) for _copy in range(5)]
    random.Random(4).shuffle(heard)  # noqa: S311 -- as above
    with ThreadPoolExecutor(_WRITERS) as threads:
        done = Counter(threads.map(lambda one: patiently("heard", one[0], code, one[1]), heard))
    assert set(done) == {"heard"}

    paid = Counter(item.kind for item in read_chain(anna, consistent=True))
    assert paid["referral_paid"] == _FRIENDS
    for friend in friends:
        kinds = [item.kind for item in read_chain(friend, consistent=True)]
        assert kinds.count("referral_paid") == 1
    for member_id in (anna, *friends):
        found = auditing.audit(member_id, read_view(member_id), now=clock.now(), consistent=True).findings
        assert found == ()


def joined(name: str, code: str) -> str:
    """What came of an enrolment with a code that comes again while the engine is busy."""
    body = {"mail": f"{name}@example.com", "referral": {"code": code, "device": name}}
    for _attempt in range(20):
        try:
            asked = msgspec.convert(body, MemberIn)
            found = enrolling.enrol(asked, client_id="threads", key=name, actor="system:threads", now=clock.now())
        except Refusal as refusal:
            if refusal.reason_code != "busy":
                return refusal.reason_code
        else:
            assert found.brought == Brought(referral_id_of(found.member_id), "joined")
            return "again" if found.replayed else "enrolled"
    return "given up"


def test_sixteen_enrolments_of_each_with_one_code_are_one_member_and_one_claim() -> None:
    publish(fraud={"claims_per_hour": 200})
    (anna,) = writers.enrolled(1)
    code = owning.code_of(anna)
    asked = [f"friend-{number}" for number in range(_FRIENDS) for _copy in range(16)]
    random.Random(5).shuffle(asked)  # noqa: S311 -- an order of arrival, not a secret

    with ThreadPoolExecutor(_WRITERS) as threads:
        said = Counter(threads.map(lambda name: joined(name, code), asked))

    assert said == {"enrolled": _FRIENDS, "again": 15 * _FRIENDS}
    assert len(list(LeadItem.query(friends_key(anna), consistent_read=True))) == _FRIENDS
