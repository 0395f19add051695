"""Cursors are opaque, and good for one list only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base.errors import Invalid
from chalicelib.web import cursors

KEYS = st.one_of(st.integers(0, 2**40), st.text(max_size=40), st.lists(st.integers(0, 9), max_size=4))


@given(KEYS)
def test_a_cursor_leads_back_to_its_key(key: object) -> None:
    assert cursors.unseal(cursors.seal("get_entries", "mem_a", key), "get_entries", "mem_a") == key


@given(st.data())
def test_a_cursor_changed_in_any_character_is_refused(data: st.DataObject) -> None:
    cursor = cursors.seal("get_entries", "mem_a", 41)
    place = data.draw(st.integers(0, len(cursor) - 1))
    character = data.draw(st.sampled_from("ABab019-_=+/ é"))
    changed = cursor[:place] + character + cursor[place + 1 :]
    if changed != cursor:
        refuses(changed)


@pytest.mark.parametrize(("operation", "owner"), [("get_proof", "mem_a"), ("get_entries", "mem_b")])
def test_the_cursor_of_another_list_is_refused(operation: str, owner: str) -> None:
    refuses(cursors.seal(operation, owner, 41))


@pytest.mark.parametrize("cursor", ["", "a", "====", "null", "x" * 5000, "\u00e9", "\ud800"])
def test_what_never_was_a_cursor_is_refused(cursor: str) -> None:
    refuses(cursor)


def test_a_cursor_shows_nothing_of_whose_list_it_is() -> None:
    assert "mem" not in cursors.seal("get_entries", "mem_a", 41)


def refuses(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        cursors.unseal(cursor, "get_entries", "mem_a")
    assert caught.value.reason_code == "cursor_invalid"
