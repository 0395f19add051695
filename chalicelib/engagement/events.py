"""Events: what members do beside buying, posted once, and withdrawn once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Forbidden, Invalid, NotFound, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.engagement.schema import EventIn
from chalicelib.engagement.table import EventStep, read_events
from chalicelib.ledger import points
from chalicelib.ledger.effects import Effect
from chalicelib.ledger.posting import Account, Lost, MemberNotFound, Plan, Posted, Write, once, post
from chalicelib.ledger.records import step_name
from chalicelib.ledger.state import Limit, Month
from chalicelib.members import service as members
from chalicelib.members.facts import ProfileFacts, known, profile_facts
from chalicelib.orders import decisions, giving
from chalicelib.orders.decisions import Fact, Rulebook
from chalicelib.orders.giving import Giver
from chalicelib.orders.service import named, rulebook
from chalicelib.program import budgets
from chalicelib.program.budgets import Funds
from chalicelib.program.document import Program
from chalicelib.program.rules import events as rules
from chalicelib.program.rules import expiry
from chalicelib.program.rules.inputs import Event, Explanation, Gained
from chalicelib.program.rules.takes import Given, Take


class EventNotFound(NotFound):
    """No event has this id."""

    code = "event_not_found"

    def __init__(self) -> None:
        super().__init__("No event has this id.", field="event_id")


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """What an event brought, as recorded with it; its cancellation goes by this, never by today's rules.

    `month` is that of its activity, and a cancellation before `absorbed_until` is spared what has lapsed of the points.
    """

    points: int
    activity: int
    month: int
    expires_at: int
    absorbed_until: int
    program: int
    explanations: tuple[Explanation, ...]
    limits: tuple[Limit, ...] = ()
    takes: tuple[Take, ...] = ()
    vouchers: tuple[Given, ...] = ()


_BODIES = msgspec.json.Decoder(EventIn)
_GAINS = msgspec.json.Decoder(Gain)


def event_id_of(source: str, event_id: str, owner: str = "") -> str:
    """The engine's id of an event; what a person reports (`owner`) never takes the name of a system's."""
    return ids.derived("evt", source, event_id, *([owner] if owner else []))


def post_event(event: EventIn, member_id: str | None, *, owner: str, actor: str, now: int) -> Posted[EventStep]:
    """Post an event once: it counts, and gives what the rules of its time say.

    `member_id` is the member where the caller has made it out, else the event names it; `owner` is the person who
    reports it about themselves, "" for a system or staff.

    Raises Invalid (type, times, who is meant), Forbidden for a person's event of a type that only systems may post,
    MemberNotFound, KeyReused when it was posted with another body, and Unavailable.
    """
    step = _step(event, owner)
    return once(
        step,
        lambda: next(iter(read_events(step.key, consistent=True)), None),
        lambda: _post(event, member_id, owner=owner, actor=actor, now=now),
    )


def cancel(posted: EventStep, *, actor: str, now: int) -> Posted[EventStep]:
    """Withdraw an event, by its first step: whatever it gave goes back, once; repeated, it answers the same.

    Raises Unavailable.
    """
    gain = gain_of(posted)
    record_id = ids.derived("evc", posted.key)
    book = rulebook(now, now)

    def plan(account: Account) -> Plan[EventStep]:
        step = EventStep(posted.key, step_name(1), request_hash=record_id, body=posted.body, figures=posted.figures)
        effect, tier = decisions.retiered(account, given_back(account, gain), book)
        fact = Fact(facts.EVENT_CANCELLED, record_id, actor, now, 0, "")
        writes = [*_budgets_back(gain.takes), *giving.taken_back(gain.vouchers, record_id, now=now)]
        return Plan(fact.decision(effect, tier, gain.program), step, lambda _entry: writes)

    for _attempt in attempts():
        try:
            return post(str(posted.member_id), plan, now=lambda: now)
        except Lost:
            # Somebody has just laid hands on a voucher that it gave: look at that again.
            continue
    raise Unavailable("The event is being withdrawn by many at once. Send the same request again.", code="busy")


def read(event_id: str) -> list[EventStep]:
    """An event's steps. Raises EventNotFound, which only a consistent read may say."""
    steps = read_events(event_id, consistent=False) or read_events(event_id, consistent=True)
    # Uses of benefits lie in the same table; only an event may be read as one.
    if not steps or not event_id.startswith("evt_"):
        raise EventNotFound
    return steps


def body_of(step: EventStep) -> EventIn:
    """The event as it was accepted."""
    return _BODIES.decode(step.body)


def gain_of(step: EventStep) -> Gain:
    """What the event brought."""
    return _GAINS.decode(step.figures)


def event_of(step: EventStep) -> Event:
    """The event as rules and challenges see it."""
    return as_seen(body_of(step))


