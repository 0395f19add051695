"""Attachments over HTTP. Their content never passes through the API: it goes to the bucket and comes from there."""

from __future__ import annotations

from typing import Any, Final

from chalicelib.base import clock
from chalicelib.cases import amends_routes, attaching, reading, render, work_routes
from chalicelib.cases.attaching import READ_S, Announced
from chalicelib.cases.changing import followed, read
from chalicelib.cases.file_schema import AttachmentBegun, AttachmentIn, AttachmentKept, AttachmentLinkOut, UploadOut
from chalicelib.cases.moving import Who
from chalicelib.cases.rules.case import Case
from chalicelib.cases.rules.files import UPLOAD_S
from chalicelib.members import service as members
from chalicelib.members.rules import Person
from chalicelib.web.room import IDEMPOTENCY_KEY, Call, Reply

room = amends_routes.room

_ERRORS: Final = ("case_not_found", "case_merged", "attachment_not_found", "busy")


@room.post(
    "/v1/cases/{case_id}/attachments",
    body=AttachmentIn,
    answer=AttachmentBegun,
    scopes=work_routes.WRITE,
    headers=(IDEMPOTENCY_KEY,),
    summary="Begin to attach a file to a case",
    example={"name": "seal.jpg", "media_type": "image/jpeg", "bytes": 482133},
    statuses={
        201: "Upload the file with the form, and complete it then.",
        200: "It was begun by the same request before.",
    },
    errors=(*_ERRORS, "attachments_too_many", "idempotency_key_missing", "key_reused"),
)
def post_attachment(call: Call[AttachmentIn], case_id: str) -> Reply[AttachmentBegun]:
    """By the member whose case it is, or a handler. Until it was completed it is nothing, and goes by itself."""
    body, is_own = call.body, call.caller.kind == "member"
    # What belongs to a merged case of theirs, members attach to the one that it has become part of.
    target = _own(call, case_id).case_id if is_own else case_id
    announced = Announced(
        name=body.name,
        media_type=body.media_type,
        bytes=body.bytes,
        is_internal=not (is_own or body.public),
    )
    begun = attaching.begin(target, announced, _who(call, call.idempotency_key))
    shown, upload = render.attachment(begun.attachment), None
    if begun.form is not None:
        until = clock.text(call.now + UPLOAD_S)
        upload = UploadOut(url=begun.form.url, fields=begun.form.fields, expires_at=until)
    return Reply(
        AttachmentBegun(case_id=begun.case.case_id, attachment=shown, upload=upload),
        status=200 if begun.replayed else 201,
    )


@room.post(
    "/v1/cases/{case_id}/attachments/{attachment_id}/complete",
    answer=AttachmentKept,
    scopes=work_routes.WRITE,
    summary="Complete an attachment that was uploaded",
    statuses={200: "The file is with the case; repeated, it answers the same."},
    errors=(*_ERRORS, "attachment_missing", "attachment_refused"),
)
def complete_attachment(call: Call[None], case_id: str, attachment_id: str) -> Reply[AttachmentKept]:
    """The file is looked at: one that is not of the type that was said, or is larger, is refused and removed."""
    target = _own(call, case_id).case_id if call.caller.kind == "member" else case_id
    found = attaching.complete(target, attachment_id, _who(call, attachment_id))
    return Reply(AttachmentKept(case_id=found.case.case_id, attachment=render.attachment(found.attachment)))


@room.get(
    "/v1/cases/{case_id}/attachments/{attachment_id}",
    answer=AttachmentLinkOut,
    scopes=work_routes.READ,
    summary="Read an attachment",
    statuses={200: "A link to the file, for five minutes."},
    errors=("case_not_found", "attachment_not_found"),
)
def get_attachment(call: Call[None], case_id: str, attachment_id: str) -> Reply[AttachmentLinkOut]:
    """By whoever may see it: members see what is theirs or public."""
    is_handler = call.caller.kind != "member"
    case = followed(read(case_id).case) if is_handler else _own(call, case_id)
    found, url = attaching.link(case, attachment_id, sees_internal=is_handler)
    return Reply(
        AttachmentLinkOut(attachment=render.attachment(found), url=url, expires_at=clock.text(call.now + READ_S))
    )


def _own(call: Call[Any], case_id: str) -> Case:
    """The caller's case, as it is now: the one that it has become part of. Raises CaseNotFound."""
    member_id = members.member_of(Person(call.caller.issuer, call.caller.subject))
    return reading.surviving([reading.own(case_id, member_id)])[0][1]


def _who(call: Call[Any], key: str) -> Who:
    return Who(call.caller.actor(), key, call.now, members.owner_of(call.caller))
