"""Referral codes, scores and what follows from a friend's purchases: pure."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ledger.state import NEVER, Limit
from chalicelib.program.document.referrals import FraudPolicy, ReferralCap, ReferralPolicy, ReferralReward, ReferralStep
from chalicelib.program.validation import InvalidProgram, validate
from chalicelib.referrals import codes, rules, scoring
from chalicelib.referrals.rules import Order, Paid, Payment, Referral
from chalicelib.referrals.scoring import Known, Sightings, judged, mailbox
from chalicelib.vouchers.codes import SYMBOLS
from tests.programs import document, program

DAY_S = 86_400
CLAIMED_AT = 1_800_000_000
POLICY = ReferralPolicy(
    share_url="https://shop.example/{code}",
    referrer=(ReferralStep(points=100), ReferralStep(from_friend=5, points=300)),
    friend=ReferralReward(points=50),
)
NOBODY = Known()
PAID = Paid(points=1, expires_at=NEVER, key="rpy_1")


def referral(*orders: Order, **fields: Any) -> Referral:
    made = Referral(referral_id="rfl_1", referrer_id="a", friend_id="b", claimed_at=CLAIMED_AT, program=1, **fields)
    for order in orders:
        made = rules.heard(made, POLICY, order)
    return made


def order(number: str = "1", day: float = 1, left_minor: int = 100, spend_minor: int | None = None) -> Order:
    spent = left_minor if spend_minor is None else spend_minor
    return Order(number, CLAIMED_AT + int(day * DAY_S), left_minor, spent)


class TestACode:
    @given(st.binary(min_size=8, max_size=8))
    def test_is_read_as_it_is_shown(self, randomness: bytes) -> None:
        code = codes.made(randomness)
        assert codes.read(codes.shown(code)) == codes.read(codes.shown(code).lower().replace("0", "o")) == code

    @given(st.binary(min_size=8, max_size=8), st.integers(0, 7), st.sampled_from(SYMBOLS))
    def test_with_one_wrong_symbol_is_none(self, randomness: bytes, place: int, symbol: str) -> None:
        code = codes.made(randomness)
        wrong = code[:place] + symbol + code[place + 1 :]
        assert codes.read(wrong) == (code if wrong == code else None)

    @given(st.binary(min_size=8, max_size=8), st.integers(0, 7), st.integers(0, 7))
    def test_with_two_symbols_exchanged_is_none(self, randomness: bytes, one: int, other: int) -> None:
        code = codes.made(randomness)
        symbols = list(code)
        symbols[one], symbols[other] = symbols[other], symbols[one]
        wrong = "".join(symbols)
        assert codes.read(wrong) == (code if wrong == code else None)

    def test_takes_just_its_bytes(self) -> None:
        with pytest.raises(ValueError, match="8 bytes"):
            codes.made(b"1234567")


class TestAMailbox:
    @pytest.mark.parametrize(
        ("mail", "box"),
        [
            ("Li.Ming+shop@Gmail.com", "liming@gmail.com"),
            ("li.ming@googlemail.com", "liming@gmail.com"),
            ("Li.Ming+2@example.com", "li.ming@example.com"),
            ("+odd@example.com", "+odd@example.com"),
        ],
    )
    def test_is_one_whatever_is_put_around_it(self, mail: str, box: str) -> None:
        assert mailbox(mail) == box


class TestAScore:
    def judge(self, friend: Known = NOBODY, referrer: Known = NOBODY, **seen: Any) -> tuple[int, str, tuple[str, ...]]:
        found = judged(FraudPolicy(), friend, referrer, Sightings(**seen))
        return found.score, found.verdict, found.reasons

    def test_of_two_strangers_is_nothing(self) -> None:
        one, other = Known(mails=frozenset({"a@x.org"})), Known(mails=frozenset({"b@x.org"}))
        assert self.judge(one, other) == (0, "clear", ())

    @pytest.mark.parametrize(
        ("friend", "referrer", "reason", "verdict"),
        [
            (Known(phones=frozenset({"+861"})), Known(phones=frozenset({"+861", "+862"})), "same_identity", "refused"),
            (Known(keys=frozenset({"sub#1"})), Known(keys=frozenset({"sub#1"})), "same_identity", "refused"),
            (Known(mails=frozenset({"a+2@x.org"})), Known(mails=frozenset({"A@x.org"})), "same_mailbox", "refused"),
            (Known(mails=frozenset({"a.b@x.org"})), Known(mails=frozenset({"ab@x.org"})), "similar_mailbox", "held"),
        ],
    )
    def test_of_one_person_twice_names_the_reason(
        self, friend: Known, referrer: Known, reason: str, verdict: str
    ) -> None:
        assert self.judge(friend, referrer)[1:] == (verdict, (reason,))

    @pytest.mark.parametrize(
        ("seen", "verdict"),
        [
            ({"of_referrer": frozenset({"device"})}, "refused"),
            ({"of_referrer": frozenset({"address"})}, "held"),
            ({"of_others": frozenset({"device"})}, "held"),
            ({"of_others": frozenset({"address"})}, "clear"),
            ({"of_others": frozenset({"address", "device", "payment"})}, "refused"),
            ({"claims_this_hour": 19}, "clear"),
            ({"claims_this_hour": 20}, "held"),
            ({"claims_this_hour": 20, "claims_today": 100}, "held"),
            ({"claims_today": 100}, "held"),
        ],
    )
    def test_adds_up_what_was_seen(self, seen: dict[str, Any], verdict: str) -> None:
        assert self.judge(**seen)[1] == verdict

    def test_knows_every_kind_that_is_looked_for(self) -> None:
        kinds = frozenset({"device", "payment", "address", "mailbox"})
        assert len(self.judge(of_others=kinds)[2]) == 4
        assert set(self.judge(of_others=kinds)[2]) <= set(scoring.WEIGHTS)


class TestQualification:
    def test_comes_with_the_first_purchase_in_time(self) -> None:
        early, late = order("early", -0.1), order("late", 91)
        assert rules.qualified_at(referral(early, late), POLICY) is None
        assert rules.qualified_at(referral(order("b", 3), early, order("a", 2)), POLICY) == CLAIMED_AT + 2 * DAY_S

    @given(
        st.permutations([order("a", 1, 60), order("b", 2, 0), order("b", 2, 70), order("c", 3, 80), order("a", 1, 10)])
    )
    def test_does_not_depend_on_the_order_or_number_of_notices(self, heard: list[Order]) -> None:
        # A purchase is always read as it is now, so a later notice never tells of more than an earlier one.
        policy = ReferralPolicy(share_url="", minimum_minor=150)
        left = {"a": 10, "b": 0, "c": 80}
        now = [Order(item.order_id, item.occurred_at, left[item.order_id], left[item.order_id]) for item in heard]
        assert {item.order_id: item.left_minor for item in referral(*heard, *now).orders if item.left_minor} == {
            "a": 10,
            "c": 80,
        }
        assert rules.qualified_at(referral(*heard, *now), policy) is None

    def test_by_amount_adds_up_what_counts_in_the_base_currency(self) -> None:
        policy = ReferralPolicy(share_url="", minimum_minor=150)
        some = referral(order("a", 1, 100), order("b", 2, 100, spend_minor=49))
        assert rules.qualified_at(some, policy) is None
        assert rules.qualified_at(rules.heard(some, policy, order("c", 3, 1)), policy) == CLAIMED_AT + 3 * DAY_S

    def test_remembers_twenty_purchases(self) -> None:
        assert len(referral(*(order(str(number)) for number in range(25))).orders) == rules.ORDERS_MAX


class TestPayment:
    NOW = CLAIMED_AT + 10 * DAY_S

    @pytest.mark.parametrize("verdict", ["clear", "approved"])
    def test_goes_to_both_once(self, verdict: Any) -> None:
        found = referral(order(), verdict=verdict)
        sides = []
        while payment := rules.next_payment(found, POLICY, self.NOW):
            sides.append(payment)
            found = rules.settled(found, payment.side, PAID)
        assert sides == [Payment("friend", is_done=True), Payment("referrer", is_done=True)]
        assert (found.turns, rules.status(found, POLICY, self.NOW)) == (2, "paid")

    @pytest.mark.parametrize("verdict", ["held", "refused"])
    def test_waits_for_a_verdict(self, verdict: Any) -> None:
        assert rules.next_payment(referral(order(), verdict=verdict), POLICY, self.NOW) is None

    @pytest.mark.parametrize(("left_minor", "verdict"), [(0, "clear"), (100, "refused"), (100, "held")])
    def test_goes_back_where_it_no_longer_stands(self, left_minor: int, verdict: Any) -> None:
        found = referral(order(), order(left_minor=left_minor), verdict=verdict, friend=PAID, referrer=PAID)
        sides = []
        while payment := rules.next_payment(found, POLICY, self.NOW):
            sides.append(payment)
            found = rules.settled(found, payment.side, None)
        assert sides == [Payment("friend", is_done=False), Payment("referrer", is_done=False)]

    def test_is_due_to_the_second(self) -> None:
        policy = ReferralPolicy(share_url="", return_days=7, friend=ReferralReward(points=1))
        due = CLAIMED_AT + 8 * DAY_S
        assert rules.next_payment(referral(order()), policy, due - 1) is None
        assert rules.next_payment(referral(order()), policy, due) == Payment("friend", is_done=True)

    def test_goes_to_nobody_who_is_promised_nothing(self) -> None:
        policy = ReferralPolicy(share_url="", referrer=(ReferralStep(points=1),))
        assert rules.next_payment(referral(order()), policy, self.NOW) == Payment("referrer", is_done=True)


class TestTheReferrersDue:
    def used(self, friends: int, *, until: int | None = None) -> tuple[Limit, ...]:
        ever = (Limit("referral:friends", NEVER, friends, 0),)
        return (*ever, Limit("referral:month", until, friends, 0)) if until else ever

    @pytest.mark.parametrize(("friends", "points"), [(0, 100), (3, 100), (4, 300), (40, 300)])
    def test_rises_by_steps(self, friends: int, points: int) -> None:
        due = rules.referrer_due(program(), POLICY, self.used(friends), CLAIMED_AT)
        assert (due.reward.points, due.limits[0]) == (points, Limit("referral:friends", NEVER, 1, points))

    @pytest.mark.parametrize("per", ["day", "week", "month", "year", "ever"])
    def test_is_nothing_beyond_the_cap(self, per: Any) -> None:
        policy = ReferralPolicy(share_url="", referrer=(ReferralStep(points=100),), cap=ReferralCap(per=per, friends=2))
        used: tuple[Limit, ...] = ()
        paid = []
        for _friend in range(4):
            due = rules.referrer_due(program(), policy, used, CLAIMED_AT)
            paid.append(due.reward.points)
            used = (
                tuple(
                    Limit(
                        new.limit_id, new.until, new.count + sum(o.count for o in used if o.limit_id == new.limit_id), 0
                    )
                    for new in due.limits
                )
                or used
            )
        assert paid == [100, 100, 0, 0]
        assert rules.left_in_period(program(), policy, used, CLAIMED_AT) == 0


class TestPublishing:
    GOOD = {"share_url": "https://shop.example/{code}", "friend": {"points": 1}}  # noqa: RUF012 -- read only

    def test_takes_a_policy_that_fits_together(self) -> None:
        assert program(referrals=self.GOOD).referrals

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"share_url": "https://shop.example/"}, "referrals.share_url"),
            ({"share_url": "http://shop.example/{code}"}, "referrals.share_url"),
            ({"share_url": "https://shop.example/{code}/{code}"}, "referrals.share_url"),
            ({"share_url": "https://shop.example/ {code}"}, "referrals.share_url"),
            ({"friend": {}}, "referrals"),
            ({"referrer": [{"from_friend": 2, "points": 1}]}, "referrals.referrer[0].from_friend"),
            ({"referrer": [{"points": 1}, {"points": 2}]}, "referrals.referrer[1].from_friend"),
            ({"fraud": {"hold_at": 101}}, "referrals.fraud.hold_at"),
            ({"friend": {"voucher_batch": "summer"}}, "referrals.friend.voucher_batch"),
        ],
    )
    def test_refuses_one_that_does_not(self, changes: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidProgram) as refused:
            validate(document(referrals={**self.GOOD, **changes}))
        assert [problem.field for problem in refused.value.problems] == [field]


def test_every_two_kinds_of_reasons_together_stay_within_the_bound() -> None:
    for one, other in itertools.combinations(scoring.WEIGHTS.values(), 2):
        assert 0 < one + other <= scoring.SCORE_MAX
