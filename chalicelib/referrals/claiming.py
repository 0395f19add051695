"""Claiming a code: a member says who has brought it, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import Conflict, KeyReused, NotFound, Unavailable
from chalicelib.ledger.posting import Act, Lost, MemberNotFound, Posted, Write, once, peek, put_once, replay
from chalicelib.members import service as members
from chalicelib.members.rules import Profile
from chalicelib.members.table import ProfileItem
from chalicelib.program.document.referrals import ReferralPolicy
from chalicelib.referrals import codes, owning, sightings, terms
from chalicelib.referrals.rules import Referral
from chalicelib.referrals.scoring import judged
from chalicelib.referrals.sightings import Given
from chalicelib.referrals.table import (
    CLAIM,
    STATE,
    ClaimStep,
    LeadItem,
    StateItem,
    friends_key,
    lead,
    read_claim,
    read_state,
    referral_id_of,
    state_write,
)
from chalicelib.vouchers import guessing
from chalicelib.vouchers.guessing import Guesser
from chalicelib.vouchers.store import read_all

KIND = "referral_claimed"


class CodeUnknown(NotFound):
    """The code is nobody's."""

    code = "referral_code_unknown"

    def __init__(self) -> None:
        super().__init__("This is nobody's referral code. Look whether it was typed as it is written.", field="code")


class NotClaimable(Conflict):
    """This member may not claim this code; `reason_code` says why."""


class AlreadyClaimed(Conflict):
    """The member has claimed another code before."""

    code = "referral_already_claimed"


class Judged(msgspec.Struct, frozen=True):
    """A claim that may be taken: its record, whose code it is, the referral, and what is written with the record."""

    record: ClaimStep
    referrer: ProfileItem
    referral: Referral
    writes: Sequence[Write]


def claim(member_id: str, text: str, given: Given, *, now: int) -> Posted[ClaimStep]:
    """Claim a code for a member, once; the same code again is answered alike, whatever is given with it.

    Raises ReferralsNotOffered, MemberNotFound, CodeUnknown, NotClaimable, AlreadyClaimed, Unavailable, and Slowed for a
    member for whom too many wrong codes were tried.
    """
    friend = members.read(member_id)
    record = _record(friend, text, now)
    before = read_claim(str(record.key))
    try:
        if before:
            return replay(record, before.serialize())
        # The same claim, sent twice at once, may have been taken since, and the friend have bought.
        return once(record, lambda: read_claim(str(record.key)), lambda: _claim(friend, text, given, now))
    except KeyReused:
        raise AlreadyClaimed("This member has claimed another code. Nothing was changed.", field="code") from None


def judge(
    friend: ProfileItem, text: str, given: Given, has_bought: Callable[[ProfileItem], bool], *, now: int
) -> Judged:
    """What a claim makes, if it may be made; nothing is written. `has_bought` is asked where only new customers may.

    Raises ReferralsNotOffered, CodeUnknown, NotClaimable and Unavailable.
    """
    current, policy = terms.current(now)
    record = _record(friend, text, now)
    referrer = _referrer(codes.read(text) or "")
    _check(friend, referrer, policy, now)
    if policy.new_customers_only and has_bought(friend):
        raise NotClaimable("The member has bought before.", code="referral_not_new")
    friend_id, referrer_id = str(friend.key), str(referrer.key)
    seen = sightings.look(friend, referrer_id, given, policy.fraud, now=now)
    suspicion = judged(policy.fraud, sightings.known(friend), sightings.known(referrer), seen)
    referral = Referral(
        referral_id=record.key,
        referrer_id=referrer_id,
        friend_id=friend_id,
        claimed_at=now,
        program=current.version,
        initial=_initial(friend.person),
        score=suspicion.score,
        reasons=suspicion.reasons,
        verdict=suspicion.verdict,
    )
    return Judged(record, referrer, referral, _writes(referral, sightings.traces(friend, given)))


