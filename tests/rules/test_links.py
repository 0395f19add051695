"""A link's token is read as it was made, and nothing else is: not one bit may differ."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import ids, links
from chalicelib.base import settings as base_settings
from chalicelib.base.links import Forged, Link

IDS = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=1).map(lambda text: ids.derived("inv", text))
LINKS = st.builds(Link, invitation_id=IDS, expires_at=st.integers(0, 2**32 - 1))
LINK = Link(ids.derived("inv", "mem_1", "visit", "ord_1"), 1_800_000_000)


@given(LINKS)
def test_a_token_is_read_as_it_was_made(link: Link) -> None:
    text = links.token(link)
    assert links.read(text) == link
    assert len(text) == 54
    assert set(text) <= set(string.ascii_letters + string.digits + "-_")


@given(LINKS, st.integers(0, 37 * 8 - 1))
def test_any_changed_bit_is_refused(link: Link, bit: int) -> None:
    body = links.token(link).removeprefix(links.PREFIX)
    sealed = bytearray(base64.urlsafe_b64decode(f"{body}=="))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Forged):
        links.read(links.PREFIX + base64.urlsafe_b64encode(sealed).decode().rstrip("="))


@given(LINKS, st.data())
def test_any_changed_character_is_refused(link: Link, data: st.DataObject) -> None:
    text = links.token(link)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(sorted(set(string.printable + "é中") - {text[place]})))
    with pytest.raises(Forged):
        links.read(text[:place] + other + text[place + 1 :])


@given(st.text(max_size=100) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_what_we_have_not_made_is_refused(text: str) -> None:
    for token in (text, links.PREFIX + text):
        with pytest.raises(Forged):
            links.read(token)


def test_one_token_has_one_spelling() -> None:
    text = links.token(LINK)
    for other in (f"{text}=", f"{text}==", f" {text}", f"{text}\n", text.removeprefix(links.PREFIX)):
        with pytest.raises(Forged):
            links.read(other)


def test_the_end_cannot_be_put_off() -> None:
    longer = links.token(Link(LINK.invitation_id, LINK.expires_at + 1))
    spliced = longer[:-22] + links.token(LINK)[-22:]
    with pytest.raises(Forged):
        links.read(spliced)


def test_another_installation_has_other_links(monkeypatch: pytest.MonkeyPatch) -> None:
    text = links.token(LINK)
    other = base_settings.read({"HUIKE_TABLE_PREFIX": "x", "HUIKE_ID_SECRET": "another secret"})
    monkeypatch.setattr(links, "settings", lambda: other)
    with pytest.raises(Forged):
        links.read(text)


@pytest.mark.parametrize(
    "name", ["mem_" + "a" * 26, "inv_" + "a" * 25, "inv_" + "A" * 26, "inv_" + "a" * 26 + "\n", ""]
)
def test_only_invitations_have_links(name: str) -> None:
    with pytest.raises(ValueError, match="no invitation"):
        links.token(Link(name, 1))
