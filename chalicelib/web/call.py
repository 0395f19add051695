"""One request as an operation sees it: decoded, with its caller made out, and free of Chalice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec

from chalicelib.base.errors import Invalid
from chalicelib.web import cursors, languages
from chalicelib.web.caller import Caller
from chalicelib.web.languages import Locale
from chalicelib.web.problems import PreconditionRequired

Body = TypeVar("Body")
Answer = TypeVar("Answer")

PAGE_DEFAULT: Final = 20
PAGE_MAX: Final = 100

_KEY = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,255}")
_STRONG_TAG = re.compile(r'"([\x21\x23-\x7e]{1,64})"')


class Call(msgspec.Struct, Generic[Body], frozen=True):
    """What came in. `now` is the instant of the request in seconds; `body` is None for operations without one.

    `base_url` is where the caller has reached the API, for links that lead back to it.
    """

    body: Body
    caller: Caller
    operation: str
    request_id: str
    now: int
    locale: Locale
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    parameters: Mapping[str, str] = msgspec.field(default_factory=dict)
    base_url: str = ""

    def query(self, name: str) -> str | None:
        """A query parameter that the operation declares, or None."""
        return self.parameters.get(name)

    def header(self, name: str) -> str | None:
        """A header, whatever the case of its name, or None."""
        return self.headers.get(name.lower())

    @property
    def limit(self) -> int:
        """The size of a page, 20 unless the caller says otherwise. Raises Invalid outside 1 to 100."""
        text = self.query("limit")
        if text is None:
            return PAGE_DEFAULT
        # `isdecimal` alone would let through digits of other scripts, which `int` reads as well.
        if not (text.isascii() and text.isdecimal() and len(text) <= len(str(PAGE_MAX)) and 1 <= int(text) <= PAGE_MAX):
            raise Invalid(f"limit is a number from 1 to {PAGE_MAX}.", field="limit", code="query_invalid")
        return int(text)

    def cursor(self, owner: str) -> Any:
        """The key after which this page of `owner`'s list begins, None for the first.

        Raises Invalid `cursor_invalid`.
        """
        text = self.query("cursor")
        return None if text is None else cursors.unseal(text, self.operation, owner)

    def next_cursor(self, owner: str, key: Any) -> str:
        """The cursor to the page after `key` of `owner`'s list."""
        return cursors.seal(self.operation, owner, key)

    @property
    def chosen_locale(self) -> str:
        """The language that the query asks for (`locale`), or else the one that the headers do."""
        asked = self.query("locale")
        return languages.best(asked) if asked else self.locale

    @property
    def idempotency_key(self) -> str:
        """The Idempotency-Key header.

        Raises Invalid `idempotency_key_missing` unless it is 1 to 255 characters of text.
        """
        key = (self.header("Idempotency-Key") or "").strip()
        if not _KEY.fullmatch(key):
            raise Invalid(
                "Send an Idempotency-Key header of 1 to 255 characters, the same one whenever you repeat this request.",
                field="Idempotency-Key",
                code="idempotency_key_missing",
            )
        return key

    @property
    def if_match(self) -> str | None:
        """The version in If-Match, or None without one. Raises Invalid `if_match_invalid` for anything but one ETag."""
        text = self.header("If-Match")
        if text is None:
            return None
        tag = _STRONG_TAG.fullmatch(text.strip())
        if not tag:
            raise Invalid(
                "If-Match carries the one ETag that you read, quotes included.",
                field="If-Match",
                code="if_match_invalid",
            )
        return tag[1]

    @property
    def required_match(self) -> str:
        """The version in If-Match. Raises PreconditionRequired without one."""
        version = self.if_match
        if version is None:
            raise PreconditionRequired("Send an If-Match header with the ETag that you read.", field="If-Match")
        return version


class Reply(msgspec.Struct, Generic[Answer], frozen=True):
    """What goes out. `etag` is a version without quotes; a GET without one gets a hash of its body."""

    body: Answer
    status: int = 200
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    etag: str | None = None


class Document(msgspec.Struct, frozen=True):
    """Something that a browser shows, the same for everybody."""

    text: str
    headers: Mapping[str, str]
    media_type: str = "text/html; charset=utf-8"
