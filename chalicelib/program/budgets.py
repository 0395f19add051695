"""Campaigns' budgets: exact under any number of writers, because they lie in counters.

A campaign's budget of points and its budget of awards are a counter each. What an operation takes of them is taken in
the operation's own transaction, and its record says from which shards, so that a reversal puts back there. An award is
taken from one shard; where none covers it alone, what others hold is moved there in the same transaction. A campaign
that cannot pay for it even so gives nothing, and the operation is evaluated again without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar

import msgspec

from chalicelib.base.errors import Unavailable
from chalicelib.base.retry import attempts
from chalicelib.counters import service as counters
from chalicelib.counters.rules import gathering, probe_order
from chalicelib.counters.service import Claim, Counter
from chalicelib.counters.table import read_shards
from chalicelib.ledger import posting
from chalicelib.ledger.chain import Entry
from chalicelib.ledger.posting import Account, Lost, Plan, Posted, Write
from chalicelib.ledger.records import Record
from chalicelib.program.document import Program
from chalicelib.program.document.earning import Campaign
from chalicelib.program.rules.inputs import Award
from chalicelib.program.rules.takes import Take

R = TypeVar("R", bound=Record)

# With these an operation, five vouchers of three items each among it, still fits into its transaction of 100 items.
_MOVES_MAX: Final = 45

_exhausted_before: set[str] = set()
"""Counters that were found too low by this process. They are looked at before anything is tried on them again, which
is cheaper than a transaction that fails; a refund or a raise is seen at once all the same."""


class Funds(msgspec.Struct, frozen=True):
    """The budgets as one operation sees them at one try.

    `exhausted` are the campaigns that cannot pay for what they would give: what `evaluate` is told. `shards` are the
    shards, by counter, that cover it according to a look at all of them, and `moves` is what must be moved there from
    others because none of them does alone.
    """

    program: Program
    operation_id: str
    exhausted: frozenset[str] = frozenset()
    shards: dict[str, int] = {}
    moves: dict[str, dict[int, int]] = {}

    def takes(self, awards: Sequence[Award]) -> tuple[Take, ...]:
        """What `awards` take of the budgets, for the operation's record. Campaigns without a budget are left out."""
        found = (self._take(award) for award in awards)
        return tuple(take for take in found if (take.points_shard, take.awards_shard) != (None, None))

    def _take(self, award: Award) -> Take:
        points, awards = _counters(self.program, award.campaign)
        return Take(
            award.campaign,
            award.points,
            self._shard(points) if points and award.points else None,
            self._shard(awards) if awards else None,
        )

    def _shard(self, counter: Counter) -> int:
        chosen = self.shards.get(counter.name)
        return probe_order(self.operation_id, counter.shards)[0] if chosen is None else chosen

    def must_look(self, takes: Sequence[Take]) -> bool:
        """Whether one of the counters was found too low before, and not been looked at for this operation."""
        names = {counter.name for take in takes for counter, _amount in _amounts(self.program, take)}
        return bool(names & _exhausted_before - self.shards.keys())

    def looked(self, takes: Sequence[Take]) -> Funds:
        """The same after a look at all shards of the counters that `takes` draw on."""
        exhausted, shards, moves = set(self.exhausted), dict(self.shards), dict(self.moves)
        for take in takes:
            for counter, amount in _amounts(self.program, take):
                left = {item.shard: item.left for item in read_shards(counter.name)}
                found = gathering(self.operation_id, left, amount)
                if found is None or len(found[1]) + sum(map(len, moves.values())) > _MOVES_MAX:
                    _exhausted_before.add(counter.name)
                    exhausted.add(take.campaign)
                else:
                    _exhausted_before.discard(counter.name)
                    shards[counter.name], moves[counter.name] = found
        return Funds(self.program, self.operation_id, frozenset(exhausted), shards, moves)


Decide = Callable[[Account, Funds], tuple[Plan[R], Sequence[Take]]]
"""Decides on an account with the budgets as they seem: the plan, its record naming the takes, and the takes."""


def reset_memory() -> None:
    """Forget which budgets were found exhausted, as a new process would."""
    _exhausted_before.clear()


