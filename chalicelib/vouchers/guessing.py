"""Guessing codes is slowed: who fails too often within some minutes is not answered until they are over.

Failures are counted by caller. A shop's system asks for many people, so it is counted by whom it names (a member, a
session), and only what it asks for nobody in particular is counted for the system as a whole, with more patience. Once
the limit is reached nothing is written any more, so no item grows hot under an attack.
"""

from __future__ import annotations

from typing import Final

import msgspec

from chalicelib.base import clock, ids, metrics
from chalicelib.base.errors import Slowed
from chalicelib.vouchers.store import Key
from chalicelib.vouchers.table import TryItem

FAILURES_MAX: Final = 10
"""Failures of one person or session in a window, after which nothing is answered until the window is over."""

SYSTEM_FAILURES_MAX: Final = 300
"""The same for what a system asks without naming anybody."""

WINDOW_S: Final = 600


class VoucherAttemptsExceeded(Slowed):
    """Too many codes of vouchers were wrong."""

    code = "voucher_attempts_exceeded"


class ReferralAttemptsExceeded(Slowed):
    """Too many referral codes were wrong."""

    code = "referral_attempts_exceeded"


class Kind(msgspec.Struct, frozen=True):
    """A kind of codes: by what name its guessers are told apart from others, its metric, and its refusal."""

    name: str
    metric: str
    refusal: type[Slowed]


VOUCHERS: Final = Kind("voucher", "VoucherGuesses", VoucherAttemptsExceeded)
REFERRALS: Final = Kind("referral", "ReferralGuesses", ReferralAttemptsExceeded)


class Guesser(msgspec.Struct, frozen=True):
    """Who is counted, and for which kind of codes.

    `name` is how the caller is known, `person` whom a system asks for (empty for nobody).
    """

    name: str
    person: str = ""
    is_system: bool = False
    of: Kind = VOUCHERS

    @property
    def failures_max(self) -> int:
        """How many failures are borne in a window."""
        return SYSTEM_FAILURES_MAX if self.is_system and not self.person else FAILURES_MAX

    def key(self, now: int) -> Key:
        """Where failures are counted at this instant."""
        window = clock.text(now - now % WINDOW_S)
        return TryItem, f"try#{ids.keyed_hash(f'{self.of.name} guesser', self.name, self.person)}", window


def check(guesser: Guesser, item: TryItem | None, now: int) -> None:
    """Raises Slowed where the guesser has failed too often in this window."""
    if item is not None and (item.failures or 0) >= guesser.failures_max:
        raise guesser.of.refusal(
            "Too many codes were wrong. Wait before you try another one.", retry_after_s=WINDOW_S - now % WINDOW_S
        )


def failed(guesser: Guesser, now: int) -> None:
    """Count a failure, and leave a line in the log that names neither the code nor the person."""
    _model, key, window = guesser.key(now)
    gone_at = clock.parse(window) + WINDOW_S + clock.DAY_S
    TryItem(key, window).update(actions=[TryItem.failures.add(1), TryItem.gone_at.set(gone_at)])
    metrics.publish(guesser.of.metric, 1, now=now)
