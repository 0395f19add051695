"""When members are asked: who is invited to which survey, and how often anybody is asked at the most."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.program.document.earning import Audience
from chalicelib.program.document.parts import Code, Part


class Invite(Part, frozen=True, kw_only=True):
    """Who is invited to a survey, named by its code.

    `on` is what sets it off: a purchase (`order`; the `nth_orders` of a member's, or every one), a change of tier, a
    case that was resolved, an alert that a member may leave, the `anniversary` of joining, a tier about to be lost, or
    a `quarterly` sample of the members. The invitation goes out `after_days`, to `percent` of whom it concerns, and may
    be answered for `open_days`.
    """

    code: Code
    survey: Code
    on: Literal["order", "tier_change", "case_resolved", "churn_alert", "anniversary", "tier_ending", "quarterly"]
    nth_orders: Annotated[tuple[Annotated[int, Meta(ge=1, le=1_000_000)], ...], Meta(max_length=100)] = ()
    after_days: Annotated[int, Meta(ge=0, le=366)] = 0
    percent: Annotated[int, Meta(ge=1, le=100)] = 100
    audience: Audience = Audience()
    open_days: Annotated[int, Meta(ge=1, le=366)] = 30


class ContactPolicy(Part, frozen=True, kw_only=True):
    """How often a member is invited at the most: `gap_days` lie between two invitations, `per_year` are sent in a year.

    An invitation that comes too early is not put off: it is not sent.
    """

    gap_days: Annotated[int, Meta(ge=0, le=366)] = 30
    per_year: Annotated[int, Meta(ge=1, le=366)] = 6


class SurveyPolicy(Part, frozen=True, kw_only=True):
    """Who is invited to what, and how often.

    `link_url` is a link with `{token}` in it, to the merchant's own page; without it links lead to the engine's.
    """

    link_url: Annotated[str, Meta(max_length=300)] = ""
    contact: ContactPolicy = ContactPolicy()
    invites: Annotated[tuple[Invite, ...], Meta(max_length=50)] = ()
