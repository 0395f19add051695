"""The vocabulary of ledger entries: what kinds of facts there are. Kinds are only ever added."""

from __future__ import annotations

from typing import Final

ENROLLED: Final = "enrolled"
ORDER: Final = "order"
REFUND: Final = "refund"
ORDER_CANCELLED: Final = "order_cancelled"
REDEEMED: Final = "redeemed"
REDEMPTION_CANCELLED: Final = "redemption_cancelled"
ADJUSTED: Final = "adjusted"

KINDS: Final = (ENROLLED, ORDER, REFUND, ORDER_CANCELLED, REDEEMED, REDEMPTION_CANCELLED, ADJUSTED)
