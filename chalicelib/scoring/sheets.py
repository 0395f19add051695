"""The members of the last night as a sheet: those of some segments, copied out of the sheet of all of them."""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, Final, TextIO

import msgspec

from chalicelib.base import objects
from chalicelib.base.errors import NotFound
from chalicelib.base.settings import settings

LATEST: Final = "reports/latest/members.csv"
EXPORTS: Final = "exports/scoring/"
LINK_LASTS_S: Final = 3_600
_MEDIA_TYPE: Final = "text/csv; charset=utf-8"
_IN_MEMORY_BYTES: Final = 20_000_000
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_HIGH: Final = frozenset({"high", "gold"})


class SheetNotFound(NotFound):
    """No night has left a sheet of its members."""

    code = "sheet_not_found"


class Sheet(msgspec.Struct, frozen=True):
    """An exported sheet: its key in the bucket, a link that reads it for an hour, and how many members are in it."""

    key: str
    link: str
    members: int


def export(wanted: Mapping[str, tuple[str, ...]], *, night: str) -> Sheet:
    """Copy the members of these codes, by column (none: all), from the last night's sheet. Raises SheetNotFound.

    Line by line, so that it holds no more of a million members than of ten.
    """
    parts = [code for column in sorted(wanted) for code in sorted(wanted[column])]
    key = f"{EXPORTS}{night}-{'.'.join(parts) or 'all'}.csv"
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
        out = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
        members = _copied(_lines(), out, wanted)
        out.flush()
        file.seek(0)
        objects.client().put_object(Bucket=settings().bucket, Key=key, Body=file, ContentType=_MEDIA_TYPE)
        out.detach()
    return Sheet(key, objects.link(key, lasts_s=LINK_LASTS_S), members)


def _copied(lines: Iterator[str], out: TextIO, wanted: Mapping[str, tuple[str, ...]]) -> int:
    reader = csv.reader(lines)
    sheet = csv.writer(out, lineterminator="\n")
    columns = next(reader)
    sheet.writerow(columns)
    asked = [(columns.index(column), _codes(column, codes)) for column, codes in wanted.items() if codes]
    count = 0
    for row in reader:
        if all(row[place] in codes for place, codes in asked):
            sheet.writerow(row)
            count += 1
    return count


def _codes(column: str, codes: tuple[str, ...]) -> frozenset[str]:
    """The codes that a column may have; gold members are high ones."""
    return frozenset(codes) | (_HIGH if column == "value_segment" and "high" in codes else frozenset())


def _lines() -> Iterator[str]:
    client: Any = objects.client()
    try:
        answer = client.get_object(Bucket=settings().bucket, Key=LATEST)
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            raise SheetNotFound('No night has been run yet; {"action": "run"} begins one.') from error
        raise
    return iter(codecs.getreader("utf-8-sig")(answer["Body"]))
