"""Looking a voucher up by its code, and why it may not be used."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import NotFound
from chalicelib.ledger.posting import peek
from chalicelib.members import service as members
from chalicelib.program import service as programs
from chalicelib.program.rules import tiers
from chalicelib.vouchers import batches, codes, guessing, limits, making, rules
from chalicelib.vouchers.batches import Known
from chalicelib.vouchers.guessing import Guesser
from chalicelib.vouchers.rules import Sketch, VoucherRefused, Worth
from chalicelib.vouchers.store import read_all
from chalicelib.vouchers.table import FIRST, SLOT, STATE, LimitItem, SlotItem, StateItem, VoucherItem


class VoucherNotFound(NotFound):
    """No voucher has this code, or none that the caller may know of."""

    code = "voucher_not_found"

    def __init__(self) -> None:
        super().__init__("There is no voucher with this code.", field="code")


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a voucher is to be used for.

    `session` and `member_id` are None where nobody says; `others` are the codes of other vouchers for the same order.
    """

    code: str
    sketch: Sketch
    guesser: Guesser
    session: str | None = None
    member_id: str | None = None
    is_member: bool = False
    others: tuple[str, ...] = ()

    @property
    def session_key(self) -> str | None:
        """The session as it is stored: a shop's own name for a visit is nobody else's business."""
        return ids.keyed_hash("voucher session", self.session) if self.session else None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher with its batch and all that says whether it may be used, as it is now.

    `limit` is the member's count where the batch has a limit per member; `further` are those of members who were merged
    into this one.
    """

    voucher: VoucherItem
    known: Known
    slot: SlotItem
    limit: LimitItem | None
    further: tuple[LimitItem, ...] = ()

    @property
    def ends_at(self) -> int | None:
        """From when on it is expired."""
        return clock.parse(self.voucher.ends_at) if self.voucher.ends_at else None

    @property
    def is_single(self) -> bool:
        """Whether it is used once."""
        return self.known.batch.kind == "single"


def find(ask: Ask, now: int) -> Found:
    """The voucher with a code.

    Raises Slowed for who has failed too often. An unknown code is a failure and so is another member's voucher; both
    raise VoucherNotFound, so nobody learns which codes there are. A shop's system that names the wrong member is told.
    """
    voucher, slot = _looked_up(ask, now)
    voucher_id, batch_id = str(voucher.key), str(voucher.batch_id)
    lock_key = lock_key_of(voucher_id, ask.session)
    item, state, lock, limit = read_all(
        [
            batches.definition_key(batch_id),
            (StateItem, batch_id, STATE),
            (SlotItem, lock_key, SLOT) if ask.session else None,
            limits.key_of(batch_id, ask.member_id) if ask.member_id else None,
        ]
    )
    known = batches.known(batch_id, item, state)
    if known is None:
        raise VoucherNotFound
    is_single = known.batch.kind == "single"
    if not is_single:
        batches.remember_shared(voucher)
    counts = _counts(known, ask.member_id, limit) if known.batch.limits.per_member and ask.member_id else (None,)
    found = Found(
        voucher=voucher,
        known=known,
        slot=(slot if is_single else lock) or _fresh(voucher_id if is_single else lock_key, batch_id),
        limit=counts[0],
        further=tuple(filter(None, counts[1:])),
    )
    _check_owner(found, ask, now)
    return found


def lock_key_of(voucher_id: str, session: str | None) -> str:
    """The slot of a session on a shared code."""
    return ids.derived("vlk", voucher_id, session or "")


def lease_of(found: Found, ask: Ask) -> str | None:
    """The name of the session's lock on this voucher, among those that count for a member."""
    return lock_key_of(found.voucher.key, ask.session) if ask.session else None


def check(found: Found, ask: Ask, now: int) -> Worth:
    """What the voucher is worth for the order. Raises VoucherRefused, with a code that says why not, and Invalid."""
    batch = found.known.batch
    if found.known.state == batches.PAUSED:
        raise VoucherRefused("The voucher may not be used at present.", code="voucher_paused")
    rules.check_dates(batch, found.ends_at, now)
    _check_slot(found, ask, now)
    if batch.needs_member and ask.member_id is None:
        raise VoucherRefused("Name the member who uses the voucher.", code="voucher_needs_member", field="member_id")
    per_member = batch.limits.per_member
    taken = sum(limits.taken(item, now, but=lease_of(found, ask)) for item in (found.limit, *found.further))
    if per_member and taken >= per_member:
        raise VoucherRefused("The member has used it as often as one may.", code="voucher_member_limit")
    worth = rules.worth(batch, ask.sketch)
    if batch.tiers and ask.member_id:
        _check_tier(batch.tiers, ask.member_id, now)
    return worth


