"""Birthday gifts: once for each member and calendar year, whatever fires twice, dies or comes late.

A birthday is worked off in shards, each in as many legs as it takes. What says that a member has had the gift is its
record, put together with the entry and the voucher; marks say how far the shards are, and only save work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import date, datetime

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Conflict, KeyReused, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.engagement.rules import birthdays as rules
from chalicelib.engagement.table import BirthdayMark, GiftStep, put_mark, read_gifts, read_marks
from chalicelib.ledger import points
from chalicelib.ledger.points import StateRefusal
from chalicelib.ledger.posting import Account, Act, Lost, MemberNotFound, Plan, Write, post
from chalicelib.members import birthdays as index
from chalicelib.members.facts import ProfileFacts, known
from chalicelib.members.table import ProfileItem, read_profile
from chalicelib.orders import decisions
from chalicelib.orders.decisions import Fact
from chalicelib.orders.service import rulebook
from chalicelib.program import service as programs
from chalicelib.program.document import Program
from chalicelib.program.document.birthday import BirthdayCare
from chalicelib.program.rules import expiry
from chalicelib.vouchers import service as vouchers

logger = logging.getLogger(__name__)

ACTOR = "system:birthdays"
# A leg marks its way at least so often, so one that has not for so long has died, or its message has been lost.
_SILENCE_S = 900
_MARK_EVERY = 50


class GiftsHeldUp(Conflict):
    """The voucher of a gift cannot be issued, so nobody's is given until the programme is put right."""

    code = "birthday_gifts_held_up"


class _NoGift(StateRefusal):
    """There is no gift for a member; never told to anybody."""

    code = "no_birthday_gift"


