"""What events, benefits and challenges look like at the edge."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.ledger.schema import AccountSummary, EntrySummary
from chalicelib.orders.schema import GivenVoucherOut, Identity, MemberId, Moment
from chalicelib.web.fields import Line, Note

EventCode = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]{0,31}(?!\n)$",
        description="`check_in`, `review_approved`, `profile_completed`, `share`, `visit` or another code.",
        examples=["check_in"],
    ),
]
PropertyName = Annotated[str, Meta(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,39}(?!\n)$")]
Whole = Annotated[int, Meta(ge=-1_000_000_000_000, le=1_000_000_000_000)]
PropertyText = Annotated[str, Meta(max_length=200)]


class _In(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    pass


class EventIn(_In, frozen=True, kw_only=True):
    """Something that a member did beside buying. `source` and `event_id` name it for ever.

    A system names the member by `member_id` or `identity`; a member's own app names nobody. `properties` are what
    conditions may ask for, as text, whole numbers or yes and no.
    """

    source: Line
    event_id: Line
    type: EventCode
    occurred_at: Moment
    member_id: MemberId | UnsetType = UNSET
    identity: Identity | UnsetType = UNSET
    channel: Annotated[str, Meta(max_length=100)] = ""
    store: Annotated[str, Meta(max_length=100)] = ""
    properties: Annotated[dict[PropertyName, PropertyText | bool | Whole], Meta(max_length=20)] = {}


class GainOut(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule did: whether it fired, why, and the points it gave; `cut_points` is what a cap took off.

    `voucher_id` is the voucher that it gave, "" for none.
    """

    rule: str
    campaign: str
    fired: bool
    reason: str
    points: int
    cut_points: int
    cut_by: str
    voucher_id: str


class EventOut(msgspec.Struct, frozen=True, kw_only=True):
    """An event as recorded, with what it gave."""

    id: str
    status: Literal["posted", "cancelled"]
    source: str
    event_id: str
    type: str
    member_id: str
    occurred_at: str
    posted_at: str
    cancelled_at: str | None
    points: int
    activity: int
    points_expire_at: str | None
    program_version: int
    explanations: tuple[GainOut, ...]
    given_vouchers: tuple[GivenVoucherOut, ...]


class EventPosted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an event, or to its cancellation."""

    event: EventOut
    entry: EntrySummary | None
    account: AccountSummary | None


class BenefitOut(msgspec.Struct, frozen=True, kw_only=True):
    """A benefit of the member's tier, or of the next one (`locked`).

    One that may be used `uses` times in a period has `uses_left` until `period_ends_at` (null: for ever). One with a
    window is `upcoming` before it begins.
    """

    code: str
    kind: Literal["virtual", "purchase", "experience", "event"]
    title: str
    detail: str | None
    status: Literal["open", "upcoming", "used_up", "locked"]
    tiers: tuple[str, ...]
    uses: int | None
    uses_left: int | None
    period_ends_at: str | None
    starts_at: str | None
    ends_at: str | None


class BenefitsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a member has beside points, in the order of the programme. `next_tier` is null for the highest."""

    member_id: str
    tier: str
    next_tier: str | None
    benefits: tuple[BenefitOut, ...]


class BenefitUseIn(_In, frozen=True, kw_only=True):
    """That a member used a benefit, now or at `occurred_at`."""

    occurred_at: Moment | UnsetType = UNSET
    note: Note = ""


class BenefitUseOut(msgspec.Struct, frozen=True, kw_only=True):
    """A use of a benefit as recorded; `uses_left` is what it left of its period."""

    id: str
    status: Literal["recorded", "cancelled"]
    member_id: str
    benefit: str
    uses_left: int
    period_ends_at: str | None
    occurred_at: str
    posted_at: str
    cancelled_at: str | None


class BenefitUsePosted(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a use, or to its cancellation."""

    use: BenefitUseOut
    entry: EntrySummary | None
    account: AccountSummary | None


class StepOut(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a quest: `done` of `count`; in a quest in order, only the step that is `open` counts on."""

    code: str
    title: str
    done: int
    count: int
    open: bool


class StreakOut(msgspec.Struct, frozen=True, kw_only=True):
    """Periods in a row: `current` up to now, of `length`, and the longest run ever.

    The streak breaks at `keep_by` (null while there is none).
    """

    period: Literal["day", "week", "month"]
    current: int
    length: int
    longest: int
    keep_by: str | None


class BadgeOut(msgspec.Struct, frozen=True, kw_only=True):
    """A mark that a member keeps for having done a challenge."""

    code: str
    title: str
    picture_url: str
    challenge: str
    earned_at: str


class ChallengeOut(msgspec.Struct, frozen=True, kw_only=True):
    """A challenge and how far the member is in it.

    `done` of `needed` is the round that runs: of a punch card the stamps, of which `given` were on it from the start
    and `earned` are the member's own; of a streak its periods; of a quest its steps. `rounds` were done before.
    """

    code: str
    kind: Literal["punch_card", "streak", "quest"]
    title: str
    status: Literal["upcoming", "open", "done", "ended"]
    done: int
    needed: int
    given: int
    earned: int
    rounds: int
    repeats: bool
    points: int
    badge: str | None
    steps: tuple[StepOut, ...]
    streak: StreakOut | None
    starts_at: str
    ends_at: str | None


class ChallengesOut(msgspec.Struct, frozen=True, kw_only=True):
    """The challenges that are meant for the member, in the order of the programme, and the badges earned so far."""

    member_id: str
    challenges: tuple[ChallengeOut, ...]
    badges: tuple[BadgeOut, ...]
