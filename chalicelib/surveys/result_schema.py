"""What lists of answers and exports look like at the edge; results are told as `rules.figures` has them."""

from __future__ import annotations

import msgspec

from chalicelib.surveys.document import Answers, Channel


class AnswerOut(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in a list. `member_id` is null, and texts are left out, unless they were asked for (`personal`)."""

    id: str
    version: int
    answered_at: str
    channel: Channel
    tier: str
    segments: tuple[str, ...]
    store: str
    locale: str
    seconds: int
    flags: tuple[str, ...]
    member_id: str | None
    answers: Answers


class AnswerPage(msgspec.Struct, frozen=True, kw_only=True):
    """Answers, newest first. A page may be short, or empty, though there is a next one: the filter decides."""

    answers: tuple[AnswerOut, ...]
    next_cursor: str | None


class AnswersCsv(msgspec.Struct, frozen=True, kw_only=True):
    """A page of answers as CSV (UTF-8); the first one begins with a mark for Excel and a line of titles."""

    csv: str
    answers: int
    next_cursor: str | None


class ResultsCsv(msgspec.Struct, frozen=True, kw_only=True):
    """All tables of results as one CSV (UTF-8, with a mark for Excel), a figure a line."""

    csv: str
