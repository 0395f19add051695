"""Purchases per second of a backtest on one core, at a tenth, and all, of the demo's purchases: growth is linear.

The figures are of CPU time, for others may be at work on the machine; the lowest of three turns counts.
"""

from __future__ import annotations

import gc
import os
import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from infra.local import assets, seed

_TURNS = 3
_RULES = 20


def main() -> None:
    """Print the table, for the demo's programme and for one with a campaign and twenty more rules."""
    os.environ.setdefault("HUIKE_TABLE_PREFIX", "bench-")
    os.environ.setdefault("HUIKE_ID_SECRET", "nothing is posted")
    # The engine reads its settings when it is imported.
    from chalicelib.program.validation import validate  # noqa: PLC0415
    from infra.backtest import files  # noqa: PLC0415

    demo = msgspec.json.decode(seed.DEMO_PROGRAM.read_bytes())
    programs = {"the demo's, 1 rule": validate(demo), f"{_RULES} rules and a campaign": validate(_richer(demo))}
    print("| programme | purchases | CPU seconds a document | purchases a second |\n|---|--:|--:|--:|")
    for whole in (False, True):
        recorded = files.demo(assets.purchases(whole=whole), datetime.now(UTC))
        count = sum(1 for _ in recorded.purchases)
        for name, program in programs.items():
            seconds = _lowest(program, recorded)
            print(f"| {name} | {count:,} | {seconds:.2f} | {count / seconds:,.0f} |", flush=True)


def _lowest(program: Any, recorded: Any) -> float:
    from infra.backtest.replay import replay  # noqa: PLC0415

    lowest = float("inf")
    gc.collect()
    # As the command does.
    gc.disable()
    for _turn in range(_TURNS):
        begun = time.process_time()
        replay(program, recorded)
        lowest = min(lowest, time.process_time() - begun)
    gc.enable()
    return lowest


def _richer(demo: dict[str, Any]) -> dict[str, Any]:
    """The demo's programme with rules of several kinds, capped and grouped, and a campaign with a budget."""
    title = demo["earning_rules"][0]["title"]
    rules = list(demo["earning_rules"])
    for number in range(1, _RULES):
        rule: dict[str, Any] = {"code": f"rule_{number}", "title": title}
        if number % 2:
            rule |= {"kind": "bonus", "points": number, "when": {"minimum_minor": {"USD": 1_000 * number}}}
        else:
            rule |= {"kind": "multiplier", "factor": "1.1", "when": {"weekdays": [1 + number % 7]}, "group": "days"}
        rules.append(rule)
    bonus = {"kind": "bonus", "code": "gift", "title": title, "points": 5, "caps": [{"per": "month", "times": 1}]}
    campaign = {
        "code": "always",
        "title": title,
        "status": "active",
        "starts_at": "2020-01-01T00:00",
        "rules": [bonus],
        "budget": {"points": 100_000},
    }
    return demo | {"earning_rules": rules, "stacking": {"days": "best"}, "campaigns": [campaign]}


if __name__ == "__main__":
    main()
