"""The programme of the deployed stack: the default, with challenges for those with a tag, rewards, and referrals."""

from __future__ import annotations

from typing import Any, Final

from tests.challenges import CLUB, card, streak
from tests.programs import document
from tests.rewards import REWARDS

# Members of other tests, who have no tag, are not to gain by a card.
_PLAYERS: Final[dict[str, Any]] = {"audience": {"tags": ["player"]}}

PROGRAMME: Final = document(
    challenges=[card(stamps=3, given=1, badge=CLUB, **_PLAYERS), streak(length=2, **_PLAYERS)],
    rewards=REWARDS,
    referrals={
        "share_url": "https://shop.example/join/{code}",
        "referrer": [{"points": 100}],
        "friend": {"points": 50},
    },
)
