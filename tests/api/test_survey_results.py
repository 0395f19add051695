"""What answers say, over HTTP: results live and of the night, the answers themselves, and CSV."""

from __future__ import annotations

import csv
import io
from typing import Any
from unittest import mock

import pytest

from chalicelib.base import clock, queues
from chalicelib.surveys import answers as listing
from chalicelib.surveys import changing, crossing, exporting
from chalicelib.surveys.crossing import Month
from chalicelib.surveys.document import Answer
from chalicelib.surveys.rules.context import Context
from tests.answered import NOW, answered, opened
from tests.api.client import Response, client, member, staff, system
from tests.surveys import FLAGGED, answers

READER = staff("surveys.read")
PERSON = staff("surveys.read", "surveys.personal")
MONTH = "2026-11"


@pytest.fixture(autouse=True)
def _present() -> Any:
    with mock.patch.object(clock, "now", return_value=NOW), mock.patch.object(queues, "send"):
        yield


def fill(survey_id: str, count: int = 40, month: str = MONTH) -> None:
    for number in range(count):
        context = Context(channel="link", tier="gold" if number % 4 else "silver", segments=("new",), invited=month)
        given = answers(nps=9 if number % 2 else 3, rating={"goods": number % 5 + 1}, wishes=["more"])
        answered(survey_id, month, given, context)


def crossed(survey_id: str, *months: str) -> None:
    for month in months or (MONTH,):
        crossing.take(Month(survey_id, month), queue_url="", goes_on=lambda: True, now=NOW)


def results(survey_id: str, query: str = "", *, caller: Any = READER) -> Response:
    return client.get(f"/v1/surveys/{survey_id}/results{query}", caller=caller)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


class TestResults:
    def test_live_results_have_every_answer_until_now(self) -> None:
        survey_id = opened()
        fill(survey_id)
        found = results(survey_id).json
        assert (found["answers"], found["source"], found["crossed_at"]) == (40, "live", None)
        assert found["nps"] == {"n": 40, "value": 0.0, "low": -31.0, "high": 31.0, "hidden": None}
        assert (found["first"], found["last"]) == ("2025-12", "2026-11")
        assert [cell["value"] for cell in found["months"]] == [MONTH]
        assert (found["drivers"], found["groups"]) == (None, None)
        answered(survey_id, MONTH, answers(nps=10))
        assert results(survey_id).json["answers"] == 41

    def test_nightly_results_are_those_of_the_tables(self) -> None:
        survey_id = opened()
        fill(survey_id, 160)
        crossed(survey_id)
        answered(survey_id, MONTH, answers(nps=10))
        found = results(survey_id, "?group_by=tier").json
        assert (found["answers"], found["source"], found["crossed_at"]) == (160, "nightly", clock.text(NOW))
        assert found["groups"]["by"] == "tier"
        assert {cell["value"]: cell["answers"] for cell in found["groups"]["cells"]} == {"gold": 120, "silver": 40}
        assert found["drivers"]["n"] == 160
        live = results(survey_id).json
        nightly = results(survey_id, "?source=nightly").json
        assert live["answers"] == nightly["answers"] + 1

    @pytest.mark.parametrize("by", ["tier", "channel", "store", "segment", "language"])
    def test_there_is_a_table_by_each(self, by: str) -> None:
        survey_id = opened()
        fill(survey_id, 31)
        crossed(survey_id)
        found = results(survey_id, f"?source=nightly&group_by={by}").json["groups"]
        assert found["adds_up"] == (by != "segment")
        assert sum(cell["answers"] for cell in found["cells"]) == 31

    def test_the_response_rate_is_of_invitations_sent_in_these_months(self) -> None:
        survey_id = opened()
        fill(survey_id, 40, "2026-10")
        answered(survey_id, MONTH, answers(nps=9), Context(channel="link", invited="2026-10"))
        answered(survey_id, MONTH, answers(nps=9), Context(channel="app"))
        with mock.patch("chalicelib.surveys.inviting.sent_counts", return_value={"2026-10": 100}):
            found = results(survey_id, "?from=2026-10&to=2026-10").json["funnel"]
        assert (found["sent"], found["answered"], found["rate"]["value"], found["answers"]) == (100, 41, 41.0, 40)

    def test_an_unchanged_answer_is_not_sent_again(self) -> None:
        survey_id = opened()
        fill(survey_id, 3)
        first = results(survey_id)
        path = f"/v1/surveys/{survey_id}/results"
        assert client.get(path, caller=READER, headers={"If-None-Match": first.headers["etag"]}).status == 304
        answered(survey_id, MONTH, answers(nps=1))
        assert client.get(path, caller=READER, headers={"If-None-Match": first.headers["etag"]}).status == 200

    def test_only_who_may_read_surveys_may(self) -> None:
        survey_id = opened()
        assert results(survey_id, caller=member()).code == "caller_not_allowed"
        assert results(survey_id, caller=system("members.read")).code == "scope_missing"
        assert results("srv_" + "a" * 26).code == "survey_not_found"

    @pytest.mark.parametrize(
        "query",
        [
            "from=2026-13",
            "from=2026-1",
            "to=november",
            "from=2026-11&to=2026-10",
            "from=2020-01",
            "source=hourly",
            "group_by=age",
            "source=live&group_by=tier",
            "from=２０２６-11",
        ],
    )
    def test_what_cannot_be_asked_for_is_refused(self, query: str) -> None:
        survey_id = opened()
        assert results(survey_id, f"?{query}").code == "query_invalid"

    def test_questions_of_earlier_versions_are_still_told_of(self) -> None:
        from chalicelib.surveys import defining  # noqa: PLC0415
        from chalicelib.surveys.document import Definition  # noqa: PLC0415

        survey_id = opened()
        fill(survey_id, 35)
        before = defining.read_now(survey_id)
        shorter = Definition(
            code=before.code,
            kind=before.definition.kind,
            title=before.definition.title,
            questions=before.definition.questions[:1],
        )
        changing.change(survey_id, shorter, based_on=str(before.version), actor="admin:test", now=NOW)
        found = {question["code"]: question["answers"] for question in results(survey_id).json["questions"]}
        assert (found["nps"], found["rating"], found["wishes"]) == (35, 35, 35)


