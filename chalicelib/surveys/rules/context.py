"""What is known of an answer beside the answer itself: by this it is broken down."""

from __future__ import annotations

import msgspec

from chalicelib.surveys.document import Channel


class Context(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an answer came from, and how the member stood then; all but the channel may be unknown (empty).

    `flags` are `straight_lined` and `speeding`: such answers are shown apart. `seconds` is how long it took. `invited`
    is the month in which the invitation was sent that it answers, such as `2026-11`: response rates go by that.
    """

    channel: Channel
    tier: str = ""
    segments: tuple[str, ...] = ()
    store: str = ""
    locale: str = ""
    order_id: str = ""
    case_id: str = ""
    flags: tuple[str, ...] = ()
    seconds: int = 0
    invited: str = ""
