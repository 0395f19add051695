from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import boto3
import pytest

from chalicelib.base.errors import Invalid
from chalicelib.base.settings import settings
from chalicelib.ledger.posting import Write
from chalicelib.program import service, table
from chalicelib.program.document import DOCUMENT_MAX_BYTES, default
from chalicelib.program.service import LEAD_S, PublishedMeanwhile, VersionNotFound
from chalicelib.program.validation import InvalidProgram, validate
from tests.programs import document, texts, tier

NOW = 1_790_000_000
HOUR = 3_600


def publish(now: int = NOW, *, starts_at: int | None = None, **changes: Any) -> service.Publication:
    return service.publish(document(**changes), starts_at=starts_at, by="li.wei", note="why", now=now)


def version_at(occurred_at: int, *, now: int) -> int:
    return service.in_force(occurred_at, now=now).version


def queries(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What is asked of the table from here on: the version number above which a newer one is looked for."""
    asked = []
    read_newest = table.read_newest

    def counted(*, above: int) -> table.VersionItem | None:
        asked.append(above)
        return read_newest(above=above)

    monkeypatch.setattr(table, "read_newest", counted)
    return asked


def test_the_default_is_in_force_until_a_version_is_published() -> None:
    found = service.in_force(NOW, now=NOW)
    assert (found.version, found.program) == (0, default())


def test_the_first_version_may_start_at_once() -> None:
    assert publish(welcome_points=7).starts_at == NOW
    found = service.in_force(NOW, now=NOW)
    assert (found.version, found.program.welcome_points) == (1, 7)


def test_the_earliest_version_counts_for_facts_older_than_all() -> None:
    publish()
    publish(welcome_points=1)
    assert version_at(0, now=NOW + HOUR) == 1


def test_a_version_starts_ten_minutes_after_it_is_published() -> None:
    publish()
    assert publish(welcome_points=1).starts_at == NOW + LEAD_S
    assert version_at(NOW + LEAD_S - 1, now=NOW + LEAD_S - 1) == 1
    assert version_at(NOW + LEAD_S, now=NOW + LEAD_S) == 2


def test_a_version_cannot_start_sooner() -> None:
    publish()
    with pytest.raises(Invalid) as refusal:
        publish(welcome_points=1, starts_at=NOW + LEAD_S - 1)
    assert refusal.value.field == "starts_at"
    assert version_at(NOW + HOUR, now=NOW + HOUR) == 1


def test_the_first_version_cannot_start_in_the_past() -> None:
    with pytest.raises(Invalid):
        publish(starts_at=NOW - 1)


def test_a_fact_is_judged_by_the_version_of_its_own_time() -> None:
    publish()
    publish(welcome_points=1)
    assert version_at(NOW, now=NOW + HOUR) == 1
    assert version_at(NOW + LEAD_S, now=NOW + HOUR) == 2


def test_a_newer_version_replaces_one_that_was_to_start_later() -> None:
    publish()
    publish(welcome_points=1, starts_at=NOW + 10 * HOUR)
    publish(welcome_points=2, starts_at=NOW + 2 * HOUR)
    later = NOW + 20 * HOUR
    assert [version_at(NOW + hours * HOUR, now=later) for hours in (1, 2, 9, 10, 20)] == [1, 3, 3, 3, 3]


def test_publishing_the_same_document_again_answers_the_version_it_has() -> None:
    publish()
    first = publish(welcome_points=1)
    again = publish(NOW + HOUR, welcome_points=1)
    assert again == first
    assert len(service.versions()) == 2


def test_the_same_document_for_another_start_is_another_version() -> None:
    publish()
    publish(welcome_points=1, starts_at=NOW + 5 * HOUR)
    assert publish(welcome_points=1, starts_at=NOW + HOUR).version == 3


def test_an_older_document_published_anew_is_a_new_version() -> None:
    publish()
    publish(welcome_points=1)
    assert publish().version == 3


def test_a_wrong_document_is_not_published() -> None:
    with pytest.raises(InvalidProgram):
        publish(time_zone="Mars/Olympus")
    assert service.versions() == []


def test_of_two_published_at_once_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other publication commits between our reading the newest version and our writing the next."""
    put_if_absent = table.put_if_absent

    def beaten(item: table.VersionItem, writes: Sequence[Write] = ()) -> bool:
        monkeypatch.setattr(table, "put_if_absent", put_if_absent)
        publish(welcome_points=1)
        return put_if_absent(item, writes)

    monkeypatch.setattr(table, "put_if_absent", beaten)
    with pytest.raises(PublishedMeanwhile):
        publish(welcome_points=2)
    assert [item.version for item in service.versions()] == [1]
    assert service.in_force(NOW, now=NOW).program.welcome_points == 1


def test_the_same_document_published_twice_at_once_is_one_version(monkeypatch: pytest.MonkeyPatch) -> None:
    put_if_absent = table.put_if_absent

    def timed_out(item: table.VersionItem, writes: Sequence[Write] = ()) -> bool:
        assert put_if_absent(item, writes)
        return put_if_absent(item, writes)

    monkeypatch.setattr(table, "put_if_absent", timed_out)
    assert publish(welcome_points=1).version == 1
    assert len(service.versions()) == 1


def test_a_version_is_never_overwritten() -> None:
    publish()
    item = table.read_version(1)
    assert item is not None
    assert not table.put_if_absent(item)


def test_rolling_back_publishes_a_copy() -> None:
    publish(welcome_points=1)
    publish(welcome_points=2)
    copy = service.roll_back(1, by="li.wei", note="2 was wrong", now=NOW + HOUR)
    assert (copy.version, copy.copy_of, copy.starts_at) == (3, 1, NOW + HOUR + LEAD_S)
    assert service.in_force(NOW + 2 * HOUR, now=NOW + 2 * HOUR).program.welcome_points == 1
    assert version_at(NOW + HOUR, now=NOW + 2 * HOUR) == 2


def test_rolling_back_twice_is_rolling_back_once() -> None:
    publish(welcome_points=1)
    publish(welcome_points=2)
    first = service.roll_back(1, by="li.wei", now=NOW)
    assert service.roll_back(1, by="li.wei", now=NOW + 5) == first


def test_one_can_roll_back_to_the_default() -> None:
    publish(welcome_points=7)
    assert service.roll_back(0, by="li.wei", now=NOW).copy_of == 0
    assert service.in_force(NOW + HOUR, now=NOW + HOUR).program == default()


def test_an_unknown_version_cannot_be_rolled_back_to() -> None:
    publish()
    for number in (2, -1):
        with pytest.raises(VersionNotFound):
            service.roll_back(number, by="li.wei", now=NOW)


def test_versions_are_listed_newest_first_with_who_and_why() -> None:
    publish()
    publish(welcome_points=1)
    newest, oldest = service.versions()
    assert (newest.version, oldest.version) == (2, 1)
    assert (newest.published_by, newest.note, newest.published_at, newest.copy_of) == ("li.wei", "why", NOW, None)


PLATINUM = [tier("member", 0), tier("silver", 10), tier("platinum", 20)]


def test_a_tier_is_not_dropped_unless_another_takes_its_place() -> None:
    publish(tiers=PLATINUM)
    renamed = [tier("member", 0), tier("silver", 10), tier("black", 20)]
    with pytest.raises(InvalidProgram, match="platinum is gone"):
        publish(tiers=renamed)
    renamed[2]["replaces"] = ["platinum"]
    publish(tiers=renamed)


def test_a_tier_replaced_before_stays_replaced() -> None:
    publish(tiers=PLATINUM)
    tiers = [tier("member", 0), tier("silver", 10), tier("black", 20, replaces=("platinum",))]
    publish(tiers=tiers)
    with pytest.raises(InvalidProgram, match="platinum is gone"):
        publish(NOW + HOUR, tiers=[*tiers[:2], tier("black", 20)])


def test_a_tier_that_never_came_into_force_may_be_dropped() -> None:
    """A slip of the pen in a version that is only scheduled is mended by publishing before it starts."""
    publish(tiers=PLATINUM)
    publish(tiers=[*PLATINUM, tier("blakc", 30)], starts_at=NOW + 10 * HOUR)
    publish(tiers=[*PLATINUM, tier("black", 30)], starts_at=NOW + 9 * HOUR)
    with pytest.raises(InvalidProgram, match="black is gone"):
        publish(tiers=PLATINUM, starts_at=NOW + 11 * HOUR)


def test_rolling_back_may_drop_a_tier_that_came_later() -> None:
    publish(tiers=PLATINUM)
    publish(tiers=[*PLATINUM, tier("black", 30)])
    assert service.roll_back(1, by="li.wei", now=NOW + HOUR).version == 3


def test_the_base_currency_stays() -> None:
    rates = document()["currencies"] | {"USD": {"points": 7, "per_minor": 100}}
    publish(currencies=rates)
    with pytest.raises(InvalidProgram, match="counted in CNY"):
        publish(currencies=rates, base_currency="USD")


def test_a_currency_that_is_not_the_base_may_go() -> None:
    publish(currencies=document()["currencies"] | {"USD": {"points": 7, "per_minor": 100}})
    assert publish().version == 2


def test_the_window_of_the_tiers_may_grow_and_shrink() -> None:
    publish()
    publish(tier_policy={"window_months": 24, "keep_months": 12})
    assert publish(NOW + HOUR, tier_policy={"window_months": 6, "keep_months": 12}).version == 3


def test_what_was_published_is_stored_with_every_default_written_out() -> None:
    without_defaults = document()
    del without_defaults["grace_days"], without_defaults["pending_days"], without_defaults["earning"]
    service.publish(without_defaults, by="li.wei", now=NOW)
    stored = service.version(1).program
    assert stored == validate(without_defaults)
    item = table.read_version(1)
    assert item is not None
    assert '"pending_days":0' in item.document


def test_the_largest_document_can_be_stored() -> None:
    """Long Chinese texts take three bytes a character, and JSON may be written with escapes besides."""
    benefits = [texts("点" * 200)] * 20
    tiers = [{**tier(f"tier_{index}", index), "benefits": benefits} for index in range(5)]
    many = {f"reason_{index}": texts("分" * 28) for index in range(100)}
    assert publish(tiers=tiers, reasons={"adjustments": many}).version == 1
    with pytest.raises(InvalidProgram, match=f"{DOCUMENT_MAX_BYTES} bytes"):
        service.publish(b" " * (DOCUMENT_MAX_BYTES + 1), by="li.wei", now=NOW)


def test_a_version_is_looked_for_every_four_minutes_and_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    publish()
    asked = queries(monkeypatch)
    for second in range(0, 480, 10):
        assert version_at(NOW, now=NOW + second) == 1
    assert asked == [0, 1]


def test_looking_for_a_newer_version_does_not_read_the_known_one() -> None:
    publish()
    assert table.read_newest(above=1) is None


def test_every_process_knows_a_version_before_a_fact_can_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst case: looked up just before publishing, and a fact that lies 5 minutes ahead."""
    publish()
    version_at(NOW, now=NOW)
    known = service._Cache(dict(service._cache.versions), service._cache.newest, service._cache.asked_at)
    starts_at = publish(NOW + 1, welcome_points=1).starts_at
    monkeypatch.setattr(service, "_cache", known)
    for now in range(NOW + 1, starts_at + 1, 20):
        assert version_at(now + 300, now=now) == (2 if now + 300 >= starts_at else 1)


def test_while_nothing_is_published_it_is_looked_for_every_twenty_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = queries(monkeypatch)
    assert [version_at(NOW, now=NOW + second) for second in (0, 10, 19)] == [0, 0, 0]
    assert len(asked) == 1
    other_process = service._Cache()
    monkeypatch.setattr(service, "_cache", other_process)
    publish()
    monkeypatch.setattr(service, "_cache", service._Cache(asked_at=NOW))
    assert [version_at(NOW, now=NOW + second) for second in (19, 20)] == [0, 1]


def test_a_clock_that_runs_back_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    publish()
    version_at(NOW, now=NOW)
    asked = queries(monkeypatch)
    version_at(NOW, now=NOW - HOUR)
    assert asked == [1]


def test_the_newest_version_is_found_without_reading_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        publish(NOW + number * HOUR, welcome_points=number)
    service.reset_cache()
    # Any read of a single version would now fail.
    monkeypatch.delattr(table, "read_version")
    assert version_at(NOW + 9 * HOUR, now=NOW + 9 * HOUR) == 4


def test_a_version_lies_readable_in_its_table() -> None:
    publish()
    item = boto3.client("dynamodb").get_item(
        TableName=settings().table("programs"), Key={"name": {"S": "program"}, "version": {"N": "1"}}
    )["Item"]
    assert item["starts_at"] == {"S": "2026-09-21T14:13:20Z"}
    assert item["published_by"] == {"S": "li.wei"}
    assert item["document"]["S"].startswith('{"name":{"en":"Members\' Club"')
