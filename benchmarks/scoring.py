"""How fast scoring is: a million members with all outputs, memory, parsing, and beside lifetimes on the same rows."""

from __future__ import annotations

import os
import resource
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks import scratch

_MILLION = 1_000_000
_TURNS = 3
_FILE_ROWS = 500_000


def main() -> None:
    """Print the tables. CPU seconds on one core, one BLAS thread, the lowest of three turns."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    _million()
    _memory()
    _parsing()
    print()
    scratch.run("benchmarks.beside_lifetimes", "speed")


def _lowest(work: Callable[[], Any]) -> float:
    best = float("inf")
    for _turn in range(_TURNS):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def _million() -> None:
    """All outputs of a million members, and the night's refits."""
    import msgspec  # noqa: PLC0415 - numpy reads its setting when it is imported

    from benchmarks.crowds import NOW, lately, simulated  # noqa: PLC0415
    from chalicelib.scoring.closed_form import Layer  # noqa: PLC0415
    from chalicelib.scoring.rules import gammagamma, mbgnbd, personas  # noqa: PLC0415
    from chalicelib.scoring.rules.night import assess, counted, learned, sampled  # noqa: PLC0415
    from chalicelib.scoring.rules.scoring import score  # noqa: PLC0415

    members = simulated(_MILLION)
    night = assess("mbg-nbd", members)
    counts = counted(members)
    first = mbgnbd.fit("mbg-nbd", counts)
    tomorrow = counted(msgspec.structs.replace(members, now=members.now + 1))
    points = sampled(personas.features(night.scores.rfm, night.scores.trend, None, None))
    early, then = simulated(_MILLION, 2, NOW - 182), simulated(_MILLION, 3, NOW - 91)
    bought = lately(_MILLION)
    over = (-0.4, 0.9, 0.1, 0.3, 0.2)
    layered = msgspec.structs.replace(night.standing, layer=Layer(chance=over, number=over))
    rows = {
        "all outputs, and what tomorrow is scored with": lambda: score(night.standing, members),
        "the same, with a layer over chance and number": lambda: score(layered, members),
        "the layer, trained and tried on two past days": lambda: learned("mbg-nbd", early, then, bought, Layer()),
        "counting (x, t_x, T)": lambda: counted(members),
        "fit of MBG/NBD, first night": lambda: mbgnbd.fit("mbg-nbd", counts),
        "fit, from last night's curvature": lambda: mbgnbd.fit("mbg-nbd", tomorrow, first),
        "fit of Gamma-Gamma": lambda: gammagamma.fit(members.repeats, members.mean_repeat),
        "personas of a sample, as many as last night": lambda: personas.found(points, night.standing.personas),
    }
    print("| a million members | CPU seconds | members a second |\n|---|--:|--:|")
    for name, work in rows.items():
        seconds = _lowest(work)
        print(f"| {name} | {seconds:.3f} | {_MILLION / seconds / 1e6:.1f} M |", flush=True)
    again = mbgnbd.fit("mbg-nbd", tomorrow, first)
    print(f"\nEvaluations of the likelihood: {first.evaluations} the first night, {again.evaluations} the next.")


def _memory() -> None:
    """What a worker needs that is handed a page of members at a time, as a segment of the night is."""
    from benchmarks.crowds import simulated  # noqa: PLC0415
    from chalicelib.scoring.rules.history import Members  # noqa: PLC0415
    from chalicelib.scoring.rules.night import assess  # noqa: PLC0415
    from chalicelib.scoring.rules.scoring import Gathered, score  # noqa: PLC0415

    print("\n| members, by pages of 32,768 | most that scoring holds |\n|---|--:|")
    page = 32_768
    members = simulated(page)
    night = assess("mbg-nbd", members)
    for pages in (1, 8, 32):
        tracemalloc.start()
        whole = None
        for _number in range(pages):
            part: Members = members.part(slice(None))
            added = score(night.standing, part)[1]
            whole = added if whole is None else Gathered.merged([whole, added])
        print(f"| {pages * page:,} | {tracemalloc.get_traced_memory()[1] / 1e6:.1f} MB |", flush=True)
        tracemalloc.stop()
    print(f"\nThe process has held {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most.")


def _parsing() -> None:
    """What reading takes: a CSV file of purchases, and its purchase days and members."""
    import numpy as np  # noqa: PLC0415

    from chalicelib.scoring.rules.history import members_on, purchase_days  # noqa: PLC0415
    from infra.score import reading  # noqa: PLC0415

    random = np.random.default_rng(1)
    who, when = random.integers(0, _FILE_ROWS // 5, _FILE_ROWS), random.integers(0, 700, _FILE_ROWS)
    begin = date(2024, 1, 1)
    days = [(begin + timedelta(days=place)).isoformat() for place in range(700)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        lines = (
            f"c{one},{days[at]},{one % 97}.{at % 90 + 10}\n"
            for one, at in zip(who.tolist(), when.tolist(), strict=True)
        )
        path.write_text("customer_id,date,amount\n" + "".join(lines), encoding="utf-8")
        zone = ZoneInfo("UTC")
        rows = reading.purchases(path, zone)
        seconds = _lowest(lambda: reading.purchases(path, zone))
    found = purchase_days(len(rows.names), rows.member, rows.day, rows.amount)
    built = _lowest(lambda: purchase_days(len(rows.names), rows.member, rows.day, rows.amount))
    taken = _lowest(lambda: members_on(found, int(rows.day.max())))
    print("\n| a file of purchases | CPU seconds | rows a second |\n|---|--:|--:|")
    for name, value in (("reading CSV", seconds), ("purchase days", built), ("members", taken)):
        print(f"| {name}, {_FILE_ROWS:,} rows | {value:.3f} | {_FILE_ROWS / value / 1e6:.2f} M |")
