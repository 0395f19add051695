"""One document over everything that was recorded, by the engine's own decisions."""

from collections.abc import Callable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.base import clock, facts
from chalicelib.base.errors import Refusal
from chalicelib.engagement import events
from chalicelib.engagement.events import Gain
from chalicelib.ledger import points
from chalicelib.ledger.effects import Effect, added, apply, fold, taken
from chalicelib.ledger.posting import Account
from chalicelib.ledger.state import NEVER, Lot, State
from chalicelib.members import facts as member_facts
from chalicelib.members.facts import ProfileFacts
from chalicelib.orders import decisions, history, rules
from chalicelib.orders.decisions import Fact, Returned, Rulebook
from chalicelib.orders.history import History
from chalicelib.orders.schema import OrderIn
from chalicelib.program.document import Program
from chalicelib.program.rules import events as event_rules
from chalicelib.program.rules import expiry
from chalicelib.program.rules.inputs import Earned, Gained, Member
from chalicelib.program.service import Versioned
from chalicelib.rewards import history as redemptions
from chalicelib.rewards import service as rewards
from infra.backtest.funds import Funds
from infra.backtest.recorded import Bought, Enrolled, Happened, Person, PutBack, Recorded, Spent, TakenBack, Withdrawn
from infra.backtest.recorded import Fact as Recording
from infra.backtest.tally import RuleKey, Tally

WELCOME: Final = "welcome_points"
"""The name under which points for enrolling are counted, beside the codes of the rules."""
_UNKNOWN: Final = Person()
_STEP: Final = 512
Advance = Callable[[int], None]


class _Redemption(msgspec.Struct):
    """What a redemption took, and what of it refunds have put back."""

    member: str
    points: int
    lots: tuple[Lot, ...]
    returned_points: int = 0
    is_cancelled: bool = False

    @property
    def left(self) -> tuple[Lot, ...]:
        """The lots that nothing has put back yet."""
        return taken(self.lots, redemptions.returned_lots(self.lots, self.returned_points))


def replay(
    program: Program, recorded: Recorded, zone: ZoneInfo | None = None, advance: Advance = lambda _count: None
) -> Tally:
    """What `program` does to all that was recorded, had it been in force all the time.

    Months are told apart in `zone`, or else in the programme's own. `advance` hears how many more are done.
    """
    return _Replay(program, recorded, zone or program.zone).run(advance)


