"""What birthdays cost: telling one, indexing it, and seeing to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from chalicelib.base import clock
from chalicelib.engagement import birthdays
from chalicelib.engagement.birthday_triggers import GiftsDue
from chalicelib.ledger.table import AccountItem, read_view
from chalicelib.ledger.walk import Leg
from chalicelib.members.birthdays import WALK, Indexer
from chalicelib.members.table import ProfileItem
from chalicelib.program import service as programs
from tests.api import night, shop, voucher_shop
from tests.budgets import Budget, Cost
from tests.meter import metered
from tests.programs import document, texts

ENROL = Budget("enrol with mail and birthday", 8, 1, 2, of="post_member")
INDEX = Budget("birthdays: index a profile from before the index", 2, 1, 2, of="walk_accounts")
GIFT = Budget("birthdays: a gift of points and a voucher", 12, 4, 5, of="give_birthday_gifts")
HAD = Budget("birthdays: a member who has had the gift", 0, 2, 2, of="give_birthday_gifts")
HOURLY = Budget("hourly: birthdays that are all worked off", 1, 3, 4, of="give_birthday_gifts")


def seen_to() -> Iterator[Cost]:
    """Each of them once; the programme is another one afterwards."""
    today = datetime.fromtimestamp(clock.now(), UTC)
    day = date(today.year, 2, 3)
    with metered() as bill:
        member_id = shop.enrol("born", mail="born@example.com", birthday="1988-02-03")
    yield Cost(ENROL, bill)
    yield _indexing(member_id)
    gift: dict[str, Any] = {"code": "mug", "title": texts("Mug"), "points": 5, "voucher_batch_id": voucher_shop.make()}
    # Where it is midday, gifts are given.
    changes = {"time_zone": f"Etc/GMT{today.hour - 12:+d}", "birthday": {"gifts": [gift], "hour": 8}}
    programs.publish(document(**changes), by="li.wei", now=clock.now() - clock.DAY_S)
    programs.reset_cache()
    programs.in_force(clock.now(), now=clock.now())
    for budget in (GIFT, HAD):
        with metered() as bill:
            assert birthdays.give(member_id, day, now=clock.now()) is (budget is GIFT)
        yield Cost(budget, bill)
    with night.queued() as queues:
        for _first_indexed_then_given in range(2):
            queues.send("birthdays", GiftsDue(birthdays_due=True))
            queues.run()
        with metered() as bill:
            assert birthdays.due(now=clock.now()) == []
    yield Cost(HOURLY, bill)


def _indexing(member_id: str) -> Cost:
    night.project(member_id)
    ProfileItem(member_id).update(actions=[ProfileItem.born.remove()])
    account = read_view(member_id)
    assert isinstance(account, AccountItem)
    visitor = Indexer(Leg(walk=WALK, night=WALK, cut=0, segment=0, segments=1), {})
    with metered() as bill:
        visitor.visit(account)
    assert visitor.carry() == {"indexed": 1}
    return Cost(INDEX, bill)
