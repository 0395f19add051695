"""What keeps members coming by: benefits of the tiers, and challenges."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from chalicelib.program.document.earning import Audience, Codes, Items, When
from chalicelib.program.document.parts import Code, LocalTime, Part, Points, Texts

Count: TypeAlias = Annotated[int, Meta(ge=1, le=1_000)]


class EventType(Part, frozen=True, kw_only=True):
    """Something that members do beside buying; with `self_reported` their own app may say that they did it."""

    title: Texts
    self_reported: bool = False


class Benefit(Part, frozen=True, kw_only=True):
    """Something that members of these tiers have beside points.

    `virtual` is a title or a badge, `purchase` something with buying (free delivery), `experience` a service, and
    `event` an invitation. With `uses` it may be used so often in each period, and its use is recorded.
    """

    code: Code
    kind: Literal["virtual", "purchase", "experience", "event"]
    title: Texts
    detail: Texts | None = None
    tiers: Annotated[Codes, Meta(min_length=1)]
    uses: Count | None = None
    per: Literal["day", "week", "month", "year", "ever"] = "year"
    starts_at: LocalTime | None = None
    ends_at: LocalTime | None = None


class Badge(Part, frozen=True, kw_only=True):
    """A mark that a member keeps."""

    code: Code
    title: Texts
    picture_url: Annotated[str, Meta(max_length=500)] = ""


class Step(Part, frozen=True, kw_only=True):
    """What must be done: `count` purchases of the items, or `count` events of one of the types."""

    code: Code
    title: Texts
    events: Codes = ()
    items: Items = Items()
    when: When = When()
    count: Count = 1


class Challenge(Part, frozen=True, kw_only=True):
    """What all challenges have: a window, an audience, and a reward of points, of a badge, or of both.

    With `repeats` it begins anew when it is done. Purchases and events count by the time at which they occurred.
    """

    code: Code
    title: Texts
    starts_at: LocalTime
    ends_at: LocalTime | None = None
    audience: Audience = Audience()
    points: Points = 0
    badge: Badge | None = None
    repeats: bool = False


class PunchCard(Challenge, frozen=True, kw_only=True, tag="punch_card", tag_field="kind"):
    """A card of `stamps` (集点卡), of which `given` are on it from the start; the gift is accounted separately.

    A stamp is a purchase of the items, or with `each_item` every piece bought of them, or an event.
    """

    stamps: Count
    given: Annotated[int, Meta(ge=0, le=1_000)] = 0
    events: Codes = ()
    items: Items = Items()
    when: When = When()
    each_item: bool = False


class Streak(Challenge, frozen=True, kw_only=True, tag="streak", tag_field="kind"):
    """A purchase of the items, or an event, in each of `length` days, weeks or months that follow one another."""

    period: Literal["day", "week", "month"]
    length: Annotated[int, Meta(ge=2, le=366)]
    events: Codes = ()
    items: Items = Items()
    when: When = When()


class Quest(Challenge, frozen=True, kw_only=True, tag="quest", tag_field="kind"):
    """Several steps, each as often as it says; in the order given with `in_order`."""

    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=20)]
    in_order: bool = False


AnyChallenge: TypeAlias = PunchCard | Streak | Quest
