"""What was recorded, in the order of posting: purchases, what took them back, events, and what was spent."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from chalicelib.engagement.schema import EventIn
from chalicelib.orders.rules import RefundPart
from chalicelib.orders.schema import OrderIn, RefundIn
from infra.errors import InfraError


class Bought(msgspec.Struct, frozen=True):
    """A purchase of a member; `key` is what its refunds name."""

    key: str
    member: str
    occurred_at: int
    posted_at: int
    order: OrderIn


class TakenBack(msgspec.Struct, frozen=True):
    """A refund by `parts` of lines or by `amount_minor`; with neither, a cancellation."""

    key: str
    occurred_at: int
    posted_at: int
    parts: tuple[RefundPart, ...] = ()
    amount_minor: int | None = None


class Spent(msgspec.Struct, frozen=True):
    """Points redeemed; `key` is what a payment by this redemption names."""

    key: str
    member: str
    posted_at: int
    points: int


class Happened(msgspec.Struct, frozen=True):
    """Something else that a member did; `key` is what its withdrawal names."""

    key: str
    member: str
    posted_at: int
    event: EventIn


class Withdrawn(msgspec.Struct, frozen=True):
    """An event cancelled."""

    key: str
    posted_at: int


class Enrolled(msgspec.Struct, frozen=True):
    """Somebody became a member."""

    member: str
    posted_at: int


class PutBack(msgspec.Struct, frozen=True):
    """A redemption cancelled."""

    key: str
    posted_at: int


Fact = Enrolled | Bought | TakenBack | Spent | PutBack | Happened | Withdrawn


class Person(msgspec.Struct, frozen=True):
    """What is known of a member beside the purchases; `enrolled_at` is 0 where that is not known."""

    enrolled_at: int = 0
    birthday: str = ""
    tags: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


class Recorded(msgspec.Struct, frozen=True):
    """Facts in the order of posting, who is known, and where they come from."""

    source: str
    facts: tuple[Fact, ...]
    people: Mapping[str, Person]

    @property
    def purchases(self) -> Iterator[Bought]:
        """The purchases alone."""
        return (fact for fact in self.facts if type(fact) is Bought)

    @property
    def refunded(self) -> frozenset[str]:
        """The keys of purchases of which something goes back."""
        return frozenset(fact.key for fact in self.facts if type(fact) is TakenBack)


def in_order(source: str, facts: Iterable[Fact], people: Mapping[str, Person] | None = None) -> Recorded:
    """Facts sorted by the time at which they were posted; those of one moment stay as they came.

    Everybody is enrolled when `people` says so, and before the first fact in any case. A purchase that stands twice
    counts once, as it does when it is sent twice. Raises InfraError where the two are not the same.
    """
    known = people or {}
    ordered = sorted(_once(facts), key=lambda fact: fact.posted_at)
    enrolments = {name: person.enrolled_at for name, person in known.items() if person.enrolled_at}
    for fact in ordered:
        if isinstance(fact, Bought | Spent | Happened):
            enrolments[fact.member] = min(enrolments.get(fact.member, fact.posted_at), fact.posted_at)
    enrolled = [Enrolled(name, at) for name, at in enrolments.items()]
    # Sorting is stable, so whoever buys at the moment of enrolling is enrolled first.
    return Recorded(source, tuple(sorted([*enrolled, *ordered], key=lambda fact: fact.posted_at)), known)


def _once(facts: Iterable[Fact]) -> Iterator[Fact]:
    bought: dict[str, Bought] = {}
    for fact in facts:
        if isinstance(fact, Bought):
            if bought.setdefault(fact.key, fact) is fact:
                yield fact
            elif bought[fact.key] != fact:
                raise InfraError(f"the purchase {fact.key} stands twice, and not alike")
        elif not isinstance(fact, Enrolled):
            yield fact


def parts_of(refund: RefundIn) -> tuple[RefundPart, ...]:
    """The lines of a refund, as the rules take them."""
    return tuple(
        RefundPart(
            line=line.line,
            quantity=None if line.quantity is msgspec.UNSET else line.quantity,
            amount_minor=None if line.amount_minor is msgspec.UNSET else line.amount_minor,
        )
        for line in refund.lines
    )
