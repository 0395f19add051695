"""Bringing in codes that were made elsewhere: each is checked, and what cannot be taken is named by its line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from chalicelib.base import clock, ids
from chalicelib.base.errors import Unavailable
from chalicelib.ledger.posting import put_once
from chalicelib.ledger.records import step_name
from chalicelib.vouchers import batches, codes, making, tallies
from chalicelib.vouchers.batches import BatchNotFitting, Known
from chalicelib.vouchers.store import put_absent, read_all
from chalicelib.vouchers.table import FIRST, ImportStep

LINES_MAX: Final = 1_000
"""So many codes one import takes."""

_SYMBOLS_MIN = 6
_TOGETHER = 100
_DONE = step_name(1)


class BadLine(msgspec.Struct, frozen=True):
    """A line (from 1) that was not taken.

    It is no code or too short a one, repeats the code of an earlier line (`of_line`), or its code exists.
    """

    line: int
    reason: Literal["invalid", "repeated", "exists"]
    of_line: int | None = None


class Imported(msgspec.Struct, frozen=True):
    """What came of an import: every line is either taken or named."""

    imported: int
    refused: tuple[BadLine, ...]


class _Line(msgspec.Struct, frozen=True):
    line: int
    voucher_id: str


_RESULTS = msgspec.json.Decoder(Imported)


def import_codes(batch_id: str, lines: Sequence[str], *, key: str, actor: str, now: int) -> tuple[str, Imported, bool]:
    """Take codes into a batch, once for `key`; gives the import's id, what came of it, and whether it is a replay.

    An import that broke off is finished when it is sent again. Raises BatchNotFound, BatchNotFitting (a shared batch),
    KeyReused and Unavailable.
    """
    known = batches.read(batch_id)
    if known.batch.kind == "shared" or known.batch.owner == "member":
        raise BatchNotFitting("Codes are imported as single vouchers for whoever has the code.", field="batch_id")
    import_id = ids.derived("vim", batch_id, key)
    begun = _step(import_id, FIRST, batch_id, ids.request_hash(list(lines)), now)
    begun.actor = actor
    began_at = put_once(begun, ()).record.posted_at
    (done,) = read_all([(ImportStep, import_id, _DONE)])
    if done is not None:
        return import_id, _RESULTS.decode(done.result), True
    result = _taken(known, import_id, lines, str(began_at))
    done = _step(import_id, _DONE, batch_id, begun.request_hash, now)
    done.result = msgspec.json.encode(result).decode()
    posted = put_once(done, [tallies.counting(batch_id, "issued", import_id, result.imported)])
    return import_id, _RESULTS.decode(posted.record.result), posted.replayed


def _taken(known: Known, import_id: str, lines: Sequence[str], began_at: str) -> Imported:
    refused: list[BadLine] = []
    first_lines: dict[str, int] = {}
    wanted: list[_Line] = []
    for number, text in enumerate(lines, start=1):
        code = codes.normal(text)
        if code is None or len(code) < _SYMBOLS_MIN:
            refused.append(BadLine(number, "invalid"))
        elif code in first_lines:
            refused.append(BadLine(number, "repeated", first_lines[code]))
        else:
            first_lines[code] = number
            wanted.append(_Line(number, making.voucher_id_of(code)))
    for begin in range(0, len(wanted), _TOGETHER):
        refused += _put(wanted[begin : begin + _TOGETHER], known, import_id, began_at)
    return Imported(len(lines) - len(refused), tuple(sorted(refused, key=lambda bad: bad.line)))


def _put(lines: list[_Line], known: Known, import_id: str, began_at: str) -> list[BadLine]:
    """Put the vouchers of some lines; gives those whose codes exist, other than by this very import."""
    refused: list[BadLine] = []
    # Each round drops at least one line, and codes that others bring in at the same time are few.
    for _round in range(len(lines) + 1):
        taken = put_absent([_item(line, known, import_id, began_at) for line in lines]) if lines else []
        if not any(taken):
            return refused
        for line, found in zip(lines, taken, strict=True):
            if found and found["origin"]["S"] != import_id:
                refused.append(BadLine(line.line, "exists"))
        lines = [line for line, found in zip(lines, taken, strict=True) if not found]
    raise Unavailable("Others are importing the same codes. Send the same request again.", code="busy")


def _item(line: _Line, known: Known, import_id: str, began_at: str) -> dict[str, Any]:
    item = {
        "key": {"S": line.voucher_id},
        "step": {"S": FIRST},
        "kind": {"S": "voucher"},
        "batch_id": {"S": known.batch_id},
        "origin": {"S": import_id},
        "number": {"N": str(line.line)},
        "posted_at": {"S": began_at},
    }
    ends_at = known.ends_at(clock.parse(began_at))
    return item | ({"ends_at": {"S": ends_at}} if ends_at else {})


def _step(import_id: str, step: str, batch_id: str, request_hash: str, now: int) -> ImportStep:
    return ImportStep(
        import_id,
        step,
        record_id=f"{import_id}#{step}",
        request_hash=request_hash,
        kind="voucher_import",
        occurred_at=clock.text(now),
        posted_at=clock.text(now),
        batch_id=batch_id,
    )
