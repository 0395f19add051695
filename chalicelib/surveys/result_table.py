"""What surveys' results lie in: the counts of each month, and the tables that the night has made of the months."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from chalicelib.surveys.table import NAME


class TotalItem(Model):
    """One shard of a month's counts; `part` is its number, with a `!` behind it for the answers that are flagged.

    Its counters are attributes beside these, named by `rules.counting`, that only grow.
    """

    class Meta:
        table_name = NAME

    key = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
