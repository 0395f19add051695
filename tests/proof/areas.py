"""What an area of the engine adds to the races: its requests, its news in the store's log, its judgement at the end.

An area that moves points by records of its own is one model file (`…_model.py`, held by `Model`), one file of requests
(`scenario_….py`, which makes an `Area`) and a line in `simulation.AREAS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.proof.expressions import Item
from tests.proof.model import Model, Moved
from tests.proof.rules_model import Rules
from tests.proof.scenario import Request


@dataclass(frozen=True)
class Cast:
    """Who takes part in a race: two members, and a phone's owner who enrols meanwhile."""

    member: str
    other: str
    newcomer: str


@dataclass(frozen=True)
class Story:
    """Requests that get in each other's way, what must have happened before, and what is due when all is over."""

    race: Sequence[Request]
    before: Sequence[Request] = ()
    after: Sequence[Request] = ()


@dataclass(frozen=True)
class News:
    """Something that the store's log says of an area; `versions` are the race's programmes by their numbers.

    `tick` is when it came true, and `asked_at` when each record was asked for first.
    """

    table: str
    item: Item
    versions: Mapping[int, Rules]
    tick: int = 0
    asked_at: Mapping[str, int] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A text of the item, empty where it has none."""
        return str(self.item.get(name, {}).get("S", ""))

    def number(self, name: str) -> int:
        """A number of the item, 0 where it has none."""
        return int(self.item.get(name, {}).get("N", 0))


def _nothing(_model: Model, _news: News) -> None:
    return None


@dataclass(frozen=True)
class Area:
    """One area of the engine.

    `stories` are made anew for each race. `hears` says which puts (updates too, with `hears_updates`) are news that
    move no points; `tell` tells them to the model, which asserts that they may be. `play` does in the model, under the
    rules by which it was done, what moved points though no client asked for its record (`unasked`). `judge` looks at
    the tables at an instant when all is over, and counts what it has seen.
    """

    stories: Callable[[Rules, Cast], list[Story]]
    hears: Callable[[News], bool] = lambda _news: False
    hears_updates: bool = False
    tell: Callable[[Model, News], None] = _nothing
    unasked: Callable[[News], bool] = lambda _news: False
    play: Callable[[Model, News, int, Rules], Moved | None] = lambda _model, _news, _at, _rules: None
    judge: Callable[[Model, int, Counter[str]], None] = lambda _model, _now, _seen: None
