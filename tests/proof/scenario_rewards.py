"""What the writers of the simulation ask for of the catalogue: everybody wants the last pieces of one reward."""

from __future__ import annotations

from collections import Counter

import msgspec

from chalicelib.counters.table import read_shards
from chalicelib.rewards import service as rewards
from chalicelib.rewards.schema import RedemptionIn
from tests.proof.areas import Area, Cast, Story
from tests.proof.model import Model
from tests.proof.programmes import Whole
from tests.proof.rules_model import STOCK, Rules
from tests.proof.scenario import Request, end, redemption_id

CODE = "piece"


def take(member: str, pieces: int, key: str, hold_s: int | None = None) -> Request:
    """Take pieces, or hold them."""
    body = msgspec.convert(
        {"reward_id": CODE, "quantity": pieces} | ({"hold_seconds": hold_s} if hold_s else {}), RedemptionIn
    )
    name = redemption_id(member, key)
    return Request(
        f"take {pieces} {key}",
        name,
        lambda now: rewards.redeem(member, body, key=key, actor="system", now=now).record,
        lambda model, at, _rules: model.take(name, member, pieces, at, hold_s),
        reasons=lambda model, now: model.why_not_take(member, pieces, now),
    )


def stories(rules: Rules, cast: Cast) -> list[Story]:
    """Pieces are taken, held, committed, let go and cancelled by two who want more than there is."""
    if isinstance(rules, Whole):
        # What whole programmes remember of limits the model holds against the account, and knows of no rewards there.
        return []
    wishes = [
        take(cast.member, 1, "one"),
        take(cast.member, 2, "two"),
        take(cast.other, 1, "three"),
        take(cast.other, 2, "four"),
        take(cast.member, 1, "keep", 60),
        take(cast.other, 1, "hold", 45),
    ]
    ends = [
        end("commit", cast.member, "keep"),
        end("release", cast.member, "keep"),
        end("commit", cast.other, "hold"),
        end("cancel", cast.other, "hold"),
        end("cancel", cast.member, "one"),
        end("cancel", cast.other, "four"),
    ]
    return [Story(wishes + ends)]


def judge(model: Model, now: int, seen: Counter[str]) -> None:
    """What was put into the stock is what is sold, held and left, in each shard and in all."""
    shards = read_shards(f"stock#{CODE}")
    assert sum(shard.put_in for shard in shards) == STOCK
    assert all(shard.put_in == shard.taken + shard.left and shard.left >= 0 for shard in shards)
    assert sum(shard.left_at(now) for shard in shards) == model.left(now)
    seen["stock at its end"] += not model.left(now)


AREA = Area(stories=stories, judge=judge)
