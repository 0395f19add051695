"""Attachments on the deployed stack: the form goes to the bucket itself, which holds it to what was signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.aws import client
from infra.local.deploy import Stack
from infra.local.tokens import member_token
from tests.stack.test_cases import send

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
HTML = b"<!doctype html><script>alert(1)</script>"


def begun(shop: httpx.Client, case_id: str, key: str, **body: Any) -> Any:
    said = {"name": "seal.png", "media_type": "image/png", "bytes": 1_000, **body}
    answer = shop.post(f"/v1/cases/{case_id}/attachments", json=said, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    return answer.json()


def upload(stack: Stack, found: Any, content: bytes, **changes: str) -> httpx.Response:
    """As a browser does it, without any token."""
    fields = {**found["upload"]["fields"], **changes}
    assert found["upload"]["url"].startswith(stack.endpoint)
    return httpx.post(found["upload"]["url"], data=fields, files={"file": ("x", content)}, timeout=60)


def complete(shop: httpx.Client, case_id: str, found: Any) -> httpx.Response:
    return shop.post(f"/v1/cases/{case_id}/attachments/{found['attachment']['id']}/complete", json={})


def test_a_file_goes_through_the_bucket_and_comes_back_to_be_saved(stack: Stack, shop: httpx.Client) -> None:
    case_id = send(shop, "stack-attachment")
    found = begun(shop, case_id, "one")
    assert complete(shop, case_id, found).json()["code"] == "attachment_missing"
    answer = upload(stack, found, PNG)
    assert answer.status_code == 204, answer.text

    done = complete(shop, case_id, found)
    assert (done.status_code, done.json()["attachment"]["bytes"]) == (200, len(PNG))
    link = shop.get(f"/v1/cases/{case_id}/attachments/{found['attachment']['id']}").json()["url"]
    file = httpx.get(link, timeout=60)
    assert (file.status_code, file.content) == (200, PNG)
    assert file.headers["content-type"] == "image/png"
    assert file.headers["content-disposition"].startswith('attachment; filename="seal.png"')
    # Nothing is left where it was uploaded to, and nothing is read without a signature.
    s3, bucket = client("s3", stack.endpoint), stack.outputs["FilesBucketName"]
    assert s3.list_objects_v2(Bucket=bucket, Prefix="uploads/").get("KeyCount") == 0
    assert s3.list_objects_v2(Bucket=bucket, Prefix=f"cases/{case_id}/")["KeyCount"] == 1


def test_an_attachment_that_lies_about_its_type_is_refused_and_removed(stack: Stack, shop: httpx.Client) -> None:
    case_id = send(shop, "stack-liar")
    found = begun(shop, case_id, "liar")
    assert upload(stack, found, HTML).status_code == 204
    refused = complete(shop, case_id, found)

    assert (refused.status_code, refused.json()["code"]) == (409, "attachment_refused")
    assert shop.get(f"/v1/cases/{case_id}").json()["attachments"] == []
    s3, bucket = client("s3", stack.endpoint), stack.outputs["FilesBucketName"]
    for prefix in ("uploads/", f"cases/{case_id}/"):
        assert s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("KeyCount") == 0


@pytest.mark.parametrize(
    ("content", "changes"),
    [
        (bytes(1_001), {}),
        (PNG, {"key": "cases/elsewhere"}),
        (PNG, {"Content-Type": "text/html"}),
    ],
)
def test_the_bucket_takes_nothing_but_what_was_signed(
    stack: Stack, shop: httpx.Client, content: bytes, changes: dict[str, str]
) -> None:
    name = f"stack-form {sorted(changes)} {len(content)}"
    case_id = send(shop, name)
    found = begun(shop, case_id, name)
    assert upload(stack, found, content, **changes).status_code in {400, 403}
    assert complete(shop, case_id, found).json()["code"] == "attachment_missing"


def test_a_member_attaches_to_their_own_case_and_to_no_other(stack: Stack, shop: httpx.Client) -> None:
    member_id = send_member(shop)
    with httpx.Client(base_url=stack.api, timeout=60) as anna:
        anna.headers["Authorization"] = f"Bearer {member_token(stack, member_id)}"
        opened = anna.post(
            "/v1/feedback", json={"kind": "complaint", "text": "Broken."}, headers={"Idempotency-Key": "anna-attaches"}
        )
        case_id = opened.json()["case"]["id"]
        found = begun(anna, case_id, "mine")
        assert upload(stack, found, PNG).status_code == 204
        assert complete(anna, case_id, found).status_code == 200
        theirs = send(shop, "stack-theirs")
        said = {"name": "a.png", "media_type": "image/png", "bytes": 9}
        answer = anna.post(f"/v1/cases/{theirs}/attachments", json=said, headers={"Idempotency-Key": "theirs"})
        assert (answer.status_code, answer.json()["code"]) == (404, "case_not_found")


def send_member(shop: httpx.Client) -> str:
    body = {"mail": "anna.attaches@example.com"}
    answer = shop.post("/v1/members", json=body, headers={"Idempotency-Key": "anna-attaches"})
    return str(answer.json()["member"]["id"])


def test_what_is_uploaded_and_never_completed_goes_by_itself(template: Path) -> None:
    # The local AWS keeps no lifecycle of a bucket that is made by a template.
    bucket = json.loads(template.read_text(encoding="utf-8"))["Resources"]["FilesBucket"]["Properties"]
    rules = bucket["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert days["uploads/"] == 1
    assert not [prefix for prefix in days if "cases/".startswith(prefix) or prefix.startswith("cases/")]


def test_a_browser_of_any_origin_may_send_the_form(stack: Stack) -> None:
    s3, bucket = client("s3", stack.endpoint), stack.outputs["FilesBucketName"]
    (rule,) = s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert set(rule["AllowedMethods"]) == {"GET", "POST"}
    assert rule["AllowedOrigins"] == ["*"]
