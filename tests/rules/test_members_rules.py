"""Identities are written one way only, and a profile holds what a person can be."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import clock
from chalicelib.base.errors import Forbidden, Invalid
from chalicelib.members.rules import (
    Consent,
    External,
    Names,
    Person,
    Profile,
    check_proved,
    checked,
    consent,
    external_key,
    identity_keys,
    mail_key,
    normal_mail,
    normal_phone,
    united,
)

NOW = clock.parse("2026-11-21T12:00:00Z")


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("+8613800138000", None),
        ("+86 138-0013-8000", None),
        ("008613800138000", "CN"),
        ("138 0013 8000", "CN"),
        ("１３８００１３８０００", "CN"),
        ("+8613800138000", "US"),
    ],
)
def test_every_spelling_of_a_phone_is_the_same_phone(text: str, region: str | None) -> None:
    assert normal_phone(text, region) == "+8613800138000"


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("13800138000", None),
        ("12345", "CN"),
        ("+999123456789", None),
        ("+8613800138000 ext 5", None),
        ("phone", "CN"),
        ("", "CN"),
        ("13800138000", "XX"),
        ("+" * 40, None),
    ],
)
def test_what_no_network_connects_is_no_phone(text: str, region: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        normal_phone(text, region, field="identity.phone")
    assert (caught.value.reason_code, caught.value.field) == ("phone_invalid", "identity.phone")


@pytest.mark.parametrize(
    ("text", "mail"),
    [
        (" Mei.Li@Example.COM ", "Mei.Li@example.com"),
        ("a+b@x.co", "a+b@x.co"),
        ("李@例子.中国", "李@xn--fsqu00a.xn--fiqs8s"),
    ],
)
def test_a_mail_has_its_domain_in_lower_case(text: str, mail: str) -> None:
    assert normal_mail(text) == mail
    assert normal_mail(mail) == mail


@pytest.mark.parametrize(
    "text",
    ["", "a", "@", "a@", "@b.cn", "a@b", "a@b..cn", "a b@c.cn", "a@c.cn, d@e.cn", ".a@b.cn", "a.@b.cn", "a..b@c.cn",
     "a@-b.cn", "a@b-.cn", "<a@b.cn>", "a@b.cn\x00", "a\x7f@b.cn", "a@b.c", "x" * 65 + "@b.cn", "a@" + "b" * 64 + ".cn",
     "a@" + "b.cn" * 80, 'a"b@c.cn', "a@[1.2.3.4]", "a@b@c.cn"],
)  # fmt: skip
def test_what_reaches_nobody_is_no_mail(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        normal_mail(text)
    assert caught.value.reason_code == "mail_invalid"


@given(st.text(max_size=60))
def test_any_text_is_a_mail_or_refused_as_none(text: str) -> None:
    try:
        mail = normal_mail(text)
    except Invalid:
        return
    assert normal_mail(mail) == mail


@given(st.text(max_size=60), st.sampled_from(["CN", "US", None, "XX"]))
def test_any_text_is_a_phone_or_refused_as_none(text: str, region: str | None) -> None:
    try:
        phone = normal_phone(text, region)
    except Invalid:
        return
    assert normal_phone(phone) == phone


def test_two_mails_that_differ_in_case_are_one_identity() -> None:
    assert mail_key("Mei@example.com") == mail_key("mei@example.com")


IDS = st.text(st.sampled_from("ab#%3"), min_size=1, max_size=4)


@given(IDS, IDS, IDS, IDS)
def test_no_two_external_ids_share_a_key(source: str, ident: str, other_source: str, other_ident: str) -> None:
    same = (source, ident) == (other_source, other_ident)
    assert (external_key(source, ident) == external_key(other_source, other_ident)) == same


def test_an_identity_given_twice_is_taken_once() -> None:
    profile = Profile(phone="+8613800138000", external=(External("pos", "1"), External(" pos", "1 ")))
    assert identity_keys(profile) == ["phone#+8613800138000", "ext#pos#1"]


@pytest.mark.parametrize("day", [date(2000, 2, 29), date(1900, 1, 1), date(2026, 11, 21), date(2026, 11, 22)])
def test_a_leap_day_and_a_newborn_have_birthdays(day: date) -> None:
    profile = Profile(phone="+8613800138000", birthday=day)
    assert checked(profile, NOW, person=False) == profile


@pytest.mark.parametrize("day", [date(1899, 12, 31), date(2026, 11, 23), date(1, 1, 1), date(9999, 12, 31)])
def test_nobody_was_born_tomorrow_or_before_1900(day: date) -> None:
    with pytest.raises(Invalid) as caught:
        checked(Profile(phone="+8613800138000", birthday=day), NOW, person=False)
    assert caught.value.reason_code == "birthday_invalid"


def test_a_member_needs_an_identity_and_a_sign_in_is_one() -> None:
    with pytest.raises(Invalid) as caught:
        checked(Profile(), NOW, person=False)
    assert caught.value.reason_code == "identity_missing"
    assert checked(Profile(), NOW, person=True) == Profile()


@pytest.mark.parametrize(
    "new",
    [
        Profile(phone="+8613900139000"),
        Profile(mail="other@example.com"),
        Profile(external=(External("pos", "1"),)),
        Profile(phone="+8613800138000", mail="other@example.com"),
    ],
)
def test_a_person_takes_no_identity_that_the_token_does_not_prove(new: Profile) -> None:
    person = Person("i", "s", phone="+8613800138000", mail="mei@example.com")
    with pytest.raises(Forbidden) as caught:
        check_proved(Profile(), new, person)
    assert caught.value.reason_code == "identity_unproved"


def test_a_person_keeps_drops_and_takes_what_is_proved() -> None:
    person = Person("i", "s", phone="+8613800138000")
    old = Profile(phone="+8613900139000", mail="old@example.com")
    for new in (old, Profile(), Profile(phone="+8613800138000")):
        check_proved(old, new, person)


def test_a_consent_is_dated_now_unless_it_says_otherwise() -> None:
    assert consent("sms", granted=True, at=None, source=None, now=NOW).at == "2026-11-21T12:00:00Z"
    earlier = datetime(2025, 1, 1, tzinfo=UTC)
    assert consent("sms", granted=False, at=earlier, source="till", now=NOW).at == "2025-01-01T00:00:00Z"


@pytest.mark.parametrize("at", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC),
                                datetime(2026, 11, 21, 12, 6, tzinfo=UTC)])  # fmt: skip
def test_a_consent_lies_in_the_past(at: datetime) -> None:
    with pytest.raises(Invalid) as caught:
        consent("push", granted=True, at=at, source=None, now=NOW)
    assert (caught.value.reason_code, caught.value.field) == ("consent_invalid", "consents.push.at")


def test_a_merge_fills_what_is_blank_and_keeps_what_is_not() -> None:
    into = Profile(phone="+861", names=Names(given="Mei"), locale="en", tags=("staff", "press"))
    closed = Profile(
        phone="+862",
        mail="mei@example.com",
        names=Names("梅", "李"),
        birthday=date(1992, 2, 29),
        gender="female",
        locale="zh-Hans",
        tags=("press", "vip"),
    )
    assert united(into, closed) == Profile(
        phone="+861",
        mail="mei@example.com",
        names=Names("Mei", "李"),
        birthday=date(1992, 2, 29),
        gender="female",
        locale="en",
        further_phones=("+862",),
        tags=("staff", "press", "vip"),
    )


profiles = st.builds(
    Profile,
    phone=st.none() | st.sampled_from(["+861", "+862"]),
    mail=st.none() | st.sampled_from(["a@x.cn", "b@x.cn"]),
    external=st.lists(st.sampled_from([External("pos", "1"), External("pos", "2")]), unique=True).map(tuple),
    further_phones=st.lists(st.sampled_from(["+863", "+864"]), unique=True).map(tuple),
    further_mails=st.lists(st.sampled_from(["c@x.cn", "d@x.cn"]), unique=True).map(tuple),
)


@given(profiles, profiles)
def test_a_merge_keeps_every_identity_of_both_once(into: Profile, closed: Profile) -> None:
    keys = identity_keys(united(into, closed))
    assert sorted(keys) == sorted({*identity_keys(into), *identity_keys(closed)})


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (Consent(granted=True, at="2025-01-01T00:00:00Z"), Consent(granted=False, at="2026-01-01T00:00:00Z")),
        (Consent(granted=False, at="2025-01-01T00:00:00Z"), Consent(granted=True, at="2026-01-01T00:00:00Z")),
        (Consent(granted=True, at="2026-01-01T00:00:00Z"), Consent(granted=False, at="2026-01-01T00:00:00Z")),
    ],
)
def test_of_two_consents_the_later_counts_and_of_two_at_once_the_refusal(
    earlier: Consent, later: Consent, *, swapped: bool
) -> None:
    one, other = Profile(consents={"sms": earlier}), Profile(consents={"sms": later, "mail": earlier})
    into, closed = (other, one) if swapped else (one, other)
    assert united(into, closed).consents == {"sms": later, "mail": earlier}
