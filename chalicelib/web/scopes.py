"""What a token may allow its bearer, beyond a member's right to its own account."""

from __future__ import annotations

from typing import Final

SCOPES: Final = {
    "members.read": "Read profiles, accounts, statements and proofs of all members.",
    "members.write": "Enrol members and change their profiles.",
    "orders.read": "Read orders and quote what an order would earn.",
    "orders.write": "Send orders, refunds and cancellations.",
    "redemptions.write": "Redeem points for a member, read and cancel redemptions.",
    "events.read": "Read events.",
    "events.write": "Send events and withdraw them.",
    "benefits.write": "Record the use of benefits and cancel it.",
    "vouchers.write": "Validate, lock, redeem and roll back vouchers, and read those of members.",
    "vouchers.admin": "Make batches of vouchers and their codes, pause, import, export and issue them.",
    "referrals.write": "Claim a referral code for a member.",
    "referrals.review": "Read referrals, approve and refuse them.",
    "cases.read": "Read cases and those of all members.",
    "cases.write": "Send feedback for members, and see to cases: assign, move, note, merge and compensate.",
    "cases.approve": "Approve and refuse compensations that others have asked for.",
    "surveys.read": "Read surveys and the answers to them.",
    "surveys.personal": "See in lists and exports of answers what people wrote, and who they are.",
    "surveys.write": "Answer surveys on behalf of members, and bring in answers.",
    "surveys.invite": "Invite members to surveys, read the links of invitations to send them, and take them back.",
    "surveys.admin": "Make surveys, change, open and close them.",
    "scores.read": "Read members' scores: how loyal, what they are worth, whether they are leaving, and why.",
    "adjustments.write": "Adjust a member's points by hand.",
    "program.read": "Read the programme.",
}
"""Every scope by its name, as a token carries it behind the installation's prefix, with what it allows.

A scope to write includes the one to read.
"""
