"""Handlers race at cases: every interleaving a seed, with faults, stale reads and deaths at every call."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from unittest import mock

import pytest
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from chalicelib.base import clock, facts
from chalicelib.base.errors import Refusal
from chalicelib.cases import compensating, feedback, merging, moving, watching
from chalicelib.cases.changing import read
from chalicelib.cases.compensating import Amends
from chalicelib.cases.feedback import Sender
from chalicelib.cases.moving import Who, Words
from chalicelib.cases.opening import case_id_of
from chalicelib.cases.rules.case import Case
from chalicelib.cases.rules.moves import Assignment, Move
from chalicelib.cases.rules.steps import FACTS
from chalicelib.cases.schema import FeedbackIn
from chalicelib.cases.table import StepItem, head_write, lead_writes, leads_of, read_steps, step_id_of
from chalicelib.ledger.posting import Act, Write
from chalicelib.members import enrolling
from chalicelib.members.schema import MemberIn
from chalicelib.program import service as programs
from tests.programs import document
from tests.proof.invariants import Watch, items
from tests.proof.scheduler import Died, Scheduler, Writer
from tests.proof.store import Store, intercepted

STARTED = 1_800_000_000
LATE = STARTED + 130 * 3600
HANDLER, MOST = 500, 1_200
SEEDS = range(40)
SENDERS = ("a", "b", "c")
CASES = tuple(case_id_of("key", "system:crm", name) for name in SENDERS)
AFTER: dict[str, set[str]] = {
    "new": {"new", "assigned", "merged"},
    "assigned": {"assigned", "analysing", "merged"},
    "analysing": {"analysing", "acting", "resolved", "merged"},
    "acting": {"acting", "analysing", "resolved", "merged"},
    "resolved": {"resolved", "verified", "reopened", "merged"},
    "verified": {"verified", "reopened", "merged"},
    "reopened": {"reopened", "assigned", "analysing", "acting", "merged"},
    "merged": {"merged"},
}

Send = Callable[[int], object]


def complain(name: str, member_id: str) -> Send:
    body = FeedbackIn(kind="complaint", text="Broken.", member_id=member_id)
    return lambda now: feedback.receive(body, Sender(actor="system:crm", key=name), now=now)


def take(case_id: str, actor: str) -> Send:
    return lambda now: moving.assign(case_id, Assignment(owner=actor), Words(), Who(actor, "take", now))


def move(case_id: str, asked: Move, key: str) -> Send:
    return lambda now: moving.move(case_id, asked, Words(key), Who("staff:li", key, now))


def note(case_id: str, key: str) -> Send:
    return lambda now: moving.note(case_id, Words(key), Who("staff:li", key, now))


def give(case_id: str, actor: str, points: int) -> Send:
    wanted = Amends(points=points, reason="Sorry.")
    return lambda now: compensating.ask(case_id, wanted, Who(actor, f"{points}", now))


def decide(case_id: str, asker: str, points: int, *, approves: bool) -> Send:
    """Decide on a compensation, wherever it is by now."""
    compensation_id = f"cmp_{step_id_of(case_id, 'compensation', asker, f'{points}').partition('.')[2]}"

    def send(now: int) -> None:
        found = read(case_id).case
        where = found.merged_into or case_id
        who = Who("staff:boss", "", now)
        compensating.decide(where, compensation_id, approves=approves, text="", who=who)

    return send


def merge(case_id: str, into: str) -> Send:
    return lambda now: merging.merge(case_id, into, "", Who("staff:li", "", now))


def requests(member_id: str) -> list[Send]:
    found: list[Send] = [complain(name, member_id) for name in SENDERS]
    for case_id in CASES:
        found += [take(case_id, actor) for actor in ("staff:li", "staff:wang")]
        found += [give(case_id, actor, points) for actor in ("staff:li", "staff:wang") for points in (300, 600)]
        found += [decide(case_id, "staff:li", 600, approves=True), decide(case_id, "staff:wang", 600, approves=False)]
        found += [move(case_id, "analyse", "one"), move(case_id, "resolve", "two"), move(case_id, "reopen", "three")]
        found += [note(case_id, f"note {number}") for number in range(2)]
    found += [merge(CASES[1], CASES[0]), merge(CASES[0], CASES[1]), merge(CASES[2], CASES[0])]
    return [*found, *[lambda _now: watching.watch(now=LATE)] * 2]


def ask(send: Send, now: int, seen: Counter[str]) -> None:
    """Send a request until something is known of it, as clients do."""
    for _try in range(6):
        try:
            send(now)
        except Refusal as refusal:
            seen[refusal.reason_code] += 1
            if refusal.reason_code != "busy":
                return
        except (PynamoDBException, BotoCoreError):
            seen["unanswered"] += 1
        else:
            seen["done"] += 1
            return


def race(seed: int) -> Counter[str]:
    """Let four processes work off the requests, each request in two of them; then in peace until nothing changes."""
    rng = random.Random(seed)  # noqa: S311 -- to be repeated, not to be secret
    store = Store()
    scheduler = Scheduler(store, rng, rng.choice((0.0, 0.1, 0.2)))
    with intercepted(scheduler.call), mock.patch("time.sleep"), mock.patch.object(watching.metrics, "write"):  # type: ignore[attr-defined]
        limits = {"compensation": {"handler_points": HANDLER, "points_max": MOST}}
        programs.publish(document(welcome_points=0, cases=limits), by="t", now=STARTED - clock.DAY_S)
        programs.reset_cache()
        member_id = str(
            enrolling.enrol(
                MemberIn(phone="+8613800138000"), client_id="t", key="one", actor="system:t", now=STARTED
            ).member_id
        )
        wanted = requests(member_id)
        writers = [Writer(f"writer {number}", rng.randint(-2, 2)) for number in range(4)]
        lists: dict[Writer, list[Send]] = {writer: [] for writer in writers}
        for send in wanted:
            for writer in rng.sample(writers, 2):
                lists[writer].append(send)

        def serve(writer: Writer) -> None:
            rng.shuffle(lists[writer])
            for send in lists[writer]:
                try:
                    ask(send, STARTED + writer.skew_s, scheduler.seen)
                except Died:
                    return

        scheduler.run([(writer, serve) for writer in writers])
        for _round in range(2 * len(wanted)):
            before = store.tick
            for send in wanted:
                ask(send, STARTED + 5, Counter())
            if store.tick == before:
                break
        else:
            raise AssertionError("sent again and again, requests go on changing something")
        judge(member_id)
    return scheduler.seen


def judge(member_id: str) -> None:
    """Histories without a gap and only with moves that there are; points, facts and lists as the cases say."""
    (chain,) = Watch().look().values()
    posted = [(entry.kind, entry.record) for entry in chain if entry.kind.startswith("case_")]
    assert len(set(posted)) == len(posted)
    steps = [step for case_id in CASES for step in read_steps(case_id)]
    assert sorted(posted) == sorted((step.kind, step.record_id) for step in steps if step.kind in FACTS)
    given = 0
    for case_id in CASES:
        case = read(case_id).case
        history(read_steps(case_id))
        given += sum(each.points for each in case.compensations if each.status == "given")
    assert chain[-1].state.available == given
    of = [each for case_id in CASES for each in read(case_id).case.compensations]
    assert len({each.compensation_id for each in of}) == len(of)
    for case_id in CASES:
        mine = [each for each in of if each.case_id == case_id and each.status == "given"]
        assert sum(each.points for each in mine) <= MOST
        assert sum(each.points for each in mine if not each.decided_by) <= HANDLER
        assert all(each.asked_by != each.decided_by for each in mine)
    found = {(item["key"]["S"], item["part"]["S"]) for item in items("cases")}
    leads = {(key, part) for key, part in found if "#cse_" in part}
    assert leads == {lead for case_id in CASES for lead in leads_of(read(case_id).case)}
    assert all(entry.member_id == member_id for entry in chain)


def history(steps: list[StepItem]) -> None:
    """Raises AssertionError where a step is missing, or makes no sense after the one before."""
    assert [int(step.number) for step in steps] == list(range(1, len(steps) + 1))
    assert steps[0].kind == facts.CASE_OPENED
    for before, after in itertools.pairwise(steps):
        assert after.state in AFTER[str(before.state)], (before.kind, after.kind)
    alerts = [step.record_id for step in steps if step.kind == "case_alerted"]
    assert len(set(alerts)) == len(alerts)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_interleaving_and_no_fault_gives_too_much_or_leaves_a_list_behind(seed: int) -> None:
    race(seed)


def test_the_seeds_meet_what_they_are_about() -> None:
    seen: Counter[str] = Counter()
    for seed in range(20):
        seen += race(seed)
    for refusal in ("case_taken", "case_merged", "case_state_forbids", "compensation_limit_exceeded"):
        assert seen[refusal], refusal
    for fault in ("timeout after commit", "death before", "conflict", "stale", "condition failed"):
        assert seen[fault], fault


@pytest.mark.parametrize("planted", ["a case is written whatever it is by then", "a list is not kept in step"])
def test_planted_faults_are_found(planted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(case: Case, version: int) -> Write:
        return Write(head_write(case, version).model)

    def forgetful(before: Case | None, after: Case) -> Sequence[Write]:
        return [write for write in lead_writes(before, after) if write.act is not Act.DELETE]

    if planted.startswith("a case"):
        monkeypatch.setattr("chalicelib.cases.changing.head_write", careless)
    else:
        monkeypatch.setattr("chalicelib.cases.changing.lead_writes", forgetful)
    with pytest.raises(AssertionError):
        all(map(race, range(5)))