def post(
    member_id: str, program: Program, operation_id: str, decide: Decide[R], *, now: Callable[[], int] | None = None
) -> Posted[R]:
    """Post to a member's account and take what is awarded from the campaigns' budgets, in one transaction, once.

    `decide` must be pure, evaluate with `funds.exhausted`, and answer with `funds.takes(earned.awards)`; the writes on
    the counters are added here. It is called again when an account has changed, and when a budget could not pay. The
    first try goes to the operation's own shard unseen; only if that holds too little, all are looked at. Without takes
    this is `ledger.posting.post`, at its price.

    Raises as that does, Lost only for writes of the plan's own.
    """
    funds = Funds(program, operation_id)
    tries = attempts()
    next(tries)
    while True:
        trial = _Trial(funds, decide)
        try:
            return posting.post(member_id, trial.plan, now=now)
        except _LookFirst:
            pass
        except Lost as lost:
            if all(lost.model is not write.model for write in trial.writes):
                raise
        looked = funds.looked(trial.takes)
        # Every round either rules a campaign out, and there are few, or is one of eight tries: so this ends.
        if looked.exhausted == funds.exhausted and next(tries, None) is None:
            raise Unavailable("Many are taking from a budget at once. Send the same request again.", code="busy")
        funds = looked


def affordable(program: Program, operation_id: str, evaluate: Callable[[frozenset[str]], Sequence[Award]]) -> Funds:
    """The budgets as they are now, for a quote: `evaluate` gives the awards without the exhausted campaigns.

    Nothing is taken. It reads the counters of what would be awarded, and none where nothing of a budget would be.
    """
    funds = Funds(program, operation_id)
    while takes := funds.takes(evaluate(funds.exhausted)):
        looked = funds.looked(takes)
        if looked.exhausted == funds.exhausted:
            return looked
        funds = looked
    return funds


def taking(funds: Funds, takes: Sequence[Take]) -> list[Write]:
    """The writes that take from the counters."""
    writes: list[Write] = []
    for take in takes:
        for (counter, amount), shard in zip(_amounts(funds.program, take), _shards(take), strict=True):
            claim, others = Claim(counter, amount, funds.operation_id), funds.moves.get(counter.name, {})
            writes += counters.take_gathered(claim, shard, others) if others else [counters.take(claim, shard)]
    return writes


def giving_back(take: Take, points: int, awards: int) -> list[Write]:
    """The writes that put `points` and `awards` (0 or 1) back where `take` took them.

    They go by the record alone, so a campaign that has ended, or is in no document any more, gets its own back too.
    """
    writes = []
    if take.points_shard is not None and points:
        writes.append(counters.give_back(counter_name(take.campaign, "points"), take.points_shard, points))
    if take.awards_shard is not None and awards:
        writes.append(counters.give_back(counter_name(take.campaign, "awards"), take.awards_shard, awards))
    return writes


def counter_name(campaign: str, unit: str) -> str:
    """The name of the counter in which a campaign's budget of `points` or `awards` lies."""
    return f"budget#{campaign}#{unit}"


def counters_of(campaign: Campaign) -> tuple[Counter | None, Counter | None]:
    """The counters of a campaign's budgets, of points and of awards; None for what it has no budget of."""
    budget = campaign.budget
    if budget is None:
        return None, None
    return (
        Counter(counter_name(campaign.code, "points"), budget.shards) if budget.points else None,
        Counter(counter_name(campaign.code, "awards"), budget.shards) if budget.awards else None,
    )


class _LookFirst(Exception):
    """The counters that would be drawn on are to be looked at before anything is sent."""


class _Trial(Generic[R]):
    """One try: remembers what was to be taken, for whoever has to look after it failed."""

    def __init__(self, funds: Funds, decide: Decide[R]) -> None:
        self.funds = funds
        self.decide = decide
        self.takes: tuple[Take, ...] = ()
        self.writes: list[Write] = []

    def plan(self, account: Account) -> Plan[R]:
        """What `decide` plans, with the writes on the counters."""
        plan, takes = self.decide(account, self.funds)
        self.takes = tuple(takes)
        if not takes:
            return plan
        if self.funds.must_look(self.takes):
            raise _LookFirst
        writes = self.writes = taking(self.funds, self.takes)

        def together(entry: Entry) -> list[Write]:
            return [*plan.writes(entry), *writes]

        return msgspec.structs.replace(plan, writes=together)


def _counters(program: Program, code: str) -> tuple[Counter | None, Counter | None]:
    campaign = next((campaign for campaign in program.campaigns if campaign.code == code), None)
    return counters_of(campaign) if campaign else (None, None)


def _amounts(program: Program, take: Take) -> list[tuple[Counter, int]]:
    """The counters that a take draws on, points first, and how much of each."""
    points, awards = _counters(program, take.campaign)
    found = []
    if points and take.points_shard is not None:
        found.append((points, take.points))
    if awards and take.awards_shard is not None:
        found.append((awards, 1))
    return found


def _shards(take: Take) -> Iterator[int]:
    return (shard for shard in (take.points_shard, take.awards_shard) if shard is not None)
