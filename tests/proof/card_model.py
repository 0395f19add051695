"""A punch card by the model: stamps in the order in which things happened, and rounds that are paid and taken back."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.proof.programmes import CARD_POINTS, Whole
from tests.proof.rules_model import Rules


@dataclass
class Card:
    """The stamps of one member: by time and name how many each fact is worth, and the rules of its time."""

    facts: dict[tuple[int, str], tuple[int, Rules]] = field(default_factory=dict)
    paid: list[int] = field(default_factory=list)

    def rounds(self) -> list[int]:
        """When the points of the last round expire, as many times as there are rounds."""
        count, rounds, expiry = 0, 0, 0
        for occurred_at, name in sorted(self.facts):
            stamps, rules = self.facts[occurred_at, name]
            assert isinstance(rules, Whole)
            if not stamps:
                continue
            count += stamps
            while count >= rules.programme.stamps - 1:
                count -= rules.programme.stamps - 1
                rounds += 1
                expiry = rules.expiry(occurred_at)
        return [expiry] * rounds


@dataclass
class Cards:
    """Everybody's card; `moved` leads from a member whose card was united with another's to that one."""

    cards: dict[str, Card] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)

    def home(self, member: str) -> str:
        """Under whose name a member's card lies."""
        while member in self.moved:
            member = self.moved[member]
        return member

    def count(self, member: str, *fact: object) -> str | None:
        """Keep a fact, or what is left of it; None for what no card counts."""
        if not fact:
            return None
        occurred_at, name, stamps, rules = fact
        assert isinstance(occurred_at, int)
        assert isinstance(name, str)
        assert isinstance(stamps, int)
        assert isinstance(rules, Rules)
        home = self.home(member)
        facts = self.cards.setdefault(home, Card()).facts
        before = facts.get((occurred_at, name), (stamps, rules))[0]
        facts[occurred_at, name] = (min(before, stamps), rules)
        return home

    def unite(self, member: str, closed: str) -> str | None:
        """Two members are one: so are their cards, and what was paid for each."""
        home = self.home(member)
        if closed in self.moved:
            return home
        own, other = self.cards.setdefault(home, Card()), self.cards.pop(closed, Card())
        for place, (stamps, rules) in other.facts.items():
            own.facts[place] = (min(stamps, own.facts.get(place, (stamps, rules))[0]), rules)
        own.paid += other.paid
        self.moved[closed] = home
        return home

    def rounds_paid(self) -> int:
        """How many rounds are paid, of all members."""
        return sum(len(card.paid) for card in self.cards.values())

    def due(self, home: str) -> tuple[int, int] | None:
        """The next payment: when its points expire, and how many, negative for what goes back; None for none."""
        card = self.cards.setdefault(home, Card())
        rounds = card.rounds()
        if len(rounds) > len(card.paid):
            card.paid.append(rounds[-1])
            return rounds[-1], CARD_POINTS
        if len(rounds) < len(card.paid):
            latest = max(card.paid)
            card.paid.remove(latest)
            return latest, -CARD_POINTS
        return None
