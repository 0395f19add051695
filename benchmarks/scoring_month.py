"""What scoring costs a million members a night: a month of nights after a year of history, every request counted.

The nights are the real ones, from the schedule to the report, over members whom the engine itself has enrolled and
served; on the proof's store in memory, and counted by the tests' meter. The length of a year and of the month, and how
many members there are, can be changed:

    python -m benchmarks.scoring_month --members 3000 --nights 60 --only "once a month"
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import time
from collections.abc import Mapping
from typing import Any, Final
from unittest import mock

import numpy as np

import tests.conftest  # noqa: F401 -- sets the environment that the engine reads when it is imported
from benchmarks import counted_nights as counted
from benchmarks import shoppers
from benchmarks.counted_nights import Count, Lean, Nights
from benchmarks.shoppers import CDNOW, JOURNEY, MONTHLY, Clock, Crowd, Programme
from benchmarks.stub import answering
from chalicelib.base import clock, dynamo, objects
from chalicelib.base.settings import settings
from chalicelib.ledger.table import AccountItem
from chalicelib.program import service as programs
from chalicelib.scoring import keeping, reducing, visiting
from infra.cost_model import FILE_READ, FILE_WRITTEN, LAMBDA_GB_S, QUEUE_REQUEST, READ, TRIP_MS, WRITE
from infra.installation import progress
from tests.proof.store import intercepted

SIZES: Final = {CDNOW.name: (CDNOW, 3_000), MONTHLY.name: (MONTHLY, 1_500), JOURNEY.name: (JOURNEY, 400)}
NIGHTS: Final = 30
_WARM_UP: Final = 3
_BEGIN: Final = 1_699_977_600  # midnight of 15 November 2023 in Shanghai
_AT_S: Final = 9_000
_MILLION: Final = 1_000_000
_CORE_GB, _WALK_GB, _REDUCE_GB = 1.769, 0.5, 3.0
"""At so much memory a function has one core to itself; what the walk and the reduction are given."""
_COPIES: Final = 20
_PAGE, _TURNS = 200, 20
_SCANNED, _SENT = "scanned", "sent"


class Month:
    """What a programme's month has used, and how large its last reduction was."""

    def __init__(self, programme: Programme, members: int, nights: int, advance: Any) -> None:
        self.programme, self.used = programme, Count()
        self.done: dict[str, float] = {}
        self.seconds = {_SCANNED: 0.0, _SENT: 0.0}
        self.reduced_s = 0.0
        crowd = Crowd(programme, members, _BEGIN, shoppers.HISTORY_DAYS + _WARM_UP + nights)
        page: list[Any] = []
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            now = stack.enter_context(Clock(_BEGIN))
            store = _installed(stack)
            for day in range(1, shoppers.HISTORY_DAYS + 1):
                crowd.live(now, _BEGIN + day * clock.DAY_S)
                advance(1)
            before: Mapping[str, int] = {}
            for night in range(_WARM_UP + nights):
                now.now = _BEGIN + (shoppers.HISTORY_DAYS + night) * clock.DAY_S + _AT_S
                before = before if night >= _WARM_UP else dict(crowd.counts)
                used = Nights().run()
                if night >= _WARM_UP:
                    self.used.add(used)
                crowd.live(now, _BEGIN + (shoppers.HISTORY_DAYS + night + 1) * clock.DAY_S)
                advance(1)
            page = store.items(settings().table("accounts"))[:_PAGE]
            now.now = _BEGIN + (shoppers.HISTORY_DAYS + _WARM_UP + nights - 1) * clock.DAY_S + _AT_S
            self.reduced_s = _reduced()
        self.done = {name: (count - before.get(name, 0)) / self.used.members for name, count in crowd.counts.items()}
        self.seconds = _of_botocore(page)


def _installed(stack: contextlib.ExitStack) -> Lean:
    """An empty installation, its bucket a dictionary."""
    files: dict[str, bytes] = {}
    store = Lean()
    stack.enter_context(intercepted(store.call))
    for name, act in (
        ("put", lambda key, body, **_type: files.__setitem__(key, body)),
        ("get", files.get),
        ("keys", lambda prefix: sorted(key for key in files if key.startswith(prefix))),
        ("remove", lambda key: files.pop(key, None)),
    ):
        stack.enter_context(mock.patch.object(objects, name, act))
    keeping.forget()
    return store


