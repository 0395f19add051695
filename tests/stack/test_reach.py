"""What a function can do to the tables is read from its code, along every way in which code leads on to code."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from infra.reach import ALL_TABLES, Code

TABLES = """
    from pynamodb.models import Model
    from shop.base import settings

    _NAME = settings().table("orders")

    class Order(Model):
        class Meta:
            table_name = _NAME

    class Member(Model):
        class Meta:
            table_name = settings().table("members")

    def read(key):
        return Member.get(key)
"""


def actions(tmp_path: Path, main: str, **modules: str) -> dict[str, set[str]]:
    """What `main.act` can do, in a package of these modules and the tables above."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, text in {"__init__": "", "tables": TABLES, "main": main, **modules}.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    return Code(folder).actions([("shop.main", "act")])


@pytest.mark.parametrize(
    ("call", "may"),
    [
        ("Order.query(1)", "Query"),
        ("Order.by_owner.query(1)", "Query"),
        ("Order.get(1)", "GetItem"),
        ("Order.batch_get([1])", "BatchGetItem"),
        ("Order.batch_write()", "BatchWriteItem"),
        ("Order.scan()", "Scan"),
        ("Order(1).save()", "PutItem"),
        ("Order(1).delete()", "DeleteItem"),
        ("Order(1).update(actions=[])", "UpdateItem"),
        ("Write(Order(1))", "PutItem"),
        ("Write(Order(1), Act.CHECK, condition)", "ConditionCheckItem"),
        ("Write(model=Order(1), act=posting.Act.DELETE)", "DeleteItem"),
        ("posting.Write(Order(1), Act.UPDATE)", "UpdateItem"),
    ],
)
def test_a_call_on_a_model_is_a_right_to_its_table_only(tmp_path: Path, call: str, may: str) -> None:
    main = f"""
        from shop.tables import Member, Order
        def act():
            Member
            return {call}
    """

    assert actions(tmp_path, main) == {"orders": {may}, "members": set()}


@pytest.mark.parametrize(
    "way",
    [
        "from shop.tables import read\ndef act(): read(1)",
        "from shop.tables import read as other\ndef act(): return map(other, [1])",
        "from shop import tables\ndef act(): tables.read(1)",
        "import shop.tables\ndef act(): shop.tables.read(1)",
        "import shop.tables as them\ndef act(): them.read(1)",
        "def act():\n    from shop import tables\n    tables.read(1)",
        "from shop.again import read\ndef act(): read(1)",
        "from shop.tables import read\nclass Doer:\n    def do(self): read(1)\ndef act(): Doer().do()",
        "from shop.tables import read\nclass A:\n    def do(self): read(1)\nclass B(A): pass\ndef act(): B().do()",
        "from shop.tables import read\nDOERS = {'a': read}\ndef act(): DOERS['a'](1)",
        "from shop import registering\ndef act(): pass",
        "from shop.tables import read\ndef act(how=read): how(1)",
    ],
)
def test_every_way_that_leads_to_a_call_is_followed(tmp_path: Path, way: str) -> None:
    registering = "from shop.tables import read\nDOERS = []\nDOERS.append(read)"
    again = "from shop.tables import read"

    assert actions(tmp_path, way, registering=registering, again=again) == {"members": {"GetItem"}}


@pytest.mark.parametrize(
    "way",
    [
        "from shop.tables import read\ndef other(): read(1)\ndef act(): pass",
        "from shop.tables import Member\ndef act(member: Member) -> Member: return member",
        "from shop.tables import Member\ndef act():\n    member: Member = 1",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop.tables import read\ndef act(): {}.get('x')",
    ],
)
def test_what_is_only_named_as_a_type_or_stands_beside_is_not_reached(tmp_path: Path, way: str) -> None:
    assert actions(tmp_path, way) == {}


@pytest.mark.parametrize(
    ("call", "may"),
    [
        ("thing.save()", {"PutItem"}),
        ("thing.query(1)", {"Query"}),
        ("thing.get(1, consistent_read=True)", {"GetItem"}),
        ("thing.get(1)", set()),
        ("thing.update({})", set()),
        ("Write(thing, Act.UPDATE)", {"UpdateItem"}),
        ("transaction.save(thing)", {"PutItem"}),
        ("transaction.delete(thing)", set()),
    ],
)
def test_a_call_on_something_unknown_counts_for_every_table_that_is_reached(
    tmp_path: Path, call: str, may: set[str]
) -> None:
    main = f"""
        from shop.tables import Order
        def act(thing):
            Order
            return {call}
    """

    assert actions(tmp_path, main) == {"orders": may}


def test_a_call_that_takes_tables_by_name_counts_for_all_of_them(tmp_path: Path) -> None:
    found = actions(tmp_path, "def act(client): client.batch_get_item(RequestItems={})")

    assert found == {ALL_TABLES: {"BatchGetItem"}}
