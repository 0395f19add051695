"""The night's walk as its function runs it: with the visitors of the areas above the members', whom these do not know.

The template names this module as the function's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.members import triggers
from chalicelib.surveys.sampler import Sampler

triggers.VISITORS["survey_sample"] = Sampler


def walk_accounts(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Walk one leg of the accounts; answers which messages must come again."""
    answer: dict[str, Any] = triggers.walk_accounts(event, context)
    return answer
