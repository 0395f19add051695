"""The end of a night: what all workers have handed on becomes the next basis, and the report."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np

from chalicelib.base import money, objects
from chalicelib.program import service as programs
from chalicelib.program.document.scoring import ScoringPolicy
from chalicelib.scoring import diary, keeping, looking_back, parts, tonight
from chalicelib.scoring.basis import Basis
from chalicelib.scoring.closed_form import Layer, Parameters
from chalicelib.scoring.diary import Diary
from chalicelib.scoring.gathering import day_of
from chalicelib.scoring.looking_back import Looked
from chalicelib.scoring.parts import Rows
from chalicelib.scoring.report import build, care_sheet, export
from chalicelib.scoring.report.answers import KINDS, Answers
from chalicelib.scoring.report.build import Assessed
from chalicelib.scoring.report.model import Report
from chalicelib.scoring.report.page import rendered
from chalicelib.scoring.rules import rows as tables
from chalicelib.scoring.rules.arrays import NO_DAY
from chalicelib.scoring.rules.coming import Coming
from chalicelib.scoring.rules.fitting import Fit
from chalicelib.scoring.rules.history import Members
from chalicelib.scoring.rules.night import Night, assess, learned
from chalicelib.scoring.rules.outcomes import Economy
from chalicelib.scoring.rules.rows import Raw
from chalicelib.scoring.rules.scoring import score
from chalicelib.scoring.state import State
from chalicelib.scoring.visiting import prefix

logger = logging.getLogger(__name__)

REPORTS: Final = "reports/"
LATEST: Final = "reports/latest/"


class Fits(msgspec.Struct, frozen=True):
    """What the next night's fits begin from."""

    buying: Fit
    spending: Fit


class Reduced(msgspec.Struct, frozen=True):
    """What came of a night: its number, how many members it was made from, and whether it was the very first."""

    number: int
    members: int
    is_first: bool
    report: str


_NO_FITS: Final = msgspec.Raw(b"{}")
_FITS = msgspec.json.Decoder(Fits)


def reduce(night: str, cut: int, *, now: int) -> Reduced:
    """Make the next basis, put it into use, and write the report. Done again, it comes out alike."""
    program = programs.in_force(now, now=now).program
    today = day_of(cut, program.zone) - 1
    last = keeping.current(now=now, fresh=True)
    if last is not None and last.day == today:
        # This very night has been reduced before: it began from the basis before.
        last = keeping.numbered(last.number - 1)
    rows = parts.read(objects.keys(prefix(night))) or nobody(today)
    units = money.minor_units(program.base_currency)
    found, basis = assessed(rows, last, today, program.scoring, minor_units=units)
    is_in_use = keeping.put(basis, night)
    looked = looking_back.look_back(night, cut, program, rows=len(rows.names))
    ahead = diary.diary(rows, program, today + 1)
    report = looking_back.conclude(looked, reported(rows, found, looked, ahead), now=now, is_latest=is_in_use)
    place = _write(night, report, sheets(rows, found, ahead), is_latest=is_in_use)
    logger.info("night %s: basis %s of %s members, report %s", night, basis.number, len(rows.names), place)
    return Reduced(basis.number, len(rows.names), last is None, place)


def nobody(today: int) -> Rows:
    """The rows of an empty programme."""
    none: list[State] = []
    raw = Raw.of(none, [], [], today)
    return Rows.of([], none, raw, [], today, available=[], coming=Coming.of([], []))


