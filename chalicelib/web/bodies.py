"""From the bytes of a request to a checked struct, or to a refusal that names the member at fault."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from chalice.app import Request

from chalicelib.base.errors import Invalid
from chalicelib.web.problems import TooLarge, UnsupportedMedia

BYTES_MAX: Final = 256 * 1024

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"

# In JSON a control character is either an escape or, from U+007F on, plain UTF-8; most bodies hold neither.
_SUSPECT = re.compile(rb"\\[bf]|\\u00[01789]|\x7f|\xc2[\x80-\x9f]")
# Line ends and tabs belong to notes; every single-line text forbids them by its own pattern.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

_PATH = re.compile(r" - at (?:`key` in )?`\$(?P<path>[^`]*)`$")
_PATTERN = re.compile(r" matching regex '.*'$", re.DOTALL)
_MEMBER = re.compile(r"(?:missing required|contains unknown) field `(?P<name>[^`]*)`")


def read(request: Request) -> bytes:
    """The raw body. Raises TooLarge over 256 KB, and Invalid where the transport's encoding is broken."""
    # Judged by its transport form first, so that nothing large is ever decoded from base 64.
    if len(request.to_original_event()["body"] or "") > BYTES_MAX * 4 // 3 + 4:
        raise _too_large()
    try:
        raw = request.raw_body
    except (binascii.Error, UnicodeEncodeError) as error:
        raise Invalid("The body is not valid UTF-8 text.", code="json_malformed") from error
    raw = raw.encode() if isinstance(raw, str) else raw
    if len(raw) > BYTES_MAX:
        raise _too_large()
    return raw


def check_media_type(value: str | None, *, patch: bool) -> None:
    """Raises UnsupportedMedia for anything but JSON in UTF-8 (or, with `patch`, a merge patch)."""
    media_type, *parameters = [part.strip().lower() for part in (value or JSON).split(";")]
    accepted = {JSON, MERGE_PATCH} if patch else {JSON}
    charsets = [parameter.partition("=")[2].strip('"') for parameter in parameters if parameter.startswith("charset")]
    if media_type not in accepted or any(charset not in {"utf-8", "utf8"} for charset in charsets):
        raise UnsupportedMedia(f"Send the body as {' or '.join(sorted(accepted))} in UTF-8.")


def decode(raw: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    """The struct in `raw`; no bytes at all count as an empty object.

    Raises Invalid: `json_malformed` for what is not JSON in UTF-8, `control_character`, or `invalid_request` with the
    path of the member that breaks its rule.
    """
    try:
        body = decoder.decode(raw or b"{}")
    except msgspec.ValidationError as error:
        raise _broken_rule(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"The body is not valid JSON in UTF-8: {error}.", code="json_malformed") from error
    if _SUSPECT.search(raw):
        for path, text in _texts(msgspec.json.decode(raw)):
            if _CONTROL.search(text):
                raise Invalid("Texts must not hold control characters.", field=path, code="control_character")
    return body


def _broken_rule(message: str) -> Invalid:
    """`Object missing required field `sku` - at `$.lines[0]`` → an Invalid about `lines[0].sku`."""
    at = _PATH.search(message)
    path = at["path"] if at else ""
    member = _MEMBER.search(message)
    if member:
        path = f"{path}.{member['name']}"
    detail = message[: at.start()] if at else message
    # A regular expression helps nobody who reads the problem; it stands in the documentation.
    detail = _PATTERN.sub(" of the form given in the documentation", detail)
    return Invalid(f"{detail}.", field=path.removeprefix(".") or None)


def _texts(body: Any) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, names of members included, with its path."""
    # A stack of our own, because a body may be nested as deeply as Python's.
    waiting = [("", body)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, list):
            waiting.extend((f"{path}[{index}]", item) for index, item in enumerate(value))
        elif isinstance(value, dict):
            for name, item in value.items():
                yield path, name
                waiting.append((f"{path}.{name}".removeprefix("."), item))


def _too_large() -> TooLarge:
    return TooLarge(f"The body is larger than {BYTES_MAX // 1024} KB.")