class Leg(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the way through the members of one shard who have their `birthday` (`2026-05-17`) on one day.

    `after` is the last that was seen to: `02-28/mem_…`. `given` and `failed` count since the shard was begun.
    """

    birthday: str
    shard: int
    after: str = ""
    given: int = 0
    failed: int = 0

    @property
    def part(self) -> str:
        """The name of the shard among all marks; they sort by day."""
        return f"{self.birthday}#{self.shard}"


def due(*, now: int) -> list[Leg]:
    """The legs that are to be walked now: of every birthday that is due and not worked off, and nobody is at.

    The first time, birthdays are indexed before anything is given. Raises GiftsHeldUp and Unavailable.
    """
    program = programs.in_force(now, now=now).program
    care = program.birthday
    if care is None:
        return []
    index.begin_index(now=now)
    if not index.is_indexed() or not rules.is_open(program, care, now):
        return []
    _check_batches(care, now)
    days = rules.days(care, _today(program, now))
    marks = {mark.part: mark for mark in read_marks(days[0].isoformat())}
    legs = []
    for day in days:
        if day < _today(program, now) and not _was_kept(program, day, now):
            continue
        for shard in range(index.BORN_SHARDS):
            leg = Leg(day.isoformat(), shard)
            mark = marks.get(leg.part)
            if mark is None:
                legs.append(leg)
            elif not mark.is_done and now - clock.parse(mark.updated_at) >= _SILENCE_S:
                legs.append(Leg(leg.birthday, shard, mark.after or "", mark.given, mark.failed))
    return legs


def take(leg: Leg, *, goes_on: Callable[[], bool]) -> Leg | None:
    """Walk a leg; gives what is left of it once time is up, and None at the end of the shard or of the day's hours.

    `goes_on` says before each member whether there is time for one more. A member who fails holds back nobody; the
    shard is then walked again from its beginning by a later run.
    """
    day = date.fromisoformat(leg.birthday)
    for seen, (place, member_id) in enumerate(_members(day, leg.shard, leg.after)):
        now = clock.now()
        program = programs.in_force(now, now=now).program
        if program.birthday is None or not rules.is_open(program, program.birthday, now):
            _mark(leg)
            return None
        if seen and not goes_on():
            _mark(leg)
            return leg
        given = _given(member_id, day, now=now)
        leg = Leg(leg.birthday, leg.shard, place, leg.given + (given is True), leg.failed + (given is None))
        if seen % _MARK_EVERY == 0:
            _mark(leg)
    again = Leg(leg.birthday, leg.shard, given=leg.given)
    _mark(again if leg.failed else leg, is_done=not leg.failed)
    logger.info("birthday %s: %s gifts given, %s failed", leg.part, leg.given, leg.failed)
    return None


def give(member_id: str, day: date, *, now: int) -> bool:
    """Give a member the gift for the birthday on `day`; False where there is none, or they have had this year's.

    Raises Unavailable, BatchNotFound and BatchNotFitting.
    """
    for _attempt in attempts():
        try:
            return _give(member_id, day, now)
        except Lost:
            # The profile has changed, or was merged, since it was read: look again.
            continue
    raise Unavailable("The member is being changed by many at once.", code="busy")


def _give(member_id: str, day: date, now: int) -> bool:
    profile = read_profile(member_id)
    born = profile.person.birthday if profile and not profile.merged_into else None
    if profile is None or born is None or not rules.is_birthday(born, day):
        return False
    # Whoever was merged into this member may have had the year's gift before; after it nobody posts in their names.
    if read_gifts([member_id, *(profile.absorbed or [])], day.year):
        return False
    record_id = ids.derived("bdy", member_id, str(day.year))
    unchanged = Write(ProfileItem(member_id), Act.CHECK, ProfileItem.version == profile.version)

    def plan(account: Account) -> Plan[GiftStep]:
        return _plan(account, profile, (record_id, day.year), unchanged, now)

    try:
        return not post(member_id, plan, now=lambda: now).replayed
    except (_NoGift, MemberNotFound, KeyReused):
        return False


def _plan(account: Account, profile: ProfileItem, name: tuple[str, int], unchanged: Write, now: int) -> Plan[GiftStep]:
    """The gift's entry and record. Raises _NoGift."""
    book = rulebook(now, now)
    program, (record_id, year) = book.now.program, name
    person = profile.person
    seen = ProfileFacts("", person.tags, tuple(profile.segments or ()))
    member = known(account, program, seen, at=account.posted_at)
    gift = rules.gift_for(program, program.birthday, member) if program.birthday else None
    if gift is None:
        raise _NoGift("No gift is for this member.")
    writes = [unchanged]
    if gift.voucher_batch_id:
        writes += vouchers.issuing(gift.voucher_batch_id, profile.key, record_id, now=now).writes
    effect = points.earn(account.state, gift.points, expires_at=expiry.expires_at(program, now))
    effect, tier = decisions.retiered(account, effect, book)
    fact = Fact(facts.BIRTHDAY_GIFT, record_id, ACTOR, now, 0, "")
    decision = msgspec.structs.replace(fact.decision(effect, tier, book.now.version), reason=gift.code)
    record = GiftStep(
        profile.key,
        f"birthday#{year}",
        request_hash=record_id,
        gift=gift.code,
        voucher_batch_id=gift.voucher_batch_id,
    )
    return Plan(decision, record, lambda _entry: writes)


def _given(member_id: str, day: date, *, now: int) -> bool | None:
    """What `give` says, None where it fails."""
    try:
        return give(member_id, day, now=now)
    except Exception:
        logger.exception("the birthday gift of %s could not be given", member_id)
        return None


def _members(day: date, shard: int, after: str) -> Iterator[tuple[str, str]]:
    """The members of a shard who have their birthday on a day, after a place, each with its place."""
    last, _slash, last_id = after.partition("/")
    for month_day in rules.month_days(day):
        if month_day >= last:
            for member_id in index.who_was_born(month_day, shard, after=last_id if month_day == last else ""):
                yield f"{month_day}/{member_id}", member_id


def _mark(leg: Leg, *, is_done: bool = False) -> None:
    put_mark(
        BirthdayMark(
            part=leg.part,
            after=leg.after or None,
            is_done=int(is_done),
            given=leg.given,
            failed=leg.failed,
            updated_at=clock.text(clock.now()),
        )
    )


def _check_batches(care: BirthdayCare, now: int) -> None:
    batches = {gift.voucher_batch_id for gift in care.gifts if gift.voucher_batch_id}
    refused = vouchers.unissuable(batches, now=now)
    if refused:
        told = ", ".join(f"{batch} ({reason})" for batch, reason in sorted(refused.items()))
        raise GiftsHeldUp(f"Birthday gifts wait for vouchers that can be issued: {told}.")


def _was_kept(program: Program, day: date, now: int) -> bool:
    """Whether birthdays were kept already on a day that is past: who begins with it gives nothing for last week."""
    then = int(datetime(day.year, day.month, day.day, rules.LAST_HOUR, tzinfo=program.zone).timestamp())
    found = programs.in_force(then, now=now)
    return found.starts_at <= then and found.program.birthday is not None


def _today(program: Program, now: int) -> date:
    return datetime.fromtimestamp(now, program.zone).date()
