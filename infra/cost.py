"""`make cost`: what an installation of a size costs a month, and which quotas of the account it meets."""

import argparse
import dataclasses
import sys
from pathlib import Path

from infra import cost_model
from infra.cost_model import Load, bill, limits

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cost-model.md"
SIZES = (10_000, 1_000_000, 100_000_000)

_HEAD = """# What an installation costs a month

Written by `make cost ARGS=--write`; a test fails when this page is out of date. The same for another size is printed by
`make cost MEMBERS=200000 ORDERS=600000`, which takes other assumptions too (`ARGS="--sign-ins 0.3 --by-queue 1"`).

The units are those that the meter counts ([costs.md](costs.md)); everything else is an assumption that stands below.
Here each member orders once a month. An installation in which nothing happens costs the alarm, ten cents.
"""

_HOT = """
## Where it gets hot

- **One member** is one chain: its entries come one after the other, and writers who meet try again. Some tens of orders
  a second on *one* member are the end, by the nature of a chain. An account that all tills share will show it.
- **One partition** of a table takes 1,000 write units a second. Keys are member ids and derived ids, which spread
  evenly. A counter (a stock, a budget) is one item for each shard: give it a shard for every 100 takings a second.
- **A stream shard** has two readers, projector and router, which is as many as DynamoDB serves well. A third reader
  must hang behind the router.
- **The intake queue** is FIFO in high-throughput mode: groups (members) are independent, one group is serial.
- **New tables** on demand take 4,000 write units a second at once, and twice the last peak later. Warm them before a
  large opening.
- **Sign-ins** are the largest item where many members use the app: another issuer is three parameters, and Cognito's
  plan Lite costs about a third of Essentials.
"""


def main(arguments: list[str] | None = None) -> int:
    """Print the bill of one size, or write the page."""
    parser = argparse.ArgumentParser(prog="python -m infra.cost", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/cost-model.md")
    for field in dataclasses.fields(Load):
        kind = int if field.type is int else float
        name = field.name.replace("_", "-")
        default = field.default if field.default is not dataclasses.MISSING else None
        parser.add_argument(f"--{name}", type=kind, default=default, help=f"(default: {default})" if default else None)
    options = vars(parser.parse_args(arguments))
    if options.pop("write"):
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    options["members"] = options["members"] if options["members"] is not None else SIZES[1]
    options["orders"] = options["orders"] if options["orders"] is not None else options["members"]
    print(tables([Load(**options)]))
    return 0


def page() -> str:
    """The page as it should be."""
    loads = [Load(members=size, orders=size) for size in SIZES]
    return f"{_HEAD}\n{tables(loads)}{_HOT}\n{_assumptions(loads[0])}\n{_prices()}"


def tables(loads: list[Load]) -> str:
    """The bills side by side, and the quotas."""
    head = f"| dollars a month | {' | '.join(f'{load.members:,} members' for load in loads)} |\n{_rule(len(loads))}"
    bills = [bill(load) for load in loads]
    rows = [f"| {name} | {' | '.join(_dollars(found[name]) for found in bills)} |" for name in bills[0]]
    totals = [sum(found.values()) for found in bills]
    rows.append(f"| **all** | {' | '.join(f'**{_dollars(total)}**' for total in totals)} |")
    each = [total / load.orders * 1e6 if load.orders else 0 for total, load in zip(totals, loads, strict=True)]
    rows.append(f"| for a million orders | {' | '.join(map(_dollars, each))} |")
    return f"{head}\n" + "\n".join(rows) + f"\n\n{_quotas(loads)}"


def _quotas(loads: list[Load]) -> str:
    head = (
        f"| at the peak, ten times the mean | default quota | {' | '.join(f'{load.members:,}' for load in loads)} | |\n"
    )
    lines = []
    for found in zip(*(limits(load) for load in loads), strict=True):
        cells = [f"**{_number(one.need)}**" if one.need > one.quota else _number(one.need) for one in found]
        lines.append(f"| {found[0].name} | {found[0].quota:,.0f} | {' | '.join(cells)} | {found[0].remedy} |")
    return head + _rule(len(loads) + 2) + "\n" + "\n".join(lines) + "\n"


def _assumptions(load: Load) -> str:
    fields = [field for field in dataclasses.fields(load) if field.default is not dataclasses.MISSING]
    shares = "\n".join(f"| `{field.name.replace('_', '-')}` | {field.default:g} |" for field in fields)
    return f"""## Assumptions

| option | default |
|---|---|
{shares}

`refunds`, `redemptions`, `looks` (accounts looked at) and `statements` are for each order; `enrolments`, `sign-ins` and
`lapses` (something for the night to write down), `segments` (who goes to another one) and `alerts` (with the occasions
of the care calendar) are shares of the members; `by-queue` is a share of the orders.

- A request takes a function {cost_model.OWN_MS:g} ms and {cost_model.TRIP_MS:g} ms for each round trip, an entry of a
  stream {cost_model.STREAM_MS:g} ms. Half of the requests come with a token that the gateway has just seen.
- The night's walk takes {cost_model.WALKED_MS:g} ms for an account, its reduction {cost_model.REDUCED_MS:g} ms. What it
  costs whatever the size, a cent a month, is left out. [scoring.md](scoring.md#what-a-night-costs) has a month that was
  counted.
- A member takes {cost_model.MEMBER_KB:g} KB, an entry with its record {cost_model.ENTRY_KB:g} KB, an answer
  {cost_model.ANSWER_KB:g} KB, the log of an invocation {cost_model.LINE_KB:g} KB.
- Streams cost nothing, because functions read them. Cold starts are left out.
"""


def _prices() -> str:
    rows = "\n".join(f"| {what} | {price} | {source} |" for what, price, source in cost_model.PRICES)
    return f"## Prices\n\n{cost_model.PRICES_OF}\n\n| what | price | source |\n|---|---|---|\n{rows}\n"


def _rule(columns: int) -> str:
    return "|---" * (columns + 1) + "|"


def _number(need: float) -> str:
    return f"{need:,.0f}" if need >= 10 else f"{need:.2g}"  # noqa: PLR2004 -- fractions do not matter from there on


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 100 else f"{amount:,.0f}"  # noqa: PLR2004 -- cents do not matter from there on


if __name__ == "__main__":
    sys.exit(main())
