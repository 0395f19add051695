"""What the packager takes out of the dependencies is idle, and what stays works as it did."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from infra import trim
from infra.errors import InfraError

POLICIES = Path(__file__).parents[2] / ".chalice"
# What Lambda's pollers do for a function, and what IAM checks inside a transaction; functions call none of them.
NOT_CALLED = {
    "dynamodb": {"ConditionCheckItem", "DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"},
    # Listing is called by another name than it is allowed by.
    "s3": {"ListBucket"},
    "sqs": {"ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage"},
}
MODEL: dict[str, Any] = {
    "metadata": {"uid": "toy"},
    "documentation": "A toy.",
    "operations": {
        "Ask": {"input": {"shape": "Question"}, "documentation": "Asks."},
        "Tell": {"input": {"shape": "Story"}},
    },
    "shapes": {
        "Question": {"type": "structure", "members": {"documentation": {"shape": "Word"}, "shape": {"shape": "Words"}}},
        "Story": {"type": "string"},
        "Word": {"type": "string", "documentation": "One."},
        "Words": {"type": "list", "member": {"shape": "Word"}},
    },
}


@pytest.fixture(scope="module")
def package(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trimmed")
    with zipfile.ZipFile(template.with_name("deployment.zip")) as archive:
        archive.extractall(folder)
    return folder


def run_in(folder: Path, code: str) -> str:
    script = f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"
    command = [sys.executable, "-I", "-S", "-B", "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own code
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_model_keeps_what_its_operations_lead_to() -> None:
    found = trim.model_with(MODEL, ["Ask"])

    assert found["operations"] == {"Ask": {"input": {"shape": "Question"}}}
    assert set(found["shapes"]) == {"Question", "Word", "Words"}
    assert "documentation" not in found
    assert found["shapes"]["Word"] == {"type": "string"}


def test_a_member_called_documentation_is_no_documentation() -> None:
    assert "documentation" in trim.model_with(MODEL, ["Ask"])["shapes"]["Question"]["members"]


def test_an_operation_that_botocore_does_not_have_stops_the_packaging() -> None:
    with pytest.raises(InfraError, match="Sing"):
        trim.model_with(MODEL, ["Ask", "Sing"])


def test_a_dependency_that_has_changed_stops_the_packaging(tmp_path: Path) -> None:
    (tmp_path / "botocore" / "data").mkdir(parents=True)
    (tmp_path / "botocore" / "data" / "endpoints.json").write_text('{"partitions": []}')

    with pytest.raises(InfraError, match="look what has changed"):
        trim.trim(tmp_path)


@pytest.mark.parametrize("service", ["dynamodb", "s3", "sqs"])
def test_the_package_can_say_whatever_a_role_may_do(service: str) -> None:
    allowed = {
        action.partition(":")[2]
        for path in POLICIES.glob("policy-*.json")
        for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]
        for action in statement["Action"]
        if action.startswith(f"{service}:")
    }

    assert allowed - NOT_CALLED[service] <= set(trim.OPERATIONS[service])


def test_a_trimmed_client_has_its_operations_and_no_other(package: Path) -> None:
    code = """
import botocore.session
for service in ("dynamodb", "s3", "sqs"):
    client = botocore.session.get_session().create_client(service, region_name="us-east-1")
    print(*client.meta.service_model.operation_names)"""

    assert [set(line.split()) for line in run_in(package, code).splitlines()] == [
        set(trim.OPERATIONS["dynamodb"]),
        set(trim.OPERATIONS["s3"]),
        set(trim.OPERATIONS["sqs"]),
    ]


def test_what_was_put_off_is_there_when_it_is_asked_for(package: Path) -> None:
    code = """
import importlib.metadata
import botocore.docs
import botocore.session
import urllib3.http2
from urllib3.util.url import parse_url
print(parse_url("http://[2001:DB8::1%25eth0]:80/x").host)
client = botocore.session.get_session().create_client("dynamodb", region_name="us-east-1")
print("Request Syntax" in client.get_item.__doc__.expandtabs())
try:
    urllib3.http2.inject_into_urllib3()
except importlib.metadata.PackageNotFoundError:
    print("no h2")"""

    assert run_in(package, code).splitlines() == ["[2001:db8::1%eth0]", "True", "no h2"]


def test_numbers_and_names_of_countries_are_read_as_before(package: Path) -> None:
    code = """
import phonenumbers
for text, region in (("138 0013 8000", "CN"), ("+44 20 7946 0958", None), ("110", "CN")):
    number = phonenumbers.parse(text, region)
    print(phonenumbers.is_valid_number(number),
          phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))"""

    assert run_in(package, code).splitlines() == ["True +8613800138000", "True +442079460958", "False +86110"]


def test_botocore_still_reacts_to_every_event_of_the_services_that_stayed(package: Path) -> None:
    # An event is named after what happens, and then after a service where it happens to one only.
    code = """
import botocore.session
kept = []
session = botocore.session.Session()
session.register = lambda name, handler: kept.append(name)
session._events.register_first = session._events.register_last = lambda name, handler: kept.append(name)
session._register_builtin_handlers(None)
print(*kept)"""
    kept = run_in(package, code).split()
    # Asked of a process of its own, because moto adds to the list in this one.
    asked = [
        sys.executable,
        "-c",
        "from botocore import handlers; print(*[spec[0] for spec in handlers.BUILTIN_HANDLERS])",
    ]
    every = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603 -- our own code

    dropped = Counter(every) - Counter(kept)

    assert Counter(kept) - Counter(every) == Counter()
    services = {name.split(".")[1] for name in dropped if not name.startswith("docs")}
    assert services & {"*", "dynamodb", "s3", "sqs"} == set()
    assert {name.count(".") for name in dropped} <= {1, 2, 3, 4}
    assert len(kept) < 60 < len(dropped)


def test_what_a_client_needs_late_is_found_when_it_is_needed(package: Path, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile shop]\nregion = eu-west-1\n", encoding="utf-8")
    code = f"""
import botocore.configloader, botocore.credentials, botocore.utils
from botocore.compat import ETree, XMLParseError
before = {{"configparser", "dateutil.parser", "xml.etree.ElementTree"}} & set(sys.modules)
print(before or "nothing yet")
print(botocore.configloader.load_config({str(tmp_path / "config")!r})["profiles"]["shop"]["region"])
print(botocore.utils.parse_timestamp("Sat, 21 Nov 2026 12:00:00 GMT").isoformat())
print(botocore.credentials.parse("2026-11-21T12:00:00Z").isoformat())
try:
    ETree.fromstring("<a>")
except XMLParseError:
    print("no XML")"""

    assert run_in(package, code).splitlines() == [
        "nothing yet",
        "eu-west-1",
        "2026-11-21T12:00:00+00:00",
        "2026-11-21T12:00:00+00:00",
        "no XML",
    ]
