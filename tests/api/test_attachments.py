"""Files are attached by those who may, count once they were looked at, and are shown to nobody else."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.base import clock, objects
from chalicelib.base.settings import settings
from tests.api import desk
from tests.api.client import Response, client, member
from tests.api.desk import LI
from tests.api.test_cases import join

ANNA = member("anna", phone="+8615900159001")
EVE = member("eve", phone="+8615900159002")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100)
PDF = b"%PDF-1.7\n" + bytes(50)
HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _policy() -> None:
    desk.publish()


def begin(case_id: str, caller: Any = LI, key: str | None = None, **body: Any) -> Response:
    said = {"name": "seal.jpg", "media_type": "image/jpeg", "bytes": 1_000, **body}
    return desk.post(f"/v1/cases/{case_id}/attachments", caller, key, **said)


def begun(case_id: str, caller: Any = LI, **body: Any) -> Any:
    answer = begin(case_id, caller, **body)
    assert answer.status == 201, answer.text
    return answer.json


def upload(found: Any, content: bytes) -> None:
    """As a browser would; that the bucket holds forms to their conditions is the stack's to show."""
    key, media_type = found["upload"]["fields"]["key"], found["upload"]["fields"]["Content-Type"]
    objects.put(key, content, media_type=media_type)


def complete(case_id: str, found: Any, caller: Any = LI) -> Response:
    return client.post(f"/v1/cases/{case_id}/attachments/{found['attachment']['id']}/complete", caller=caller)


def attached(case_id: str, content: bytes = JPEG, caller: Any = LI, **body: Any) -> Any:
    found = begun(case_id, caller, **body)
    upload(found, content)
    answer = complete(case_id, found, caller)
    assert answer.status == 200, answer.text
    return answer.json["attachment"]


def link(case_id: str, attachment: Any, caller: Any = LI) -> Response:
    return client.get(f"/v1/cases/{case_id}/attachments/{attachment['id']}", caller=caller)


def own_case(caller: Any) -> str:
    join(caller)
    return desk.opened(caller)


def kept() -> list[str]:
    return list(objects.keys("cases/"))


def test_a_member_attaches_a_file_to_their_case_and_reads_it() -> None:
    case_id = own_case(ANNA)
    attachment = attached(case_id, caller=ANNA)
    shown = desk.read(case_id, ANNA)["attachments"]

    assert shown == [attachment]
    assert (attachment["status"], attachment["bytes"], attachment["public"]) == ("kept", len(JPEG), True)
    answer = link(case_id, attachment, ANNA)
    assert answer.status == 200
    (key,) = kept()
    assert key in answer.json["url"]
    assert "X-Amz-Signature" in answer.json["url"]
    assert list(objects.keys("uploads/")) == []


def test_a_file_is_always_saved_and_never_opened_as_a_page() -> None:
    case_id = desk.opened()
    attached(case_id, PDF, name="../../账单 <b>.pdf", media_type="application/pdf")
    found = boto3.client("s3").head_object(Bucket=settings().bucket, Key=kept()[0])

    assert found["ContentType"] == "application/pdf"
    assert found["ContentDisposition"].startswith("attachment; filename=\"__ _b_.pdf\"; filename*=UTF-8''%E8%B4%A6")
    assert desk.read(case_id)["attachments"][0]["name"] == "账单 _b_.pdf"


@pytest.mark.parametrize("content", [HTML, PDF, b"GIF89a", b"\x00", JPEG + bytes(1_000)])
def test_a_file_that_is_not_what_was_said_is_refused_and_removed(content: bytes) -> None:
    case_id = desk.opened()
    found = begun(case_id)
    upload(found, content)
    refused = complete(case_id, found)

    assert (refused.status, refused.code) == (409, "attachment_refused")
    assert (list(objects.keys("uploads/")), kept()) == ([], [])
    assert desk.read(case_id)["attachments"] == []
    assert desk.work(case_id)["steps"][-1]["kind"] == "case_attachment_refused"
    # It is refused for good, whatever is uploaded now.
    upload(found, JPEG)
    assert complete(case_id, found).code == "attachment_not_found"
    assert kept() == []


def test_what_was_not_uploaded_cannot_be_completed_and_is_not_read() -> None:
    case_id = desk.opened()
    found = begun(case_id)
    assert complete(case_id, found).code == "attachment_missing"
    assert link(case_id, found["attachment"]).code == "attachment_not_found"
    upload(found, JPEG)
    assert complete(case_id, found).status == 200
    assert complete(case_id, found).status == 200
    assert [each["kind"] for each in desk.work(case_id)["steps"]].count("case_attached") == 1


def test_a_form_used_again_after_the_file_was_looked_at_changes_nothing() -> None:
    case_id = desk.opened()
    found = begun(case_id)
    upload(found, JPEG)
    complete(case_id, found)
    upload(found, HTML)

    assert complete(case_id, found).json["attachment"]["bytes"] == len(JPEG)
    assert objects.get(kept()[0]) == JPEG


def test_a_file_swapped_between_the_look_and_the_copy_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = desk.opened()
    found = begun(case_id)
    upload(found, JPEG)
    look = objects.beginning

    def swapped(key: str, count: int) -> Any:
        seen = look(key, count)
        upload(found, HTML)
        return seen

    monkeypatch.setattr(objects, "beginning", swapped)
    heed_conditions(monkeypatch)
    assert complete(case_id, found).code == "attachment_missing"
    assert kept() == []
    monkeypatch.undo()
    assert complete(case_id, found).code == "attachment_refused"


