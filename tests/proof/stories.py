"""The stories of the races: requests that get in each other's way, whatever the programme."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.proof.rules_model import Rules
from tests.proof.scenario import (
    PHONE,
    SOON,
    Request,
    adjust,
    cancel_order,
    change_pending,
    claim,
    end,
    enrol,
    merge,
    order,
    paid_with,
    redeem,
    refund,
    sweep,
)

LINES = [{"sku": "tea", "quantity": 3, "amount_minor": 6_000}, {"sku": "cup", "quantity": 1, "amount_minor": 4_000}]


def prelude(rules: Rules, member: str, other: str) -> list[Request]:
    """What happened before the race: somebody has bought, redeemed and reserved something, and a guest has bought."""
    return [
        enrol("shop-a", "+8613900139001"),
        enrol("shop-b", "+8613900139002"),
        adjust(member, 150, "opening"),
        adjust(other, 20, "opening"),
        order("1", rules, member=member, lines=LINES),
        redeem(member, 40, "spent"),
        redeem(member, 30, "held", 600),
        order("6", rules, member=None),
    ]


def ledger(rng: random.Random, rules: Rules, member: str, other: str, newcomer: str) -> list[list[Request]]:
    """The stories of every programme: orders, refunds, holds, guests, merges, points."""
    return [
        _refunds(rules),
        _holds(rules, member),
        _paid_with_points(rules, member),
        _guest(rules, newcomer),
        _merges(rng, member, other, newcomer),
        _points(member, other),
    ]


def race(rng: random.Random, stories: Sequence[Sequence[Request]]) -> list[Request]:
    """What is asked for at the same time: of one story nearly all and something beside, or a bit of everything."""
    everything = list({request.name: request for story in stories for request in story}.values())
    if rng.random() < 0.3:
        return rng.sample(everything, rng.randint(6, 12))
    story = list(rng.choice(stories))
    beside = [request for request in everything if request not in story]
    return rng.sample(story, max(len(story) - 1, 1)) + rng.sample(beside, rng.randint(0, 4))


def _refunds(rules: Rules) -> list[Request]:
    return [
        *(refund("1", f"r{number}", SOON, rules, amount_minor=4_000) for number in range(3)),
        refund("1", "line", SOON, rules, lines=[{"line": 0, "quantity": 1}]),
        refund("1", "rest", SOON, rules, lines=[{"line": 1}]),
        cancel_order("1", SOON, rules),
        change_pending("1", withdrawing=True),
        change_pending("1", withdrawing=False),
    ]


def _holds(rules: Rules, member: str) -> list[Request]:
    return [
        redeem(member, 50, "reserve", 60),
        end("commit", member, "held"),
        end("release", member, "held"),
        end("cancel", member, "held"),
        end("commit", member, "reserve"),
        order("5", rules, member=member, payments=paid_with(member, "held", 30)),
    ]


def _paid_with_points(rules: Rules, member: str) -> list[Request]:
    return [
        order("2", rules, member=member, payments=paid_with(member, "spent", 40)),
        order("3", rules, member=member, payments=paid_with(member, "spent", 40)),
        refund("2", "half", SOON, rules, amount_minor=5_000),
        refund("2", "more", SOON, rules, amount_minor=2_500),
        end("cancel", member, "spent"),
    ]


def _guest(rules: Rules, newcomer: str) -> list[Request]:
    return [
        order("4", rules, member=None),
        refund("4", "early", SOON, rules, amount_minor=3_333),
        cancel_order("4", SOON, rules),
        enrol("shop-c", PHONE),
        enrol("shop-d", PHONE),
        claim(newcomer, 1),
        claim(newcomer, 2),
        refund("6", "part", SOON, rules, amount_minor=2_000),
        change_pending("6", withdrawing=False),
    ]


def _merges(rng: random.Random, member: str, other: str, newcomer: str) -> list[Request]:
    return [
        merge(member, other),
        merge(other, rng.choice([member, newcomer])),
        merge(newcomer, rng.choice([member, other])),
    ]


def _points(member: str, other: str) -> list[Request]:
    return [
        *(redeem(member, points, f"race-{points}") for points in (90, 100, 110)),
        redeem(other, 60, "other"),
        adjust(other, -15, "down"),
        adjust(member, -70, "down"),
        adjust(member, 25, "up"),
        sweep(member),
        sweep(other),
    ]
