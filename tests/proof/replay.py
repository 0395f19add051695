"""A race told again to the model in the order in which it came true, and held against it write by write."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from chalicelib.base import ids
from chalicelib.base.settings import settings
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.sweep import KINDS as SELF_EVIDENT
from tests.proof.account_model import Refused
from tests.proof.areas import Area, News
from tests.proof.expressions import Item
from tests.proof.funds import Funds
from tests.proof.invariants import RECORDS, balances, expected
from tests.proof.model import Model, Moved
from tests.proof.programme_model import Member, Programmes
from tests.proof.programmes import Whole
from tests.proof.rules_model import Rules
from tests.proof.scenario import Request
from tests.proof.store import Store


@dataclass(frozen=True)
class Refusing:
    """A refusal, the clock of whoever refused, and the ticks between which the request was under way."""

    request: Request
    code: str
    now: int
    first_tick: int
    last_tick: int


class Replay:
    """Plays what the store's log says to a model of its own."""

    def __init__(
        self,
        *,
        store: Store,
        requests: Mapping[str, Request],
        versions: Mapping[int, Rules],
        entries: Mapping[tuple[str, int], Entry],
        asked_at: Mapping[str, int],
        areas: Sequence[Area] = (),
    ) -> None:
        # The versions of one race have one ladder: writers' clocks differ, so nobody knows by which one they judge.
        self.model = (Programmes if isinstance(versions[1], Whole) else Model)(lambda _at: versions[1])
        self.seen: Counter[str] = Counter()
        self._funds = Funds(self.model, versions, asked_at)
        self._last_tick = store.tick
        self._requests = requests
        self._asked_at = asked_at
        self._tick = 0
        self._versions = versions
        self._entries = entries
        self._latest = 0
        tables = {settings().table(name) for name in RECORDS}
        self._areas = areas
        self._facts: dict[int, list[tuple[Item, Area | None]]] = defaultdict(list)
        for tick, table, item in store.log:
            news = News(table.removeprefix(settings().table_prefix), item, versions)
            hearing = next((area for area in areas if area.hears(news)), None)
            if hearing or _is_sweep(item) or (table in tables and "record_id" in item and _is_fact(item)):
                self._facts[tick].append((item, hearing))
        for tick, table, item in store.updates:
            news = News(table.removeprefix(settings().table_prefix), item, versions)
            if hearing := next((area for area in areas if area.hears_updates and area.hears(news)), None):
                self._facts[tick].append((item, hearing))

    def judge(self, refusals: list[Refusing]) -> None:
        """Every entry is what the model makes of its request, and every refusal was right at some moment of its own."""
        open_refusals = list(refusals)
        for tick in range(self._last_tick + 1):
            self._tick = tick
            for item, hearing in self._facts[tick]:
                if hearing:
                    hearing.tell(self.model, self._news(item))
                    continue
                with self._funds.told(item, self.seen):
                    self._step(item)
            self._funds.note(tick)
            due = [refusal for refusal in open_refusals if refusal.first_tick <= tick]
            right = [refusal for refusal in due if self._is_right(refusal)]
            open_refusals = [refusal for refusal in open_refusals if refusal not in right]
            for refusal in open_refusals:
                late = refusal.last_tick <= tick
                assert not late, f"{refusal.request.name} was refused as {refusal.code} without a reason"
        self._funds.compare(self.seen)

    def _step(self, item: Item) -> None:
        if _is_sweep(item):
            self._sweep(self._entries[item["member_id"]["S"], int(item["seq"]["N"])])
            return
        record = item["record_id"]["S"]
        seq = int(item["seq"]["N"]) if "seq" in item else None
        entry = None if seq is None else self._entries[item["member_id"]["S"], seq]
        moved = self._play(record, item, entry)
        assert (moved is None) == (entry is None), record
        if moved is None or entry is None:
            return
        self._latest = max(self._latest, entry.posted_at)
        told = self._requests[record].name if record in self._requests else record
        assert (entry.points, entry.expired, entry.tier) == (moved.points, moved.expired, moved.tier), told
        account = self.model.account(entry.member_id)
        assert balances(entry.state) == expected(account), told
        if isinstance(account, Member):
            limits = {(limit.limit_id, limit.until): (limit.count, limit.points) for limit in entry.state.limits}
            assert limits == account.limits, told

    def _sweep(self, entry: Entry) -> None:
        """Only time has passed."""
        account = self.model.account(entry.member_id)
        lapsed = account.counted.get("expired", 0)
        account.pass_time(entry.posted_at)
        assert entry.expired == account.counted.get("expired", 0) - lapsed
        assert (entry.points, entry.tier) == (0, account.tier(entry.posted_at))
        assert balances(entry.state) == expected(account)

    def _play(self, record: str, item: Item, entry: Entry | None) -> Moved | None:
        at, rules = entry.posted_at if entry else 0, self._versions[(entry and entry.program) or 1]
        if "order_id" in item and record == ids.derived("clm", item["order_id"]["S"]):
            name = item["order_id"]["S"]
            return self.model.post_order(name, self.model.orders[name], item["member_id"]["S"], at)
        news = self._news(item)
        self.model.lapses_at = news.number("lapses_at") or None
        for area in self._areas:
            if area.unasked(news):
                return area.play(self.model, news, at, rules)
        assert record in self._requests, f"nobody asked for {record}"
        return self._requests[record].play(self.model, at, rules)

    def _news(self, item: Item) -> News:
        return News("", item, self._versions, self._tick, self._asked_at)

    def _is_right(self, refusal: Refusing) -> bool:
        """Whether the model has this reason to refuse now, be it the only one or not."""
        if refusal.code in refusal.request.reasons(copy.deepcopy(self.model), refusal.now):
            return True
        if _reason(partial(refusal.request.guard, self.model, refusal.now)) == refusal.code:
            return True
        # A chain that is ahead of a writer's clock is posted to at its own time.
        for at in {refusal.now, max(refusal.now, self._latest)}:
            attempt = partial(refusal.request.play, copy.deepcopy(self.model), at, self._versions[1])
            if _reason(attempt) == refusal.code:
                return True
        return False


def _reason(attempt: Callable[[], object]) -> str | None:
    try:
        attempt()
    except Refused as refused:
        return refused.code
    except KeyError:
        # What is asked about is not there; the guard has said so.
        return None
    return None


def _is_sweep(item: Item) -> bool:
    return "prev" in item and item["kind"]["S"] in SELF_EVIDENT


def _is_fact(item: Item) -> bool:
    """Whether a record stands for an operation; what an order notes on a redemption belongs to the order's."""
    return "seq" in item or "figures" in item
