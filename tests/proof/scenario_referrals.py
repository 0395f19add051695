"""What the writers of the simulation ask for of referrals: claims, and reactions late, twice and in any order."""

from __future__ import annotations

import random
from typing import Literal

from chalicelib.base import facts, ids
from chalicelib.ledger.router import Notice
from chalicelib.ledger.table import read_chain, to_entry
from chalicelib.referrals import claiming, codes, owning, reacting, reviewing
from chalicelib.referrals.sightings import Given
from chalicelib.referrals.table import referral_id_of
from tests.proof import referral_log as log
from tests.proof.account_model import Refused
from tests.proof.areas import Area, Cast, Story
from tests.proof.model import Model
from tests.proof.programmes import Whole
from tests.proof.rules_model import Rules
from tests.proof.scenario import STARTED, Request, cancel_order, enrol, merge, order, refund

LATER = STARTED + 200
"""When friends buy: after they have claimed, unless the clock has jumped."""
_HEARD = (facts.ORDER, facts.REFUND, facts.ORDER_CANCELLED, facts.MERGED_IN)


def make_code(member: str) -> Request:
    """Ask for somebody's code."""

    def send(now: int) -> None:
        del now
        owning.code_of(member)

    return Request(f"code of {member}", "", send, lambda _model, _at, _rules: None)


def claim(friend: str, referrer: str, copy: str = "") -> Request:
    """Say who has brought one."""

    def reasons(model: Model, now: int) -> list[str]:
        # Who was merged a moment ago may still be found under its own id.
        own = [each for each in model.referrals.found.values() if each.friend == friend and each.code_of != referrer]
        has_bought = friend in model.closed and model.account(friend).purchases > 0
        codes = model.referrals.why_not(model, friend, referrer, now)
        return codes + ["referral_already_claimed"] * bool(own) + ["referral_not_new"] * has_bought

    def send(now: int) -> None:
        text = codes.shown(owning.code_of(referrer))
        claiming.claim(friend, text, Given(device=copy), now=now)

    return Request(
        f"{friend} was brought by {referrer} {copy}",
        "",
        send,
        lambda _model, _at, _rules: None,
        reasons=reasons,
    )


def decide(friend: str, verdict: Literal["approved", "refused"]) -> Request:
    """Staff says what it thinks of a referral."""
    name = referral_id_of(friend)

    def send(now: int) -> None:
        reviewing.decide(name, verdict, actor="staff", now=now)

    def guard(model: Model, _now: int) -> None:
        if name not in model.referrals.found:
            raise Refused("referral_not_found")

    return Request(f"{verdict} {friend}", "", send, lambda _model, _at, _rules: None, guard)


def react(name: str, *members: str) -> Request:
    """Let the area hear of all that has happened to some members, in any order."""
    rng = random.Random(name)  # noqa: S311 - to be repeated, not to be secret

    def send(now: int) -> None:
        found = [notice for member in members for notice in notices(member)]
        rng.shuffle(found)
        for notice in found:
            reacting.react(notice, now=now)
        reacting.settle_due(now=now)

    return Request(f"react {name}", "", send, lambda _model, _at, _rules: None)


def notices(member: str) -> list[Notice]:
    """All that the area is told of a member, oldest first."""
    entries = [to_entry(item) for item in read_chain(member, consistent=True)]
    return [Notice(entry.member_id, entry.seq, entry.kind, entry.record) for entry in entries if entry.kind in _HEARD]


def stories(rules: Rules, cast: Cast) -> list[Story]:
    """Two friends come and buy, one has claimed before; everything goes back and is heard of again and again."""
    if isinstance(rules, Whole):
        # What whole programmes remember of limits the model holds against the account, and knows of no referrals there.
        return []
    friend, second = (ids.derived("mem", client, "enrol") for client in ("shop-f", "shop-g"))
    people = (cast.member, cast.other, cast.newcomer, friend, second)
    before = [
        enrol("shop-f", "+8613900139006"),
        enrol("shop-g", "+8613900139007"),
        *(make_code(member) for member in (cast.member, friend, second)),
        claim(friend, cast.member),
    ]
    brought = [
        *(claim(second, cast.member, copy) for copy in ("phone", "tablet", "laptop")),
        claim(second, friend),
        claim(cast.member, second),
        order("f1", rules, member=friend, occurred_at=LATER, total_minor=5_000),
        order("g1", rules, member=second, occurred_at=LATER, total_minor=7_000),
        *(react(f"{number}", *people) for number in range(4)),
    ]
    back = [
        order("f1", rules, member=friend, occurred_at=LATER, total_minor=5_000),
        order("f2", rules, member=friend, occurred_at=LATER + 60, total_minor=3_000),
        refund("f1", "half", LATER, rules, amount_minor=2_500),
        refund("f1", "rest", LATER, rules, amount_minor=2_500),
        cancel_order("f2", LATER + 60, rules),
        decide(friend, "refused"),
        decide(friend, "approved"),
        *(react(f"{number}", *people) for number in range(4)),
    ]
    united = [*brought, merge(second, friend), merge(friend, cast.member)]
    after = [react("all", *people)]
    return [Story(story, before, after) for story in (brought, back, united)]


AREA = Area(
    stories=stories,
    hears=log.hears,
    tell=log.tell,
    unasked=lambda news: news.text("record_id").startswith("rpy_"),
    play=log.play,
    judge=log.judge,
)
