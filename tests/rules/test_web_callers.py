"""What the authorizer knows of a caller arrives whole, and nobody is made up on the way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base.errors import Forbidden, NotAuthenticated
from chalicelib.web.caller import Caller, from_context, to_context

TEXTS = st.text(min_size=1, max_size=20)
CALLERS = st.builds(
    Caller,
    kind=st.sampled_from(["member", "staff", "system", "link"]),
    subject=TEXTS,
    issuer=TEXTS,
    client_id=TEXTS,
    scopes=st.frozensets(st.sampled_from(["orders.write", "members.read"])),
    phone=st.none() | TEXTS,
    mail=st.none() | TEXTS,
    expires_at=st.integers(0, 2**32 - 1),
)


@given(CALLERS)
def test_a_caller_passes_through_the_gateway_unchanged(caller: Caller) -> None:
    assert from_context({"principalId": "x", **to_context(caller)}) == caller


@pytest.mark.parametrize(
    "context", [None, {}, {"kind": "member"}, {"kind": "admin", "sub": "a"}, {"kind": "member", "sub": ""}]
)
def test_without_an_authorizer_at_work_nobody_is_known(context: dict[str, Any] | None) -> None:
    with pytest.raises(NotAuthenticated):
        from_context(context)


def test_actors_tell_machines_from_people_and_members() -> None:
    assert Caller("system", "pos", "i", "pos").actor() == "system:pos"
    assert Caller("staff", "mei", "i", "desk").actor() == "staff:mei"
    assert Caller("member", "someone", "i", "app").actor() == "member"
    assert Caller("link", "inv_1", "", "").actor() == "link"


def test_a_missing_scope_is_named() -> None:
    caller = Caller("system", "pos", "i", "pos", frozenset({"orders.write"}))
    caller.require("orders.write")
    with pytest.raises(Forbidden, match=r"adjustments\.write") as caught:
        caller.require("adjustments.write")
    assert caught.value.reason_code == "scope_missing"
