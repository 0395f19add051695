"""The faults that `make mutants` plants in a copy of the engine, one at a time: each must be found by some layer."""

from __future__ import annotations

from tests.proof.mutant import Mutant
from tests.proof.planted_friends import FRIENDS

MUTANTS = (
    # -- posting
    Mutant(
        "A record is put whether or not it is there",
        "ledger/posting.py",
        'transaction.save(record, condition=absent(type(record)), return_values="ALL_OLD")',
        "transaction.save(record)",
    ),
    Mutant(
        "An entry is put whether or not its number is taken",
        "ledger/posting.py",
        "transaction.save(entry, condition=absent(EntryItem))",
        "transaction.save(entry)",
    ),
    Mutant(
        "A conflict of transactions is not tried again",
        "ledger/posting.py",
        "        return _judge(error, len(entries), writes)",
        '        if any(reason and reason.code == "TransactionConflict" for reason in error.cancellation_reasons):\n'
        "            raise\n"
        "        return _judge(error, len(entries), writes)",
    ),
    Mutant(
        "A time-out is taken for a commit",
        "ledger/posting.py",
        "    if len(reasons) != len(order):\n        return Outcome.AGAIN, {}",
        "    if len(reasons) != len(order):\n        return Outcome.COMMITTED, {}",
    ),
    Mutant(
        "A changed body under a known key is answered as a replay",
        "ledger/posting.py",
        "if stored.request_hash != record.request_hash:",
        "if stored.request_hash is None:",
    ),
    Mutant(
        "A stale tail refuses",
        "ledger/posting.py",
        "            if consistent or opening:\n                raise",
        "            if account:\n                raise",
    ),
    Mutant(
        "A clock that runs back reorders the chain",
        "ledger/posting.py",
        "account_at(tail, max(now(), tail.posted_at))",
        "account_at(tail, now())",
    ),
    Mutant(
        "A closed account is posted to",
        "ledger/posting.py",
        "    if tail.state.closed_into:\n        return _read(",
        "    if not tail:\n        return _read(",
    ),
    Mutant(
        "What an area's write found in its way is blamed on a stale tail",
        "ledger/posting.py",
        "            raise Lost(write.model, reason.raw_item or {})",
        "            return Outcome.AGAIN, {}",
    ),
    Mutant(
        "Points are judged by when somebody swept, not by date",
        "ledger/posting.py",
        "fold(tail.state, at).state, at, tail.seq)",
        "tail.state, at, tail.seq)",
    ),
    Mutant(
        "A merge forgets to close the other chain",
        "ledger/pairing.py",
        "commit([to_item(first), to_item(second)], plan.record",
        "commit([to_item(second)], plan.record",
    ),
    Mutant(
        "A sweep overwrites what another writer has put in its place",
        "ledger/sweep.py",
        "to_item(entry).save(condition=absent(EntryItem))",
        "to_item(entry).save()",
    ),
    # -- time
    Mutant(
        "Points expire twice",
        "ledger/effects.py",
        "lots=tuple(lot for lot in lots if lot.expires_at > at),",
        "lots=lots,",
    ),
    Mutant(
        "The points of a lapsed hold are forgotten",
        "ledger/effects.py",
        "    arrivals += [(hold.until, lot) for hold in lapsed for lot in hold.lots]\n",
        "",
    ),
    Mutant(
        "What matures repays nothing",
        "ledger/effects.py",
        "repayment = min(owed, lot.points) if expires_at > arrived_at else 0",
        "repayment = 0",
    ),
    Mutant(
        "Lapsed points are not remembered",
        "ledger/effects.py",
        "expired=added(state.expired, dead)[-EXPIRED_MAX:],",
        "expired=state.expired,",
    ),
    Mutant(
        "The lifetime figure of expired points stands still",
        "ledger/effects.py",
        "expired=state.lifetime.expired + expired_points)",
        "expired=state.lifetime.expired)",
    ),
    # -- points
    Mutant(
        "The latest-expiring points are spent first",
        "ledger/points.py",
        "    for lot in lots:\n        part = min(points",
        "    for lot in reversed(lots):\n        part = min(points",
    ),
    Mutant(
        "What comes in repays nothing",
        "ledger/points.py",
        "repaid = min(state.owed, sum(lot.points for lot in lots))",
        "repaid = 0",
    ),
    Mutant(
        "A clawback forgets the order's own pending points",
        "ledger/points.py",
        "own_pending = pending_points(state, available_at, expires_at)",
        "own_pending = 0",
    ),
    Mutant(
        "A clawback takes expired points a second time",
        "ledger/points.py",
        "absorbed = soonest(_own_lapsed(state, expires_at), rest) if absorb else ()",
        "absorbed = ()",
    ),
    Mutant(
        "Refunds are floored line by line",
        "ledger/points.py",
        "by_line += Fraction(points * refunded, amount)",
        "by_line += points * refunded // amount",
    ),
    Mutant(
        "Refunds are reckoned with floats",
        "ledger/points.py",
        "return floor(by_line + at_large)",
        "return int(float(by_line) + float(at_large))",
    ),
    Mutant(
        "One point more than there is can be spent",
        "ledger/points.py",
        'lots first. Raises InsufficientPoints."""\n    if points > max(state.available, 0):',
        'lots first. Raises InsufficientPoints."""\n    if points > state.available + 1:',
    ),
    Mutant(
        "A hold may take what another hold has",
        "ledger/holds.py",
        "if points > max(state.available, 0):",
        "if points > state.available + state.held:",
    ),
    Mutant(
        "A committed hold is not counted as redeemed but as an adjustment",
        "ledger/holds.py",
        "lifetime=Lifetime(redeemed=hold.points)",
        "lifetime=Lifetime(adjusted=-hold.points)",
    ),
    Mutant("Points are rounded, not floored", "base/money.py", "return value.__floor__()", "return round(value)"),
    Mutant(
        "The tier's multiplier is a float",
        "program/rules/compiled.py",
        "(money.rate(tier.multiplier) - 1).as_integer_ratio()",
        "(float(tier.multiplier) - 1).as_integer_ratio()",
    ),
    Mutant(
        "A cap is reached one time too late",
        "program/rules/caps.py",
        "count >= cap.times",
        "count > cap.times",
    ),
    Mutant(
        "A campaign gives in the instant in which it is over",
        "program/rules/campaigns.py",
        "at >= ends_at",
        "at > ends_at",
    ),
    Mutant(
        "A campaign whose budget is exhausted gives all the same",
        "program/rules/compiled.py",
        "if self.campaign.code in exhausted",
        "if None in exhausted",
    ),
    # -- orders
    Mutant(
        "A refund reckons by today's rules",
        "orders/refunds.py",
        "        returns = payments.returns_of(past.order)\n",
        "        bought_at = clock.seconds(past.order.occurred_at)\n"
        "        today = decisions.Rulebook(book.now, book.now)\n"
        '        earned = decisions.earned_of(past.order, bought_at, today, decisions.Member(tier="member"))\n'
        "        reckoned = decisions.earnings_of(past.order, bought_at, today, earned, past.earnings.takes)\n"
        "        past = History(past.steps, past.order, reckoned, past.refunded, past.member_id)\n"
        "        returns = payments.returns_of(past.order)\n",
    ),
    Mutant(
        "A cancellation after a refund sends everything back",
        "orders/rules.py",
        "rest_minor = earnings.total_minor - before.total_minor",
        "rest_minor = earnings.total_minor",
    ),
    Mutant(
        "Every refund takes back what all refunds so far take back",
        "orders/rules.py",
        "points=after.clawed_points - before.clawed_points,",
        "points=after.clawed_points,",
    ),
    Mutant(
        "More than the order may be refunded",
        "orders/rules.py",
        "if after.total_minor > earnings.total_minor:",
        "if after.total_minor > 2 * earnings.total_minor:",
    ),
    Mutant(
        "A refund after a cancelled redemption takes its points away again",
        "orders/rules.py",
        "max(already, money.floor(points * part)) for already",
        "money.floor(points * part) for already",
    ),
    Mutant(
        "A refund leaves the tier month as it was",
        "orders/decisions.py",
        "earnings.month, points=-back.qualifying_points,",
        "earnings.month, points=0,",
    ),
    Mutant(
        "Released points still count as pending to a refund",
        "orders/history.py",
        "earnings = msgspec.structs.replace(earnings, available_at=None)",
        "earnings = msgspec.structs.replace(earnings)",
    ),
    Mutant(
        "An order is refused on steps that were read late",
        "orders/appending.py",
        "            if consistent:\n                raise\n",
        "            if past:\n                raise\n",
    ),
    Mutant(
        "An order is claimed whoever has claimed it before",
        "orders/claims.py",
        "if past.member_id is not None or past.refunded.cancelled:",
        "if past.refunded.cancelled:",
    ),
    Mutant(
        "An order waits though its member has just enrolled",
        "orders/service.py",
        "return [still_free(identity_key), Write(pointer)]",
        "return [Write(pointer)]",
    ),
    # -- redemptions and members
    Mutant(
        "A used redemption pays again",
        "orders/payments.py",
        '    if status != "issued":\n        raise',
        '    if status not in ("issued", "used"):\n        raise',
    ),
    Mutant(
        "An order is refused on a redemption that was read late",
        "orders/payments.py",
        "redemption = history.read(redemption.redemption_id, consistent=True)",
        "redemption = history.read(redemption.redemption_id)",
    ),
    Mutant(
        "A redemption is used whatever else happens to it",
        "rewards/service.py",
        "return Write(step, Act.PUT, condition=RedemptionStep.redemption_id.does_not_exist())",
        "return Write(step, Act.PUT)",
    ),
    Mutant(
        "A cancelled redemption comes back with new dates",
        "rewards/service.py",
        "        lot if lot.expires_at > at else Lot(expiry.graced(current.program, lot.expires_at, at), lot.points)\n",
        "        Lot(expiry.expires_at(current.program, at), lot.points)\n",
    ),
    Mutant(
        "A cancelled redemption gives back what refunds gave back before",
        "rewards/history.py",
        "kept = int(self.issue.spent_points) - self.returned_points",
        "kept = int(self.issue.spent_points)",
    ),
    Mutant(
        "A piece that lapsed is sold and kept as well",
        "counters/holding.py",
        "return Write(ShardItem(name, shard), Act.UPDATE, path >= amount, (path.set(path - amount),))",
        "return Write(ShardItem(name, shard), Act.UPDATE, ShardItem.name.exists())",
    ),
    Mutant(
        "A cancelled reward keeps its piece",
        "rewards/service.py",
        "return stock_back([redemption])",
        "return []",
    ),
    Mutant(
        "The pieces that a member holds do not count towards the limit",
        "ledger/holds.py",
        "return added_limits(state.limits, held, at)",
        "return added_limits(state.limits, held[:0], at)",
    ),
    Mutant(
        "A replayed adjustment is another one",
        "members/adjusting.py",
        'ids.derived("adj", actor, member_id, key)',
        'ids.derived("adj", actor, member_id, key, str(now))',
    ),
    Mutant(
        "Two members may take one phone",
        "members/table.py",
        "return Write(IdentityItem(key, member_id=member_id), Act.PUT, IdentityItem.key.does_not_exist())",
        "return Write(IdentityItem(key, member_id=member_id), Act.PUT)",
    ),
    # -- programmes
    Mutant(
        "A refund keeps what an order took of budgets",
        "orders/refunds.py",
        "            writes += budgets.giving_back(part.take, part.points, part.awards)\n",
        "            writes += []\n",
    ),
    Mutant(
        "A claim takes of budgets what was refunded before",
        "orders/claims.py",
        "return plan, rules.still_taken(earnings, past.refunded)",
        "return plan, earnings.takes",
    ),
    Mutant(
        "What an order uses up of limits is forgotten",
        "orders/decisions.py",
        "limits = (*earnings.limits, *_moved(back.limits))",
        "limits = _moved(back.limits)",
    ),
    Mutant(
        "A refund leaves limits used up",
        "orders/decisions.py",
        "purchases=purchases, limits=_moved(back.limits))",
        "purchases=purchases)",
    ),
    Mutant(
        "A cooldown is over at once",
        "program/rules/caps.py",
        "abs(other - until) < cooldown_s for other",
        "abs(other - until) < 0 for other",
    ),
    Mutant(
        "What was used up of limits is lost with a merge",
        "ledger/merging.py",
        "        limits=closed.limits,",
        "        limits=(),",
    ),
    Mutant(
        "A budget may be overdrawn",
        "counters/service.py",
        "        ShardItem.left >= claim.amount,\n",
        "        ShardItem.put_in.exists(),\n",
    ),
    Mutant(
        "The last of a budget is gathered from where it is no more",
        "counters/service.py",
        "            ShardItem.left >= part,\n",
        "            ShardItem.put_in.exists(),\n",
    ),
    Mutant(
        "A withdrawn event leaves limits used up",
        "engagement/events.py",
        "Limit(limit.limit_id, limit.until, -limit.count, -limit.points)",
        "Limit(limit.limit_id, limit.until, 0, 0)",
    ),
    Mutant(
        "A withdrawn event keeps what it took of budgets",
        "engagement/events.py",
        "writes = [*_budgets_back(gain.takes), *giving",
        "writes = [*giving",
    ),
    Mutant(
        "The use of a benefit is not counted",
        "engagement/benefits.py",
        "Effect(limits=rules.use(code, until))",
        "Effect()",
    ),
    Mutant(
        "A round that is done no more stays paid",
        "engagement/rules/progress.py",
        "if difference < 0:",
        "if difference < -1:",
    ),
    Mutant(
        "Rounds of a card are paid once more after a merge",
        "engagement/reacting.py",
        "united_payments(stored.progress.paid, closed.progress.paid)",
        "stored.progress.paid",
    ),
    *FRIENDS,
)
