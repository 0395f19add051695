"""Two thousand people claim one referral code: which item, and which partition, is written how often.

On the store in memory of the proof, since it is writes that are counted and not time; DynamoDB takes 1,000 units a
second for one item, and for one partition until it splits.
"""

from __future__ import annotations

import itertools
from collections import Counter

import tests.conftest  # noqa: F401 -- sets the environment that the engine reads when it is imported
from chalicelib.base import clock
from chalicelib.members import enrolling
from chalicelib.members.schema import MemberIn
from chalicelib.referrals import claiming, owning
from chalicelib.referrals.sightings import Given
from tests.api.friends import publish
from tests.proof.store import in_memory
from tests.tables import KEYS

_CLAIMS = 2_000


def main() -> None:
    """Print the items and partitions that the claims of one code write most often."""
    now = clock.now()
    with in_memory() as store:
        publish()
        star = _enrolled("star", now - 60)
        code = owning.code_of(star)
        fans = [_enrolled(f"fan-{number}", now) for number in range(_CLAIMS)]
        begun = len(store.log)
        for fan in fans:
            claiming.claim(fan, code, Given(device=fan), now=now)
        written = store.log[begun:]
    items: Counter[str] = Counter()
    partitions: Counter[str] = Counter()
    for _tick, table, item in written:
        name = next(known for known in KEYS if table.endswith(known))
        key = [str(next(iter(item[attribute].values()))) for attribute, _kind in KEYS[name]]
        items[f"{name}/{'/'.join(key)}"] += 1
        partitions[f"{name}/{key[0]}"] += 1
    print(f"{_CLAIMS} claims of one code: {sum(items.values())} writes to {len(items)} items\n")
    print("| | writes of the busiest | of the next |\n|---|--:|--:|")
    for what, found in (("item", items), ("partition", partitions)):
        first, second = itertools.islice((count for _key, count in found.most_common(2)), 2)
        print(f"| {what} | {first} | {second} |")


def _enrolled(name: str, now: int) -> str:
    body = MemberIn(mail=f"{name}@example.com")
    return str(enrolling.enrol(body, client_id="bench", key=name, actor="system:bench", now=now).member_id)


if __name__ == "__main__":
    main()
