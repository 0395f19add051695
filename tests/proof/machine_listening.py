"""The state machine's surveys and cases, among orders, redemptions and merges: requests of the races, one at a time."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.base.errors import Refusal
from chalicelib.base.settings import settings
from tests.proof import scenario_cases as cases
from tests.proof import scenario_surveys as surveys
from tests.proof.areas import News
from tests.proof.calendar import DAY_S
from tests.proof.machine import PICKS, REACHED, STARTED
from tests.proof.machine_trade import Trade
from tests.proof.scenario import Request
from tests.proof.store import Store
from tests.proof.survey_log import invitation_of
from tests.proof.survey_model import Said

AREAS = (surveys.AREA, cases.AREA)
SAID = st.sampled_from([surveys.UNHAPPILY, surveys.HAPPILY, surveys.HARD, surveys.EASILY])
PEOPLE = st.sampled_from([cases.LI, cases.WANG, cases.BOSS])
POINTS = st.sampled_from([200, 300, 9_000, 12_000])
REACHED_AREAS: Counter[str] = Counter()
MOVES = st.sampled_from(["analyse", "act", "resolve", "verify", "reopen"])


class Listening(Trade):
    """A shop that asks its members, and makes good what they complain of."""

    # What these try has nothing to do with surveys and cases, and the other machine tries it.
    take = take_all = write_down = check_out = end_redemption = change_pending = None  # type: ignore[assignment]
    guest = refund_by_line = publish = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.heard = 0
        super().__init__()

    @contextlib.contextmanager
    def tables(self) -> Iterator[object]:
        """The tables of this run, which are listened to."""
        with super().tables() as found:
            self.store = found
            yield found

    @rule(seconds=st.sampled_from([1, 60, 3600, 3600, DAY_S, 8 * DAY_S]))
    def wait(self, seconds: int) -> None:
        """Time passes, though not so much that every answer comes too late."""
        self.now += seconds

    def told(self) -> Store:
        """The store whose log is the news."""
        store: Any = self.store
        return store if isinstance(store, Store) else store._store

    def ask(self, kind: str, request: Request) -> None:
        """Send a request twice: it is refused for a reason that the model has, or done once; then hear what came."""
        reasons = request.reasons(self.model, self.now)
        for _time in range(2):
            code = self.tried(request)
            assert code in reasons if reasons else not code, (request.name, code, reasons)
            self.listen()
            if not code:
                # Done before, it is answered again, whatever there is to say against it by now.
                reasons = []
        REACHED[kind, code or "accepted"] += 1
        for area in AREAS if self.now < STARTED + 10 * DAY_S else AREAS[1:]:
            area.judge(self.model, self.now, REACHED_AREAS)

    def tried(self, request: Request) -> str:
        """The code with which a request is refused, if it is."""
        try:
            request.send(self.now)
        except Refusal as refusal:
            return refusal.reason_code
        return ""

    def listen(self) -> None:
        """Tell the model what has come true since it was told last."""
        store = self.told()
        found = [(tick, 0, table, item) for tick, table, item in store.log if tick > self.heard]
        found += [(tick, 1, table, item) for tick, table, item in store.updates if tick > self.heard]
        self.heard = store.tick
        for tick, is_update, table, item in sorted(found, key=lambda each: each[:2]):
            news = News(table.removeprefix(settings().table_prefix), item, {}, tick)
            for area in AREAS:
                if (not is_update or area.hears_updates) and area.hears(news):
                    area.tell(self.model, news)
                elif not is_update and area.unasked(news) and "seq" in item:
                    at = surveys.ANSWERED_AT if area is surveys.AREA else self.now
                    area.play(self.model, news, self.now, self.rules_at(at))

    @precondition(lambda self: not self.model.surveys.heads)
    @rule()
    def define(self) -> None:
        """There is a survey, which is opened."""
        self.ask("make survey", surveys.make())
        self.ask("open survey", surveys.set_status("open survey", "open"))

    @precondition(lambda self: self.model.surveys.heads)
    @rule(opens=st.sampled_from([1, 1, 0]))
    def open_or_close(self, opens: int) -> None:
        """The survey is opened or closed."""
        self.ask("open survey", surveys.set_status("survey", "open" if opens else "closed"))

    @precondition(lambda self: self.model.surveys.heads and self.model.surveys.heads[-1].status == "open")
    @rule(points=st.integers(0, 40), is_late=st.sampled_from([0, 0, 1]))
    def edit(self, points: int, is_late: int) -> None:
        """The survey gives something else, unless somebody was faster."""
        version = self.model.surveys.heads[-1].version
        self.ask("edit survey", surveys.edit(points + 1_000 * is_late + version, version - is_late))

    @rule(choice=PICKS, said=SAID, way=st.sampled_from(["app", "paper", "link", "phone"]))
    def answer(self, choice: int, said: Said, way: Any) -> None:
        """A member answers: in the app, on paper, or an invitation by hand."""
        if not self.model.surveys.heads:
            self.define()
        member, rules = self.pick(self.members, choice), self.rules_at(self.now)
        if way == "app":
            self.ask("answer", surveys.in_the_app(member, said, rules))
        elif way == "paper":
            self.ask("answer on paper", surveys.read_in(member, member, said, rules))
        else:
            key = f"to {member}"
            if invitation_of(key) not in self.model.surveys.invitations:
                if self.model.surveys.heads[-1].status != "open":
                    return
                about = cases.CASE if self.is_about(member) else ""
                self.ask("invite", surveys.invite(member, key, about))
            self.ask("answer invitation", surveys.invited(key, member, said, rules, way))

    def is_about(self, member: str) -> bool:
        """Whether the case is the member's."""
        found = self.model.cases.cases.get(cases.CASE)
        return bool(found) and self.model.heir(found.member) == self.model.heir(member)  # type: ignore[union-attr]

    @precondition(lambda self: cases.CASE not in self.model.cases.cases)
    @rule(choice=PICKS)
    def complain(self, choice: int) -> None:
        """A member complains, and somebody takes the case."""
        self.ask("complain", cases.complain(self.pick(self.members, choice)))
        self.ask("take case", cases.take(cases.LI))
        self.ask("move case", cases.move("analyse"))

    @rule(actor=PEOPLE, points=POINTS)
    def make_good(self, actor: str, points: int) -> None:
        """Somebody would give points for the case."""
        if cases.CASE not in self.model.cases.cases:
            self.complain(0)
        name = cases.name_of(actor, points)
        if name not in self.model.cases.cases[cases.CASE].given:
            self.ask("give points", cases.give(actor, points))

    @precondition(lambda self: self.waiting_amends())
    @rule(choice=PICKS, actor=PEOPLE, approves=st.booleans())
    def decide(self, choice: int, actor: str, *, approves: bool) -> None:
        """Somebody decides on what waits."""
        asker, points = self.waiting_amends()[choice % len(self.waiting_amends())]
        self.ask("decide", cases.decide(actor, asker, points, approves=approves))

    def waiting_amends(self) -> list[tuple[str, int]]:
        """Compensations that wait: who asked, and for how much."""
        found = self.model.cases.cases.get(cases.CASE)
        return (
            [(each.asked_by, each.points) for each in found.given.values() if each.status == "waiting"] if found else []
        )

    @precondition(lambda self: cases.CASE in self.model.cases.cases)
    @rule(asked=MOVES)
    def move_case(self, asked: Any) -> None:
        """The case is moved on."""
        self.ask("move case", cases.move(asked, self.number()))
