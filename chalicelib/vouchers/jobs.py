"""Making codes in bulk: a job of many legs through a queue, each of which comes out alike however often it is done.

The codes of a job follow from its id and their numbers, so a leg that dies half-way, or whose message comes twice,
writes the very same items. That a leg is done is put once, together with its count: progress is exact.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from chalicelib.base import clock, ids, queues
from chalicelib.base.errors import NotFound
from chalicelib.base.settings import settings
from chalicelib.ledger.posting import Lost, Posted, put_once
from chalicelib.ledger.records import step_name
from chalicelib.vouchers import batches, codes, making, tallies
from chalicelib.vouchers.batches import BatchNotFitting
from chalicelib.vouchers.store import put_all, read_all, read_steps
from chalicelib.vouchers.table import FIRST, JobStep

logger = logging.getLogger(__name__)

CODES_MAX: Final = 1_000_000
"""So many codes one job makes at the most; a batch may have many jobs."""

PER_LEG: Final = 2_000
"""How many codes a leg makes: some seconds of work, far below the function's minute."""


class JobNotFound(NotFound):
    """No bulk job has this id."""

    code = "voucher_job_not_found"


class Leg(msgspec.Struct, frozen=True):
    """The message that asks for one leg (from 1) of a job."""

    job_id: str
    leg: int


class Job(msgspec.Struct, frozen=True):
    """A job and how far it is: `made` codes of `codes` are there, the first ones."""

    job_id: str
    batch_id: str
    codes: int
    made: int
    legs: int
    started_at: str
    changed_at: str

    @property
    def is_done(self) -> bool:
        """Whether all codes are made."""
        return self.made == self.codes


class Page(msgspec.Struct, frozen=True):
    """Some of a job's codes as CSV with a line of titles; `last` is the number of the last one."""

    csv: str
    codes: int
    last: int
    is_last: bool


_LEGS = msgspec.json.Decoder(Leg)


def start(batch_id: str, count: int, *, key: str, actor: str, now: int, per_leg: int = PER_LEG) -> Posted[JobStep]:
    """Begin to make `count` codes of a batch, once for `key`; asked again, a job whose first message was lost goes on.

    Raises BatchNotFound, BatchNotFitting (a shared batch, or one whose vouchers are bound to members), KeyReused and
    Unavailable.
    """
    known = batches.read(batch_id)
    if known.batch.kind == "shared" or known.batch.owner == "member":
        raise BatchNotFitting(
            "Only single vouchers for whoever has the code are made in bulk; others are issued.", field="batch_id"
        )
    job_id = ids.derived("vjb", batch_id, key)
    job = JobStep(
        job_id,
        FIRST,
        record_id=job_id,
        request_hash=ids.request_hash([batch_id, count]),
        kind="voucher_job",
        occurred_at=clock.text(now),
        posted_at=clock.text(now),
        batch_id=batch_id,
        codes=count,
        per_leg=per_leg,
        ends_at=known.ends_at(now),
        actor=actor,
    )
    posted = put_once(job, ())
    if not posted.replayed or read(job_id).legs == 0:
        queues.send(settings().vouchers_queue_url, Leg(job_id, 1))
    return posted


def read(job_id: str) -> Job:
    """How far a job is, as it is now. Raises JobNotFound."""
    steps = read_steps(JobStep, job_id) if job_id.startswith("vjb_") else []
    if not steps:
        raise JobNotFound("No bulk job has this id.", field="job_id")
    job, *legs = steps
    return Job(
        job_id=job_id,
        batch_id=job.batch_id,
        codes=job.codes,
        made=sum(leg.codes for leg in legs),
        legs=len(legs),
        started_at=job.posted_at,
        changed_at=steps[-1].posted_at,
    )


def export(job_id: str, *, after: int, limit: int) -> Page:
    """Up to `limit` codes of those that a job has made, after the number `after` (0 for all). Raises JobNotFound."""
    job = read(job_id)
    last = min(after + limit, job.made)
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("number", "code"))
    rows.writerows((number, codes.grouped(making.code_of(job_id, number))) for number in range(after + 1, last + 1))
    return Page(text.getvalue(), max(0, last - after), last, last >= job.made)


def take_batch(event: Mapping[str, Any], *, queue_url: str, now: int) -> dict[str, Any]:
    """Do the legs that a batch of messages asks for and name the messages that must come again."""
    failed = []
    for record in event["Records"]:
        try:
            take(_LEGS.decode(record["body"]), queue_url=queue_url, now=now)
        except Exception:
            logger.exception("message %s failed", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def take(leg: Leg, *, queue_url: str, now: int) -> None:
    """Do a leg and hand on what is left to the queue. A leg that is done already only hands on.

    Raises JobNotFound and Unavailable; the leg is done again then, with the same result.
    """
    job, done, following = read_all([(JobStep, leg.job_id, step_name(number)) for number in (0, leg.leg, leg.leg + 1)])
    if job is None:
        raise JobNotFound("No bulk job has this id.", field="job_id")
    first = (leg.leg - 1) * int(job.per_leg) + 1
    count = min(int(job.per_leg), int(job.codes) - first + 1)
    if done is None and not _make(job, leg.leg, first, count, now):
        # Another copy of the message was faster, and hands on.
        return
    if first + count <= int(job.codes) and following is None:
        queues.send(queue_url, Leg(leg.job_id, leg.leg + 1))
    logger.info("%s, leg %s: %s of %s codes", leg.job_id, leg.leg, first + count - 1, job.codes)


def _make(job: JobStep, leg: int, first: int, count: int, now: int) -> bool:
    """Write a leg's codes and put down that it is done; False if another copy has done so meanwhile."""
    # Whatever was there under these keys is the same: an issue never changes, and what follows lies beside it. That two
    # of a thousand million codes of 74 bits are the same has odds of one in forty thousand.
    put_all([_item(job, number) for number in range(first, first + count)])
    at = clock.text(now)
    record_id = ids.derived("vjl", job.key, str(leg))
    step = JobStep(
        job.key,
        step_name(leg),
        record_id=record_id,
        request_hash=record_id,
        kind="voucher_leg",
        occurred_at=at,
        posted_at=at,
        batch_id=job.batch_id,
        codes=count,
        first=first,
    )
    try:
        return not put_once(step, [tallies.counting(job.batch_id, "issued", record_id, count)]).replayed
    except Lost:
        return False


def _item(job: JobStep, number: int) -> dict[str, Any]:
    item = {
        "key": {"S": making.voucher_id_of(making.code_of(job.key, number))},
        "step": {"S": FIRST},
        "kind": {"S": "voucher"},
        "batch_id": {"S": job.batch_id},
        "origin": {"S": job.key},
        "number": {"N": str(number)},
        "posted_at": {"S": job.posted_at},
    }
    return item | ({"ends_at": {"S": job.ends_at}} if job.ends_at else {})
