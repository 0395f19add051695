"""The visitor that scores: it brings members' facts up to date, scores them by the last night, and tells the news."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from chalicelib.base import clock, money
from chalicelib.ledger import state as ledger
from chalicelib.ledger.table import AccountItem
from chalicelib.ledger.walk import Leg
from chalicelib.program import service as programs
from chalicelib.program.document import Program
from chalicelib.scoring import care, gathering, keeping, parts, telling, tonight
from chalicelib.scoring import state as states
from chalicelib.scoring import told as tellings
from chalicelib.scoring.basis import Basis
from chalicelib.scoring.care import Ahead
from chalicelib.scoring.finishing import WALK
from chalicelib.scoring.parts import Rows
from chalicelib.scoring.rules import alerting, holdings, rows, segments
from chalicelib.scoring.rules.coming import Coming
from chalicelib.scoring.rules.holdings import Totals
from chalicelib.scoring.rules.scoring import Scores
from chalicelib.scoring.state import State
from chalicelib.scoring.telling import News
from chalicelib.scoring.told import Before, Told

logger = logging.getLogger(__name__)

ROWS_MAX: Final = 1_000_000
"""So many members at the most are handed on to the one that reduces; of more, an even sample."""

_AT_ONCE: Final = 5_000
_FAILED_MAX: Final = 20
"""If more than so many at once cannot be scored or written, it is no fault of theirs: the leg begins again."""

_FOLDED, _TOLD, _ALERTS, _CARES, _SCORED, _FAILED = "folded", "told", "alerts", "cares", "scored", "failed"
_COUNTED: Final = (_SCORED, _FOLDED, _TOLD, _ALERTS, _CARES, _FAILED)
_POINTS = "points"


class Seen(msgspec.Struct, frozen=True):
    """An account with its facts, as they are now and as they were at the end of the day that is scored.

    `last` is what was last told, `before` what had been until this night; `ahead` is for the care calendar.
    """

    account: AccountItem
    facts: State
    is_new: bool
    on_the_day: State
    last: Told | None
    before: Before | None
    ahead: Ahead


class Scorer:
    """Scores accounts some thousands at a time. What it does twice comes out alike."""

    def __init__(self, leg: Leg, carried: Mapping[str, Any]) -> None:
        self._leg = leg
        self._counts = {name: int(carried.get(name, 0)) for name in _COUNTED}
        self._points = holdings.read(carried.get(_POINTS)) or Totals()
        self._waiting: list[Seen] = []
        now = clock.now()
        self._program: Program = programs.in_force(now, now=now).program
        self._today = gathering.day_of(leg.cut, self._program.zone) - 1
        self._basis = keeping.current(now=now, fresh=True)

    def visit(self, account: AccountItem) -> None:
        """Bring a member's facts up to date; score those who wait once there are enough."""
        if not account.state:
            return
        state = ledger.unpack(account.state)
        # Closed accounts as well, and before anything can fail: sums of all there ever was must never fall.
        self._points = self._points.plus(holdings.of(state, self._leg.cut))
        if state.closed_into:
            return
        last = tellings.read(account.score_told)
        facts = states.unpack(account.score_facts) if account.score_facts else State()
        is_new = account.seq > facts.entries
        if is_new:
            facts = gathering.brought_up_to(account.member_id, facts, self._program)
        states.checked(facts)
        before, ahead = tellings.before(last, self._today), care.ahead(self._program, state, self._leg.cut)
        self._waiting.append(Seen(account, facts, is_new, facts.as_on(self._today), last, before, ahead))
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def carry(self) -> dict[str, Any]:
        """Score whoever waits still; how many members there were, what there was to tell of them, and their points."""
        self._flush()
        return {**self._counts, _POINTS: holdings.carried(self._points)}

    def _flush(self) -> None:
        """Whoever waits is let go only when all is written: a leg that fails half-way begins again."""
        counts = dict(self._counts)
        for found, news in self._scored(self._waiting, counts):
            if self._leg.walk == WALK:
                self._hand_on(found)
            self._tell(news, counts)
        self._counts, self._waiting = counts, []

    def _scored(self, waiting: list[Seen], counts: dict[str, int]) -> list[tuple[Rows, list[News]]]:
        """What there is to say of members, together; who spoils it for all is found by halves, and left out."""
        if not waiting:
            return []
        try:
            found = self._rows(waiting)
            return [(found, self._news(found, waiting))]
        except Exception:
            if counts[_FAILED] - self._counts[_FAILED] >= _FAILED_MAX:
                raise
            if len(waiting) == 1:
                logger.exception("%s cannot be scored", waiting[0].account.member_id)
                counts[_FAILED] += 1
                return []
        half = len(waiting) // 2
        return [*self._scored(waiting[:half], counts), *self._scored(waiting[half:], counts)]

    def _tell(self, news: list[News], counts: dict[str, int]) -> None:
        """Write it all down. Raises what a write does where many fail; single members are left to the next night."""
        now, failed = clock.now(), 0
        for one in news:
            try:
                written = telling.tell(one, now=now)
            except Exception:
                failed += 1
                if failed > _FAILED_MAX:
                    raise
                logger.exception("what there is to tell of %s cannot be written", one.account.member_id)
                continue
            counts[_SCORED] += 1
            counts[_FOLDED] += one.is_new
            counts[_TOLD] += written and one.told is not None
            counts[_ALERTS] += len(one.alerts)
            counts[_CARES] += len(one.cares)
        counts[_FAILED] += failed

    def _rows(self, waiting: list[Seen]) -> Rows:
        on_the_day = [seen.on_the_day for seen in waiting]
        accounts = [seen.account for seen in waiting]
        raw = rows.Raw.of(
            on_the_day, [item.earned for item in accounts], [item.redeemed for item in accounts], self._today
        )
        return Rows.of(
            [item.member_id for item in accounts],
            on_the_day,
            raw,
            [seen.before for seen in waiting],
            self._today,
            available=[item.available for item in accounts],
            coming=Coming.of([seen.ahead for seen in waiting], [item.tier for item in accounts]),
            minor_units=money.minor_units(self._program.base_currency),
        )

    def _hand_on(self, found: Rows) -> None:
        """Store the rows of those in the sample. The file is named after its first member, so that nothing is lost."""
        share = ROWS_MAX / max(self._basis.members if self._basis else 0, ROWS_MAX)
        kept = [place for place, name in enumerate(found.names) if share >= 1.0 or in_sample(name, share)]
        key = f"{prefix(self._leg.night)}{self._leg.segment:03d}-{found.names[0]}.npz"
        parts.write(key, found.some(kept) if len(kept) < len(found.names) else found)

    def _news(self, found: Rows, waiting: list[Seen]) -> list[News]:
        if self._basis is None:
            return [News(account=seen.account, facts=seen.facts, is_new=seen.is_new) for seen in waiting]
        basis = self._basis
        scores, standing = tonight.scored(basis, found)
        holds = alerting.holds(scores, found.purchases, standing.model, self._today, expiring=self._expiring(waiting))
        return [self._of(seen, scores, place, basis, holds[place]) for place, seen in enumerate(waiting)]

    def _of(self, seen: Seen, scores: Scores, place: int, basis: Basis, holds: tuple[bool, ...]) -> News:
        now = Told(
            day=self._today,
            basis=basis.number,
            score=round(float(scores.score[place])),
            value=segments.VALUES[scores.value[place]],
            behaviour=segments.BEHAVIOURS[scores.behaviour[place]],
            on=tellings.bits(holds),
        )
        alerts = tellings.onsets(seen.last, holds, self._today) if seen.last is not None else ()
        cares = tellings.cares(seen.last, care.since(seen.ahead, self._program), self._today)
        # What was bought after midnight was new the night before, and is scored tonight.
        is_new = seen.is_new or seen.on_the_day.last_day == self._today
        told = tellings.next_told(seen.last, now, (*alerts, *cares), is_new=is_new)
        return News(
            account=seen.account,
            facts=seen.facts,
            is_new=seen.is_new,
            told=told,
            alerts=alerts,
            cares=cares,
        )

    def _expiring(self, waiting: list[Seen]) -> list[bool]:
        """Of whom so many points expire within 30 days that something could be had for them."""
        least = care.points_least(self._program)
        until = clock.text(self._leg.cut + 30 * clock.DAY_S)
        return [
            bool(seen.account.next_expiry_at)
            and seen.account.next_expiry_at <= until
            and (seen.account.next_expiry_points or 0) >= least
            for seen in waiting
        ]


def prefix(night: str) -> str:
    """What the keys of a night's files begin with."""
    return f"nights/{night}/"


def in_sample(member_id: str, share: float) -> bool:
    """Whether a member is among this share of all: always the same ones."""
    return zlib.crc32(member_id.encode()) < share * 2**32