def _post(event: EventIn, member_id: str | None, *, owner: str, actor: str, now: int) -> Posted[EventStep]:
    occurred_at = clock.seconds(event.occurred_at)
    book = rulebook(occurred_at, now)
    check_type(book.then.program, event, is_own=bool(owner))
    decisions.check_time(book.now.program, occurred_at, now)
    found = member_id or _member_of(event)
    profile = profile_facts(found, book.then.program)
    operation_id = event_id_of(event.source, event.event_id, owner)
    giver = Giver(operation_id, now=now)

    def decide(account: Account, funds: Funds) -> tuple[Plan[EventStep], Sequence[Take]]:
        return _plan(event, account, funds, giver, book=book, profile=profile, owner=owner, actor=actor)

    return budgets.post(found, book.then.program, operation_id, decide, now=lambda: now)


def _plan(
    event: EventIn,
    account: Account,
    funds: Funds,
    giver: Giver,
    *,
    book: Rulebook,
    profile: ProfileFacts,
    owner: str,
    actor: str,
) -> tuple[Plan[EventStep], Sequence[Take]]:
    member = known(account, book.then.program, profile, at=account.posted_at)
    seen = as_seen(event)
    gained = giver.evaluated(lambda refused: rules.evaluate(book.then.program, seen, member, funds.exhausted, refused))
    takes = funds.takes(gained.awards)
    given, issues = giver.issued(gained.vouchers, account.member_id)
    gain = gain_from(gained, takes, book, seen.occurred_at, given)
    step = _step(event, owner)
    step.figures = msgspec.json.encode(gain).decode()
    effect, tier = decisions.retiered(account, effect_of(account, gain), book)
    fact = Fact(facts.EVENT, step.key, actor, seen.occurred_at, 0, "")
    decision = fact.decision(effect, tier, gain.program)
    if event.type in book.then.program.events:
        # Only what the programme declares is known not to be the text of a client.
        decision = msgspec.structs.replace(decision, reason=event.type)
    return Plan(decision, step, lambda _entry: issues), takes


def gain_from(
    gained: Gained, takes: tuple[Take, ...], book: Rulebook, occurred_at: int, given: Sequence[Given] = ()
) -> Gain:
    """What is recorded of what an event brought."""
    program = book.then.program
    return Gain(
        points=gained.points,
        activity=gained.activity,
        month=clock.month_of(occurred_at, program.zone),
        expires_at=expiry.expires_at(program, occurred_at),
        absorbed_until=expiry.refundable_until(program, occurred_at),
        program=book.then.version,
        explanations=giving.named(gained.explanations, given),
        limits=gained.limits,
        takes=takes,
        vouchers=tuple(given),
    )


def effect_of(account: Account, gain: Gain) -> Effect:
    """The effect of an event."""
    effect = points.earn(account.state, gain.points, expires_at=gain.expires_at)
    months = (Month(gain.month, activity=gain.activity),) if gain.activity else ()
    return msgspec.structs.replace(effect, months=months, limits=gain.limits)


def given_back(account: Account, gain: Gain) -> Effect:
    """The effect of an event's cancellation."""
    absorb = account.posted_at < gain.absorbed_until
    effect = points.claw(account.state, gain.points, expires_at=gain.expires_at, absorb=absorb)
    months = (Month(gain.month, activity=-gain.activity),) if gain.activity else ()
    limits = tuple(Limit(limit.limit_id, limit.until, -limit.count, -limit.points) for limit in gain.limits)
    return msgspec.structs.replace(effect, months=months, limits=limits)


def _budgets_back(takes: Sequence[Take]) -> list[Write]:
    return [write for take in takes for write in budgets.giving_back(take, take.points, 1)]


def check_type(program: Program, event: EventIn, *, is_own: bool) -> None:
    """Raises Invalid for an event that the programme does not know, Forbidden for what is not a member's to tell."""
    declared = program.events.get(event.type)
    if declared is None and program.events:
        known_types = ", ".join(sorted(program.events))
        raise Invalid(f"The programme knows these events: {known_types}.", field="type", code="event_type_unknown")
    if is_own and not (declared and declared.self_reported):
        raise Forbidden("This event is reported by the shop, not by members.", field="type", code="not_self_reported")


def _member_of(event: EventIn) -> str:
    """The member that a system's event names. Raises Invalid unless it names one, and MemberNotFound."""
    if (event.member_id is msgspec.UNSET) == (event.identity is msgspec.UNSET):
        raise Invalid("Name the member either by member_id or by identity.", field="member_id")
    if event.member_id is not msgspec.UNSET:
        return event.member_id
    assert event.identity is not msgspec.UNSET
    found = members.find(members.identity_key(*named(event.identity)))
    if found is None:
        raise MemberNotFound("No member has this identity.", field="identity")
    return found


def as_seen(event: EventIn) -> Event:
    """An event as the rules see it."""
    return Event(
        type=event.type,
        occurred_at=clock.seconds(event.occurred_at),
        channel=event.channel,
        store=event.store,
        properties=event.properties,
    )


def _step(event: EventIn, owner: str) -> EventStep:
    event_id = event_id_of(event.source, event.event_id, owner)
    return EventStep(
        event_id,
        step_name(0),
        record_id=event_id,
        request_hash=ids.request_hash(event),
        body=msgspec.json.encode(event).decode(),
    )
