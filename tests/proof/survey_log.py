"""What the store's log and the tables say of surveys after a race, held against the model."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from chalicelib.base import clock, ids
from chalicelib.cases import opening
from chalicelib.surveys import defining, inviting, tallies
from chalicelib.surveys.rules import counting
from chalicelib.surveys.table import SHARDS, AnswerItem, answers_key
from tests.proof.areas import News
from tests.proof.calendar import DAY_S
from tests.proof.model import Model, Moved
from tests.proof.rules_model import Rules
from tests.proof.survey_model import UNHAPPY, Head, Invited, Said, Taken

CODE = "race"
SURVEY = defining.survey_id_of(CODE)
RECOMMEND, EASY = "recommend", "easy"
OPEN_DAYS = 30
MONTH = "2027-01"
"""In which everything is answered."""


def own(member: str) -> str:
    """The name of a member's uninvited answer."""
    return ids.derived("rsp", SURVEY, member)


def own_names(model: Model, member: str) -> list[str]:
    """Under which names whoever a member is by now may have answered uninvited."""
    everybody = {member, *model.accounts}
    return [own(one) for one in sorted(everybody) if model.heir(one) == model.heir(member)]


def invitation_of(key: str) -> str:
    """The id of an invitation."""
    return ids.derived("inv", "by hand", SURVEY, key)


def hears(news: News) -> bool:
    """Changes of the survey, invitations as they are made, and what stands in the place of an answer."""
    key, part = news.text("key"), news.text("part")
    if key.startswith("rsp_"):
        return part == "response" and "seq" not in news.item
    return news.table == "surveys" and (key == SURVEY or (key.startswith("inv_") and news.text("status") == "open"))


def tell(model: Model, news: News) -> None:
    """The survey says something else from now on, or somebody was invited."""
    key, surveys = news.text("key"), model.surveys
    if key.startswith("rsp_"):
        surveys.stand_ins[key] = news.text("record_id")
    elif key.startswith("inv_"):
        expires_at = clock.parse(news.text("expires_at"))
        assert expires_at == clock.parse(news.text("posted_at")) + OPEN_DAYS * DAY_S
        surveys.invitations[key] = Invited(news.text("member_id"), expires_at, news.text("case_id"))
    elif news.text("part") == "head":
        numbers = (news.number(name) for name in ("definition", "opened", "version"))
        number, opened, version = numbers
        assert version == len(surveys.heads) + 1
        surveys.heads.append(Head(news.tick, news.text("status"), number, opened, version))
    else:
        number = int(news.text("part").removeprefix("v"))
        surveys.points[number] = msgspec.json.decode(news.text("document"))["points"]


def taken(model: Model, news: News, at: int, rules: Rules) -> Moved | None:
    """An answer was taken: while the survey was open, once, by a version that there was, with the case it opens."""
    name, member, surveys = news.text("record_id"), news.text("member_id"), model.surveys
    names = [name, *own_names(model, member)]
    since = min([news.asked_at[each] for each in names if each in news.asked_at] + [news.tick])
    assert surveys.was_open(since, news.tick), "an answer was taken though the survey was closed"
    said = _said(msgspec.json.decode(news.text("body")))
    case = opening.case_id_of("within", name) if said.recommend <= UNHAPPY else ""
    assert news.text("case_id") == case
    if "invitation_id" in news.item:
        invited = surveys.answer(news.text("invitation_id"), name)
        assert model.heir(invited.member) == model.heir(member)
    else:
        assert not surveys.given(names), "whoever became one with others has answered twice"
    occurred_at = clock.parse(news.text("occurred_at"))
    found = Taken(member, said, news.number("definition"), case)
    return surveys.take(model, name, found, occurred_at, at, rules)


def _said(body: Any) -> Said:
    return Said(body[RECOMMEND]["number"], body.get(EASY, {}).get("number", 0))


def judge(model: Model, _now: int, seen: Counter[str]) -> None:
    """Every answer that was taken is listed and counted once, and each invitation has the one that it was given."""
    surveys = model.surveys
    if not surveys.heads:
        return
    keys = [answers_key(SURVEY, MONTH, shard) for shard in range(SHARDS)]
    listed = [item.part.partition("#")[2] for key in keys for item in AnswerItem.query(key)]
    assert sorted(listed) == sorted(surveys.taken)
    found = tallies.read(SURVEY, [MONTH])[MONTH]
    assert not found.flagged
    assert found.sound[counting.ANSWERS] == len(surveys.taken)
    for code, numbers in (
        (RECOMMEND, Counter(each.said.recommend for each in surveys.taken.values())),
        (EASY, Counter(each.said.easy for each in surveys.taken.values() if each.said.easy)),
    ):
        told = {name: count for name, count in found.sound.items() if name.startswith(f"{code}:")}
        assert told == {f"{code}:{number}": count for number, count in numbers.items()}
    for name, invited in surveys.invitations.items():
        now = inviting.read(name)
        assert (now.status, now.response_id) == (invited.status, invited.answer)
        assert now.ended_at < invited.expires_at
    assert sum(inviting.sent_counts(SURVEY, [MONTH]).values()) == len(surveys.invitations)
    head = defining.read_now(SURVEY)
    assert (head.status, head.number, head.version) == (
        surveys.heads[-1].status,
        surveys.heads[-1].number,
        surveys.heads[-1].version,
    )
    seen["answer taken"] += len(surveys.taken)
    seen["answer by a later version"] += sum(each.number > 1 for each in surveys.taken.values())
    seen["answer of who became one"] += sum(model.heir(each.member) != each.member for each in surveys.taken.values())
