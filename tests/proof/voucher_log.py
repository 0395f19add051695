"""What the store's log and the tables say of vouchers after a race, held against the model."""

from __future__ import annotations

from collections import Counter

from chalicelib.base import clock, ids
from chalicelib.counters import service as counters
from chalicelib.vouchers import batches, codes, making
from chalicelib.vouchers import limits as counting
from chalicelib.vouchers.guessing import Guesser
from chalicelib.vouchers.looking import Ask, lock_key_of
from chalicelib.vouchers.rules import Sketch
from tests.proof.areas import News
from tests.proof.invariants import items
from tests.proof.model import Model, Moved
from tests.proof.rules_model import Rules
from tests.proof.voucher_model import Lock, Terms, Wish

TTL_S = 60
SHARED = "SUMMER26"
BATCHES = {
    "shared": Terms(is_single=False, total=2, per_member=1),
    "single": Terms(total=1),
    "points": Terms(points=25, per_member=1),
    "good": Terms(),
}
SESSIONS = ("at the till", "on the web", "on the phone")
ACTOR = "system"


def voucher_of(code: str) -> str:
    """The engine's id of the voucher with a code."""
    return making.voucher_id_of(codes.normal(code) or "")


def batch_of(name: str) -> str:
    """The engine's id of a batch."""
    return ids.derived("vbt", name)


def ask(code: str, member: str | None, session: str | None) -> Ask:
    """What is asked of a voucher: what it is worth on an order of 100 yuan."""
    sketch = Sketch(currency="CNY", total_minor=10_000)
    return Ask(code=code, sketch=sketch, guesser=Guesser("till"), session=session, member_id=member)


def hears(news: News) -> bool:
    """Batches, vouchers, locks, and what is done with vouchers that are worth no points."""
    if news.table != "vouchers":
        return False
    kind = news.text("key")[:3]
    is_first = news.text("step") == "000"
    return (kind in ("vbt", "vch") and is_first) or (kind == "vor" and "seq" not in news.item) or _is_lock(news)


def _is_lock(news: News) -> bool:
    return news.text("step") == "slot" and "use" not in news.item


def tell(model: Model, news: News) -> None:
    """Whoever locks, uses or rolls back may do so by its own clock, or by one that was seen before."""
    key, vouchers = news.text("key"), model.vouchers
    if _is_lock(news):
        _slot(model, news)
    elif key.startswith("vbt"):
        vouchers.batches[key] = next(terms for name, terms in BATCHES.items() if batch_of(name) == key)
    elif key.startswith("vch"):
        vouchers.issue(key, news.text("batch_id"), None, clock.parse(news.text("posted_at")))
    else:
        assert done(model, news, clock.parse(news.text("posted_at")), news.versions[1]) is None


def done(model: Model, news: News, at: int, rules: Rules) -> Moved | None:
    """A use, or its rolling back."""
    if "undoes" in news.item:
        return model.vouchers.roll_back(model, news.text("undoes"), at)
    now = clock.parse(news.text("redeemed_at"))
    wish = Wish(news.text("voucher_id"), news.text("member_id") or None, _session(model, news), news.text("key"))
    _may(model, wish, now)
    return model.vouchers.use(model, news.text("record_id"), wish, at, rules)


def _session(model: Model, news: News) -> str | None:
    """The session that a use names; the record says nothing of it, so it is whose lock of the member's it can be."""
    held = [lock for lock in model.vouchers.locks.values() if lock.voucher == news.text("voucher_id")]
    return next((lock.session for lock in held if lock.member == (news.text("member_id") or None)), None)


def _may(model: Model, wish: Wish, now: int) -> None:
    vouchers = model.vouchers
    vouchers.seen_at = max(vouchers.seen_at, now)
    reasons = {*vouchers.why_not(model, wish, now)} & {*vouchers.why_not(model, wish, vouchers.seen_at)}
    assert not reasons, (wish, reasons)


def _slot(model: Model, news: News) -> None:
    key, vouchers = news.text("key"), model.vouchers
    voucher, session = _SLOTS.get(key, (key, ""))
    if "session" not in news.item:
        vouchers.free(voucher, session or None)
        return
    until = clock.parse(news.text("until"))
    session = session or _NAMES[news.text("session")]
    member = _members(news.text("batch_id")).get(news.text("limit_key"))
    wish = Wish(voucher, member, session)
    _may(model, wish, until - TTL_S)
    vouchers.put(Lock(voucher, session, member, until))


def _members(batch: str) -> dict[str, str]:
    """Everybody whose uses of a batch are counted, enrolled or not, by the key of the count."""
    everybody = [ids.derived("mem", client, "enrol") for client in ("shop-a", "shop-b", "shop-c")]
    return {counting.key_of(batch, member)[1]: member for member in everybody}


_SLOTS = {lock_key_of(voucher_of(SHARED), session): (voucher_of(SHARED), session) for session in SESSIONS}
_NAMES = {ask(SHARED, None, session).session_key: session for session in SESSIONS}


def judge(model: Model, _now: int, seen: Counter[str]) -> None:
    """What was used, locked and given back is what the engine counts; what went back whole keeps no voucher."""
    found = {(item["key"]["S"], item["step"]["S"]): item for item in items("vouchers")}
    for batch, terms in model.vouchers.batches.items():
        live, tally = model.vouchers.live(batch), batches.tally(batch)
        told = {name: model.vouchers.counts.get((batch, name), 0) for name in ("locked", "redeemed", "rolled_back")}
        assert {name: getattr(tally, name) for name in told} == told
        singles = [use.voucher for use in live]
        assert not terms.is_single or len({*singles}) == len(singles), "a voucher is used twice"
        if terms.total is not None:
            counter = counters.read(batches.counter_name(batch))
            kept = [item for item in found.values() if item.get("batch_id", {}).get("S") == batch and "shard" in item]
            held = sum(item["step"]["S"] == "slot" for item in kept)
            assert (counter.put_in, counter.taken, counter.left) == (
                terms.total,
                len(live) + held,
                terms.total - len(live) - held,
            )
            seen["voucher at its end"] += not counter.left
        if terms.per_member:
            counts = [int(item["used"]["N"]) for (key, _step), item in found.items() if key in _members(batch)]
            assert sum(counts) == len(live)
            assert all(count >= 0 for count in counts)
    for name, bought_ in model.orders.items():
        if bought_.is_whole:
            left = [use for use in bought_.vouchers if use in model.vouchers.uses and model.vouchers.uses[use].is_live]
            assert not left, f"{name} went back and its voucher did not"
            seen["voucher went back"] += bool(bought_.vouchers)
    seen["voucher used"] += len(model.vouchers.uses)
