"""The budgets of a race: who found them too low was right at some moment, and in the end they hold what they must."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from chalicelib.counters import service as counters
from chalicelib.program.budgets import counter_name
from tests.proof.expressions import Item
from tests.proof.model import Model
from tests.proof.programme_model import Programmes
from tests.proof.rules_model import Rules


class Funds:
    """The budgets of a replay. `asked_at` is the tick at which each request was sent first, by its record."""

    def __init__(self, model: Model, versions: Mapping[int, Rules], asked_at: Mapping[str, int]) -> None:
        self._model = model if isinstance(model, Programmes) else None
        self._asked_at = asked_at
        self._past: list[tuple[int, dict[tuple[str, str], int]]] = []
        if self._model is not None:
            for rules in versions.values():
                self._model.budgets.fill(rules)
            self.note(-1)

    def note(self, tick: int) -> None:
        """Remember what was left after a tick."""
        if self._model is not None:
            self._past.append((tick, dict(self._model.budgets.left)))

    @contextlib.contextmanager
    def told(self, item: Item, seen: Counter[str]) -> Iterator[None]:
        """Let the model go by what an operation's record says of exhausted budgets, if it was right at some moment."""
        if self._model is None:
            yield
            return
        told = _exhausted(item)
        asked_at = self._asked_at.get(item["record_id"]["S"], 0) if "record_id" in item else 0
        started = max((tick for tick, _left in self._past if tick < asked_at), default=-1)
        lately = [left for tick, left in self._past if tick >= started]

        def was_short(code: str, points: int) -> bool:
            if self._model is not None and self._model.budgets.short({code: points}):
                seen["budget exhausted"] += 1
                return True
            seen["budget was exhausted a moment before"] += 1
            return any(left[code, "points"] < points or left.get((code, "awards"), 1) < 1 for left in lately)

        self._model.told, self._model.was_short = told, was_short
        try:
            yield
        finally:
            self._model.told = self._model.was_short = None

    def compare(self, seen: Counter[str]) -> None:
        """Hold the counters against the model."""
        if self._model is None:
            return
        for (code, unit), put_in in self._model.budgets.put_in.items():
            found = counters.read(counter_name(code, unit))
            assert (found.put_in, found.left) == (put_in, self._model.budgets.left[code, unit])
            assert all(shard.put_in == shard.taken + shard.left and shard.left >= 0 for shard in found.shards)
            seen["budget at its end"] += not found.left
            seen["budget gathered"] += any(shard.put_in != put_in // len(found.shards) for shard in found.shards)


def _exhausted(item: Item) -> frozenset[str]:
    """The campaigns that an operation's record says were exhausted."""
    figures = msgspec.json.decode(item["figures"]["S"]) if "figures" in item else {}
    packed = [reason for reason in figures.get("reasons", []) if reason[1] == "budget_exhausted"]
    plain = [reason for reason in figures.get("explanations", []) if reason["reason"] == "budget_exhausted"]
    return frozenset([str(reason[4]) for reason in packed] + [str(reason["campaign"]) for reason in plain])