def _reduced() -> float:
    """CPU seconds of a million members' reduction: the last night's again, and once more with copies of its members."""
    *_earlier, last = objects.keys("nights/")
    night = last.split("/")[1]
    cut = clock.day_start(clock.now(), 0, programs.in_force(clock.now(), now=clock.now()).program.zone)
    seconds, members = [], []
    for copies in (0, _COPIES):
        for key in list(objects.keys(visiting.prefix(night))) if copies else ():
            for copy in range(copies):
                again = _renamed(objects.get(key) or b"", f"-{copy}")
                objects.put(key.replace(".npz", f"-{copy}.npz"), again, media_type="")
        begun = time.process_time()
        members.append(reducing.reduce(night, cut, now=clock.now()).members)
        seconds.append(time.process_time() - begun)
    each = (seconds[1] - seconds[0]) / (members[1] - members[0])
    return seconds[0] + each * (_MILLION - members[0])


def _renamed(file: bytes, suffix: str) -> bytes:
    arrays = dict(np.load(io.BytesIO(file), allow_pickle=False))
    arrays["names"] = np.char.add(arrays["names"], suffix.encode())
    found = io.BytesIO()
    np.savez(found, **arrays)
    return found.getvalue()


def _of_botocore(page: list[Any]) -> dict[str, float]:
    """CPU seconds that the client takes for an account that is scanned, and for a small request, beside PynamoDB."""
    table = AccountItem.Meta.table_name
    answers: dict[str, Any] = {f"Scan {table}": {"Items": page, "Count": len(page), "ScannedCount": len(page)}}
    with answering(answers) as endpoint, mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL": endpoint}):
        client: Any = dynamo.client.__wrapped__()
        found = {}
        for name, operation, size in ((_SCANNED, "Scan", len(page)), (_SENT, "Query", 1)):
            asked = {"TableName": table}
            client._make_api_call(operation, asked)  # noqa: SLF001 -- as PynamoDB does
            begun = time.process_time()
            for _turn in range(_TURNS):
                client._make_api_call(operation, asked)  # noqa: SLF001
            found[name] = (time.process_time() - begun) / _TURNS / max(size, 1)
    return found


Row = tuple[str, float, float, float, float]
"""What it is for, requests, read units, write units, dollars: of a million members and one night."""


def rows_of(month: Month) -> tuple[list[Row], list[Row]]:
    """What the night costs without scoring (the shared scan, the sweep), and what scoring adds."""
    used = month.used
    share, ours = _MILLION / used.members, used.score_bytes / used.scanned_bytes
    scan = used.read[counted.SCAN] * share

    def of(name: str, cause: str) -> Row:
        units = used.read[cause] * share, used.write[cause] * share
        return name, used.requests[cause] * share, *units, units[0] * READ + units[1] * WRITE

    walk = [
        ("scan of the view", 0.0, scan * (1 - ours), 0.0, scan * (1 - ours) * READ),
        of("sweep: points that have expired", counted.SWEEP),
    ]
    adds = [
        ("scan of what scoring keeps there", 0.0, scan * ours, 0.0, scan * ours * READ),
        of("new entries read", counted.ENTRIES),
        of("their orders, answers, friends", counted.RECORDS),
        of("facts written", counted.FACTS),
        of("told, with facts where there are new ones", counted.TOLD),
        of("alerts and care calendar, told with them", counted.ALERTS),
        of("segments into profiles", counted.SEGMENTS),
        _once(used),
        *_files(used),
        *_working(month, share),
    ]
    return walk, adds


def _once(used: Count) -> Row:
    """What does not grow with the members: notes, messages, the basis, the programme's past."""
    nights = used.requests["scoring"]
    causes = (counted.NOTES, counted.REDUCE)
    units = sum(used.read[cause] for cause in causes) / nights, sum(used.write[cause] for cause in causes) / nights
    queued = (used.requests["nightly"] + used.requests["scoring"]) / nights
    requests = sum(used.requests[cause] for cause in causes) / nights + 3 * queued
    dollars = units[0] * READ + units[1] * WRITE + 3 * queued * QUEUE_REQUEST
    return "once a night, whatever the size", requests, *units, dollars


