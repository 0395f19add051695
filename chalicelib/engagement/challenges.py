"""Challenges as a member sees them."""

from __future__ import annotations

import msgspec

from chalicelib.engagement.reacting import locate
from chalicelib.engagement.rules import marks, views
from chalicelib.engagement.rules.progress import Walk
from chalicelib.engagement.rules.views import View
from chalicelib.engagement.terms import find
from chalicelib.ledger.posting import peek
from chalicelib.members.facts import UNASKED, known, profile_facts
from chalicelib.program import service as programs
from chalicelib.program.document.engagement import Badge


class Earned(msgspec.Struct, frozen=True):
    """A badge, the challenge that it was earned with, and when it was earned last."""

    badge: Badge
    challenge: str
    at: int


class Challenges(msgspec.Struct, frozen=True):
    """A member's challenges, and the badges of all that were ever done."""

    member_id: str
    views: list[View]
    badges: list[Earned]


def of_member(member_id: str, *, now: int) -> Challenges:
    """How far a member is in each challenge; for an id that was merged, the one who took over.

    What a purchase or event counts for shows as soon as the area's queue has brought it. Raises MemberNotFound.
    """
    current = programs.in_force(now, now=now).program
    account = peek(member_id, now=now)
    _home, stored = locate(account.member_id)
    asked = marks.needs_profile(current)
    profile = profile_facts(account.member_id, current, asked=True) if asked else UNASKED
    member = known(account, current, profile, at=account.posted_at)
    walks = stored.progress.walks
    found = []
    for challenge in current.challenges:
        shown = views.view(current, challenge, walks.get(challenge.code, Walk()), now)
        if views.is_shown(shown, is_meant=marks.is_meant(current, challenge, member, now)):
            found.append(shown)
    return Challenges(account.member_id, found, _badges(walks))


def _badges(walks: dict[str, Walk]) -> list[Earned]:
    """The badges of what is done, by the programme's version with which it was done, the latest first."""
    found = []
    for code, walk in walks.items():
        terms = find(walk.program, code) if walk.rounds else None
        if terms and terms.challenge.badge:
            found.append(Earned(terms.challenge.badge, code, walk.done_at))
    return sorted(found, key=lambda earned: (-earned.at, earned.challenge))
