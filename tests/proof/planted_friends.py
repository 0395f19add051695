"""The faults that are planted in vouchers and referrals, and in the stock of rewards."""

from __future__ import annotations

from tests.proof.mutant import Mutant

FRIENDS = (
    # -- vouchers
    Mutant(
        "A voucher that is rolled back stays used",
        "vouchers/undoing.py",
        "writes.append(replacing(SlotItem(slot.key, SLOT, version=slot.version, batch_id=slot.batch_id)))",
        "pass",
    ),
    Mutant(
        "A use is rolled back each time that somebody asks",
        "vouchers/undoing.py",
        'back.record_id = ids.derived("vrb", use.record_id)',
        'back.record_id = ids.derived("vrb", use.record_id, step)',
    ),
    Mutant(
        "A use that was rolled back still counts for its member",
        "vouchers/undoing.py",
        "writes.append(replacing(limits.used(limit, -1, now)))",
        "pass",
    ),
    Mutant(
        "A use that was rolled back still counts in the total",
        "vouchers/undoing.py",
        "writes.append(counters.give_back(batches.counter_name(use.batch_id), shard, 1))",
        "pass",
    ),
    Mutant(
        "The points of a voucher stay though it was rolled back",
        "vouchers/undoing.py",
        "effect = points.claw(account.state, value, expires_at=use.lot_expires_at)",
        "effect = points.claw(account.state, 0, expires_at=use.lot_expires_at)",
    ),
    Mutant(
        "A voucher that another checkout has may be used",
        "vouchers/looking.py",
        "slot.session != ask.session_key and now < clock.parse(slot.until)",
        "slot.session != ask.session_key and now > clock.parse(slot.until)",
    ),
    Mutant(
        "A voucher is good in the second in which it expires",
        "vouchers/rules.py",
        "if ends_at is not None and now >= ends_at:",
        "if ends_at is not None and now > ends_at:",
    ),
    Mutant(
        "What a lapsed lock kept is had, and given back as well",
        "vouchers/totals.py",
        "write_together([replacing(cleared), Write(due, Act.DELETE), counters.give_back(counter_name, shard, 1)])",
        "write_together([Write(due, Act.DELETE), counters.give_back(counter_name, shard, 1)])",
    ),
    Mutant(
        "The last use is refused while somebody else gives it back",
        "vouchers/totals.py",
        "now=now) and not counters.read(counter.name).left:",
        "now=now):",
    ),
    Mutant(
        "An order that goes back keeps its vouchers",
        "orders/vouching.py",
        "until=returned_at, named=named,",
        'until="", named=(),',
    ),
    # -- referrals
    Mutant(
        "A referral is paid again whoever has paid it",
        "referrals/settling.py",
        'f"pay#{referral.turns:06d}"',
        'f"pay#{account.seq:06d}"',
    ),
    Mutant(
        "A referral is not taken back though its purchase was refunded",
        "referrals/rules.py",
        "if paid is not None and not stands:",
        'if paid is not None and not stands and referral.verdict == "refused":',
    ),
    Mutant(
        "What is taken back of a referral still counts as a friend",
        "referrals/settling.py",
        "Limit(limit.limit_id, limit.until, -limit.count, -limit.points)",
        "Limit(limit.limit_id, limit.until, 0, -limit.points)",
    ),
    Mutant(
        "A referrer is paid for one friend too many",
        "referrals/rules.py",
        "return max(policy.cap.friends - found.count, 0) if found else 0",
        "return max(policy.cap.friends + 1 - found.count, 0) if found else 0",
    ),
    Mutant(
        "What was refunded of a purchase comes back with a late reaction",
        "referrals/rules.py",
        "left_minor=min(before.left_minor, order.left_minor),",
        "left_minor=max(before.left_minor, order.left_minor),",
    ),
    Mutant(
        "A refused referral stays paid",
        "referrals/rules.py",
        'stands = due is not None and referral.verdict in ("clear", "approved")',
        'stands = due is not None and referral.verdict != "held"',
    ),
    Mutant(
        "Of two who came in one second each may bring the other",
        "referrals/claiming.py",
        "if stored.referral.referrer_id == friend.key:",
        "if stored.referral.referrer_id == referrer.key:",
    ),
    Mutant(
        "What was bought before the merge was heard of is not heard again",
        "referrals/uniting.py",
        "hearing.orders_since(accounts, found[0].claimed_at) if found else []",
        "[]",
    ),
    Mutant(
        "A code made a moment ago is nobody's",
        "referrals/owning.py",
        "    for consistent in (False, True):\n        for item in CodeItem",
        "    for consistent in (False,):\n        for item in CodeItem",
    ),
    Mutant(
        "A claim sent twice at once is refused though it was taken",
        "referrals/claiming.py",
        "return once(record, lambda: read_claim(str(record.key)), lambda: _claim(friend, text, given, now))",
        "return _claim(friend, text, given, now)",
    ),
    # -- stock
    Mutant(
        "A hold that is let go keeps its piece",
        "rewards/service.py",
        "return [holding.free(touch.counter, touch.shard, touch.amount, lapses_at) for touch in touched]",
        "return []",
    ),
    Mutant(
        "A piece that is held may be sold meanwhile",
        "counters/holding.py",
        "lapsed = {until: held for until, held in item.holds().items() if until <= at}",
        "lapsed = item.holds()",
    ),
)