class TestAnswers:
    def test_come_newest_first_page_by_page_each_once(self) -> None:
        survey_id = opened()
        fill(survey_id, 30, "2026-10")
        fill(survey_id, 30)
        seen: list[dict[str, Any]] = []
        query = "?limit=7"
        for _turn in range(60):
            page = client.get(f"/v1/surveys/{survey_id}/answers{query}", caller=READER).json
            seen += page["answers"]
            if page["next_cursor"] is None:
                break
            query = f"?limit=7&cursor={page['next_cursor']}"
        assert len({answer["id"] for answer in seen}) == len(seen) == 60
        order = [(answer["answered_at"], answer["id"]) for answer in seen]
        assert order == sorted(order, reverse=True)
        assert seen[0]["member_id"] is None

    def test_may_be_only_those_of_detractors(self) -> None:
        survey_id = opened()
        fill(survey_id, 20)
        found = client.get(f"/v1/surveys/{survey_id}/answers?nps=detractor&limit=100", caller=READER).json["answers"]
        assert len(found) == 10
        assert all(answer["answers"]["nps"]["number"] == 3 for answer in found)

    def test_names_and_words_need_a_scope_of_their_own(self) -> None:
        survey_id = opened()
        path = f"/v1/surveys/{survey_id}/answers"
        for query in ("?personal=true", "?personal=true&dimension=service"):
            assert client.get(f"{path}{query}", caller=READER).code == "scope_missing"
            assert client.get(f"{path}{query}", caller=PERSON).status == 200
        assert client.get(f"{path}?dimension=service", caller=PERSON).code == "query_invalid"
        assert client.get(f"{path}/csv?personal=true", caller=READER).code == "scope_missing"

    def test_a_cursor_is_for_its_own_list(self) -> None:
        survey_id = opened()
        fill(survey_id, 30)
        path = f"/v1/surveys/{survey_id}/answers"
        cursor = client.get(f"{path}?limit=3", caller=READER).json["next_cursor"]
        assert client.get(f"{path}?limit=3&nps=passive&cursor={cursor}", caller=READER).code == "cursor_invalid"
        assert client.get(f"{path}/csv?cursor={cursor}", caller=READER).code == "cursor_invalid"