def assessed(
    rows: Rows, last: Basis | None, today: int, policy: ScoringPolicy, *, minor_units: int = 100
) -> tuple[Assessed, Basis]:
    """Today and 91 days ago by tonight's fits, and the basis for what comes."""
    weights = tuple(percent / 100 for percent in policy.weights.percents)
    economy = Economy(policy.margin_percent / 100, policy.discount_percent / 100)
    given: dict[str, Any] = {"economy": economy, "part_weights": weights}
    usual = tables.usual_of(rows.raw)
    signals = tables.signals_of(usual, rows.raw, today)
    # Parameters in another unit would be taken for a leap.
    is_alike = last is not None and last.fits != _NO_FITS and last.minor_units == minor_units
    before = _night(last) if last is not None and is_alike else None
    past = learned(policy.model, rows.early, rows.then, rows.purchases, last.layer if last is not None else Layer())
    seen: dict[str, Any] = {"last": before, "told": rows.last, "layer": past.layers.now}
    now = assess(policy.model, rows.now, signals=signals, **seen, **given)
    then = None
    if past.fits is not None:
        then = assess(policy.model, rows.then, layer=past.layers.then, known=past.fits, **given)
    model = now.standing.model
    basis = Basis(
        number=last.number + 1 if last is not None else 1,
        day=today,
        model=Parameters(model.name, model.r, model.alpha, model.a, model.b),
        spend=(now.standing.spend.p, now.standing.spend.q, now.standing.spend.gamma),
        **_distributions(now),
        means=tuple(now.standing.means.tolist()),
        weights=weights,
        margin=economy.margin,
        discount_a_year=economy.discount_a_year,
        groups=tables.groups_of(now.standing.personas),
        usual=usual,
        members=len(rows.names),
        fits=msgspec.Raw(msgspec.json.encode(Fits(now.buying, now.spending))),
        layer=now.standing.layer,
        minor_units=minor_units,
    )
    return Assessed(rows.purchases, now, then, tonight.against(last, rows)), basis


def _distributions(night: Night) -> Any:
    return tables.steps_of(night.standing.ranks)


def _night(last: Basis) -> Night:
    """The night that a basis was made in, as far as the next one asks: its fits and personas."""
    fits = _FITS.decode(last.fits)
    standing = tables.standing_of(last)
    empty = Members(
        now=last.day, **{name: np.zeros(0, np.int64) for name in Members.__struct_fields__ if name != "now"}
    )
    return Night(
        members=empty,
        buying=fits.buying,
        spending=fits.spending,
        standing=standing,
        scores=score(standing, empty)[0],
    )


def answers_of(raw: Raw) -> Answers | None:
    """What members said, each once: the latest recommendation, and whether most ratings were satisfied ones."""
    said, rated = np.flatnonzero(raw.said_day != NO_DAY), np.flatnonzero(raw.rated > 0)
    if not len(said) and not len(rated):
        return None
    satisfied = np.where(2 * raw.satisfied[rated] >= raw.rated[rated], 5, 2)
    day = np.maximum(raw.said_day, 0)
    return Answers(
        member=np.concatenate([said, rated]),
        day=np.concatenate([day[said], day[rated]]),
        kind=np.concatenate([np.full(len(said), KINDS.index("nps")), np.full(len(rated), KINDS.index("csat"))]),
        value=np.concatenate([raw.said[said], satisfied]),
    )


def reported(rows: Rows, found: Assessed, looked: Looked, ahead: Diary) -> Report:
    """The report of what was found, of members and of the programme."""
    none = np.zeros(0, np.int64)
    given = build.Rows(
        names=rows.names,
        member=none,
        day=none,
        amount=none.astype(np.float64),
        answers=answers_of(rows.raw),
        programme=looked.programme,
        care=ahead.days,
    )
    return build.report(given, found, source=looked.night, until=looked.day)


def sheets(rows: Rows, found: Assessed, ahead: Diary) -> dict[str, str]:
    """The tables of members and of the care calendar, as CSV by the name of the file."""
    members, cares = io.StringIO(), io.StringIO()
    export.write(rows.names, found.now, members)
    said = care_sheet.Members(rows.names, rows.coming, rows.available, found.now.scores)
    care_sheet.write(ahead.occasions, said, cares)
    return {"members.csv": members.getvalue(), "care.csv": cares.getvalue()}


def _write(night: str, report: Report, found: Mapping[str, str], *, is_latest: bool) -> str:
    # With a mark of the byte order, for without it a spreadsheet takes Chinese for something else.
    marked = [(name, b"\xef\xbb\xbf" + table.encode(), "text/csv; charset=utf-8") for name, table in found.items()]
    files = (
        ("report.html", rendered(report, "en").encode(), "text/html; charset=utf-8"),
        ("report.zh.html", rendered(report, "zh").encode(), "text/html; charset=utf-8"),
        ("report.json", msgspec.json.encode(report), "application/json"),
        *marked,
    )
    for name, body, media_type in files:
        for place in (f"{REPORTS}{night}/", *((LATEST,) if is_latest else ())):
            objects.put(place + name, body, media_type=media_type)
    return f"{REPORTS}{night}/report.html"
