"""What is not shown because it is made of too few answers: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from chalicelib.surveys.rules.measures import MINIMUM

Reason: TypeAlias = Literal["too_few", "to_keep_others_hidden"]


def hidden(answers: Mapping[str, int], *, adds_up: bool) -> dict[str, Reason]:
    """The cells of one table that must not be shown, by how many answers each cell is made of.

    A cell of fewer than 30 answers is hidden. Where the cells are parts of a total that is shown (`adds_up`), what is
    hidden could be had by taking the rest from that total: so all hidden cells together must be 30 answers or more, and
    the smallest of the others are hidden too until they are. Segments overlap and add up to nothing, so there this is
    left out. Two tables of other months can still be taken from one another; whoever may read tables may read the
    answers, so this keeps figures from being read as more than they are, and is no wall between staff and answers.
    """
    found: dict[str, Reason] = {cell: "too_few" for cell, count in answers.items() if 0 < count < MINIMUM}
    if not adds_up or not found:
        return found
    together = sum(answers[cell] for cell in found)
    others = sorted((count, cell) for cell, count in answers.items() if count >= MINIMUM)
    for count, cell in others:
        if together >= MINIMUM:
            break
        found[cell] = "to_keep_others_hidden"
        together += count
    return found
