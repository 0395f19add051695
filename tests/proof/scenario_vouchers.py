"""What the writers of the simulation ask for of vouchers: several want one code, and orders that used it go back."""

from __future__ import annotations

from typing import Any

from chalicelib.base import ids
from chalicelib.vouchers import batches, document, importing, locking, undoing, using
from chalicelib.vouchers.guessing import Guesser
from chalicelib.vouchers.uses import OrderName
from chalicelib.vouchers.using import Who
from tests.programs import texts
from tests.proof import voucher_log as log
from tests.proof.areas import Area, Cast, Story
from tests.proof.model import Model
from tests.proof.rules_model import Rules
from tests.proof.scenario import SOON, Request, cancel_order, order, paid_with, refund
from tests.proof.voucher_log import ACTOR, BATCHES, SESSIONS, SHARED, TTL_S, ask, batch_of, voucher_of
from tests.proof.voucher_model import Terms, Wish

SINGLES, PAYING = ("GIFT-AAAA", "GIFT-BBBB"), ("COIN-AAAA", "COIN-BBBB")
GOOD, BETTER = "GOOD-AAAA", "GOOD-BBBB"


def definition(terms: Terms, code: str = "") -> document.Batch:
    """A batch as the engine learns of it."""
    effect: Any = (
        {"type": "points", "points": terms.points} if terms.points else {"type": "percentage", "percent": "10"}
    )
    limits = {"total": terms.total, "per_member": terms.per_member}
    fields = {"limits": limits, "validity": {"days_after_issue": terms.days}, "code": code}
    owner = "member" if terms.is_personal else "bearer"
    kind = "single" if terms.is_single else "shared"
    title = texts("voucher")
    return document.read({"title": title, "kind": kind, "effect": effect, "owner": owner, **fields})


def make(name: str, *wanted: str) -> Request:
    """Make a batch, of a shared code or with codes from elsewhere."""

    def send(now: int) -> None:
        terms = BATCHES[name]
        batches.create(definition(terms, "" if terms.is_single else wanted[0]), key=name, actor=ACTOR, now=now)
        if terms.is_single:
            importing.import_codes(batch_of(name), wanted, key="codes", actor=ACTOR, now=now)

    return Request(f"make {name}", "", send, lambda _model, _at, _rules: None)


def lock(code: str, session: str, member: str | None = None) -> Request:
    """Keep a voucher for a checkout."""
    wish = Wish(voucher_of(code), member, session)

    def send(now: int) -> None:
        locking.lock(ask(code, member, session), TTL_S, now=now)

    return _quiet(f"lock {code} {session}", send, wish)


def _quiet(name: str, send: Any, wish: Wish) -> Request:
    return Request(
        name,
        "",
        send,
        lambda _model, _at, _rules: None,
        reasons=lambda model, now: model.vouchers.why_not(model, wish, now),
    )


def unlock(code: str, session: str) -> Request:
    """Let a voucher go."""

    def send(now: int) -> None:
        locking.unlock(code, session, Guesser("till"), now=now)

    return Request(f"unlock {code} {session}", "", send, lambda _model, _at, _rules: None)


def use_of(number: str, key: str) -> str:
    """The id that a use will have."""
    return ids.derived("vrd", "shop", number, key)


def redeem(
    code: str, number: str, *, key: str = "key", session: str | None = None, member: str | None = None
) -> Request:
    """Use a voucher on an order."""
    name = use_of(number, key)
    wish = Wish(voucher_of(code), member, session, OrderName("shop", number).key)
    who = OrderName("shop", number)
    return Request(
        f"use {code} on {number} {key}",
        name,
        lambda now: using.redeem(ask(code, member, session), who, Who(key, ACTOR, now)).record,
        lambda model, at, rules: model.vouchers.use(model, name, wish, at, rules),
        reasons=lambda model, now: model.vouchers.why_not(model, wish, now),
    )


def roll_back(code: str, number: str) -> Request:
    """Take the use of a voucher back."""

    def send(now: int) -> None:
        undoing.roll_back(code, OrderName("shop", number), actor=ACTOR, now=now)

    def guard(model: Model, _now: int) -> None:
        model.vouchers.newest(voucher_of(code), OrderName("shop", number).key)

    return Request(f"roll back {code} of {number}", "", send, lambda _model, _at, _rules: None, guard)


def bought(number: str, rules: Rules, member: str, *keys: str, **fields: Any) -> Request:
    """An order that names the vouchers that were used on it."""
    named = [{"redemption_id": use_of(number, key)} for key in keys]
    return order(number, rules, member=member, vouchers=named, **fields)


def stories(rules: Rules, cast: Cast) -> list[Story]:
    """One code is wanted by several; a shared one is nearly used up; orders that used vouchers go back."""
    member, other, one = cast.member, cast.other, SINGLES[0]
    till, web, phone = SESSIONS
    wanted = [
        *(lock(one, session) for session in SESSIONS),
        redeem(one, "v1", session=till),
        redeem(one, "v2", session=web),
        redeem(one, "v3"),
        redeem(SINGLES[1], "v4"),
        *(roll_back(one, number) for number in ("v1", "v2", "v3")),
        unlock(one, phone),
    ]
    shared = [
        lock(SHARED, till, member),
        lock(SHARED, web, other),
        lock(SHARED, phone, cast.newcomer),
        redeem(SHARED, "s1", session=till, member=member),
        redeem(SHARED, "s2", session=web, member=other),
        redeem(SHARED, "s3", member=cast.newcomer),
        redeem(SHARED, "s5", member=member),
        roll_back(SHARED, "s1"),
        roll_back(SHARED, "s3"),
        unlock(SHARED, web),
    ]
    used = [
        make("points", *PAYING),
        make("good", GOOD, BETTER),
        redeem(GOOD, "b1", member=member),
        redeem(PAYING[0], "b1", key="coin", member=member),
        bought("b1", rules, member, "key", "coin", payments=paid_with(member, "spent", 40)),
    ]
    back = [
        refund("b1", "half", SOON, rules, amount_minor=5_000),
        refund("b1", "rest", SOON, rules, amount_minor=5_000),
        cancel_order("b1", SOON, rules),
        roll_back(PAYING[0], "b1"),
        lock(GOOD, web),
        redeem(GOOD, "b2"),
        redeem(GOOD, "b1", key="again"),
        redeem(PAYING[1], "b3", key="coin", member=member),
        redeem(BETTER, "b3", member=member),
        bought("b3", rules, member, "coin", "key"),
        cancel_order("b3", SOON, rules),
    ]
    goods = [make("single", *SINGLES)]
    return [Story(wanted, goods), Story(shared, [make("shared", SHARED)]), Story(back, used)]


AREA = Area(
    stories=stories,
    hears=log.hears,
    tell=log.tell,
    unasked=lambda news: news.text("key").startswith("vor_"),
    play=log.done,
    judge=log.judge,
)
