"""Files in the installation's bucket."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from chalicelib.base import objects
from chalicelib.base.settings import settings


@pytest.fixture(autouse=True)
def _bucket() -> Iterator[None]:
    objects.client.cache_clear()
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=settings().bucket)
        yield
    objects.client.cache_clear()


def test_a_file_is_there_once_it_is_put_and_the_last_one_stands() -> None:
    assert objects.get("nights/a") is None
    objects.put("nights/a", b"one", media_type="text/plain")
    objects.put("nights/a", b"two", media_type="text/plain")
    assert objects.get("nights/a") == b"two"


def test_keys_come_in_their_order_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        objects.put(f"nights/{number}", b"", media_type="text/plain")
    objects.put("other", b"", media_type="text/plain")
    client = objects.client()
    whole = client.list_objects_v2
    monkeypatch.setattr(client, "list_objects_v2", lambda **asked: whole(**asked, MaxKeys=3))
    assert list(objects.keys("nights/")) == [f"nights/{number}" for number in range(7)]
