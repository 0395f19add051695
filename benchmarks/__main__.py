"""`make bench` runs every benchmark, `make bench ARGS=costs` one of them."""

from __future__ import annotations

import importlib
import sys

ALL = (
    *("accuracy", "alarms", "answers", "audit", "backtest", "cold_start", "costs", "flash_sale", "growth"),
    *("request", "rules", "scoring", "scoring_month", "survey_burst", "threads", "throughput", "viral", "vouchers"),
)


def main(names: list[str]) -> None:
    """Run the benchmarks that `names` says, all of them without any."""
    unknown = sorted(set(names) - set(ALL))
    if unknown:
        sys.exit(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(ALL)}.")
    for name in names or ALL:
        print(f"\n# {name}\n")
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
