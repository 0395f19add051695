"""The engine in this process, on the DynamoDB of a local AWS: for threads and for load, which moto cannot stand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import boto3

from chalicelib.base import dynamo, objects
from chalicelib.members import service as members
from chalicelib.program import service as programs
from chalicelib.surveys import defining
from chalicelib.vouchers import batches
from infra.local.aws import REGION, LocalAws
from tests.tables import create_tables


@contextmanager
def engine_on(aws: LocalAws) -> Iterator[None]:
    """Run with the engine's one client speaking to a local AWS with empty tables; starts it and stops it."""
    try:
        aws.start()
        environment = {
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        with mock.patch.dict(os.environ, environment):
            _forget()
            # boto3's shared session may have been made under moto, with the keys that moto invents.
            create_tables(boto3.Session().client("dynamodb"))
            # Here and now, because making a client is not safe in threads, while using it is.
            dynamo.connection()
            yield
    finally:
        aws.stop()
        _forget()


def _forget() -> None:
    """Forget the clients and everything read through them, as a new process would."""
    objects.client.cache_clear()
    dynamo.client.cache_clear()
    dynamo.connection.cache_clear()
    members.forget_all()
    programs.reset_cache()
    batches.forget_all()
    defining.forget_all()
