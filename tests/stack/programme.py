"""The programme of the deployed stack: challenges, birthdays and surveys for those with a tag, rewards, referrals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from tests.challenges import CLUB, card, streak
from tests.programs import document, texts
from tests.rewards import REWARDS

# Members of other tests, who have no tag, are not to gain by a card.
_PLAYERS: Final[dict[str, Any]] = {"audience": {"tags": ["player"]}}


def _midday() -> str:
    """A zone in which it is about noon, so that gifts are given whenever the tests run, and no day ends meanwhile."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


PROGRAMME: Final = document(
    time_zone=_midday(),
    birthday={
        "gifts": [{"code": "cake", "title": texts("Cake"), "points": 30, "audience": {"tags": ["birthday"]}}],
        "hour": 8,
    },
    challenges=[card(stamps=3, given=1, badge=CLUB, **_PLAYERS), streak(length=2, **_PLAYERS)],
    rewards=REWARDS,
    surveys={
        "invites": [
            {"code": "visit", "survey": "stack_visit", "on": "order", "audience": {"tags": ["asked"]}},
            {"code": "pulse", "survey": "stack_visit", "on": "quarterly", "percent": 1},
        ],
    },
    referrals={
        "share_url": "https://shop.example/join/{code}",
        "referrer": [{"points": 100}],
        "friend": {"points": 50},
    },
)
