"""Files in the installation's own bucket: what a night hands over, reports, exports, and what people attach."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Final

import botocore.session
import msgspec
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.base.settings import settings

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 4},
    signature_version="s3v4",
    # The local AWS has no host of its own for each bucket.
    s3={"addressing_style": "path"},
)
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_CHANGED: Final = frozenset({"PreconditionFailed", "412"})


class Form(msgspec.Struct, frozen=True):
    """With what somebody uploads one file by themselves: a POST of a form with these fields, and `file` as the last."""

    url: str
    fields: dict[str, str]


class Beginning(msgspec.Struct, frozen=True):
    """The first bytes of a file, its size, and its ETag: the name of this content."""

    first: bytes
    size: int
    etag: str


@functools.cache
def client() -> Any:
    """The process's S3 client; region, credentials and endpoint come from the environment."""
    return botocore.session.get_session().create_client("s3", config=_CONFIG)


def put(key: str, body: bytes, *, media_type: str) -> None:
    """Store a file; one that is there under this key is replaced."""
    client().put_object(Bucket=settings().bucket, Key=key, Body=body, ContentType=media_type)


def get(key: str) -> bytes | None:
    """A file's content, None where there is none."""
    try:
        answer = client().get_object(Bucket=settings().bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    body: bytes = answer["Body"].read()
    return body


def keys(prefix: str) -> Iterator[str]:
    """The keys of all files whose key begins so, in their order."""
    asked = {"Bucket": settings().bucket, "Prefix": prefix}
    while True:
        page = client().list_objects_v2(**asked)
        yield from (found["Key"] for found in page.get("Contents", ()))
        if not page.get("IsTruncated"):
            return
        asked["ContinuationToken"] = page["NextContinuationToken"]


def form(key: str, *, media_type: str, bytes_max: int, lasts_s: int) -> Form:
    """A form for the upload of one file under this key, of this type and of 1 to `bytes_max` bytes.

    It asks nobody: whoever has it may use it, as often as they like, until its time is over.
    """
    made = client().generate_presigned_post(
        settings().bucket,
        key,
        Fields={"Content-Type": media_type},
        Conditions=[{"Content-Type": media_type}, ["content-length-range", 1, bytes_max]],
        ExpiresIn=lasts_s,
    )
    return Form(made["url"], made["fields"])


def link(key: str, *, lasts_s: int) -> str:
    """A link by which whoever has it may read a file, until its time is over."""
    asked = {"Bucket": settings().bucket, "Key": key}
    return str(client().generate_presigned_url("get_object", Params=asked, ExpiresIn=lasts_s))


def beginning(key: str, count: int) -> Beginning | None:
    """The first `count` bytes of a file, None where there is none."""
    try:
        answer = client().get_object(Bucket=settings().bucket, Key=key, Range=f"bytes=0-{count - 1}")
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    size = int(answer["ContentRange"].rpartition("/")[2])
    return Beginning(answer["Body"].read(), size, answer["ETag"])


def copy(key: str, to: str, *, etag: str, media_type: str, disposition: str) -> bool:
    """Copy a file, to be read as this type; False where it is gone, or is no longer the content of `etag`."""
    try:
        client().copy_object(
            Bucket=settings().bucket,
            Key=to,
            CopySource={"Bucket": settings().bucket, "Key": key},
            CopySourceIfMatch=etag,
            MetadataDirective="REPLACE",
            ContentType=media_type,
            ContentDisposition=disposition,
            CacheControl="private, no-store",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING | _CHANGED:
            return False
        raise
    return True


def remove(key: str) -> None:
    """Remove a file, if it is there."""
    client().delete_object(Bucket=settings().bucket, Key=key)
