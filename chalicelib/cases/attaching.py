"""Attaching files to cases: whoever attaches one uploads it to the bucket by themselves, and then it is looked at.

A form writes to `uploads/`, where nothing stays (a rule of the bucket sees to it) and whence nothing is ever shown.
What was looked at is copied to `cases/`, as exactly the content that was looked at: the form could be used again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.base import objects
from chalicelib.base.errors import Conflict, Unavailable
from chalicelib.base.objects import Beginning, Form
from chalicelib.cases.changing import Doing, Turn, change, followed, read
from chalicelib.cases.moving import Who, doing
from chalicelib.cases.rules import files, steps
from chalicelib.cases.rules.case import Attachment, Case
from chalicelib.cases.rules.files import AttachmentNotFound, AttachmentRefused, MediaType
from chalicelib.cases.rules.steps import Said

READ_S: Final = 300
"""How long a link to a file may be used."""


class AttachmentMissing(Conflict):
    """Nothing has been uploaded yet, or something else just now."""

    code = "attachment_missing"


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be attached: `bytes` is how much it is at the most; members see it unless it is internal."""

    name: str
    media_type: MediaType
    bytes: int
    is_internal: bool


class Begun(msgspec.Struct, frozen=True):
    """An attachment, with the form for its upload while it waits for it; `replayed` says that it was begun before."""

    case: Case
    attachment: Attachment
    form: Form | None
    replayed: bool


class Attached(msgspec.Struct, frozen=True):
    """A case with an attachment that is kept."""

    case: Case
    attachment: Attachment


def begin(case_id: str, announced: Announced, who: Who) -> Begun:
    """Let somebody upload a file, which counts when it was completed; asked again, there is another form for it.

    Raises CaseNotFound, CaseMerged, AttachmentsTooMany, AttachmentNotFound (its time is over), KeyReused, Unavailable.
    """
    act = doing(case_id, steps.UPLOAD_BEGUN, who, announced)
    attachment_id = f"att_{act.step_id.partition('.')[2]}"
    wanted = Attachment(
        attachment_id=attachment_id,
        case_id=case_id,
        name=files.clean_name(announced.name, announced.media_type),
        media_type=announced.media_type,
        bytes=announced.bytes,
        by=who.actor,
        at=who.now,
        is_internal=announced.is_internal,
    )

    def rule(case: Case) -> Turn:
        after = files.begun(case, wanted, who.now, by_member=bool(who.owner))
        return Turn(case=after, said=Said(attachment_id=attachment_id))

    changed = change(act, rule)
    case = followed(changed.case)
    found = files.find(case, attachment_id)
    if found.status == "kept":
        return Begun(case, found, None, changed.replayed)
    form = objects.form(_upload(found), media_type=found.media_type, bytes_max=found.bytes, lasts_s=files.UPLOAD_S)
    return Begun(case, found, form, changed.replayed)


def complete(case_id: str, attachment_id: str, who: Who) -> Attached:
    """Look at what was uploaded and keep it with the case; repeated, it answers the same.

    Raises CaseNotFound, AttachmentNotFound, AttachmentMissing, AttachmentRefused, CaseMerged and Unavailable.
    """
    case = followed(read(case_id).case)
    found = files.find(case, attachment_id)
    if found.is_internal and who.owner:
        raise AttachmentNotFound
    if found.status == "kept":
        return Attached(case, found)
    with _bucket():
        came = objects.beginning(_upload(found), files.FIRST_BYTES)
    if came is None:
        return _kept_meanwhile(case, attachment_id)
    try:
        files.check(found, came.size, came.first)
    except AttachmentRefused:
        _refuse(case, found, who)
        raise
    return _keep(case, found, came, who)


def link(case: Case, attachment_id: str, *, sees_internal: bool) -> tuple[Attachment, str]:
    """A kept attachment of a case, and a link by which it can be read for a short while. Raises AttachmentNotFound."""
    found = files.find(case, attachment_id)
    if found.status != "kept" or (found.is_internal and not sees_internal):
        raise AttachmentNotFound
    return found, objects.link(place(found, found.etag), lasts_s=READ_S)


def place(attachment: Attachment, etag: str) -> str:
    """Where a kept file lies; all files that were attached to a case begin with `cases/{case's id}/`."""
    return f"cases/{attachment.case_id}/{attachment.attachment_id}/{etag.strip(chr(34))}"


def _upload(attachment: Attachment) -> str:
    return f"uploads/{attachment.case_id}/{attachment.attachment_id}"


def _keep(case: Case, found: Attachment, came: Beginning, who: Who) -> Attached:
    # The place is called by the content, so that whoever completes another content at once overwrites nothing.
    with _bucket():
        is_copied = objects.copy(
            _upload(found),
            place(found, came.etag),
            etag=came.etag,
            media_type=found.media_type,
            disposition=files.disposition(found.name),
        )
    if not is_copied:
        return _kept_meanwhile(case, found.attachment_id)

    def rule(current: Case) -> Turn:
        after = files.kept(current, found.attachment_id, size=came.size, etag=came.etag)
        return Turn(case=after, said=Said(attachment_id=found.attachment_id, is_public=not found.is_internal))

    changed = change(_act(case.case_id, steps.ATTACHED, found, who), rule)
    _remove(_upload(found))
    after = followed(changed.case)
    return Attached(after, files.find(after, found.attachment_id))


def _refuse(case: Case, found: Attachment, who: Who) -> None:
    def rule(current: Case) -> Turn:
        if files.find(current, found.attachment_id).status == "kept":
            # Somebody has completed it while it was still what it was said to be; that content stays.
            raise AttachmentNotFound
        after = files.refused(current, found.attachment_id)
        return Turn(case=after, said=Said(attachment_id=found.attachment_id))

    with contextlib.suppress(AttachmentNotFound):
        change(_act(case.case_id, steps.ATTACHMENT_REFUSED, found, who), rule)
    _remove(_upload(found))


def _kept_meanwhile(case: Case, attachment_id: str) -> Attached:
    """What another request has completed at the same time. Raises AttachmentMissing where none has."""
    current = followed(read(case.case_id).case)
    found = files.find(current, attachment_id)
    if found.status == "waiting":
        raise AttachmentMissing("Upload the file with the form first, and complete it then.", field="attachment_id")
    return Attached(current, found)


def _act(case_id: str, kind: str, found: Attachment, who: Who) -> Doing:
    """A step that happens once to an attachment, whoever takes it."""
    once = Who("", found.attachment_id, who.now)
    return msgspec.structs.replace(doing(case_id, kind, once, found.attachment_id), actor=who.actor)


def _remove(key: str) -> None:
    # Where this fails, the bucket's rule removes it: nothing depends on it.
    with contextlib.suppress(ClientError, BotoCoreError):
        objects.remove(key)


@contextlib.contextmanager
def _bucket() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise Unavailable("The files cannot be reached just now. Send the same request again.") from error
