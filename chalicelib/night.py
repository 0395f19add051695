"""The night's walk as its function runs it: with the visitors of the areas above the members', whom these do not know.

The template names this module as the function's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chalicelib.ledger import walk
from chalicelib.members import triggers
from chalicelib.scoring.finishing import finish
from chalicelib.scoring.visiting import Scorer
from chalicelib.surveys.sampler import Sampler

VISITORS: Final[Mapping[str, walk.Maker]] = {**triggers.VISITORS, "survey_sample": Sampler, "score": Scorer}
"""Everybody who visits every account at night."""


def walk_accounts(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Walk one leg of the accounts; answers which messages must come again."""
    return triggers.walk_legs(event, context, VISITORS, finish)
