"""The room through which every request enters: what is let in, what is refused, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest
from chalice.app import Chalice
from chalice.app import Response as ChaliceResponse
from msgspec import Meta

from chalicelib.base import clock
from chalicelib.web import edge
from chalicelib.web.bodies import BYTES_MAX
from chalicelib.web.fields import Line, Note
from chalicelib.web.room import IDEMPOTENCY_KEY, PAGE, Call, Document, Param, Reply, Room
from tests.api.client import Client, Response, link, member, staff, system

POS = system("orders.write")


class Part(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A part of a toy."""

    size: Annotated[int, Meta(ge=1, le=10)]


class ToyIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A toy."""

    name: Line
    parts: tuple[Part, ...] = ()
    note: Note = ""
    facts: dict[str, Any] = {}


class ToyOut(msgspec.Struct, frozen=True):
    """What is told of a toy."""

    said: Any


def toy_room() -> Room:
    room = Room("toys")

    @room.post("/v1/toys/{toy_id}", body=ToyIn, answer=ToyOut, scopes=("orders.write",), callers=("system", "member"),
               summary="Make", statuses={201: "Made."})  # fmt: skip
    def post_toy(call: Call[ToyIn], toy_id: str) -> Reply[ToyOut]:
        return Reply(ToyOut([toy_id, call.body.name]), 201, {"Location": f"/v1/toys/{toy_id}"})

    @room.post("/v1/toys/{toy_id}/break", answer=ToyOut, summary="Break", headers=(IDEMPOTENCY_KEY,),
               errors=("idempotency_key_missing",))  # fmt: skip
    def break_toy(call: Call[None], toy_id: str) -> Reply[ToyOut]:
        return Reply(ToyOut([toy_id, call.idempotency_key]))

    @room.get("/v1/toys", answer=ToyOut, summary="List", errors=("cursor_invalid",),
              query=(*PAGE, "color", Param("shop", "Whose.", required=True)))  # fmt: skip
    def get_toys(call: Call[None]) -> Reply[ToyOut]:
        shop = call.query("shop") or ""
        return Reply(ToyOut([call.limit, call.query("color"), call.cursor(shop), call.next_cursor(shop, 7)]))

    @room.get("/v1/toys/{toy_id}", answer=ToyOut, summary="Read")
    def get_toy(call: Call[None], toy_id: str) -> Reply[ToyOut]:
        return Reply(ToyOut([toy_id, call.locale]), etag="7" if toy_id == "dated" else None)

    @room.patch("/v1/toys/{toy_id}", body=ToyIn, answer=ToyOut, summary="Change",
                errors=("precondition_required", "if_match_invalid"))  # fmt: skip
    def patch_toy(call: Call[ToyIn], toy_id: str) -> Reply[ToyOut]:
        return Reply(ToyOut([toy_id, call.required_match, call.now, call.request_id, call.header("x-NOTE")]))

    @room.get("/v1/wishes", answer=ToyOut, summary="Wish", scopes=("orders.write",), callers=("system", "link"))
    def get_wishes(call: Call[None]) -> Reply[ToyOut]:
        return Reply(ToyOut([call.caller.kind, call.caller.subject, call.base_url]))

    @room.document("/v1/window", summary="Look", says="What stands in the window.")
    def get_window() -> Document:
        """Shows the toys."""
        return Document("<p>toys</p>", {"Cache-Control": "public"})

    @room.get("/v1/broken", answer=ToyOut, summary="Fail")
    def get_broken(call: Call[None]) -> Reply[ToyOut]:
        raise ZeroDivisionError(call.locale)

    return room


@pytest.fixture(autouse=True)
def tables() -> None:
    """No tables: toys are kept nowhere."""


@pytest.fixture
def toys() -> Client:
    app = Chalice("toys", configure_logs=False)
    app.api.binary_types = []
    app.register_middleware(edge.finish, "http")
    app.register_blueprint(toy_room().blueprint)

    @app.route("/v1/raw")
    def raw() -> ChaliceResponse:
        raise LookupError("nobody is told of this")

    return Client(app)


@pytest.fixture
def post(toys: Client) -> Any:
    """Sends a body, as it is, to the operation that takes one."""

    def send(body: bytes | str, **headers: str) -> Response:
        sent = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        return toys.post("/v1/toys/t1", body=body, headers=sent, caller=POS)

    return send


class TestLinks:
    def test_a_link_opens_nothing_that_does_not_name_it(self, toys: Client) -> None:
        for answer in (toys.get("/v1/toys/t1", caller=link()), toys.post("/v1/toys/t1/break", caller=link())):
            assert (answer.status, answer.code) == (403, "caller_not_allowed")

    def test_a_link_needs_no_scope_where_it_is_named(self, toys: Client) -> None:
        answer = toys.get("/v1/wishes", caller=link("inv_1"))
        assert answer.json["said"][:2] == ["link", "inv_1"]

    def test_a_link_whose_time_is_over_is_refused_and_told_so(self, toys: Client) -> None:
        answer = toys.get("/v1/wishes", caller=link(expires_at=clock.now()))
        assert (answer.status, answer.code) == (401, "link_expired")

    def test_an_operation_knows_where_it_was_reached(self, toys: Client) -> None:
        answer = toys.get("/v1/wishes", caller=link(), headers={"Host": "api.shop.example"})
        assert answer.json["said"][2] == "https://api.shop.example/api"

    def test_nobody_is_believed_who_names_another_host(self, toys: Client) -> None:
        headers = {"Host": "api.shop.example", "X-Forwarded-Host": "evil.example"}
        answer = toys.get("/v1/wishes", caller=link(), headers=headers)
        assert answer.json["said"][2] == "https://api.shop.example/api"

    def test_on_a_laptop_the_front_says_where_it_is(self, toys: Client) -> None:
        headers = {"Host": "127.0.0.1:4566", "X-Forwarded-Host": "127.0.0.1:8080"}
        answer = toys.get("/v1/wishes", caller=link(), headers=headers)
        assert answer.json["said"][2] == "http://127.0.0.1:8080"


class TestDocuments:
    def test_everybody_may_see_them(self, toys: Client) -> None:
        for caller in (None, member(), link()):
            answer = toys.get("/v1/window", caller=caller)
            assert (answer.status, answer.text) == (200, "<p>toys</p>")
            assert answer.headers["cache-control"] == "public"

    def test_who_has_the_present_one_is_not_sent_it_again(self, toys: Client) -> None:
        version = toys.get("/v1/window").headers["etag"]
        assert toys.get("/v1/window", headers={"If-None-Match": version}).status == 304
        assert toys.get("/v1/window", headers={"If-None-Match": '"other"'}).status == 200


class TestWhoMayEnter:
    def test_nobody_without_a_token(self, toys: Client) -> None:
        answer = toys.get("/v1/toys/t1")
        assert (answer.status, answer.code) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"

    def test_only_the_kinds_of_callers_that_the_operation_names(self, toys: Client) -> None:
        answer = toys.post("/v1/toys/t1", json={"name": "bear"}, caller=staff("orders.write"))
        assert (answer.status, answer.code) == (403, "caller_not_allowed")

    def test_a_system_only_with_the_scope(self, toys: Client) -> None:
        answer = toys.post("/v1/toys/t1", json={"name": "bear"}, caller=system("orders.read"))
        assert (answer.status, answer.code) == (403, "scope_missing")
        assert "orders.write" in answer.json["detail"]

    def test_a_member_without_any_scope(self, toys: Client) -> None:
        assert toys.post("/v1/toys/t1", json={"name": "bear"}, caller=member()).status == 201

    def test_a_stranger_learns_nothing_of_what_was_wrong_with_the_body(self, toys: Client) -> None:
        assert toys.post("/v1/toys/t1", body="{", caller=system()).code == "scope_missing"


class TestABody:
    def test_is_decoded_and_answered(self, toys: Client) -> None:
        answer = toys.post("/v1/toys/t1", json={"name": "熊"}, caller=POS)
        assert (answer.status, answer.json) == (201, {"said": ["t1", "熊"]})
        assert answer.headers["location"] == "/v1/toys/t1"
        assert answer.headers["content-type"] == "application/json"

    def test_may_come_as_base_64(self, post: Any) -> None:
        assert post('{"name": "熊"}'.encode()).status == 201

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ('{"name": 3}', "name"),
            ('{"name": null}', "name"),
            ("{}", "name"),
            ("", "name"),
            ("[]", None),
            ("null", None),
            ('"text"', None),
            ('{"name": "a", "parts": [{"size": 1}, {"size": "2"}]}', "parts[1].size"),
            ('{"name": "a", "parts": [{"size": 1.0}]}', "parts[0].size"),
            ('{"name": "a", "parts": [{"size": true}]}', "parts[0].size"),
            ('{"name": "a", "parts": [{"size": 0}]}', "parts[0].size"),
            ('{"name": "a", "parts": [{"size": 11}]}', "parts[0].size"),
            ('{"name": "a", "parts": [{"size": 1e400}]}', "parts[0].size"),
            ('{"name": "a", "parts": [{"size": ' + "9" * 5000 + "}]}", "parts[0].size"),
            ('{"name": "a", "parts": [{}]}', "parts[0].size"),
            ('{"name": "a", "parts": [{"size": 1, "wide": 2}]}', "parts[0].wide"),
            ('{"name": "a", "unknown": 1}', "unknown"),
            ('{"name": ""}', "name"),
            ('{"name": "   "}', "name"),
            ('{"name": "a\\n"}', "name"),
            ('{"name": "a\\u0000b"}', "name"),
            ('{"name": "\\u0000"}', "name"),
            ('{"name": "\\n"}', "name"),
            ('{"name": "' + "x" * 101 + '"}', "name"),
            ('{"name": "a", "note": "' + "x" * 501 + '"}', "note"),
        ],
    )
    def test_that_breaks_a_rule_is_refused_with_the_path_of_its_member(
        self, post: Any, body: str, field: str | None
    ) -> None:
        answer = post(body)
        assert (answer.status, answer.code) == (400, "invalid_request")
        assert answer.json.get("field") == field

    def test_is_told_in_words_for_people(self, post: Any) -> None:
        told = {body: post(body).json["detail"] for body in ('{"name": "a\\n"}', "{}", '{"name": "a", "unknown": 1}')}
        assert list(told.values()) == [
            "Expected `str` of the form given in the documentation.",
            "Object missing required field `name`.",
            "Object contains unknown field `unknown`.",
        ]

    @pytest.mark.parametrize(
        "body",
        [
            "{",
            "nonsense",
            '{"name": "a"} x',
            '{"name": NaN}',
            b'{"name": "\xff"}',
            b'{"name": "\xed\xa0\x80"}',
            b"\xef\xbb\xbf{}",
            '{"name": "\\ud800"}',
            '{"name": "\\ud800 and more text behind it"}',
            '{"name": "a", "facts": {"\\udc00 and more": 1}}',
            '{"name": "tab\there"}',
            '{"name": "a", "facts": {"deep": ' + "[" * 50_000 + "]" * 50_000 + "}}",
        ],
    )
    def test_that_is_no_json_in_utf_8_is_refused(self, post: Any, body: bytes | str) -> None:
        answer = post(body)
        assert (answer.status, answer.code) == (400, "json_malformed")

    def test_with_half_a_character_from_the_gateway_is_refused(self, post: Any) -> None:
        assert post('{"name": "\ud800"}').code == "json_malformed"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ('{"name": "a", "note": "nul \\u0000"}', "note"),
            ('{"name": "a", "note": "bell \\u0007"}', "note"),
            ('{"name": "a", "note": "back \\b"}', "note"),
            ('{"name": "a", "note": "escape \\u001B[31m"}', "note"),
            ('{"name": "a", "note": "delete \x7f"}', "note"),
            ('{"name": "a", "note": "c1 \u0085"}', "note"),
            ('{"name": "a", "note": "c1 \\u009f"}', "note"),
            ('{"name": "a", "facts": {"list": [{"x": "\\u0001"}]}}', "facts.list[0].x"),
            ('{"name": "a", "facts": {"key\\u0000": 1}}', "facts"),
        ],
    )
    def test_with_control_characters_is_refused(self, post: Any, body: str, field: str) -> None:
        answer = post(body)
        assert (answer.status, answer.code, answer.json["field"]) == (400, "control_character", field)

    def test_may_hold_lines_tabs_and_every_script_in_notes(self, post: Any) -> None:
        assert post('{"name": "Ünï 漢字 🐻", "note": "one\\r\\n\\ttwo \\\\u0000 \\u00e9"}').status == 201

    def test_nested_to_the_edge_of_what_can_be_read_is_still_judged(self, post: Any) -> None:
        deep = 400
        body = '{"name": "a", "facts": {"deep": ' + "[" * deep + '"\\u0000"' + "]" * deep + "}}"
        assert post(body).code in {"control_character", "json_malformed"}

    @pytest.mark.parametrize("encoding", [str, str.encode])
    def test_over_256_kb_is_refused(self, post: Any, encoding: Callable[[str], str | bytes]) -> None:
        answer = post(encoding('{"name": "' + "x" * BYTES_MAX + '"}'))
        assert (answer.status, answer.code) == (413, "body_too_large")

    def test_is_measured_in_bytes(self, post: Any) -> None:
        assert post('{"name": "' + "熊" * (BYTES_MAX // 3) + '"}').status == 413

    @pytest.mark.parametrize(
        "media_type",
        ["text/plain", "application/x-www-form-urlencoded", "application/xml", "application/json; charset=gbk",
         "application/merge-patch+json", "application/jsonx", "*/*"],
    )  # fmt: skip
    def test_of_another_content_type_is_refused(self, post: Any, media_type: str) -> None:
        answer = post('{"name": "a"}', Content_Type=media_type)
        assert (answer.status, answer.code) == (415, "media_type_unsupported")

    @pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", 'APPLICATION/JSON;charset="UTF-8"'])
    def test_may_name_its_charset(self, post: Any, media_type: str) -> None:
        assert post('{"name": "a"}', Content_Type=media_type).status == 201

    def test_may_be_a_merge_patch_where_something_is_changed(self, toys: Client) -> None:
        headers = {"content-TYPE": "application/merge-patch+json", "If-Match": '"3"'}
        assert toys.patch("/v1/toys/t1", body='{"name": "a"}', headers=headers, caller=POS).status == 200

    def test_is_refused_where_none_is_taken(self, toys: Client) -> None:
        answer = toys.post("/v1/toys/t1/break", json={"force": 1}, caller=POS, key="k")
        assert (answer.status, answer.code) == (400, "body_unexpected")
        assert toys.post("/v1/toys/t1/break", json={}, caller=POS, key="k").status == 200


class TestAQuery:
    @pytest.mark.parametrize("query", ["shop=a&size=3", "shop=a&color=red&color=blue", "color=red", "shop=", ""])
    def test_unknown_repeated_and_missing_parameters_are_refused(self, toys: Client, query: str) -> None:
        answer = toys.get(f"/v1/toys?{query}", caller=POS)
        assert (answer.status, answer.code) == (400, "query_invalid")

    def test_of_half_a_character_is_refused_and_named(self, toys: Client) -> None:
        event = toys.event("GET", "/v1/toys", caller=POS)
        answer = toys.application({**event, "multiValueQueryStringParameters": {"\ud800": ["1"]}}, None)
        assert answer["statusCode"] == 400
        assert msgspec.json.decode(answer["body"])["field"] == "?"

    def test_other_operations_take_none(self, toys: Client) -> None:
        assert toys.get("/v1/toys/t1?shop=a", caller=POS).code == "query_invalid"

    @pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "ten", "", "٣", "1e1", "9" * 400])
    def test_a_page_has_1_to_100(self, toys: Client, limit: str) -> None:
        answer = toys.get(f"/v1/toys?shop=a&limit={limit}", caller=POS)
        assert (answer.status, answer.code, answer.json["field"]) == (400, "query_invalid", "limit")

    def test_a_page_has_20_unless_told_otherwise(self, toys: Client) -> None:
        assert toys.get("/v1/toys?shop=a", caller=POS).json["said"][0] == 20
        assert toys.get("/v1/toys?shop=a&limit=100", caller=POS).json["said"][0] == 100

    def test_a_cursor_is_good_for_its_own_list_only(self, toys: Client) -> None:
        cursor = toys.get("/v1/toys?shop=a", caller=POS).json["said"][3]
        assert toys.get(f"/v1/toys?shop=a&cursor={cursor}", caller=POS).json["said"][2] == 7
        answer = toys.get(f"/v1/toys?shop=b&cursor={cursor}", caller=POS)
        assert (answer.status, answer.code) == (400, "cursor_invalid")


class TestHeaders:
    @pytest.mark.parametrize("key", ["", "  ", "x" * 256, "a\nb", "a\x00b", "\x7f", "\ud800"])
    def test_an_idempotency_key_is_1_to_255_characters_of_text(self, toys: Client, key: str) -> None:
        answer = toys.post("/v1/toys/t1/break", caller=POS, key=key)
        assert (answer.status, answer.code) == (400, "idempotency_key_missing")

    def test_an_idempotency_key_must_be_there(self, toys: Client) -> None:
        assert toys.post("/v1/toys/t1/break", caller=POS).code == "idempotency_key_missing"

    def test_their_names_have_no_case(self, toys: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "now", lambda: 1_000_000)
        headers = {"iF-mAtCh": '"abc"', "X-Note": "n"}
        answer = toys.patch("/v1/toys/t1", json={"name": "a"}, headers=headers, caller=POS)
        assert answer.json["said"] == ["t1", "abc", 1_000_000, "request-1", "n"]

    def test_a_change_must_say_what_it_is_based_on(self, toys: Client) -> None:
        answer = toys.patch("/v1/toys/t1", json={"name": "a"}, caller=POS)
        assert (answer.status, answer.code) == (428, "precondition_required")

    @pytest.mark.parametrize("tag", ["*", '"\ud800"', '"' + "3" * 65 + '"', "3", '"1", "2"', 'W/"3"', '""', '"3', ""])
    def test_a_change_is_based_on_one_version(self, toys: Client, tag: str) -> None:
        answer = toys.patch("/v1/toys/t1", json={"name": "a"}, headers={"If-Match": tag}, caller=POS)
        assert (answer.status, answer.code) == (400, "if_match_invalid")

    def test_the_language_is_the_one_that_the_caller_likes_best(self, toys: Client) -> None:
        answer = toys.get("/v1/toys/t1", headers={"Accept-Language": "zh-HK"}, caller=POS)
        assert answer.json["said"] == ["t1", "zh-Hant"]


class TestAnAnswer:
    def test_that_was_read_before_is_not_sent_again(self, toys: Client) -> None:
        first = toys.get("/v1/toys/t1", caller=POS)
        again = toys.get("/v1/toys/t1", headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'}, caller=POS)
        assert (again.status, again.text, again.headers["etag"]) == (304, "", first.headers["etag"])

    def test_that_has_changed_is_sent(self, toys: Client) -> None:
        first = toys.get("/v1/toys/t1", caller=POS)
        headers = {"If-None-Match": first.headers["etag"], "Accept-Language": "zh"}
        assert toys.get("/v1/toys/t1", headers=headers, caller=POS).status == 200

    def test_carries_the_version_that_the_operation_gives(self, toys: Client) -> None:
        assert toys.get("/v1/toys/dated", caller=POS).headers["etag"] == '"7"'

    @pytest.mark.parametrize("path", ["/v1/toys/t1", "/v1/broken", "/v1/toys"])
    def test_can_be_read_by_a_page_in_a_browser(self, toys: Client, path: str) -> None:
        headers = toys.get(path, caller=POS).headers
        assert headers["access-control-allow-origin"] == "*"
        assert {"ETag", "Location", "Retry-After"} <= set(headers["access-control-expose-headers"].split(","))
        allowed = set(headers["access-control-allow-headers"].split(","))
        assert {"Accept-Language", "Authorization", "Content-Type", "Idempotency-Key", "If-Match"} <= allowed

    def test_is_kept_by_no_shared_cache(self, toys: Client) -> None:
        assert toys.get("/v1/toys/t1", caller=POS).headers["cache-control"] == "private, no-cache"


class TestFaults:
    def test_a_fault_of_the_operation_tells_nothing_of_itself(self, toys: Client) -> None:
        answer = toys.get("/v1/broken", caller=POS)
        assert (answer.status, answer.code, answer.json["request_id"]) == (500, "internal_error", "request-1")
        assert "Zero" not in answer.text

    def test_a_fault_outside_of_any_room_looks_alike(self, toys: Client) -> None:
        event = toys.event("GET", "/v1/raw")
        answer = toys.application(event, None)
        assert answer["statusCode"] == 500
        assert msgspec.json.decode(answer["body"])["code"] == "internal_error"
        assert answer["headers"]["Access-Control-Allow-Origin"] == "*"

    def test_an_unknown_method_is_answered_as_a_problem(self, toys: Client) -> None:
        answer = toys.request("PUT", "/v1/toys/t1", json={}, caller=POS)
        assert (answer.status, answer.code) == (405, "method_not_allowed")
        assert set(answer.headers["allow"].split(", ")) == {"GET", "POST", "PATCH"}
        assert answer.headers["access-control-allow-origin"] == "*"

    def test_an_event_without_its_path_arguments_is_a_fault_and_no_crash(self, toys: Client) -> None:
        event = {**toys.event("GET", "/v1/toys/t1", caller=POS), "pathParameters": None}
        assert toys.application(event, None)["statusCode"] == 500

    @pytest.mark.parametrize("toy_id", ["a%2Fb", "a%00", "%E7%86%8A", "a%20b", "x" * 129, "a%0Ab", "a%250"])
    def test_what_cannot_be_an_id_names_nothing(self, toys: Client, toy_id: str) -> None:
        answer = toys.get(f"/v1/toys/{toy_id}", caller=POS)
        assert (answer.status, answer.code) == (404, "not_found")

    def test_an_id_may_come_percent_encoded(self, toys: Client) -> None:
        assert toys.get("/v1/toys/t%31", caller=POS).json["said"][0] == "t1"
