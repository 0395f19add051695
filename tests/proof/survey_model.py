"""Surveys of the model: who has answered what, by which version, and why an answer is not taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.proof.account_model import Account
from tests.proof.rules_model import Rules

if TYPE_CHECKING:
    from tests.proof.model import Model, Moved

UNHAPPY = 6
"""An answer of so much, or less, opens a case."""


@dataclass(frozen=True)
class Head:
    """A survey from a tick on: what it says, and whether it takes answers. `opened` is its first version that did."""

    tick: int
    status: str
    number: int
    opened: int
    version: int


@dataclass(frozen=True)
class Said:
    """What somebody answers: whether it is recommended, and how easy it was made (0 for no word on that)."""

    recommend: int
    easy: int = 0


@dataclass(frozen=True)
class Ask:
    """An answer that somebody hands in. `names` are those under which it may have been given before."""

    names: Callable[[Model], Sequence[str]]
    said: Said
    occurred_at: int
    invitation: str = ""


@dataclass
class Invited:
    """An invitation, until when it may be answered, and the case that it asks about."""

    member: str
    expires_at: int
    case: str = ""
    answer: str = ""
    status: str = "open"


@dataclass
class Taken:
    """An answer that was taken."""

    member: str
    said: Said
    number: int
    case: str = ""


@dataclass
class Surveys:
    """One survey: its heads, one after the other, the points of its versions, its invitations and its answers.

    `stand_ins` lead from the name under which a member would answer to the answer that was read in instead.
    """

    heads: list[Head] = field(default_factory=list)
    points: dict[int, int] = field(default_factory=dict)
    invitations: dict[str, Invited] = field(default_factory=dict)
    taken: dict[str, Taken] = field(default_factory=dict)
    stand_ins: dict[str, str] = field(default_factory=dict)

    def was_open(self, since: int, until: int) -> bool:
        """Whether it took answers at some moment between two ticks."""
        ends = [head.tick for head in self.heads[1:]] + [until + 1]
        lives = zip(self.heads, ends, strict=True)
        return any(head.status == "open" and head.tick <= until and end > since for head, end in lives)

    def given(self, names: Sequence[str]) -> list[Taken]:
        """The answers under some names, or in their place."""
        found = [self.stand_ins.get(name, name) for name in names]
        return [self.taken[name] for name in found if name in self.taken]

    def why_not(self, model: Model, ask: Ask, now: int, rules: Rules) -> list[str]:
        """Every reason not to take an answer at an instant."""
        given = self.given(ask.names(model))
        if given:
            return [] if any(taken.said == ask.said for taken in given) else ["answered_before"]
        invited = self.invitations.get(ask.invitation)
        found = {
            "survey_not_open": self.heads[-1].status == "draft",
            "survey_closed": self.heads[-1].status == "closed",
            "invitation_withdrawn": invited and invited.status == "withdrawn",
            "invitation_expired": invited and now >= invited.expires_at,
            "occurred_too_long_ago": rules.too_late(ask.occurred_at, now),
        }
        return [code for code, applies in found.items() if applies]

    def take(  # noqa: PLR0917 -- an answer, and by which version it came
        self, model: Model, name: str, taken: Taken, occurred_at: int, at: int, rules: Rules
    ) -> Moved:
        """An answer is taken: its points come. Raises AssertionError where there is one."""
        assert name not in self.taken, "an answer was taken twice"
        first, last = self.heads[-1].opened, self.heads[-1].number
        assert 1 <= first <= taken.number <= last, "an answer was judged by a version that nobody was shown"
        self.taken[name] = taken
        points = self.points[taken.number]

        def act(account: Account) -> None:
            account.count("earned", points)
            account.receive({rules.expiry(occurred_at): points})
            account.retier(at)

        return model.moved(taken.member, at, act)

    def answer(self, invitation: str, name: str) -> Invited:
        """An invitation is answered, once."""
        invited = self.invitations[invitation]
        assert invited.status == "open", "an invitation was answered twice"
        invited.status, invited.answer = "answered", name
        return invited
