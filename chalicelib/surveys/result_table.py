"""What surveys' results lie in: the counts of each month, and the tables that the night has made of the months."""

from __future__ import annotations

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.models import Model

from chalicelib.base.dynamo import IntAttribute, is_refused
from chalicelib.surveys.table import NAME


class TotalItem(Model):
    """One shard of a month's counts; `part` is `sound`, or `flagged` for the answers that are.

    Shards have keys of their own, for what lies under one key is written by one machine: 1,000 units a second. The
    counters are attributes beside these, named by `rules.counting`, that only grow.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)


class CrossedItem(Model):
    """What the night has made of a month; `part` is the month. `version` counts its changes, each made on condition.

    `run` leads to the finished tables, `answers` is how many are in them, `marker` how many there were when they were
    begun, and `all` the table of all answers. While they are made anew, `doing` is that run, which belongs to whoever
    began it until `until` (seconds): `leg` legs of it are done, what they found lies under `copy`, and the next one
    begins in `shard` after `after`, for the `pending` answers.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    version = IntAttribute()
    run = UnicodeAttribute(null=True)
    answers = IntAttribute(null=True)
    marker = IntAttribute(null=True)
    crossed_at = UnicodeAttribute(null=True)
    all = BinaryAttribute(null=True, legacy_encoding=False)
    doing = UnicodeAttribute(null=True)
    leg = IntAttribute(null=True)
    copy = UnicodeAttribute(null=True)
    shard = IntAttribute(null=True)
    after = UnicodeAttribute(null=True)
    pending = IntAttribute(null=True)
    until = IntAttribute(null=True)


class ChunkItem(Model):
    """A chunk of a table; `part` is `{run}#{grouping}#{number}`."""

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    cells = BinaryAttribute(legacy_encoding=False)


def crossed_key(survey_id: str) -> str:
    """What the night has made of a survey's months."""
    return f"crossed#{survey_id}"


def chunks_key(survey_id: str, month: str) -> str:
    """The tables of a month."""
    return f"crossed#{survey_id}#{month}"


def read_crossed(survey_id: str, month: str) -> CrossedItem | None:
    """What the night has made of a month, as it is now."""
    items = CrossedItem.query(crossed_key(survey_id), CrossedItem.part == month, consistent_read=True)
    return next(iter(items), None)


def read_all_crossed(survey_id: str, first: str, last: str) -> list[CrossedItem]:
    """What the night has made of the months from `first` to `last`, in their order."""
    return list(CrossedItem.query(crossed_key(survey_id), CrossedItem.part.between(first, last)))


def put_crossed(item: CrossedItem) -> bool:
    """Put the next version of a month's item; False where somebody else has done so since it was read."""
    seen = item.attribute_values.get("version") or 0
    item.version = seen + 1
    condition = (CrossedItem.version == seen) if seen else CrossedItem.key.does_not_exist()
    try:
        item.save(condition=condition)
    except PutError as error:
        if not is_refused(error):
            raise
        return False
    return True