def heed_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bucket hold copies to their condition, as S3 does and moto does not."""
    real = objects.client().copy_object

    def copy(**asked: Any) -> Any:
        source = objects.client().head_object(**asked["CopySource"])
        if source["ETag"] != asked["CopySourceIfMatch"]:
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": "changed"}}, "CopyObject")
        return real(**asked)

    monkeypatch.setattr(objects.client(), "copy_object", copy)


def test_nobody_attaches_to_or_reads_from_another_s_case() -> None:
    case_id = own_case(ANNA)
    join(EVE)
    attachment = attached(case_id, caller=ANNA)

    assert begin(case_id, EVE).code == "case_not_found"
    assert link(case_id, attachment, EVE).code == "case_not_found"
    other = desk.opened(EVE)
    assert link(other, attachment, EVE).code == "attachment_not_found"
    assert complete(other, {"attachment": attachment}, EVE).code == "attachment_not_found"


def test_members_see_nothing_internal() -> None:
    case_id = own_case(ANNA)
    internal, public = attached(case_id), attached(case_id, public=True)

    assert [each["id"] for each in desk.read(case_id, ANNA)["attachments"]] == [public["id"]]
    assert link(case_id, internal, ANNA).code == "attachment_not_found"
    assert complete(case_id, {"attachment": internal}, ANNA).code == "attachment_not_found"
    assert link(case_id, public, ANNA).status == 200
    assert {each["id"] for each in desk.read(case_id)["attachments"]} == {internal["id"], public["id"]}


def test_a_case_takes_ten_and_what_waits_too_long_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = desk.opened()
    found = [begun(case_id) for _ in range(10)]
    assert begin(case_id).code == "attachments_too_many"
    upload(found[0], JPEG)
    complete(case_id, found[0])

    later = clock.now() + 3_700
    monkeypatch.setattr(clock, "now", lambda: later)
    begun(case_id)
    left = {each["id"] for each in desk.read(case_id)["attachments"]}
    assert found[0]["attachment"]["id"] in left
    assert len(left) == 2
    assert complete(case_id, found[1]).code == "attachment_not_found"


def test_uploads_are_not_begun_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    case_id, begun_at = desk.opened(), clock.now()
    for number in range(40):
        monkeypatch.setattr(clock, "now", lambda number=number: begun_at + number * 3_700)
        begun(case_id)
    monkeypatch.setattr(clock, "now", lambda: begun_at + 50 * 3_700)
    assert begin(case_id).code == "attachments_too_many"


def test_begun_again_by_the_same_key_it_is_one_attachment() -> None:
    case_id = desk.opened()
    first, again = (begin(case_id, key="one") for _ in range(2))
    assert (first.status, again.status) == (201, 200)
    assert first.json["attachment"] == again.json["attachment"]
    assert begin(case_id, key="one", bytes=999).code == "key_reused"
    upload(first.json, JPEG)
    complete(case_id, first.json)
    assert begin(case_id, key="one").json["upload"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"media_type": "text/html"},
        {"media_type": "image/svg+xml"},
        {"media_type": "text/plain"},
        {"bytes": 0},
        {"bytes": 10 * 1024 * 1024 + 1},
        {"name": ""},
        {"name": "x" * 256},
    ],
)
def test_what_cannot_be_attached_is_refused_before_anything_is_uploaded(body: dict[str, Any]) -> None:
    case_id = desk.opened()
    assert begin(case_id, **body).status == 400
    assert desk.read(case_id)["attachments"] == []


def test_files_go_with_a_case_into_the_one_that_it_becomes_part_of() -> None:
    case_id = own_case(ANNA)
    attachment, waiting = attached(case_id, caller=ANNA), begun(case_id, ANNA)
    into = desk.opened(ANNA)
    assert desk.post(f"/v1/cases/{case_id}/merge", into=into).status == 200

    assert [each["id"] for each in desk.read(into, ANNA)["attachments"]] == [attachment["id"]]
    assert link(case_id, attachment, ANNA).status == 200
    assert link(into, attachment).status == 200
    upload(waiting, JPEG)
    done = complete(case_id, waiting, ANNA)
    assert (done.status, done.json["case_id"]) == (200, into)
    assert begun(case_id, ANNA)["case_id"] == into
    assert begin(case_id).code == "case_merged"


def test_the_bucket_out_of_reach_is_said_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = desk.opened()
    found = begun(case_id)
    upload(found, JPEG)

    def unreachable(*_arguments: Any, **_rest: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="loopback")

    for name in ("beginning", "copy"):
        monkeypatch.setattr(objects, name, unreachable)
        answer = complete(case_id, found)
        assert (answer.status, answer.code) == (503, "unavailable")
        monkeypatch.undo()
    assert complete(case_id, found).status == 200


def test_the_form_says_what_may_be_uploaded_and_where() -> None:
    found = begun(desk.opened())
    assert found["upload"]["url"].startswith("https://")
    fields = found["upload"]["fields"]
    assert fields["key"].endswith(found["attachment"]["id"])
    assert fields["Content-Type"] == "image/jpeg"
