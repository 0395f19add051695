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
HELD: Final = "held"
HOLD_RELEASED: Final = "hold_released"
PENDING_RELEASED: Final = "pending_released"
PENDING_CANCELLED: Final = "pending_cancelled"
MERGED_IN: Final = "merged_in"
CLOSED: Final = "closed"
SWEPT: Final = "swept"
REPAIRED: Final = "repaired"
EVENT: Final = "event"
EVENT_CANCELLED: Final = "event_cancelled"
CHALLENGE_DONE: Final = "challenge_done"
CHALLENGE_UNDONE: Final = "challenge_undone"
BENEFIT_USED: Final = "benefit_used"
BENEFIT_USE_CANCELLED: Final = "benefit_use_cancelled"
RETIERED: Final = "retiered"
VOUCHER_REDEEMED: Final = "voucher_redeemed"
VOUCHER_ROLLED_BACK: Final = "voucher_rolled_back"
REFERRAL_PAID: Final = "referral_paid"
REFERRAL_TAKEN_BACK: Final = "referral_taken_back"
SURVEY_ANSWERED: Final = "survey_answered"
BIRTHDAY_GIFT: Final = "birthday_gift"
CASE_OPENED: Final = "case_opened"
CASE_RESOLVED: Final = "case_resolved"
CASE_REOPENED: Final = "case_reopened"
CASE_COMPENSATED: Final = "case_compensated"
ALERT: Final = "alert"
CARE: Final = "care"

KINDS: Final = (
    ENROLLED,
    ORDER,
    REFUND,
    ORDER_CANCELLED,
    REDEEMED,
    REDEMPTION_CANCELLED,
    ADJUSTED,
    HELD,
    HOLD_RELEASED,
    PENDING_RELEASED,
    PENDING_CANCELLED,
    MERGED_IN,
    CLOSED,
    SWEPT,
    REPAIRED,
    EVENT,
    EVENT_CANCELLED,
    CHALLENGE_DONE,
    CHALLENGE_UNDONE,
    BENEFIT_USED,
    BENEFIT_USE_CANCELLED,
    RETIERED,
    VOUCHER_REDEEMED,
    VOUCHER_ROLLED_BACK,
    REFERRAL_PAID,
    REFERRAL_TAKEN_BACK,
    SURVEY_ANSWERED,
    BIRTHDAY_GIFT,
    CASE_OPENED,
    CASE_RESOLVED,
    CASE_REOPENED,
    CASE_COMPENSATED,
    ALERT,
    CARE,
)