class TestCsv:
    def test_pages_of_answers_put_together_are_one_file(self) -> None:
        survey_id = opened()
        fill(survey_id, 40)
        answered(survey_id, MONTH, answers(nps=1), FLAGGED)
        path = f"/v1/surveys/{survey_id}/answers/csv"
        text, cursor = "", ""
        with mock.patch.object(exporting, "ANSWERS_MAX", 9):
            for _turn in range(20):
                page = client.get(path + (f"?cursor={cursor}" if cursor else ""), caller=READER).json
                text += page["csv"]
                cursor = page["next_cursor"]
                if not cursor:
                    break
        assert text.startswith("\ufeff")
        assert text.count("\ufeff") == 1
        titles, *found = rows(text)
        assert len(found) == 41
        assert all(len(row) == len(titles) for row in found)
        assert {row[titles.index("nps")] for row in found} == {"1", "3", "9"}
        assert {row[titles.index("wishes")] for row in found} == {"more", ""}
        assert sorted({row[titles.index("rating.goods")] for row in found}) == ["", "1", "2", "3", "4", "5"]
        assert {"member_id", "words"} & {*titles} == set()
        assert sum(row[titles.index("flags")] == "speeding straight_lined" for row in found) == 1

    def test_a_page_of_long_answers_ends_before_it_is_too_long(self) -> None:
        survey_id = opened()
        fill(survey_id, 20)
        path = f"/v1/surveys/{survey_id}/answers/csv"
        cursor: str | None = ""
        text, pages = "", 0
        with mock.patch.object(exporting, "CSV_BYTES", 500):
            while cursor is not None:
                page = client.get(path + (f"?cursor={cursor}" if cursor else ""), caller=READER).json
                assert page["answers"]
                text, cursor, pages = text + page["csv"], page["next_cursor"], pages + 1
        assert pages > 3
        ids = [row[0] for row in rows(text)[1:]]
        assert len({*ids}) == len(ids) == 20

    def test_what_people_wrote_is_no_formula(self) -> None:
        survey_id = opened()
        fill(survey_id, 1)
        evil = '=HYPERLINK("http://evil.example","x");＝1\n+1'

        def told(given: Any, _record: Any) -> Any:
            import msgspec  # noqa: PLC0415

            words = given.answers | {"words": Answer(text=evil)}
            return msgspec.structs.replace(given, answers=words, member_id="@SUM(A1)")

        with mock.patch.object(listing, "_told", told):
            text = client.get(f"/v1/surveys/{survey_id}/answers/csv?personal=true", caller=PERSON).json["csv"]
        titles, found = rows(text)
        assert found[titles.index("words")] == '\'=HYPERLINK("http://evil.example","x");\'＝1\n\'+1'
        assert found[titles.index("member_id")] == "'@SUM(A1)"

    def test_results_are_one_table_of_figures(self) -> None:
        survey_id = opened()
        fill(survey_id, 160)
        crossed(survey_id)
        path = f"/v1/surveys/{survey_id}/results/csv?group_by=tier"
        titles, *found = rows(client.get(path, caller=READER).json["csv"])
        told = [dict(zip(titles, row, strict=True)) for row in found]
        (nps,) = [row for row in told if (row["table"], row["measure"]) == ("all", "nps")]
        assert (nps["answers"], nps["value"]) == ("160", "0.0")
        assert {row["row"] for row in told if row["table"] == "tier"} == {"gold", "silver"}
        assert any(row["table"] == "driver" and row["measure"] == "share" for row in told)
        assert {row["table"] for row in told} >= {"all", "question", "dimension", "month", "driver", "tier"}
