"""The night's tables, by tier, channel, store, segment and language."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.surveys.document import Answers
from chalicelib.surveys.rules import counting, crossing
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.rules.crossing import GROUPINGS, Tables
from tests.surveys import LARGEST, VISIT, answers, everything

CONTEXTS = st.builds(
    Context,
    channel=st.sampled_from(["app", "link", "paper"]),
    tier=st.sampled_from(["", "silver", "gold"]),
    segments=st.lists(st.sampled_from(["new", "loyal", "lapsed"]), max_size=3).map(tuple),
    store=st.sampled_from(["", "one", "two"]),
    locale=st.sampled_from(["en", "zh-Hans"]),
    flags=st.sampled_from([(), (), (), ("speeding",)]),
)
ANSWERS = st.builds(
    lambda nps, goods, words: answers(nps=nps, rating={"goods": goods}, words=words),
    st.integers(0, 10),
    st.integers(1, 5),
    st.sampled_from(["", "fine"]),
)
GIVEN = st.lists(st.tuples(ANSWERS, CONTEXTS), max_size=30)


def crossed(given_answers: list[tuple[Answers, Context]]) -> Tables:
    tables = Tables()
    for number, (one, context) in enumerate(given_answers):
        tables.add(VISIT, one, context, number % 16)
    return tables


@given(GIVEN)
def test_the_cells_of_what_everybody_has_one_of_add_up_to_all_answers(
    given_answers: list[tuple[Answers, Context]],
) -> None:
    tables = crossed(given_answers)
    whole = Counter(
        {name: count for name, count in tables.cells.get("all", {}).get("sound", {}).items() if "drivers:" not in name}
    )
    for grouping in ("tier", "channel", "store", "language"):
        together: Counter[str] = Counter()
        for cell in tables.cells.get(grouping, {}).values():
            together.update(cell)
        assert together == whole


@given(GIVEN)
def test_tables_count_what_the_live_totals_count(given_answers: list[tuple[Answers, Context]]) -> None:
    live = {"sound": Counter[str](), "flagged": Counter[str]()}
    for one, context in given_answers:
        live["flagged" if context.flags else "sound"].update(counting.added(VISIT, one, context))
    found = crossed(given_answers).cells.get("all", {})
    for name, counts in live.items():
        assert {key: count for key, count in found.get(name, {}).items() if not key.startswith("drivers:")} == counts


@given(GIVEN, st.integers(0, 30))
def test_a_reading_in_two_legs_comes_out_as_in_one(given_answers: list[tuple[Answers, Context]], cut: int) -> None:
    first = Tables()
    for number, (one, context) in enumerate(given_answers[:cut]):
        first.add(VISIT, one, context, number % 16)
    second = Tables()
    for grouping, cells in first.cells.items():
        for chunk in crossing.packed(cells):
            second.merge(grouping, crossing.unpacked(chunk))
    for number, (one, context) in enumerate(given_answers[cut:], start=cut):
        second.add(VISIT, one, context, number % 16)
    assert second.cells == crossed(given_answers).cells
    assert second.answers == len(given_answers)


def test_a_member_of_two_segments_counts_in_both_and_one_of_none_apart() -> None:
    tables = crossed(
        [
            (answers(nps=9), Context(channel="app", segments=("new", "loyal", "new"))),
            (answers(nps=3), Context(channel="app")),
        ]
    )
    cells = tables.cells["segment"]
    assert {value: dict(counts) for value, counts in cells.items()} == {
        "new": {"#n": 1, "#channel:app": 1, "nps:9": 1},
        "loyal": {"#n": 1, "#channel:app": 1, "nps:9": 1},
        "": {"#n": 1, "#channel:app": 1, "nps:3": 1},
    }


def test_flagged_answers_are_in_no_table_but_their_own() -> None:
    tables = crossed([(answers(nps=9, rating={"goods": 5}), Context(channel="app", flags=("straight_lined",)))])
    assert list(tables.cells) == ["all"]
    assert list(tables.cells["all"]) == ["flagged"]


def test_more_stores_than_a_table_has_are_counted_together() -> None:
    tables = Tables()
    for number in range(crossing.VALUES_MAX + 10):
        tables.add(VISIT, answers(nps=9), Context(channel="app", store=f"store-{number}"), 0)
    stores = tables.cells["store"]
    assert len(stores) == crossing.VALUES_MAX + 1
    assert stores[crossing.OTHERS]["#n"] == 10
    assert sum(cell["#n"] for cell in stores.values()) == tables.answers


def test_chunks_of_the_largest_tables_fit_into_items() -> None:
    tables = Tables()
    full = everything(LARGEST)
    for number in range(40):
        tables.add(LARGEST, full, Context(channel="app", store=f"store-{number}"), number % 16)
    chunks = list(crossing.packed(tables.cells["store"]))
    assert len(chunks) > 1
    assert max(map(len, chunks)) < 400_000
    assert sum(len(crossing.unpacked(chunk)) for chunk in chunks) == 40
    assert len(crossing.pack(tables.cells["all"])) < 350_000


def test_every_grouping_has_a_table() -> None:
    tables = crossed([(answers(nps=9), Context(channel="app"))])
    assert tables.cells.keys() == {"all", *GROUPINGS}
