"""Where the basis of scoring lies: in table `nights`, the one in use and every earlier one by its number."""

from __future__ import annotations

from typing import Any, Final

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.models import Model

from chalicelib.base.dynamo import IntAttribute, is_refused
from chalicelib.base.settings import settings
from chalicelib.scoring import basis as bases
from chalicelib.scoring.basis import Basis

_NIGHT: Final = "scoring"
_CURRENT: Final = "basis"
_LASTS_S: Final = 300
_remembered: dict[str, tuple[int, Basis | None]] = {}


class BasisItem(Model):
    """A basis (JSON), made in a night: under `basis` the one in use, under `basis#000001` … each as it was made."""

    class Meta:
        table_name = settings().table("nights")

    night = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    number = IntAttribute()
    day = IntAttribute()
    document = UnicodeAttribute()
    made_in = UnicodeAttribute(null=True)


def current(*, now: int, fresh: bool = False) -> Basis | None:
    """The basis in use, None before the first night; what a process knows of it serves for five minutes."""
    known = _remembered.get(_CURRENT)
    if known is not None and not fresh and now - known[0] < _LASTS_S:
        return known[1]
    item = _current(consistent=fresh)
    found = bases.decode(item.document) if item is not None else None
    _remembered[_CURRENT] = (now, found)
    return found


def made_in() -> str | None:
    """The night that the basis in use was made in, None before the first one."""
    item = _current(consistent=True)
    return item.made_in if item is not None else None


def forget() -> None:
    """Forget what this process remembers."""
    _remembered.clear()


def numbered(number: int) -> Basis | None:
    """The basis of this number, if there is one."""
    items = BasisItem.query(_NIGHT, BasisItem.part == _part(number))
    item = next(iter(items), None)
    return bases.decode(item.document) if item is not None else None


def put(basis: Basis, night: str) -> bool:
    """Put the next basis into use, made in a night; False where one of a later night is in use already.

    Nights of one day are in the order of their names (`2026-11-22`, `2026-11-22-02`).
    """
    document = bases.encode(basis).decode()
    same_day = BasisItem.made_in.does_not_exist() | (BasisItem.made_in <= night)
    newer = BasisItem.part.does_not_exist() | (BasisItem.day < basis.day) | ((BasisItem.day == basis.day) & same_day)
    made: dict[str, Any] = {"number": basis.number, "day": basis.day, "document": document, "made_in": night}
    try:
        BasisItem(_NIGHT, _CURRENT, **made).save(condition=newer)
        BasisItem(_NIGHT, _part(basis.number), **made).save()
    except PutError as error:
        if not is_refused(error):
            raise
        return False
    finally:
        forget()
    return True


def _current(*, consistent: bool) -> BasisItem | None:
    items = BasisItem.query(_NIGHT, BasisItem.part == _CURRENT, consistent_read=consistent)
    return next(iter(items), None)


def _part(number: int) -> str:
    return f"{_CURRENT}#{number:06d}"
