"""Codes in bulk: every leg comes out alike however often it is done, and progress is exact."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from chalicelib.base import clock, dynamo
from chalicelib.base.errors import KeyReused
from chalicelib.vouchers import batches, codes, document, importing, jobs, making
from chalicelib.vouchers.batches import BatchNotFitting
from chalicelib.vouchers.importing import BadLine
from chalicelib.vouchers.jobs import JobNotFound, Leg
from chalicelib.vouchers.store import read_all
from chalicelib.vouchers.table import FIRST, NAME, VoucherItem
from tests import faults

NOW = 1_800_000_000
QUEUE = "https://queue.example/vouchers"
TITLE = {"en": "a", "zh-Hans": "b", "zh-Hant": "c"}


@pytest.fixture
def sent() -> Iterator[list[Leg]]:
    """The messages that were put on the queue."""
    messages: list[Leg] = []
    with mock.patch("chalicelib.base.queues.send", lambda _url, message: messages.append(message)):
        yield messages


def make(**fields: Any) -> str:
    definition = {"title": TITLE, "kind": "single", "effect": {"type": "percentage", "percent": "10"}, **fields}
    batch = document.read(definition)
    return str(batches.create(batch, key=json.dumps(definition), actor="system:tests", now=NOW).record.key)


def start(batch_id: str, count: int = 25, per_leg: int = 10) -> str:
    return str(jobs.start(batch_id, count, key="first", actor="admin:mei", now=NOW, per_leg=per_leg).record.key)


def work(sent: list[Leg]) -> int:
    done = 0
    while sent:
        jobs.take(sent.pop(0), queue_url=QUEUE, now=NOW)
        done += 1
    return done


def exported(job_id: str) -> list[str]:
    page = jobs.export(job_id, after=0, limit=10_000)
    return [row["code"] for row in csv.DictReader(io.StringIO(page.csv))]


def vouchers_of(made: list[str]) -> list[Any]:
    names = [making.voucher_id_of(codes.normal(code) or "") for code in made]
    return read_all([(VoucherItem, name, FIRST) for name in names])


def test_a_job_makes_its_codes_leg_by_leg(sent: list[Leg]) -> None:
    batch_id = make(validity={"days_after_issue": 3})
    job_id = start(batch_id)
    assert sent == [Leg(job_id, 1)]
    assert work(sent) == 3
    job = jobs.read(job_id)
    assert (job.made, job.legs, job.is_done) == (25, 3, True)
    made = exported(job_id)
    assert len(set(made)) == 25
    assert all(codes.is_whole(codes.normal(code) or "") for code in made)
    items = vouchers_of(made)
    assert {(item.batch_id, item.origin) for item in items} == {(batch_id, job_id)}
    assert [item.number for item in items] == list(range(1, 26))
    assert {item.ends_at for item in items} == {batches.read(batch_id).ends_at(NOW)}
    assert batches.tally(batch_id).issued == 25


def test_no_code_lies_in_the_table(sent: list[Leg]) -> None:
    job_id = start(make())
    work(sent)
    dynamodb: Any = dynamo.client()
    lying = str(dynamodb.scan(TableName=NAME)["Items"])
    assert lying.count(job_id) > 25
    assert not any(code in lying or (codes.normal(code) or "") in lying for code in exported(job_id))


@pytest.mark.usefixtures("sent")
def test_a_leg_that_comes_twice_makes_nothing_anew() -> None:
    batch_id = make()
    job_id = start(batch_id)
    for leg in (1, 1, 2, 1, 3, 2, 3):
        jobs.take(Leg(job_id, leg), queue_url=QUEUE, now=NOW)
    assert jobs.read(job_id).made == 25
    assert batches.tally(batch_id).issued == 25


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize("operation", ["BatchWriteItem", "TransactWriteItems"])
def test_a_worker_that_dies_is_made_good_by_the_next(operation: str) -> None:
    batch_id = make()
    job_id = start(batch_id, count=60, per_leg=60)

    def dying(_real: faults.Call, _name: str, _parameters: dict[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    def passing(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        return real(name, parameters)

    met = [passing, dying] if operation == "BatchWriteItem" else [dying]
    with faults.calls(*met, operation=operation), pytest.raises(KeyboardInterrupt):
        jobs.take(Leg(job_id, 1), queue_url=QUEUE, now=NOW)
    assert jobs.read(job_id).made == 0
    jobs.take(Leg(job_id, 1), queue_url=QUEUE, now=NOW)
    assert jobs.read(job_id).made == batches.tally(batch_id).issued == 60
    assert None not in vouchers_of(exported(job_id))


@pytest.mark.usefixtures("sent")
def test_what_the_database_leaves_over_is_sent_again() -> None:
    job_id = start(make())

    def half(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        ((table, items),) = parameters["RequestItems"].items()
        real(name, {**parameters, "RequestItems": {table: items[:4]}})
        return {"UnprocessedItems": {table: items[4:]}}

    with faults.calls(half, half, faults.failing, operation="BatchWriteItem"):
        jobs.take(Leg(job_id, 1), queue_url=QUEUE, now=NOW)
    assert None not in vouchers_of(exported(job_id))


def test_a_leg_that_died_before_it_handed_on_hands_on_when_it_comes_again(sent: list[Leg]) -> None:
    job_id = start(make())
    sent.clear()
    with mock.patch("chalicelib.base.queues.send", side_effect=OSError("gone")), pytest.raises(OSError, match="gone"):
        jobs.take(Leg(job_id, 1), queue_url=QUEUE, now=NOW)
    jobs.take(Leg(job_id, 1), queue_url=QUEUE, now=NOW)
    assert sent == [Leg(job_id, 2)]


def test_a_job_starts_once_for_its_key_and_again_where_its_message_was_lost(sent: list[Leg]) -> None:
    batch_id = make()
    job_id = start(batch_id)
    assert start(batch_id) == job_id
    assert sent == [Leg(job_id, 1)] * 2, "no leg was done, so the message may have been lost"
    work(sent)
    start(batch_id)
    assert sent == []
    with pytest.raises(KeyReused):
        start(batch_id, count=26)


@pytest.mark.usefixtures("sent")
def test_messages_that_fail_are_named_and_come_again() -> None:
    job_id = start(make())
    bodies = ['{"job_id":"vjb_none","leg":1}', "no json", json.dumps({"job_id": job_id, "leg": 1})]
    records = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
    failed = jobs.take_batch({"Records": records}, queue_url=QUEUE, now=NOW)
    assert failed == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]}
    assert jobs.read(job_id).made == 10


def test_pages_of_an_export_make_the_whole(sent: list[Leg]) -> None:
    job_id = start(make())
    work(sent)
    found, after, is_last = [], 0, False
    while not is_last:
        page = jobs.export(job_id, after=after, limit=7)
        found += [row["code"] for row in csv.DictReader(io.StringIO(page.csv))]
        after, is_last = page.last, page.is_last
    assert found == exported(job_id)


def test_an_export_gives_only_what_can_be_used_already(sent: list[Leg]) -> None:
    job_id = start(make())
    jobs.take(sent[0], queue_url=QUEUE, now=NOW)
    assert len(exported(job_id)) == 10


def test_shared_and_bound_vouchers_are_not_made_in_bulk() -> None:
    for fields in ({"kind": "shared"}, {"owner": "member"}):
        with pytest.raises(BatchNotFitting):
            start(make(**fields))
    with pytest.raises(JobNotFound):
        jobs.read("vjb_none")


class TestImports:
    LINES = ("GIFT-0001", "gift 0002", "GIFT-OOO1", "!!", "GIFT-0003", "AB1", "GIFT0002")

    def test_every_line_is_taken_or_named(self) -> None:
        batch_id = make()
        _name, found, replayed = importing.import_codes(batch_id, self.LINES, key="a", actor="admin:mei", now=NOW)
        assert not replayed
        assert found.imported == 3
        assert found.refused == (
            BadLine(3, "repeated", 1),
            BadLine(4, "invalid"),
            BadLine(6, "invalid"),
            BadLine(7, "repeated", 2),
        )
        assert batches.tally(batch_id).issued == 3

    def test_codes_that_exist_are_named_and_stay_where_they_are(self) -> None:
        first, second = make(), make(owner="bearer", stacking="alone")
        importing.import_codes(first, ["GIFT-0002"], key="a", actor="admin:mei", now=NOW)
        _name, found, _replayed = importing.import_codes(second, self.LINES, key="a", actor="admin:mei", now=NOW)
        assert BadLine(2, "exists") in found.refused
        assert found.imported == 2
        assert vouchers_of(["GIFT-0002"])[0].batch_id == first

    def test_a_replay_is_answered_the_same_and_another_list_is_refused(self) -> None:
        batch_id = make()
        first = importing.import_codes(batch_id, self.LINES, key="a", actor="admin:mei", now=NOW)
        again = importing.import_codes(batch_id, self.LINES, key="a", actor="admin:mei", now=NOW + 60)
        assert again == (*first[:2], True)
        with pytest.raises(KeyReused):
            importing.import_codes(batch_id, ["GIFT-0009"], key="a", actor="admin:mei", now=NOW)
        assert batches.tally(batch_id).issued == 3

    @pytest.mark.parametrize("passed", [1, 2, 3])
    def test_an_import_that_broke_off_is_finished_when_it_is_sent_again(self, passed: int) -> None:
        batch_id, lines = make(), [f"GIFT-{number:06d}" for number in range(150)]

        def passing(real: faults.Call, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
            return real(name, parameters)

        def dying(_real: faults.Call, _name: str, _parameters: dict[str, Any]) -> dict[str, Any]:
            raise KeyboardInterrupt

        with faults.calls(*[passing] * passed, dying), pytest.raises(KeyboardInterrupt):
            importing.import_codes(batch_id, lines, key="a", actor="admin:mei", now=NOW)
        _name, found, _replayed = importing.import_codes(batch_id, lines, key="a", actor="admin:mei", now=NOW + 60)
        assert (found.imported, found.refused) == (150, ())
        assert batches.tally(batch_id).issued == 150
        assert {clock.parse(item.posted_at) for item in vouchers_of(lines[:100])} == {NOW}
