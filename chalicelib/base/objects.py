"""Files in the installation's own bucket: what a night hands over, reports, exports, and what people attach."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Final

import botocore.session
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
