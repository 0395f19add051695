"""The shorter parts of the DynamoDB client against botocore's own: the same requests go out, the same answers come."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import botocore.auth
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.parsers import JSONParser
from botocore.serialize import JSONSerializer
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.base import dynamo, wire
from infra.trim import OPERATIONS

NOON = dt.datetime(2026, 11, 21, 12, 0, 0, tzinfo=dt.UTC)
KEYS = {"ID": Credentials("AKID", "secret"), "with token": Credentials("AKID", "secret", "a token of a role")}

EVERY_KIND = {
    "S": {"S": "回客 “quoted” \n"},
    "N": {"N": "-12.5"},
    "B": {"B": b"\x00\xff bytes"},
    "SS": {"SS": ["a", "b"]},
    "NS": {"NS": ["1", "2"]},
    "BS": {"BS": [b"a", b"\xfe"]},
    "L": {"L": [{"B": b"in a list"}, {"M": {"x": {"B": b"in a map"}}}]},
    "M": {"M": {"x": {"L": [{"BOOL": False}]}, "y": {"M": {}}}},
    "NULL": {"NULL": True},
    "BOOL": {"BOOL": True},
}
KEY = {"member_id": {"S": "mem_1"}, "seq": {"N": "7"}}
TABLE = {"TableName": "huike-test-ledger"}
REQUESTS: dict[str, dict[str, Any]] = {
    "BatchGetItem": {"RequestItems": {"t": {"Keys": [KEY], "ConsistentRead": True}}},
    "BatchWriteItem": {"RequestItems": {"t": [{"PutRequest": {"Item": EVERY_KIND}}, {"DeleteRequest": {"Key": KEY}}]}},
    "DeleteItem": {**TABLE, "Key": KEY, "ReturnValues": "ALL_OLD"},
    "DescribeEndpoints": {},
    "DescribeTable": TABLE,
    "GetItem": {**TABLE, "Key": KEY, "ConsistentRead": False, "ReturnConsumedCapacity": "TOTAL"},
    "PutItem": {**TABLE, "Item": EVERY_KIND, "ConditionExpression": "attribute_not_exists (#0)"},
    "Query": {**TABLE, "Limit": 1, "ScanIndexForward": False, "ExpressionAttributeValues": {":0": {"S": "mem_1"}}},
    "Scan": {**TABLE, "Segment": 0, "TotalSegments": 4, "ExclusiveStartKey": KEY},
    "TransactGetItems": {"TransactItems": [{"Get": {**TABLE, "Key": KEY}}]},
    "TransactWriteItems": {"TransactItems": [{"Put": {**TABLE, "Item": EVERY_KIND}}], "ClientRequestToken": "token"},
    "UpdateItem": {**TABLE, "Key": KEY, "UpdateExpression": "SET #0 = :0", "ExpressionAttributeNames": {"#0": "x"}},
}


def made(**config: Any) -> Any:
    session = botocore.session.Session()
    session.set_credentials("AKID", "secret")
    return wire.make_client(session, Config(region_name="eu-west-1", account_id_endpoint_mode="disabled", **config))


def plain(**config: Any) -> Any:
    session = botocore.session.Session()
    session.set_credentials("AKID", "secret")
    return session.create_client("dynamodb", config=Config(region_name="eu-west-1", **config))


def answered(client: Any, *answers: tuple[int, dict[str, Any]]) -> list[Any]:
    """Let the client meet these answers instead of the network; gives the requests that it sends."""
    sent: list[Any] = []
    waiting: Iterator[tuple[int, dict[str, Any]]] = iter(answers)

    def answer(request: Any, **_rest: Any) -> Any:
        sent.append(request)
        status, body = next(waiting, (200, {}))
        no_headers: Any = {}
        found: Any = AWSResponse(request.url, status, no_headers, None)
        found._content = json.dumps(body).encode()
        return found

    client.meta.events.register("before-send.dynamodb", answer)
    return sent


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=NOON):
        yield


def test_every_operation_that_is_shipped_is_compared() -> None:
    assert set(REQUESTS) == set(OPERATIONS["dynamodb"])


@pytest.mark.parametrize("operation", REQUESTS)
def test_a_request_is_the_one_that_botocore_sends(operation: str) -> None:
    ours, theirs = made(), plain()
    first, second = answered(ours), answered(theirs)

    ours._make_api_call(operation, REQUESTS[operation])
    theirs._make_api_call(operation, REQUESTS[operation])

    assert (first[0].method, first[0].url) == (second[0].method, second[0].url)
    assert json.loads(first[0].body) == json.loads(second[0].body)
    # The user agent tells less, the id is random, and length and signature follow from the blanks in the body.
    own = {"User-Agent", "amz-sdk-invocation-id", "Content-Length", "Authorization"}
    left, right = (
        {name: value for name, value in sent[0].headers.items() if name not in own} for sent in (first, second)
    )
    assert left == right
    assert set(first[0].headers) == set(second[0].headers)


@pytest.mark.parametrize("operation", REQUESTS)
def test_the_serializer_says_what_botocores_does(operation: str) -> None:
    model = plain().meta.service_model.operation_model(operation)

    ours = wire.Serializer().serialize_to_request(REQUESTS[operation], model)
    theirs = JSONSerializer().serialize_to_request(REQUESTS[operation], model)

    ours["body"], theirs["body"] = json.loads(ours["body"]), json.loads(theirs["body"])
    assert ours == theirs


TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
NAMES = st.from_regex(r"\A[A-Za-z][A-Za-z-]{0,12}\Z")
# As botocore's rules take them: what is in the address beyond the host leaves the short way.
URLS = st.sampled_from(
    [
        "https://dynamodb.eu-west-1.amazonaws.com",
        "https://dynamodb.eu-west-1.amazonaws.com/",
        "http://127.0.0.1:8000/",
        "https://Some.Host:443/",
        "https://[::1]:8443/",
        "https://host/a/longer path/",
        "https://host/?with=a&query=",
    ]
)


@pytest.mark.parametrize("who", KEYS)
@given(url=URLS, headers=st.dictionaries(NAMES, TEXT, max_size=5), body=st.binary(max_size=60), unsigned=st.booleans())
def test_a_signature_is_botocores_byte_for_byte(
    who: str, url: str, headers: dict[str, str], body: bytes, *, unsigned: bool
) -> None:
    signed = []
    for signer in (wire.Signer, SigV4Auth):
        request = AWSRequest("POST", url, {**headers, "X-Amz-Target": "DynamoDB.Query", "User-Agent": "x"}, body)
        request.context["payload_signing_enabled"] = not unsigned
        signer(KEYS[who], "dynamodb", "eu-west-1").add_auth(request)
        signed.append((list(request.headers.items()), request.context))

    assert signed[0] == signed[1]


def change(**changes: Any) -> Callable[[AWSRequest], None]:
    def apply(request: AWSRequest) -> None:
        for name, value in changes.items():
            setattr(request, name, value)

    return apply


def say_twice(request: AWSRequest) -> None:
    request.headers["X-Amz-Twice"] = "one   two"
    request.headers["x-amz-twice"] = " three"


def sign_before(request: AWSRequest) -> None:
    SigV4Auth(Credentials("other", "old"), "dynamodb", "eu-west-1").add_auth(request)


@pytest.mark.parametrize(
    "way",
    [
        change(method="GET"),
        change(params={"a": "b"}),
        change(data=""),
        change(data={"a": "b"}),
        say_twice,
        sign_before,
    ],
)
def test_an_unusual_request_is_signed_as_botocore_signs_it(way: Callable[[AWSRequest], None]) -> None:
    signed = []
    for signer in (wire.Signer, SigV4Auth):
        request = AWSRequest("POST", "https://dynamodb.eu-west-1.amazonaws.com/", {"X-Amz-Target": "x"}, b"{}")
        way(request)
        signer(KEYS["ID"], "dynamodb", "eu-west-1").add_auth(request)
        signed.append(list(request.headers.items()))

    assert signed[0] == signed[1]


def test_the_next_day_and_another_secret_sign_otherwise() -> None:
    def signature(secret: str, now: dt.datetime, signer: type[SigV4Auth]) -> str:
        request = AWSRequest("POST", "https://dynamodb.eu-west-1.amazonaws.com/", {}, b"{}")
        with mock.patch.object(botocore.auth, "get_current_datetime", return_value=now):
            signer(Credentials("AKID", secret), "dynamodb", "eu-west-1").add_auth(request)
        return str(request.headers["Authorization"])

    asked = [(secret, NOON + dt.timedelta(days=day)) for day in (0, 1) for secret in ("first", "second")]

    ours = [signature(*question, wire.Signer) for question in asked]

    assert len(set(ours)) == 4
    assert ours == [signature(*question, SigV4Auth) for question in asked]


def test_without_credentials_nothing_is_signed() -> None:
    request = AWSRequest("POST", "https://dynamodb.eu-west-1.amazonaws.com/", {}, b"{}")

    nobody: Any = None
    with pytest.raises(NoCredentialsError):
        wire.Signer(nobody, "dynamodb", "eu-west-1").add_auth(request)


def test_a_client_of_ours_signs_by_the_short_way() -> None:
    client = made()
    answered(client)

    with mock.patch.object(wire.Signer, "add_auth", autospec=True) as signing:
        client.get_item(**TABLE, Key=KEY)

    assert signing.call_count == 1


VALUES = st.recursive(
    st.one_of(
        st.builds(lambda text: {"S": text}, st.text()),
        st.builds(lambda number: {"N": str(number)}, st.integers()),
        st.builds(lambda data: {"B": base64.b64encode(data).decode()}, st.binary()),
        st.builds(lambda parts: {"BS": [base64.b64encode(data).decode() for data in parts]}, st.lists(st.binary())),
        st.builds(lambda parts: {"SS": parts}, st.lists(st.text())),
        st.just({"NULL": True}),
        st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
    ),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"L": parts}, st.lists(inner)),
        st.builds(lambda parts: {"M": parts}, st.dictionaries(st.text(), inner)),
    ),
    max_leaves=8,
)
ITEMS = st.dictionaries(st.text(min_size=1), VALUES, max_size=4)


def parsed(operation: str, status: int, body: bytes) -> tuple[Any, Any]:
    shape = CLIENT.meta.service_model.operation_model(operation).output_shape
    response = {"status_code": status, "headers": {"x-amzn-requestid": "r1"}, "body": body}
    return wire.Parser().parse(response, shape), JSONParser().parse(response, shape)


CLIENT = plain()


@given(items=st.lists(ITEMS, max_size=3), key=ITEMS, units=st.sampled_from([0, 1, 0.5]))
def test_an_answer_reads_as_botocore_reads_it(items: list[Any], key: Any, units: float) -> None:
    capacity = {"TableName": "t", "CapacityUnits": units}
    queried = {"Items": items, "Count": 3, "LastEvaluatedKey": key, "ConsumedCapacity": capacity, "Unknown": {"x": 1}}
    batch = {"Responses": {"t": items}, "UnprocessedKeys": {"t": {"Keys": [key]}}, "ConsumedCapacity": [capacity]}

    for operation, body in (("Query", queried), ("BatchGetItem", batch), ("GetItem", {"Item": key}), ("PutItem", {})):
        ours, theirs = parsed(operation, 200, json.dumps(body).encode())
        assert ours == theirs


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"<html>busy</html>", b'{"__type": "x#ThrottlingException", "message": "slow"}', b'{"Item": null}'],
)
def test_a_strange_answer_reads_as_botocore_reads_it(status: int, body: bytes) -> None:
    def read(parser: JSONParser) -> Any:
        shape = CLIENT.meta.service_model.operation_model("GetItem").output_shape
        response = {"status_code": status, "headers": {"x-amzn-requestid": "r1"}, "body": body}
        try:
            return parser.parse(response, shape)
        except AttributeError as error:
            return str(error)

    assert read(wire.Parser()) == read(JSONParser())


def test_a_cancelled_transaction_tells_its_reasons_alike() -> None:
    stored = {name: {"B": base64.b64encode(b"x").decode()} if name == "B" else {"S": "y"} for name in ("B", "S")}
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": stored}],
    }
    told: list[Any] = []
    for client in (made(), plain()):
        answered(client, (400, body))
        with pytest.raises(ClientError) as refused:
            client.transact_write_items(**REQUESTS["TransactWriteItems"])
        told.append(refused.value.response)

    assert told[0] == told[1]
    assert told[0]["CancellationReasons"][1]["Item"]["B"] == {"B": b"x"}


def test_a_request_that_failed_is_sent_and_signed_once_more_under_the_same_token() -> None:
    client = made(retries={"mode": "standard", "total_max_attempts": 2})
    sent = answered(client, (500, {}), (200, {}))

    later = [NOON + dt.timedelta(seconds=second) for second in range(9)]
    with mock.patch("time.sleep"), mock.patch.object(botocore.auth, "get_current_datetime", side_effect=later):
        answer = client.transact_write_items(TransactItems=[{"Put": {**TABLE, "Item": KEY}}])

    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    first, second = sent
    assert json.loads(first.body)["ClientRequestToken"] == json.loads(second.body)["ClientRequestToken"]
    assert first.headers["amz-sdk-request"] != second.headers["amz-sdk-request"]
    assert first.headers["Authorization"] != second.headers["Authorization"]


def test_after_two_failures_it_gives_up() -> None:
    client = made(retries={"mode": "standard", "total_max_attempts": 2})
    sent = answered(client, *[(500, {})] * 3)

    with mock.patch("time.sleep"), pytest.raises(ClientError):
        client.get_item(**TABLE, Key=KEY)

    assert len(sent) == 2


@pytest.mark.parametrize(
    ("environment", "host"),
    [
        ({}, "https://dynamodb.eu-west-1.amazonaws.com/"),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, "https://dynamodb-fips.eu-west-1.amazonaws.com/"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "https://dynamodb.eu-west-1.api.aws/"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9/"}, "http://127.0.0.1:9/"),
    ],
)
def test_every_call_goes_where_botocores_rules_say(
    environment: dict[str, str], host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client, usual = made(), plain()
    sent, expected = answered(client), answered(usual)

    for one in (client, client, usual):
        one.get_item(**TABLE, Key=KEY)
        one.query(**REQUESTS["Query"])

    assert {request.url for request in [*sent, *expected]} == {host}


def test_the_process_has_one_such_client_and_asks_for_its_endpoint_once() -> None:
    dynamo.client.cache_clear()
    client: Any = dynamo.client()
    sent = answered(client)
    try:
        with mock.patch.object(client._ruleset_resolver._provider, "resolve_endpoint", autospec=True) as resolve:
            resolve.side_effect = type(client._ruleset_resolver._provider).resolve_endpoint.__get__(
                plain()._ruleset_resolver._provider
            )
            for _turn in range(3):
                client.get_item(**TABLE, Key=KEY)
        assert resolve.call_count == 1
        # Other libraries of the tests name themselves behind it, in every session of the process.
        named = client.meta.config.user_agent.encode()
        assert all(request.headers["User-Agent"].startswith(named) for request in sent)
    finally:
        dynamo.client.cache_clear()
