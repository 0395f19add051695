"""What may be attached to a case, what a file really is, and what becomes of the case: pure.

A file's type is what its first bytes say, never what it is called. Types are allowed that show or play and that run
nothing; plain text is none of them, for HTML and scripts are plain text too, and a case has notes for text.
"""

from __future__ import annotations

import re
import unicodedata
import urllib.parse
from typing import Final, Literal, TypeAlias

import msgspec

from chalicelib.base.errors import Conflict, NotFound
from chalicelib.cases.rules.case import Attachment, Case
from chalicelib.cases.rules.moves import check_unmerged

MediaType: TypeAlias = Literal[
    "image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf", "audio/mpeg", "audio/mp4", "audio/ogg"
]

BYTES_MAX: Final = 10 * 1024 * 1024
ATTACHMENTS_MAX: Final = 10
UPLOADS_MAX: Final = 40
"""How often an attachment may be begun for one case, whatever became of it."""

UPLOAD_S: Final = 900
"""How long a form may be used. The attachment waits for an hour in all."""
WAITS_S: Final = 3_600

FIRST_BYTES: Final = 512
"""How much of a file is looked at."""

NAME_MAX: Final = 100

_SUFFIXES: Final[dict[str, tuple[str, ...]]] = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/heic": (".heic", ".heif"),
    "application/pdf": (".pdf",),
    "audio/mpeg": (".mp3",),
    "audio/mp4": (".m4a",),
    "audio/ogg": (".ogg", ".oga", ".opus"),
}
_NOT_IN_NAMES: Final = frozenset('<>:"|?*%;')
_MAGIC: Final[tuple[tuple[bytes, MediaType], ...]] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
    (b"OggS\x00", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
)
# A frame of layer III, of one of the three versions, at a rate that exists; compiled when it is first asked for.
_MP3_FRAME: Final = rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef]"
_HEIC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_M4A: Final = frozenset({b"M4A ", b"M4B "})


class AttachmentNotFound(NotFound):
    """The case has no such attachment, or none any more, or none that the caller may see."""

    code = "attachment_not_found"

    def __init__(self) -> None:
        super().__init__("The case has no attachment with this id.", field="attachment_id")


class AttachmentsTooMany(Conflict):
    """The case takes no more attachments."""

    code = "attachments_too_many"

    def __init__(self) -> None:
        super().__init__(
            f"A case takes {ATTACHMENTS_MAX} attachments, and {UPLOADS_MAX} tries. What waits for its upload counts "
            f"for {WAITS_S // 60} minutes."
        )


class AttachmentRefused(Conflict):
    """The file is not what it was said to be: it is removed, and never shown."""

    code = "attachment_refused"


def begun(case: Case, wanted: Attachment, at: int, *, by_member: bool) -> Case:
    """The case with an attachment that waits for its upload; what has waited too long goes.

    Raises CaseMerged and AttachmentsTooMany.
    """
    check_unmerged(case)
    alive = tuple(each for each in case.attachments if each.status == "kept" or at < each.at + WAITS_S)
    if len(alive) >= ATTACHMENTS_MAX or case.uploads >= UPLOADS_MAX:
        raise AttachmentsTooMany
    return msgspec.structs.replace(
        case, attachments=(*alive, wanted), uploads=case.uploads + 1, touched_at=case.touched_at if by_member else at
    )


def kept(case: Case, attachment_id: str, *, size: int, etag: str) -> Case:
    """The case once the content of an attachment was looked at. Raises CaseMerged and AttachmentNotFound."""
    check_unmerged(case)
    found = find(case, attachment_id)
    done = msgspec.structs.replace(found, status="kept", bytes=size, etag=etag)
    return _with(case, found, (done,))


def refused(case: Case, attachment_id: str) -> Case:
    """The case without an attachment that was not what it was said to be. Raises as `kept` does."""
    check_unmerged(case)
    return _with(case, find(case, attachment_id), ())


def find(case: Case, attachment_id: str) -> Attachment:
    """An attachment of a case. Raises AttachmentNotFound."""
    for each in case.attachments:
        if each.attachment_id == attachment_id:
            return each
    raise AttachmentNotFound


def check(said: Attachment, size: int, first: bytes) -> None:
    """Hold a file against what was said of it. Raises AttachmentRefused."""
    if not 0 < size <= said.bytes:
        raise AttachmentRefused(f"{said.bytes} bytes were announced, and {size} came. The file was removed.")
    if media_type_of(first) != said.media_type:
        raise AttachmentRefused(f"What came is no {said.media_type}. The file was removed.")


def media_type_of(first: bytes) -> MediaType | None:
    """What a file is, by its first bytes; None for all that is not allowed."""
    for magic, media_type in _MAGIC:
        if first.startswith(magic):
            return media_type
    if first.startswith(b"RIFF") and first[8:16] in {b"WEBPVP8 ", b"WEBPVP8L", b"WEBPVP8X"}:
        return "image/webp"
    if first[4:8] == b"ftyp":
        return _of_brands(first)
    return "audio/mpeg" if re.match(_MP3_FRAME, first) else None


def clean_name(name: str, media_type: str) -> str:
    """A file's name without its path and without what misleads, ending as files of its type do."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    shown = "".join("_" if char in _NOT_IN_NAMES else char for char in last if not _is_unseen(char))
    shown = " ".join(shown.split()).strip(". ")
    suffixes = _SUFFIXES[media_type]
    if not shown.lower().endswith(suffixes):
        shown = (shown or "file")[: NAME_MAX - len(suffixes[0])] + suffixes[0]
    stem, dot, suffix = shown.rpartition(".")
    return f"{(stem or 'file')[: NAME_MAX - len(suffix) - 1]}{dot}{suffix}"


def disposition(name: str) -> str:
    """The Content-Disposition by which a browser saves a file and never opens it in a page of its own (RFC 6266)."""
    ascii_name = "".join(char if " " <= char <= "~" and char != "\\" else "_" for char in name)
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{urllib.parse.quote(name, safe='')}"


def _with(case: Case, found: Attachment, instead: tuple[Attachment, ...]) -> Case:
    changed: list[Attachment] = []
    for each in case.attachments:
        changed.extend(instead if each is found else (each,))
    return msgspec.structs.replace(case, attachments=tuple(changed))


def _of_brands(first: bytes) -> MediaType | None:
    """The type of a file of the ISO base media format, by the brands that it names first."""
    size = int.from_bytes(first[:4], "big")
    brands = [first[8:12], *(first[at : at + 4] for at in range(16, min(size, len(first)), 4))]
    if brands[0] in _M4A:
        return "audio/mp4"
    is_heic = brands[0] in _HEIC or (brands[0] in {b"mif1", b"msf1"} and bool(_HEIC & set(brands)))
    return "image/heic" if is_heic else None


def _is_unseen(char: str) -> bool:
    """Controls, marks that turn the direction of writing, and whatever else takes no place."""
    category = unicodedata.category(char)
    return category[0] == "C" or category in {"Zl", "Zp"}
