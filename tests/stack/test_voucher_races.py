"""Real threads at vouchers: sixteen writers, with faults below the SDK. What is limited ends exactly at its limit."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from chalicelib.base import clock
from chalicelib.base.errors import Refusal, Unavailable
from chalicelib.counters import service as counters
from chalicelib.ledger.posting import peek
from chalicelib.vouchers import batches, document, locking, making, service, undoing, using
from chalicelib.vouchers.guessing import Guesser
from chalicelib.vouchers.looking import Ask
from chalicelib.vouchers.rules import Sketch
from chalicelib.vouchers.uses import OrderName
from chalicelib.vouchers.using import Who
from infra.local.aws import LocalAws
from tests import wire, writers
from tests.local_engine import engine_on

_WRITERS = 16
_RATE = 0.05
_TRIES = 40
_SKETCH = Sketch(currency="CNY", total_minor=10_000)


@pytest.fixture(scope="module", autouse=True)
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The engine on a DynamoDB of its own, without the deployed functions beside it."""
    with engine_on(LocalAws(tmp_path_factory.mktemp("voucher-races"))):
        yield


def make(key: str, **fields: Any) -> str:
    definition = {
        "title": {"en": "a", "zh-Hans": "b", "zh-Hant": "c"},
        "kind": "shared",
        "code": key,
        "effect": {"type": "percentage", "percent": "10"},
        **fields,
    }
    batch = document.read(definition)
    return str(batches.create(batch, key=key, actor="system:tests", now=clock.now()).record.key)


def ask(code: str, name: str, member_id: str | None = None, session: str | None = None) -> Ask:
    return Ask(code=code, sketch=_SKETCH, guesser=Guesser(name), member_id=member_id, session=session)


def persistently(act: Callable[[], Any]) -> str:
    """What came of an act that is sent again until its outcome is known: `done`, or the code of its refusal."""
    for _attempt in range(_TRIES):
        try:
            act()
        except (Unavailable, PynamoDBException, BotoCoreError):
            continue
        except Refusal as refusal:
            return refusal.reason_code
        return "done"
    return "given up"


def raced(acts: list[Callable[[], Any]]) -> Counter[str]:
    """What came of acts that sixteen threads do, each act by two of them."""
    with ThreadPoolExecutor(_WRITERS) as pool:
        found = list(pool.map(persistently, [act for act in acts for _copy in range(2)]))
    pairs = list(zip(found[::2], found[1::2], strict=True))
    assert all(one == other for one, other in pairs), "both copies of a request were told the same"
    return Counter(one for one, _other in pairs)


def redeeming(code: str, number: int, member_id: str | None = None) -> Callable[[], Any]:
    def act() -> Any:
        who = Who(f"key-{number}", "system:tests", clock.now())
        return using.redeem(ask(code, f"r{number}", member_id), OrderName("races", f"{code}-{number}"), who)

    return act


def rolling_back(code: str, number: int) -> Callable[[], Any]:
    order = OrderName("races", f"{code}-{number}")
    return lambda: undoing.roll_back(code, order, actor="system:tests", now=clock.now())


def test_a_shared_code_ends_exactly_at_its_total_and_comes_back_exactly() -> None:
    batch_id = make("TOTAL60", limits={"total": 60})

    with wire.faulty(_RATE, seed=31) as met:
        used = raced([redeeming("TOTAL60", number) for number in range(90)])
    assert used == {"done": 60, "voucher_used_up": 30}
    assert sum(met.values()) > met["sent"]
    tally = batches.tally(batch_id)
    assert (tally.redeemed, counters.read(batches.counter_name(batch_id)).left) == (60, 0)

    with wire.faulty(_RATE, seed=32):
        back = raced([rolling_back("TOTAL60", number) for number in range(90)])
    assert back == {"done": 60, "voucher_use_not_found": 30}
    assert batches.tally(batch_id).rolled_back == 60
    found = counters.read(batches.counter_name(batch_id))
    assert (found.left, found.taken) == (60, 0)


def test_locks_and_uses_together_never_promise_more_than_the_total() -> None:
    batch_id = make("LOCKS20", limits={"total": 20})

    def locking_by(number: int) -> Callable[[], Any]:
        return lambda: locking.lock(ask("LOCKS20", f"l{number}", session=f"s{number}"), 600, now=clock.now())

    acts = [locking_by(number) if number % 2 else redeeming("LOCKS20", number) for number in range(50)]
    with wire.faulty(_RATE, seed=33):
        got = raced(acts)
    assert got == {"done": 20, "voucher_used_up": 30}
    tally = batches.tally(batch_id)
    assert tally.locked + tally.redeemed == 20
    assert counters.read(batches.counter_name(batch_id)).left == 0


def test_a_member_s_limit_is_exact() -> None:
    (member_id,) = writers.enrolled(1)
    make("MEMBER3", limits={"per_member": 3})
    got = raced([redeeming("MEMBER3", number, member_id) for number in range(10)])
    assert got == {"done": 3, "voucher_member_limit": 7}


def test_a_single_voucher_for_points_pays_once_whoever_comes() -> None:
    (member_id,) = writers.enrolled(1)
    batch_id = make("", kind="single", effect={"type": "points", "points": 70}, owner="member")
    issued = raced([lambda: service.issue(batch_id, member_id, "birthday", now=clock.now())] * 8)
    assert issued == {"done": 8}
    (held,) = service.held_by(member_id, after=None, limit=5, now=clock.now())
    before = peek(member_id, now=clock.now(), consistent=True).state.available

    with wire.faulty(_RATE, seed=34):
        got = raced([redeeming(held.code, number, member_id) for number in range(16)])

    assert got == {"done": 1, "voucher_used_up": 15}
    assert peek(member_id, now=clock.now(), consistent=True).state.available == before + 70
    assert making.voucher_id_of(held.code) == held.item.voucher_id
    assert batches.tally(batch_id).redeemed == 1


def test_one_session_of_many_gets_a_single_voucher() -> None:
    batch_id = make("-", kind="single", code="")
    (member_id,) = writers.enrolled(1)
    issued = service.issue(batch_id, member_id, "race", now=clock.now()).record
    code = making.code_of(issued.origin, 0)
    barrier = threading.Barrier(_WRITERS)
    told: list[str] = []

    def work(number: int) -> None:
        barrier.wait()
        mine = ask(code, f"s{number}", session=f"session-{number}")
        told.append(persistently(lambda: locking.lock(mine, 600, now=clock.now())))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(_WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(told) == {"done": 1, "voucher_locked": 15}
    assert batches.tally(batch_id).locked == 1
