"""A request that is sent twice at once is answered twice alike, though it used the last one up."""

from __future__ import annotations

import pytest

from chalicelib.vouchers import making, service, uses, using
from tests.storage.test_voucher_faults import NOW, ORDER, ask, enrolled, make


def test_a_use_that_its_twin_has_made_meanwhile_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = enrolled()
    issued = service.issue(make(limits={"per_member": 1}), member_id, "birthday", now=NOW).record
    code = making.code_of(issued.origin, 0)
    who = using.Who("key", "system:tests", NOW)
    first = using.redeem(ask(code, member_id, None), ORDER, who)
    monkeypatch.setattr(uses, "uses_of", lambda _order: ([], []))

    second = using.redeem(ask(code, member_id, None), ORDER, who)

    assert (first.replayed, second.replayed) == (False, True)
    assert second.record.record_id == first.record.record_id
