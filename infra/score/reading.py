"""Purchases, answers and points from CSV files, as spreadsheets and databases save them.

Comma, semicolon or tab; UTF-8 with or without a mark, UTF-16, or GB 18030; days as 2026-11-22, 20261122, 2026/11/22 or
2026年11月22日, or a moment, of which the day in the programme's zone counts. Every refusal names its line.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from chalicelib.scoring.report.answers import KINDS, RANGES, Answers
from chalicelib.scoring.report.build import Rows
from chalicelib.scoring.rules.kpis import Breakage, breakage, fifo
from infra.errors import InfraError

NAMES: Final = {
    "customer_id": (
        "customer_id",
        "customer",
        "member_id",
        "member",
        "user_id",
        "会员",
        "会员号",
        "会员编号",
        "客户编号",
    ),
    "date": ("date", "day", "order_date", "occurred_at", "日期", "下单日期", "消费日期"),
    "amount": ("amount", "total", "value", "sales", "金额", "消费金额", "实付金额"),
    "kind": ("kind", "survey", "type", "类型"),
    "answer": ("answer", "score", "value", "评分", "得分"),
    "points": ("points", "积分"),
}
"""What a column may be called."""

_ENCODINGS: Final = ("utf-8-sig", "gb18030")
_DELIMITERS: Final = ",;\t|"
# A moment without an offset is on the day that it names.
_TIME: Final = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?"
_DAY: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?" + _TIME)
_DIGITS: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_AMOUNT: Final = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?([eE][+-]?\d+)?")
_PLAIN: Final = re.compile(r"-?\d{1,12}(\.\d*)?")
_SIGNS: Final = re.compile(r"^[\s$€£¥￥]+|[\s元]+$")
_EPOCH: Final = date(1970, 1, 1).toordinal()
_LARGEST: Final = 1e12
_EVERY: Final = 20_000

Advance = Callable[[int], None]


def purchases(path: Path, zone: ZoneInfo, advance: Advance = lambda _lines: None) -> Rows:
    """The rows of a file with the columns `customer_id`, `date` and `amount`. Raises InfraError, naming the line."""
    places: dict[str, int] = {}
    member: list[int] = []
    days: list[int] = []
    amounts: list[float] = []
    known: dict[str, int] = {}
    for line, cells in _cells(path, ("customer_id", "date", "amount"), advance):
        name, day, amount = cells
        if not name:
            raise InfraError(f"{path.name}, line {line}: the customer is missing.")
        if day not in known:
            known[day] = _day(day, zone, f"{path.name}, line {line}")
        member.append(places.setdefault(name, len(places)))
        days.append(known[day])
        amounts.append(_amount(amount, f"{path.name}, line {line}"))
    if not member:
        raise InfraError(f"{path.name} has a heading and no purchases.")
    # By name, so that the order of lines does not matter.
    names = sorted(places)
    order = np.empty(len(names), np.int64)
    order[[places[name] for name in names]] = np.arange(len(names))
    return Rows(names=tuple(names), member=order[np.array(member)], day=np.array(days), amount=np.array(amounts))


def answers(path: Path, names: tuple[str, ...], zone: ZoneInfo) -> tuple[Answers, int]:
    """Survey answers of the customers that are known, and how many lines were of others. Raises InfraError."""
    places = {name: place for place, name in enumerate(names)}
    found: list[tuple[int, int, int, int]] = []
    others = 0
    for line, (name, day, written, answer) in _cells(path, ("customer_id", "date", "kind", "answer")):
        where = f"{path.name}, line {line}"
        kind = written.lower()
        if kind not in KINDS:
            raise InfraError(f"{where}: “{kind}” is no kind of answer; there are {', '.join(KINDS)}.")
        low, high = RANGES[kind]
        if not answer.isdecimal() or not low <= int(answer) <= high:
            raise InfraError(f"{where}: an answer to {kind} is a whole number from {low} to {high}, not “{answer}”.")
        if name in places:
            found.append((places[name], _day(day, zone, where), KINDS.index(kind), int(answer)))
        else:
            others += 1
    columns = np.array(found, dtype=np.int64).reshape(-1, 4).T
    return Answers(*columns), others


def points(path: Path, zone: ZoneInfo, until: int, expiry_months: int) -> Breakage:
    """Outstanding points and what of them will never be used, from rows of `date` and `points`, spent ones below 0."""
    months: list[tuple[int, float]] = []
    for line, (day, amount) in _cells(path, ("date", "points")):
        where = f"{path.name}, line {line}"
        at = _day(day, zone, where)
        if at <= until:
            months.append((_month(at), _amount(amount, where)))
    if not months:
        raise InfraError(f"{path.name} has no points until that day.")
    begins, size = min(month for month, _points in months), _month(until)
    issued, spent = np.zeros(size - begins + 1), np.zeros(size - begins + 1)
    for month, moved in months:
        if moved >= 0:
            issued[month - begins] += moved
        else:
            spent[month - begins] -= moved
    return breakage(fifo(issued, spent, expiry_months))


def day_of(text: str, zone: ZoneInfo) -> int:
    """A day as days since the epoch. Raises InfraError."""
    return _day(text, zone, "UNTIL")


def _month(day: int) -> int:
    when = date.fromordinal(day + _EPOCH)
    return when.year * 12 + when.month - 1


def _cells(
    path: Path, wanted: tuple[str, ...], advance: Advance = lambda _lines: None
) -> Iterator[tuple[int, list[str]]]:
    """The wanted columns of every line that is not empty, with its number."""
    text = _text(path)
    head = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=head.count)
    lines = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        heads = [cell.strip().lower() for cell in next(lines, [])]
        places = [_place(path, heads, name, wanted) for name in wanted]
        told = 0
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) <= max(places):
                raise InfraError(
                    f"{path.name}, line {lines.line_num}: {len(cells)} columns where the heading has {len(heads)}."
                )
            yield lines.line_num, [cells[place].strip() for place in places]
            if lines.line_num - told >= _EVERY:
                advance(lines.line_num - told)
                told = lines.line_num
        advance(lines.line_num - told)
    except csv.Error as error:
        raise InfraError(f"{path.name}, line {lines.line_num}: {error}.") from None


def _place(path: Path, heads: list[str], name: str, wanted: tuple[str, ...]) -> int:
    for known in NAMES[name]:
        if known in heads:
            return heads.index(known)
    raise InfraError(
        f"{path.name} has no column {name} in its first line; there is {', '.join(heads) or 'nothing'}."
        f" The first line must name the columns {', '.join(wanted)}."
    )


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InfraError(f"{path} cannot be read: {error.strerror}.") from None
    if not raw.strip():
        raise InfraError(f"{path.name} is empty.")
    encodings = ("utf-16",) if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else _ENCODINGS
    for encoding in encodings:
        try:
            return raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    raise InfraError(f"{path.name} is neither UTF-8 nor UTF-16 nor GB 18030: save it as “CSV UTF-8”.")


def _day(text: str, zone: ZoneInfo, where: str) -> int:
    """Days since the epoch; of a moment with an offset, the day that it is in the zone."""
    whole = _DAY.fullmatch(text) or _DIGITS.fullmatch(text)
    try:
        if whole:
            found = date(*map(int, whole.groups()))
        else:
            found = datetime.fromisoformat(text.replace("/", "-")).astimezone(zone).date()
    except (ValueError, OverflowError):
        raise InfraError(f"{where}: “{text[:40]}” is no day. Write it as 2026-11-22.") from None
    if found.toordinal() < _EPOCH:
        raise InfraError(f"{where}: {text[:40]} lies before 1970.")
    return found.toordinal() - _EPOCH


def _amount(text: str, where: str) -> float:
    """An amount in the currency's major unit; (12.00) is −12.00, as accountants write it."""
    if _PLAIN.fullmatch(text):
        return float(text)
    bare = _SIGNS.sub("", text.replace("−", "-"))
    if bare.startswith("(") and bare.endswith(")"):
        bare = "-" + _SIGNS.sub("", bare[1:-1])
    sign, rest = ("-", bare[1:]) if bare.startswith("-") else ("", bare)
    bare = sign + _SIGNS.sub("", rest)
    if not any(map(str.isdigit, bare)) or not _AMOUNT.fullmatch(bare):
        hint = " Write a decimal point, not a comma." if re.fullmatch(r"-?\d+,\d{1,2}", bare) else ""
        raise InfraError(f"{where}: “{text[:40]}” is no amount.{hint} Refunds are amounts below 0.")
    amount = float(bare.replace(",", ""))
    if not abs(amount) <= _LARGEST:
        raise InfraError(f"{where}: {text[:40]} is more than anybody pays.")
    return amount
