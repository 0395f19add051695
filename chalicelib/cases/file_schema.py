"""What attachments look like at the edge."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.cases.rules.files import BYTES_MAX, MediaType


class AttachmentIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A file that is to be attached: what it is called, what it is, and how many bytes it has at the most.

    What a member attaches they see themselves; what the shop attaches only if it is `public`.
    """

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    media_type: MediaType
    bytes: Annotated[int, Meta(ge=1, le=BYTES_MAX)]
    public: bool = False


class AttachmentOut(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a case. Only one that is `kept` counts, and can be read."""

    id: str
    name: str
    media_type: str
    bytes: int
    status: Literal["waiting", "kept"]
    at: str
    public: bool


class UploadOut(msgspec.Struct, frozen=True, kw_only=True):
    """The form of an upload: POST `fields` and then the content as `file`, as multipart/form-data, to `url`."""

    url: str
    fields: dict[str, str]
    expires_at: str


class AttachmentBegun(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment of the case `case_id`, and the form for its upload; null once it is kept."""

    case_id: str
    attachment: AttachmentOut
    upload: UploadOut | None


class AttachmentKept(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment that now belongs to the case."""

    case_id: str
    attachment: AttachmentOut


class AttachmentLinkOut(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment, and a link that reads it without a token until `expires_at`; a browser saves what it reads."""

    attachment: AttachmentOut
    url: str
    expires_at: str
