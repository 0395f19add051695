"""`huike-verify`: checks a member's chain as `GET /v1/members/{id}/proof` answers it, offline, without the programme.

    python -m infra.verify chain.json       # what was downloaded: one page, or a list of all pages
    python -m infra.verify --url https://… --token … --member mem_… [--save chain.json]

Every entry is derived again from the one before it: its number, its date, the hash that it carries, and the state that
its effect makes of the state before. Nothing but the answers' JSON is needed.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from chalicelib.ledger.chain import BrokenChain, Entry, entry_hash, verify_next
from infra.errors import InfraError

_PAGE = 100


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a proof: `effect` and `state` are packed, `prev` and `hash` hashes, all in base 64."""

    member_id: str
    seq: int
    kind: str
    record: str
    reason: str
    actor: str
    program: int
    occurred_at: int
    posted_at: int
    points: int
    expired: int
    amount_minor: int
    currency: str
    tier: str
    effect: bytes
    state: bytes
    prev: bytes
    hash: bytes


@dataclass(frozen=True)
class Verdict:
    """What came of a check: how many entries are right, the hash of the last of them, and the first fault, if any."""

    entries: int
    member_id: str
    head: bytes
    fault: str | None


def verify(answer: Any) -> Verdict:
    """Check a proof: a page, a list of pages, or a list of entries. Raises InfraError if it is none of these."""
    tail: Entry | None = None
    links = _links(answer)
    for position, found in enumerate(links, 1):
        try:
            tail = _checked(tail, found)
        # Unbalanced is an assertion: the effect takes what the state does not hold.
        except (BrokenChain, AssertionError, msgspec.MsgspecError) as fault:
            named = str(fault) if isinstance(fault, BrokenChain) else f"entry {found.seq} of {found.member_id}: {fault}"
            return Verdict(position - 1, found.member_id, entry_hash(tail) if tail else b"", named)
    if tail is None:
        raise InfraError("The proof has no entries: every chain has at least one.")
    return Verdict(len(links), tail.member_id, entry_hash(tail), None)


def download(url: str, token: str, member_id: str) -> list[Any]:
    """All pages of a member's proof from the API at `url` (its address up to `/v1`). Raises InfraError."""
    pages: list[Any] = []
    query: dict[str, str | int] = {"limit": _PAGE}
    address = f"{url.rstrip('/').removesuffix('/v1')}/v1/members/{member_id}/proof"
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        while True:
            answer = http.get(address, params=query)
            if answer.is_error:
                raise InfraError(f"The API answers {answer.status_code}: {answer.text}")
            pages.append(answer.json())
            if not pages[-1]["next_cursor"]:
                return pages
            query["cursor"] = pages[-1]["next_cursor"]


def _links(answer: Any) -> list[Link]:
    pages = answer if isinstance(answer, list) else [answer]
    links: list[Any] = []
    for page in pages:
        links += page["entries"] if isinstance(page, dict) and "entries" in page else [page]
    if pages and isinstance(pages[-1], dict) and pages[-1].get("next_cursor"):
        raise InfraError("The last page has a next_cursor: there is more of this chain. Download all of its pages.")
    try:
        return msgspec.convert(links, list[Link])
    except msgspec.ValidationError as error:
        raise InfraError(f"This is no answer of /proof: {error}") from None


def _checked(tail: Entry | None, link: Link) -> Entry:
    """The entry that follows `tail`. Raises BrokenChain and msgspec.MsgspecError."""
    entry = _entry(link)
    if tail and entry.member_id != tail.member_id:
        raise BrokenChain(entry.member_id, entry.seq, f"it is another member's than {tail.member_id}")
    verify_next(tail, entry)
    if entry_hash(entry) != link.hash:
        raise BrokenChain(entry.member_id, entry.seq, "its own hash does not match what it says")
    return entry


def _entry(link: Link) -> Entry:
    fields = {name: getattr(link, name) for name in Link.__struct_fields__ if name in Entry.__struct_fields__}
    return Entry(**fields, packed_effect=link.effect, packed_state=link.state)


def main(arguments: list[str] | None = None) -> int:
    """Say whether the chain holds; ends with 1 where it does not, 2 where it could not be checked."""
    parser = argparse.ArgumentParser(
        prog="huike-verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, nargs="?", help="the downloaded chain")
    parser.add_argument("--url", help="address of the API, to download the chain first")
    parser.add_argument("--token", help="bearer token of the member, or of a system that may read members")
    parser.add_argument("--member", help="id of the member")
    parser.add_argument("--save", type=Path, help="keep what was downloaded in this file")
    options = parser.parse_args(arguments)
    if (options.file is None) == (options.url is None) or (options.url and not (options.token and options.member)):
        parser.error("give either a file, or --url with --token and --member")
    try:
        verdict = verify(_read(options))
    except (InfraError, OSError, ValueError, httpx.HTTPError) as error:
        print(f"huike-verify: {error}", file=sys.stderr)
        return 2
    if verdict.fault:
        print(f"WRONG {verdict.fault}\n{verdict.entries} entries before it are right; head {verdict.head.hex() or '-'}")
        return 1
    print(f"right: {verdict.entries} entries of {verdict.member_id}, head {verdict.head.hex()}")
    return 0


def _read(options: argparse.Namespace) -> Any:
    if options.file:
        return json.loads(options.file.read_text(encoding="utf-8"))
    pages = download(options.url, options.token, options.member)
    if options.save:
        options.save.write_text(json.dumps(pages), encoding="utf-8")
    return pages


if __name__ == "__main__":
    sys.exit(main())