def check_others(found: Found, others: tuple[str, ...]) -> None:
    """Raises VoucherRefused where the voucher and `others` (codes; unknown ones do not count) do not go together."""
    ids_of_others = {making.voucher_id_of(code) for code in map(codes.normal, others) if code} - {found.voucher.key}
    if not ids_of_others:
        return
    items = read_all([(VoucherItem, voucher_id, FIRST) for voucher_id in sorted(ids_of_others)])
    known = batches.read_definitions(item.batch_id for item in items if item)
    if known and any(each.batch.stacking == "alone" for each in (found.known, *known.values())):
        raise not_combinable()


def not_combinable() -> VoucherRefused:
    """The refusal of vouchers that do not go together."""
    return VoucherRefused("The voucher does not go with another one on the same order.", code="voucher_not_combinable")


def used_up() -> VoucherRefused:
    """The refusal of a voucher of which nothing is left."""
    return VoucherRefused("The voucher is used up.", code="voucher_used_up")


def is_locked_by(found: Found, session_key: str | None, now: int) -> bool:
    """Whether the session's own lock holds at this instant."""
    slot = found.slot
    return bool(session_key and slot.session == session_key and now < clock.parse(slot.until))


def _looked_up(ask: Ask, now: int) -> tuple[VoucherItem, SlotItem | None]:
    """The voucher with a code, and who has it or has used it. Raises Slowed and VoucherNotFound, which is counted."""
    code = codes.normal(ask.code)
    voucher_id = making.voucher_id_of(code or "")
    shared = batches.shared_voucher(voucher_id)
    tried, voucher, slot = read_all(
        [
            ask.guesser.key(now),
            None if shared else (VoucherItem, voucher_id, FIRST),
            None if shared else (SlotItem, voucher_id, SLOT),
        ]
    )
    voucher = voucher or shared
    guessing.check(ask.guesser, tried, now)
    if voucher is None:
        # Whoever guesses knows the rule of the check symbol, so a code that breaks it was mistyped.
        if code is None or not codes.is_mistyped(code):
            guessing.failed(ask.guesser, now)
        raise VoucherNotFound
    return voucher, slot


def _check_slot(found: Found, ask: Ask, now: int) -> None:
    slot = found.slot
    if slot.use:
        raise used_up()
    if found.is_single and slot.session and slot.session != ask.session_key and now < clock.parse(slot.until):
        raise VoucherRefused("Another checkout has the voucher for the moment.", code="voucher_locked")


def _check_owner(found: Found, ask: Ask, now: int) -> None:
    owner = found.voucher.member_id
    if found.known.batch.owner != "member" or (ask.member_id is None and not ask.is_member):
        return
    if owner and ask.member_id and members.is_one(owner, ask.member_id):
        return
    guessing.failed(ask.guesser, now)
    if ask.is_member:
        raise VoucherNotFound
    raise VoucherRefused("The voucher is another member's.", code="voucher_of_another", field="member_id")


def _check_tier(allowed: tuple[str, ...], member_id: str, now: int) -> None:
    account = peek(member_id, now=now)
    program = programs.in_force(now, now=now).program
    held = tiers.standing(program, account.state, account.posted_at).code
    if not any(tier.code == held for tier in map(program.tier, allowed) if tier):
        raise VoucherRefused("The voucher is not for the member's tier.", code="voucher_not_for_tier")


def _counts(known: Known, member_id: str, own: LimitItem | None) -> Sequence[LimitItem | None]:
    """How often a member has used a batch, and whoever was merged into it; `own` is what lies under this very id."""
    first, *further = members.ids_of(member_id)
    if first == member_id and not further:
        return (own or limits.fresh(known.batch_id, first),)
    found, *others = read_all([limits.key_of(known.batch_id, each) for each in (first, *further)])
    return (found or limits.fresh(known.batch_id, first), *others)


def _fresh(key: str, batch_id: str) -> SlotItem:
    return SlotItem(key, SLOT, version=0, batch_id=batch_id)
