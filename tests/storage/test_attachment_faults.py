"""Whatever fails, an attachment is kept once or not at all, and what is counted is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.base import clock, objects
from chalicelib.base.dynamo import key_of
from chalicelib.base.errors import Refusal, Unavailable
from chalicelib.cases import acting, attaching, feedback, merging, opening, outcomes, tallies
from chalicelib.cases.acting import Plan
from chalicelib.cases.action_table import ActionItem, leads_of, read_action
from chalicelib.cases.attaching import Announced, Attached, AttachmentMissing
from chalicelib.cases.changing import read
from chalicelib.cases.feedback import Sender
from chalicelib.cases.moving import Who
from chalicelib.cases.opening import Complaint
from chalicelib.cases.rules import counting
from chalicelib.cases.rules.files import AttachmentNotFound, AttachmentRefused
from chalicelib.cases.schema import FeedbackIn
from chalicelib.cases.table import LeadItem, read_steps
from chalicelib.ledger.posting import put_once
from chalicelib.program import service as programs
from tests import faults
from tests.api.desk import DEPARTMENTS
from tests.programs import document, texts

NOW = 1_800_000_000
MONTH = "2027-01"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
HTML = b"<html><script>alert(1)</script>"
FAULTS = [faults.lost_on_the_way, faults.committed_then_timed_out, faults.conflicting, faults.throttled, faults.failing]


@pytest.fixture(autouse=True)
def _policy() -> None:
    policy = {"departments": DEPARTMENTS, "causes": {"packaging": texts("Packaging"), "courier": texts("Courier")}}
    programs.publish(document(cases=policy), by="tests", now=NOW - clock.DAY_S)
    programs.reset_cache()


def who(key: str = "one") -> Who:
    return Who("staff:li", key, NOW)


def received(key: str = "one") -> str:
    body = FeedbackIn(kind="complaint", text="The seal was broken.", dimension="product")
    return feedback.receive(body, Sender(actor="system:tests", key=key), now=NOW).case.case_id


def begun(case_id: str, key: str = "one") -> str:
    announced = Announced(name="seal.png", media_type="image/png", bytes=100, is_internal=False)
    return attaching.begin(case_id, announced, who(key)).attachment.attachment_id


def upload(case_id: str, attachment_id: str, content: bytes = PNG) -> None:
    objects.put(f"uploads/{case_id}/{attachment_id}", content, media_type="image/png")


def complete(case_id: str, attachment_id: str) -> Attached:
    return attaching.complete(case_id, attachment_id, who(attachment_id))


def kinds(case_id: str) -> list[str]:
    return [step.kind for step in read_steps(case_id)]


def files(prefix: str = "cases/") -> list[str]:
    return list(objects.keys(prefix))


def met(fault: faults.Fault, act: Callable[[], Any]) -> Any:
    with faults.calls(fault):
        return act()


@pytest.mark.parametrize("fault", FAULTS)
def test_an_attachment_is_begun_and_kept_once(fault: faults.Fault) -> None:
    case_id = received()
    attachment_id = met(fault, lambda: begun(case_id))
    upload(case_id, attachment_id)
    first = met(fault, lambda: complete(case_id, attachment_id))
    assert complete(case_id, attachment_id) == first
    assert kinds(case_id) == ["case_opened", "case_upload_begun", "case_attached"]
    assert (len(files()), files("uploads/")) == (1, [])
    assert read(case_id).case.uploads == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lie_is_refused_once_and_removed(fault: faults.Fault) -> None:
    case_id = received()
    attachment_id = begun(case_id)
    upload(case_id, attachment_id, HTML)
    with faults.calls(fault), pytest.raises(AttachmentRefused):
        complete(case_id, attachment_id)
    assert kinds(case_id)[-1] == "case_attachment_refused"
    assert (files(), files("uploads/")) == ([], [])
    upload(case_id, attachment_id)
    with pytest.raises(AttachmentNotFound):
        complete(case_id, attachment_id)


def test_a_crash_after_the_copy_leaves_nothing_that_counts_and_it_is_completed_again() -> None:
    case_id = received()
    attachment_id = begun(case_id)
    upload(case_id, attachment_id)
    with faults.calls(*[faults.throttled] * 8), pytest.raises(Unavailable):
        complete(case_id, attachment_id)
    assert read(case_id).case.attachments[0].status == "waiting"
    with pytest.raises(AttachmentNotFound):
        attaching.link(read(case_id).case, attachment_id, sees_internal=True)
    # Meanwhile the form was used again, with what is no picture.
    upload(case_id, attachment_id, HTML)
    with pytest.raises(AttachmentRefused):
        complete(case_id, attachment_id)
    assert read(case_id).case.attachments == ()


def test_a_bucket_that_fails_to_remove_what_was_copied_fails_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = received()
    attachment_id = begun(case_id)
    upload(case_id, attachment_id)

    def failing(_key: str) -> None:
        raise ClientError({"Error": {"Code": "SlowDown", "Message": "later"}}, "DeleteObject")

    monkeypatch.setattr(objects, "remove", failing)
    assert complete(case_id, attachment_id).attachment.status == "kept"
    assert complete(case_id, attachment_id).attachment.status == "kept"


def test_two_who_complete_different_contents_at_once_keep_what_was_decided_on(monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = received()
    attachment_id = begun(case_id)
    upload(case_id, attachment_id)
    copy, waiting = objects.copy, [PNG + b"other"]

    def overtaken(key: str, to: str, **rest: Any) -> bool:
        done = copy(key, to, **rest)
        if waiting:
            upload(case_id, attachment_id, waiting.pop())
            complete(case_id, attachment_id)
        return done

    monkeypatch.setattr(objects, "copy", overtaken)
    found = complete(case_id, attachment_id).attachment
    assert found.bytes == len(PNG) + len(b"other")
    assert objects.get(attaching.place(found, found.etag)) == PNG + b"other"
    assert kinds(case_id).count("case_attached") == 1


def test_completing_comes_before_the_upload_and_after_a_merge() -> None:
    case_id, into = received(), received("two")
    attachment_id = begun(case_id)
    with pytest.raises(AttachmentMissing):
        complete(case_id, attachment_id)
    upload(case_id, attachment_id)
    merging.merge(case_id, into, "", who())
    assert complete(case_id, attachment_id).case.case_id == into
    assert complete(into, attachment_id).attachment.status == "kept"
    assert read(case_id).case.attachments == ()


@pytest.mark.parametrize("fault", FAULTS)
def test_counts_and_lists_are_right_whatever_fails(fault: faults.Fault) -> None:
    case_id, twin = met(fault, received), met(fault, lambda: received("two"))
    met(fault, lambda: acting.put_down(case_id, "courier", "", who("a")))
    met(fault, lambda: acting.put_down(case_id, "packaging", "", who("b")))
    met(fault, lambda: acting.put_down(twin, "packaging", "", who("c")))
    wanted = Plan(department="quality", what="Other seals.", due_on="2027-02-01")
    action = met(fault, lambda: acting.plan(case_id, wanted, who("d")))[1]
    assert listed() == leads_of(action)
    met(fault, lambda: acting.finish(case_id, action.action_id, works_on="2027-01-20", text="In.", who=who("e")))
    met(fault, lambda: merging.merge(twin, case_id, "", who("f")))

    counts = {name: count for name, count in tallies.read([MONTH])[MONTH].items() if count}
    assert counts == dict(counting.counted(read(case_id).case))
    done = read_action(action.action_id)
    assert done
    assert (listed(), done.state, ActionItem.count(action.action_id)) == (leads_of(done), "done", 1)


def listed() -> set[tuple[str, str]]:
    return {(str(item.key), str(item.part)) for item in LeadItem.scan() if str(item.key).startswith("actions:")}


def test_an_answer_that_rates_one_case_may_open_another_in_the_same_transaction() -> None:
    case_id = received()
    for number in range(60):
        complaint = Complaint(
            member_id=None,
            kind="complaint",
            dimension="service",
            severity="normal",
            text="Still not mended.",
            channel="app",
            actor="member",
        )
        opened = opening.opening(complaint, key=f"answer {number}", now=NOW)
        record, *writes = opened.writes
        noted = outcomes.noting(case_id, 1 + number % 7, response_id=f"rsp_{number}", actor="member", now=NOW)
        touched = [key_of(write.model) for write in (record, *writes, *noted)]
        assert len(set(touched)) == len(touched)
    assert not put_once(opened.record, [*writes, *noted]).replayed
    found = tallies.read([MONTH])[MONTH]
    assert (found[counting.CASES], found[counting.RATED], found[counting.EFFORT]) == (2, 1, 4)


def test_a_refused_cause_counts_nothing() -> None:
    case_id = received()
    with pytest.raises(Refusal):
        acting.put_down(case_id, "weather", "", who())
    assert tallies.read([MONTH])[MONTH][counting.KNOWN] == 0
