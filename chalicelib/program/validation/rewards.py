"""Whether the catalogue can be sold from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from chalicelib.program.document import Program
from chalicelib.program.document.rewards import Reward
from chalicelib.program.rules import windows
from chalicelib.program.validation.problem import Problem, repeated

LIMITS_MAX: Final = 40
"""How many limits all rewards together may have: an account remembers those that its member has met."""


def check_rewards(program: Program) -> Iterator[Problem]:
    """Every reward has a code of its own, known tiers, prices to be told apart, and a window in the right order."""
    codes = [reward.code for reward in program.rewards]
    for index in repeated(codes):
        yield Problem(f"rewards[{index}].code", f"{codes[index]} stands twice.")
    if sum(len(reward.limits) for reward in program.rewards) > LIMITS_MAX:
        yield Problem("rewards", f"All rewards together may have {LIMITS_MAX} limits.")
    for index, reward in enumerate(program.rewards):
        path = f"rewards[{index}]"
        yield from _check_tiers(program, reward, path)
        yield from _check_prices(program, reward, path)
        yield from _check_window(program, reward, path)
        if (reward.fulfilment == "voucher") != bool(reward.voucher_batch_id):
            detail = "A reward that is a voucher names its batch, and no other one does."
            yield Problem(f"{path}.voucher_batch_id", detail)
        for place in repeated([limit.per for limit in reward.limits]):
            yield Problem(f"{path}.limits[{place}].per", "There is a limit for this period already.")


def _check_tiers(program: Program, reward: Reward, path: str) -> Iterator[Problem]:
    for field, tiers in (
        ("free_for", reward.free_for),
        ("early_hours", tuple(reward.early_hours)),
        ("audience.tiers", reward.audience.tiers),
    ):
        for code in tiers:
            if program.tier(code) is None:
                yield Problem(f"{path}.{field}", f"There is no tier {code}.")


def _check_prices(program: Program, reward: Reward, path: str) -> Iterator[Problem]:
    seen: set[tuple[str, int]] = set()
    for place, price in enumerate(reward.prices):
        ways = set(price.cash_minor.items()) or {("", 0)}
        if ways & seen:
            yield Problem(f"{path}.prices[{place}]", "Another price asks for the same money, or for none as this one.")
        seen |= ways
    for field, currency in [
        *(
            (f"prices[{place}].cash_minor", name)
            for place, price in enumerate(reward.prices)
            for name in price.cash_minor
        ),
        *(("worth_minor", name) for name in reward.worth_minor),
    ]:
        if currency not in program.currencies:
            yield Problem(f"{path}.{field}", f"{currency} is not among the currencies.")
    is_money = reward.kind in {"discount", "gift_card"}
    if is_money != bool(reward.worth_minor):
        detail = "A discount or gift card says what it is worth; nothing else does."
        yield Problem(f"{path}.worth_minor", detail)


def _check_window(program: Program, reward: Reward, path: str) -> Iterator[Problem]:
    found: dict[str, int] = {}
    for field, local in (("starts_at", reward.starts_at), ("ends_at", reward.ends_at)):
        if local is None:
            continue
        try:
            datetime.fromisoformat(local)
            found[field] = windows.instant(local, program.zone)
        except (ValueError, KeyError, OSError):
            yield Problem(f"{path}.{field}", f"{local} is no time.")
    if reward.early_hours and reward.starts_at is None:
        yield Problem(f"{path}.early_hours", "Early access is before starts_at, which is missing.")
    if len(found) == 2 and found["ends_at"] <= found["starts_at"]:  # noqa: PLR2004 -- both ends of a window
        yield Problem(f"{path}.ends_at", "The reward ends before it starts.")
