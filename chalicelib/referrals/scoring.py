"""How suspicious a claim is: a score with reasons, from facts alone. Pure."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from chalicelib.program.document.referrals import FraudPolicy

Verdict: TypeAlias = Literal["clear", "held", "approved", "refused"]

WEIGHTS: Final = {
    "same_identity": 100,
    "same_mailbox": 100,
    "similar_mailbox": 50,
    "device_of_referrer": 100,
    "payment_of_referrer": 100,
    "address_of_referrer": 60,
    "mailbox_shared": 80,
    "device_shared": 60,
    "payment_shared": 60,
    "address_shared": 25,
    "many_claims_this_hour": 50,
    "many_claims_today": 50,
}
"""What each reason adds to the score. One alone that speaks for the referrer in person is enough to refuse."""

SCORE_MAX: Final = 1_000

_DOTLESS = frozenset({"gmail.com", "googlemail.com"})


class Known(msgspec.Struct, frozen=True):
    """What is known of a person: phones (E.164), mail addresses and keys of sign-ins and external ids."""

    phones: frozenset[str] = frozenset()
    mails: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()


class Sightings(msgspec.Struct, frozen=True):
    """Where else the claim's signals were seen, by their kinds (`device`, `payment`, `address`, `mailbox`).

    `claims_this_hour` and `claims_today` are earlier claims of the same code, counted up to some limit.
    """

    of_referrer: frozenset[str] = frozenset()
    of_others: frozenset[str] = frozenset()
    claims_this_hour: int = 0
    claims_today: int = 0


class Suspicion(msgspec.Struct, frozen=True):
    """What is thought of a claim."""

    score: int
    reasons: tuple[str, ...]
    verdict: Verdict


def judged(policy: FraudPolicy, friend: Known, referrer: Known, seen: Sightings) -> Suspicion:
    """The score of a claim with its reasons, and what follows by the policy's thresholds."""
    reasons = [*_identity(friend, referrer)]
    reasons += [f"{kind}_of_referrer" for kind in sorted(seen.of_referrer) if f"{kind}_of_referrer" in WEIGHTS]
    others = seen.of_others - seen.of_referrer
    reasons += [f"{kind}_shared" for kind in sorted(others) if f"{kind}_shared" in WEIGHTS]
    # Haste alone refuses nobody: a code may go round for good reasons.
    if seen.claims_this_hour >= policy.claims_per_hour:
        reasons.append("many_claims_this_hour")
    elif seen.claims_today >= policy.claims_per_day:
        reasons.append("many_claims_today")
    score = min(sum(WEIGHTS[reason] for reason in reasons), SCORE_MAX)
    if score >= policy.refuse_at:
        return Suspicion(score, tuple(reasons), "refused")
    return Suspicion(score, tuple(reasons), "held" if score >= policy.hold_at else "clear")


def mailbox(mail: str) -> str:
    """The mailbox that an address leads to: case and what follows a plus make none of its own, nor do Gmail's dots."""
    local, _, domain = mail.lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTLESS:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def _identity(friend: Known, referrer: Known) -> list[str]:
    if friend.phones & referrer.phones or friend.keys & referrer.keys:
        return ["same_identity"]
    own, other = {mailbox(mail) for mail in friend.mails}, {mailbox(mail) for mail in referrer.mails}
    if own & other:
        return ["same_mailbox"]
    # Dots tell mailboxes apart with most providers, so this alone is no proof.
    if {_dotless(mail) for mail in own} & {_dotless(mail) for mail in other}:
        return ["similar_mailbox"]
    return []


def _dotless(mail: str) -> str:
    local, _, domain = mail.rpartition("@")
    return f"{local.replace('.', '')}@{domain}"