class _Calendar:
    """The month in which the facts stand that are being replayed; it only moves on."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self.month, self._ends_at = 0, 0

    def move_to(self, at: int) -> None:
        if at >= self._ends_at:
            self.month = clock.month_of(at, self._zone)
            self._ends_at = clock.month_start(self.month + 1, self._zone)

    def of(self, at: int) -> int:
        return clock.month_of(at, self._zone)


class _Replay:
    def __init__(self, program: Program, recorded: Recorded, zone: ZoneInfo) -> None:
        self.program, self.recorded = program, recorded
        self.tally = Tally(program)
        versioned = Versioned(1, 0, program)
        self.book = Rulebook(then=versioned, now=versioned)
        self.funds = Funds(program, self.tally.budgets)
        self.calendar = _Calendar(zone)
        self.refunded = recorded.refunded
        self.histories: dict[str, History] = {}
        self.redemptions: dict[str, _Redemption] = {}
        self.events: dict[str, tuple[str, Gain]] = {}

    def run(self, advance: Advance) -> Tally:
        recorded = self.recorded.facts
        for begin in range(0, len(recorded), _STEP):
            for fact in recorded[begin : begin + _STEP]:
                self.calendar.move_to(fact.posted_at)
                try:
                    self._post(fact)
                except Refusal as refusal:
                    self.tally.refused[refusal.reason_code] += 1
            advance(min(_STEP, len(recorded) - begin))
        self._close()
        return self.tally

    def _post(self, fact: Recording) -> None:
        match fact:
            case Bought():
                self.tally.order_points.append(0)
                self.tally.order_points[-1] = self._buy(fact)
            case TakenBack():
                self._take_back(fact)
            case Enrolled():
                self._enrol(fact)
            case Spent():
                self._spend(fact)
            case PutBack():
                self._put_back(fact)
            case Happened():
                self._happen(fact)
            case Withdrawn():
                self._withdraw(fact)

    def _enrol(self, fact: Enrolled) -> None:
        at = fact.posted_at
        state = State()
        expires_at = expiry.expires_at(self.program, at)
        effect = points.earn(state, self.program.welcome_points, expires_at=expires_at)
        self.tally.rule(RuleKey(WELCOME)).add(self.program.welcome_points)
        self._commit(fact.member, state, msgspec.structs.replace(effect, enrolled_at=at), at)

    def _buy(self, fact: Bought) -> int:
        """The points that a purchase brings its member."""
        order, program = fact.order, self.program
        if fact.posted_at != fact.occurred_at:
            decisions.check_time(program, fact.occurred_at, fact.posted_at)
        account = self._account(fact.member, fact.posted_at)
        member = self._member(account)

        def evaluate(exhausted: frozenset[str]) -> Earned:
            return decisions.earned_of(order, fact.occurred_at, self.book, member, exhausted)

        earned, takes = self.funds.brought(evaluate, account.posted_at)
        earnings = decisions.earnings_of(order, fact.occurred_at, self.book, earned, takes)
        posting = Fact(facts.ORDER, fact.key, "", fact.occurred_at, order.total_minor, order.currency)
        decision = decisions.order_decision(account, earnings, None, self.book, posting)
        self._commit(fact.member, account.state, decision.effect, account.posted_at)
        if fact.key in self.refunded:
            self.histories[fact.key] = History((), order, earnings, rules.nothing_refunded(earnings), fact.member)
        currency = self.tally.currency(order.currency)
        currency.purchases += 1
        currency.spend_minor += order.total_minor
        currency.points += earned.points
        self._count(member.tier, earned)
        return earnings.points

    def _happen(self, fact: Happened) -> None:
        occurred_at = clock.seconds(fact.event.occurred_at)
        events.check_type(self.program, fact.event, is_own=False)
        if fact.posted_at != occurred_at:
            decisions.check_time(self.program, occurred_at, fact.posted_at)
        account = self._account(fact.member, fact.posted_at)
        member, seen = self._member(account), events.as_seen(fact.event)

        def evaluate(exhausted: frozenset[str]) -> Gained:
            return event_rules.evaluate(self.program, seen, member, exhausted)

        gained, takes = self.funds.brought(evaluate, account.posted_at)
        gain = events.gain_from(gained, takes, self.book, occurred_at)
        effect, _tier = decisions.retiered(account, events.effect_of(account, gain), self.book)
        self._commit(fact.member, account.state, effect, account.posted_at)
        self.events[fact.key] = (fact.member, gain)
        self._count(member.tier, gained)

    def _withdraw(self, fact: Withdrawn) -> None:
        if fact.key not in self.events:
            raise events.EventNotFound
        member, gain = self.events.pop(fact.key)
        account = self._account(member, fact.posted_at)
        effect, _tier = decisions.retiered(account, events.given_back(account, gain), self.book)
        self.funds.give_back((take, take.points, 1) for take in gain.takes)
        self._commit(member, account.state, effect, account.posted_at)

    def _take_back(self, fact: TakenBack) -> None:
        past = self.histories.get(fact.key)
        if past is None or past.member_id is None:
            raise history.OrderNotFound("No purchase before it has this number.")
        if fact.amount_minor is None and not fact.parts:
            after = rules.cancel(past.earnings, past.refunded)
        else:
            after = rules.add_refund(past.earnings, past.refunded, fact.parts, fact.amount_minor)
        if fact.posted_at != fact.occurred_at:
            decisions.check_time(self.program, fact.occurred_at, fact.posted_at)
        paid = self._paid(past.order)
        spent = [item.returned_points if item.is_cancelled else item.points for item in paid]
        after = rules.returning(past.earnings, after, spent)
        account = self._account(past.member_id, fact.posted_at)
        back_to_budgets = rules.gone_back(past.earnings, past.refunded, after).budgets
        self.funds.give_back((part.take, part.points, part.awards) for part in back_to_budgets)
        back = self._lots_back(paid, after.returned_points, account.posted_at)
        posting = Fact(facts.REFUND, fact.key, "", fact.occurred_at, after.last_minor, past.order.currency)
        decision = decisions.refund_decision(account, past, after, Returned(back), self.book, fact=posting)
        self._commit(past.member_id, account.state, decision.effect, account.posted_at)
        self.histories[fact.key] = msgspec.structs.replace(past, refunded=after)
        currency = self.tally.currency(past.order.currency)
        currency.spend_minor -= after.last_minor
        currency.points -= after.last_clawed_points

    def _spend(self, fact: Spent) -> None:
        account = self._account(fact.member, fact.posted_at)
        effect = points.spend(account.state, fact.points)
        extended_to = expiry.extended_to(self.program, fact.posted_at)
        self.redemptions[fact.key] = _Redemption(fact.member, fact.points, effect.debits)
        effect = msgspec.structs.replace(effect, extended_to=extended_to, redeemed=(fact.key,))
        self._commit(fact.member, account.state, effect, account.posted_at)

    def _put_back(self, fact: PutBack) -> None:
        redemption = self.redemptions.get(fact.key)
        if redemption is None or redemption.is_cancelled:
            raise redemptions.RedemptionNotFound("No redemption before it has this number.")
        account = self._account(redemption.member, fact.posted_at)
        lots = rewards.alive(redemption.left, self.book.now, account.posted_at)
        redemption.is_cancelled = True
        self._commit(redemption.member, account.state, points.restore(account.state, lots), account.posted_at)

    def _paid(self, order: OrderIn) -> list[_Redemption]:
        """The redemptions that paid an order, as far as they were recorded."""
        named = [payment.redemption_id for payment in order.payments if payment.redemption_id is not msgspec.UNSET]
        return [self.redemptions[name] for name in named if name in self.redemptions]

    def _lots_back(self, paid: Sequence[_Redemption], returned_points: Sequence[int], at: int) -> tuple[Lot, ...]:
        lots: tuple[Lot, ...] = ()
        for redemption, returned in zip(paid, returned_points, strict=True):
            more = returned - redemption.returned_points
            lots += rewards.alive(redemptions.returned_lots(redemption.left, more), self.book.now, at)
            redemption.returned_points = returned
        return added((), lots)

    def _member(self, account: Account) -> Member:
        """What the rules are told of a member."""
        person = self.recorded.people.get(account.member_id, _UNKNOWN)
        profile = ProfileFacts(person.birthday, person.tags, person.segments)
        return member_facts.known(account, self.program, profile, at=account.posted_at)

    def _account(self, member: str, at: int) -> Account:
        """A member's account folded to `at`; what has expired meanwhile is counted by its own date."""
        state = self.tally.states[member]
        folded = fold(state, at)
        self._expire(state, folded.expired_points, at)
        return Account(member, folded.state, at, 0)

    def _expire(self, state: State, expired_points: int, at: int) -> None:
        if not expired_points:
            return
        for lot in state.lots:
            if lot.expires_at <= at:
                # What is gone at the start of a month is missing at the end of the one before.
                self.tally.month(self.calendar.of(lot.expires_at - 1)).expired += lot.points
                expired_points -= lot.points
        # Points that matured and expired since, or were repaid.
        self.tally.month(self.calendar.month).expired += expired_points

    def _commit(self, member: str, state: State, effect: Effect, at: int) -> None:
        after = apply(state, effect, at)
        self.tally.states[member] = after
        self.tally.moved(self.calendar.month, effect.lifetime)
        self.tally.month(self.calendar.month).expired += after.lifetime.expired - state.lifetime.expired

    def _count(self, tier: str, brought: Earned | Gained) -> None:
        gave = {due.rule for due in brought.vouchers}
        for explanation in brought.explanations:
            if explanation.fired or explanation.cut_points:
                rule = self.tally.rule(RuleKey(explanation.rule, explanation.campaign))
                rule.add(explanation.points, explanation.cut_points, int(explanation.rule in gave))
        self.tally.tier_points[tier] += brought.points

    def _close(self) -> None:
        """Let everything that was bought come to the end of the time that was recorded."""
        if not self.recorded.facts:
            return
        end = self.recorded.facts[-1].posted_at
        for member in self.tally.states:
            state = self._account(member, end).state
            self.tally.states[member] = state
            self.tally.tiers[member] = decisions.tier_code(state, self.program, end)
            for lot in state.lots:
                if lot.expires_at != NEVER:
                    self.tally.run_off[self.calendar.of(lot.expires_at - 1)] += lot.points
