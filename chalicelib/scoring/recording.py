"""Where the programme's past lies: in table `nights`, its history as one item, and each alert as one that stays."""

from __future__ import annotations

from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from chalicelib.base.dynamo import IntAttribute, absent, is_refused, unchanged
from chalicelib.base.settings import settings
from chalicelib.scoring.rules.past import History

_HISTORY: Final = "history"
_PROGRAMME: Final = "programme"
_ALERTS: Final = "alerts"
_NAME: Final = settings().table("nights")
_DECODER: Final = msgspec.json.Decoder(History)


class HistoryItem(Model):
    """The history of the programme (JSON); `version` counts its changes, each made on condition of the one before."""

    class Meta:
        table_name = _NAME

    night = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    version = IntAttribute()
    document = UnicodeAttribute()


class AlertItem(Model):
    """That an indicator has left its band: `part` is `{day}#{indicator}`. Put once, never changed.

    `made_in` is the night that found it, `level` the smoothed indicator, `low` and `high` its band.
    """

    class Meta:
        table_name = _NAME

    night = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    direction = UnicodeAttribute()
    level = NumberAttribute()
    low = NumberAttribute()
    high = NumberAttribute()
    made_in = UnicodeAttribute()
    put_at = UnicodeAttribute()


def read() -> tuple[History, int]:
    """The history as it is now, and its version; an empty one of version 0 before the first night."""
    items = HistoryItem.query(_HISTORY, HistoryItem.part == _PROGRAMME, consistent_read=True)
    item = next(iter(items), None)
    return (_DECODER.decode(item.document), int(item.version)) if item is not None else (History(), 0)


def put(history: History, version: int) -> bool:
    """Store what follows this version; False where another night has done so meanwhile."""
    document = msgspec.json.encode(history).decode()
    item = HistoryItem(_HISTORY, _PROGRAMME, version=version + 1, document=document)
    return _put(item, unchanged(HistoryItem, version))


def tell(item: AlertItem) -> bool:
    """Put an alert unless it is there."""
    item.night = _ALERTS
    return _put(item, absent(AlertItem))


def alerts(*, after: str | None, limit: int) -> list[AlertItem]:
    """A page of all alerts, the latest first, after one of them."""
    condition = AlertItem.part < after if after else None
    return list(AlertItem.query(_ALERTS, condition, scan_index_forward=False, limit=limit, page_size=limit))


def _put(item: Model, condition: Condition) -> bool:
    try:
        item.save(condition=condition)
    except PutError as error:
        if not is_refused(error):
            raise
        return False
    return True