def missed(friend_id: str, text: str, *, now: int) -> None:
    """Count a code that was nobody's against the member for whom it was tried.

    Whoever guesses knows the rule of the check symbol, so a code that breaks it was mistyped, and is not counted.
    """
    if not codes.is_mistyped(text):
        guessing.failed(_guesser(friend_id), now)


def _record(friend: ProfileItem, text: str, now: int) -> ClaimStep:
    friend_id, at = str(friend.key), clock.text(now)
    referral_id = referral_id_of(friend_id)
    return ClaimStep(
        referral_id,
        CLAIM,
        record_id=referral_id,
        member_id=friend_id,
        request_hash=ids.request_hash([codes.read(text) or ""]),
        kind=KIND,
        occurred_at=at,
        posted_at=at,
    )


def _claim(friend: ProfileItem, text: str, given: Given, now: int) -> Posted[ClaimStep]:
    friend_id = str(friend.key)
    guesser = _guesser(friend_id)
    guessing.check(guesser, read_all([guesser.key(now)])[0], now)
    try:
        judged = judge(friend, text, given, _has_bought, now=now)
    except CodeUnknown:
        missed(friend_id, text, now=now)
        raise
    try:
        return put_once(judged.record, [*judged.writes, *_unbrought(friend, judged.referrer)])
    except Lost:
        raise Unavailable("The referrer is just being brought by somebody. Send it again.", code="busy") from None


def _writes(referral: Referral, traces: Sequence[Write]) -> list[Write]:
    listed = LeadItem(friends_key(referral.referrer_id), f"{clock.text(referral.claimed_at)}#{referral.referral_id}")
    held = [Write(lead("held", referral.referral_id, referral.claimed_at))] if referral.verdict == "held" else []
    return [state_write(referral, 1), Write(listed), *held, *traces]


def _referrer(code: str) -> ProfileItem:
    owner = owning.owner_of(code) if code else None
    if owner is None:
        raise CodeUnknown
    try:
        return members.read(owner)
    except MemberNotFound:
        # The member has left since.
        raise CodeUnknown from None


def _check(friend: ProfileItem, referrer: ProfileItem, policy: ReferralPolicy, now: int) -> None:
    """Raises NotClaimable."""
    if friend.key == referrer.key:
        raise NotClaimable("This is the member's own code.", field="code", code="referral_own_code")
    if friend.posted_at < referrer.posted_at:
        raise _not_newer()
    if now >= clock.parse(friend.posted_at) + policy.claim_days * clock.DAY_S:
        raise NotClaimable(
            f"A code is claimed up to {policy.claim_days} days after enrolling.", code="referral_too_late"
        )


def _has_bought(friend: ProfileItem) -> bool:
    return peek(str(friend.key), now=clock.now(), consistent=True).state.purchases.count > 0


def _guesser(friend_id: str) -> Guesser:
    """Wrong codes are counted by the member who claims, whoever asks for it: that is the member or the shop."""
    return Guesser(name=friend_id, of=guessing.REFERRALS)


def _unbrought(friend: ProfileItem, referrer: ProfileItem) -> list[Write]:
    """What keeps two from bringing each other. Raises NotClaimable where the friend has brought the referrer.

    A referral leads from the member who came earlier to the one who came later, so there is no ring. Of two who came
    in the same second neither is the later one: there it is looked at, and looked at again in the transaction. Who is
    not enrolled yet has brought nobody.
    """
    if friend.posted_at != referrer.posted_at:
        return []
    theirs = referral_id_of(str(referrer.key))
    stored = read_state(theirs)
    if stored is None:
        return [Write(StateItem(theirs, STATE), Act.CHECK, StateItem.key.does_not_exist())]
    if stored.referral.referrer_id == friend.key:
        raise _not_newer()
    return []


def _not_newer() -> NotClaimable:
    return NotClaimable("This member came before the one whose code it is.", field="code", code="referral_not_newer")


def _initial(profile: Profile) -> str:
    """The first character of what a friend is called: all that the referrer gets to see."""
    names = profile.names
    name = (names.display or names.given or names.family or "").strip()
    return name[:1] if name[:1].isalpha() else ""
