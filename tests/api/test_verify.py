"""`huike-verify` needs nothing but the answers of the API, and points at the first wrong entry."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.errors import InfraError
from infra.verify import main, verify
from tests.api import shop
from tests.api.client import client
from tests.api.shop import SHOP


@pytest.fixture
def member_id() -> str:
    found = shop.enrol()
    order_id = shop.post_order(member_id=found).json["order"]["id"]
    shop.refund(order_id, amount_minor=10_00)
    shop.redeem(found, 100)
    return found


@pytest.fixture
def pages(member_id: str) -> list[Any]:
    """The chain of four entries, in pages of three."""
    found: list[Any] = []
    cursor = ""
    while not found or cursor:
        query = f"limit=3&cursor={cursor}" if cursor else "limit=3"
        found.append(client.get(f"/v1/members/{member_id}/proof?{query}", caller=SHOP).json)
        cursor = found[-1]["next_cursor"]
    return found


def forged(pages: list[Any], seq: int, **fields: Any) -> list[Any]:
    entries = [entry for page in pages for entry in page["entries"]]
    return [{**entry, **fields} if entry["seq"] == seq else entry for entry in entries]


def test_a_chain_in_pages_is_right_and_its_head_is_that_of_the_api(pages: list[Any], member_id: str) -> None:
    verdict = verify(pages)
    assert (verdict.entries, verdict.member_id, verdict.fault) == (4, member_id, None)
    assert verdict.head == base64.b64decode(pages[-1]["entries"][-1]["hash"])


def test_a_single_page_and_a_list_of_entries_will_do(pages: list[Any]) -> None:
    entries = [entry for page in pages for entry in page["entries"]]
    assert verify({"entries": entries, "next_cursor": None}) == verify(entries) == verify(pages)


@pytest.mark.parametrize(
    ("seq", "fields", "said"),
    [
        (2, {"points": 101}, "entry 2 of"),
        (2, {"actor": "staff:somebody"}, "entry 2 of"),
        (3, {"hash": base64.b64encode(bytes(32)).decode()}, "its own hash"),
        (3, {"prev": base64.b64encode(bytes(32)).decode()}, "the hash of the entry before"),
        (3, {"posted_at": 1}, "posted before"),
        (4, {"member_id": "mem_other"}, "another member"),
        (3, {"state": "wQ=="}, "entry 3 of"),
        (3, {"state": base64.b64encode(msgspec.msgpack.encode([1])).decode()}, "the state does not follow"),
    ],
)
def test_a_forged_entry_is_the_first_that_is_wrong(
    pages: list[Any], seq: int, fields: dict[str, Any], said: str
) -> None:
    verdict = verify(forged(pages, seq, **fields))
    assert verdict.entries == seq - 1
    assert verdict.fault
    assert said in verdict.fault
    assert f"entry {seq} of" in verdict.fault


def test_a_missing_entry_is_named(pages: list[Any]) -> None:
    entries = [entry for page in pages for entry in page["entries"] if entry["seq"] != 2]
    assert "expected entry 2" in str(verify(entries).fault)


def test_half_a_chain_is_not_checked(pages: list[Any]) -> None:
    with pytest.raises(InfraError, match="Download all"):
        verify(pages[:1])


@pytest.mark.parametrize("answer", [{}, [], [{"x": 1}], {"entries": []}])
def test_what_is_no_proof_is_not_checked(answer: Any) -> None:
    with pytest.raises(InfraError):
        verify(answer)


def test_the_command_says_so_and_ends_accordingly(
    pages: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right, wrong, other = tmp_path / "right.json", tmp_path / "wrong.json", tmp_path / "other.json"
    right.write_text(json.dumps(pages))
    wrong.write_text(json.dumps(forged(pages, 3, points=0)))
    other.write_text("[]")
    assert [main([str(path)]) for path in (right, wrong, other)] == [0, 1, 2]
    printed = capsys.readouterr()
    assert "right: 4 entries of mem_" in printed.out
    assert "WRONG entry 3 of mem_" in printed.out
    assert "2 entries before it are right" in printed.out
    assert "no entries" in printed.err


def test_it_needs_no_settings_and_no_aws(pages: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "chain.json"
    path.write_text(json.dumps(pages))
    code = (
        "import sys; from infra.verify import main; status = main(sys.argv[1:]); "
        "assert not {'pynamodb', 'botocore', 'boto3', 'chalice'} & sys.modules.keys(); sys.exit(status)"
    )
    done = subprocess.run(  # noqa: S603 -- our own code
        [sys.executable, "-c", code, str(path)],
        cwd=Path(__file__).parents[2],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