def _files(used: Count) -> list[Row]:
    """Files of members' arrays, one for each `_AT_ONCE` of them, written and read; and the report's."""
    nights, parts = used.requests["scoring"], _MILLION / visiting._AT_ONCE  # noqa: SLF001 -- its size is what is asked
    written = parts + sum(count for name, count in used.files.items() if name == "put reports") / nights
    return [("files in the bucket", written + parts, 0.0, 0.0, written * FILE_WRITTEN + parts * FILE_READ)]


def _working(month: Month, share: float) -> list[Row]:
    """Lambda. A core's second takes as many GB-seconds as a core comes with, however it is shared out."""
    used, sent = month.used, 0
    for cause in (counted.ENTRIES, counted.RECORDS, counted.FACTS, counted.TOLD, counted.ALERTS, counted.SEGMENTS):
        sent += used.requests[cause]
    cpu_s = used.cpu_s["walk_accounts"] * share + sent * share * month.seconds[_SENT]
    cpu_s += _MILLION * month.seconds[_SCANNED]
    waiting_s = sent * share * TRIP_MS / 1000
    walked = cpu_s * _CORE_GB + waiting_s * _WALK_GB
    return [
        (f"Lambda, walk: {cpu_s:.0f} s of a core, {waiting_s:.0f} s of waiting", 0.0, 0.0, 0.0, walked * LAMBDA_GB_S),
        (f"Lambda, reduction: {month.reduced_s:.0f} s", 0.0, 0.0, 0.0, month.reduced_s * _REDUCE_GB * LAMBDA_GB_S),
    ]


def shown(month: Month) -> str:
    """The month as a table."""
    used, does = month.used, month.done
    walk, adds = rows_of(month)
    totals = [sum(row[4] for row in rows) for rows in (walk, adds)]
    units = sum(read * READ + write * WRITE for _name, _requests, read, write, _dollars in (*walk, *adds))
    head = (
        f"Members buy on {does['buy']:.2%} of their days, redeem on {does.get('redeem', 0):.2%}, send back on "
        f"{does.get('refund', 0):.2%}, answer on {does.get('answer', 0):.2%}. {used.members:,} members and nights; an "
        f"item of the view has {used.scanned_bytes / used.members:.0f} bytes, {used.score_bytes / used.members:.0f} of "
        f"them scoring's.\n"
    )
    lines = [
        f"\n## {month.programme.name}\n",
        head,
        "| a million members, one night | requests | read units | write units | $ |\n|---|--:|--:|--:|--:|",
        *(_line(*row) for row in walk),
        f"| **the walk without scoring** | | | | **{totals[0]:.4f}** |",
        *(_line(*row) for row in adds),
        f"| **what scoring adds** | | | | **{totals[1]:.4f}** |",
        f"| **both** | | | | **{sum(totals):.4f}** |",
        f"| of it DynamoDB's units | | | | {units:.4f} |",
        "\n| why something was told | of a million a night |\n|---|--:|",
        *(f"| {why} | {count / used.members * _MILLION:,.0f} |" for why, count in used.why.most_common()),
    ]
    return "\n".join(lines)


def _line(name: str, requests: float, read: float, write: float, dollars: float) -> str:
    cells = (f"{number:,.0f}" if number else "" for number in (requests, read, write))
    return f"| {name} | {' | '.join(cells)} | {dollars:.4f} |"


def main(members: int = 0, nights: int = NIGHTS, only: str = "") -> None:
    """Print a table for each programme, or for `only` one; of `members` members, or as many as take a minute or two."""
    logging.disable(logging.WARNING)
    chosen = [SIZES[only]] if only else list(SIZES.values())
    days = shoppers.HISTORY_DAYS + _WARM_UP + nights
    with progress() as bar:
        for programme, usual in chosen:
            task = bar.add_task(programme.name, total=days)
            month = Month(programme, members or usual, nights, lambda count, task=task: bar.advance(task, count))
            print(shown(month), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring_month", description=__doc__)
    parser.add_argument("--members", type=int, default=0)
    parser.add_argument("--nights", type=int, default=NIGHTS)
    parser.add_argument("--only", choices=SIZES, default="")
    main(**vars(parser.parse_args()))
