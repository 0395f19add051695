"""Ten thousand answers to one survey in a burst: which item, and which partition, is written and read how often.

On the store in memory of the proof, since it is writes that are counted and not time; DynamoDB takes 1,000 units a
second for one item, and for one partition until it splits. Every answer is looked for afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import tests.conftest  # noqa: F401 -- sets the environment that the engine reads when it is imported
from chalicelib.base import clock
from chalicelib.surveys import changing, respondents, responding, tallies, templates
from chalicelib.surveys.document import Answer
from chalicelib.surveys.preparing import Submission
from chalicelib.surveys.table import RESPONSE, SHARDS, AnswerItem, ResponseItem, answers_key
from tests.proof.store import Store, in_memory

_ANSWERS = 10_000
_AT = "2026-11-20T12:00:00Z"
_MONTH = "2026-11"
_ROWS = {"product": 4, "service": 5, "price": 3, "after_sales": 4}


def main() -> None:
    """Print the items and partitions that the answers write most often, and whether any answer is lost."""
    now = clock.parse(_AT)
    definition = templates.definition("relationship_nps")
    with in_memory() as store:
        made, _replayed = changing.create(definition, actor="staff:bench", now=now)
        survey_id = changing.set_status(made.survey_id, "open", actor="staff:bench", now=now).survey_id
        begun = store.tick
        taken = [_answer(survey_id, number, now) for number in range(_ANSWERS)]
        items, partitions = _written(store, begun)
        print(f"{_ANSWERS} answers to one survey, {_lost(survey_id, taken)} of them lost\n")
    print(f"{sum(items.values())} writes to {len(items)} items\n")
    print(f"| | writes of the busiest | of the {SHARDS}th | of the next |\n|---|--:|--:|--:|")
    for what, found in (("item", items), ("partition", partitions)):
        counts = [count for _key, count in found.most_common(SHARDS + 1)]
        print(f"| {what} | {counts[0]} | {counts[SHARDS - 1]} | {counts[SHARDS]} |")


def _written(store: Store, begun: int) -> tuple[Counter[str], Counter[str]]:
    """How often each item, and each partition, was written since the tick `begun`."""
    items: Counter[str] = Counter()
    partitions: Counter[str] = Counter()
    for (table, hash_key), past in store.past.items():
        before: Mapping[str, object] = {}
        for tick, rows in past:
            if tick > begun:
                partitions[f"{table}/{hash_key}"] += 1
                items.update(f"{table}/{hash_key}/{key}" for key in rows if rows[key] is not before.get(key))
            before = rows
    return items, partitions


def _answer(survey_id: str, number: int, now: int) -> str:
    submission = Submission(
        survey_id=survey_id,
        answers={"recommend": Answer(number=number % 11), "areas": Answer(rows=_ROWS)},
        channel="paper",
        actor="system:bench",
        occurred_at=now,
    )
    respondent = respondents.of_row(survey_id, "bench", str(number), None)
    return str(responding.respond(submission, respondent, now=now).record.record_id)


def _lost(survey_id: str, taken: list[str]) -> int:
    """How many answers have no record, do not lie in their month, or are not counted: the most of the three."""
    records = sum(bool(list(ResponseItem.query(name, ResponseItem.part == RESPONSE))) for name in set(taken))
    listed = sum(len(list(AnswerItem.query(answers_key(survey_id, _MONTH, shard)))) for shard in range(SHARDS))
    totals = tallies.read(survey_id, [_MONTH])[_MONTH]
    counted = sum(totals.sound[f"recommend:{number}"] for number in range(11))
    return len(taken) - min(records, listed, counted)


if __name__ == "__main__":
    main()
