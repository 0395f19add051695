"""The catalogue over HTTP."""

from __future__ import annotations

from typing import Final

from chalicelib.base.errors import Invalid
from chalicelib.ledger.posting import MemberNotFound
from chalicelib.members import service as members
from chalicelib.rewards import catalogue, render
from chalicelib.rewards.catalogue import Filter
from chalicelib.rewards.schema import CataloguePage, RewardOut
from chalicelib.web import languages
from chalicelib.web.room import PAGE, Call, Param, Reply, Room

room = Room("rewards")

_PARAMS: Final = (
    Param("member_id", "For whom: a person's own account without it; for a system, nobody in particular."),
    Param("locale", "The language of the texts, before Accept-Language: en, zh-Hans or zh-Hant."),
)
_KINDS: Final = ("goods", "discount", "gift_card", "experience", "charity")


@room.get(
    "/v1/rewards",
    answer=CataloguePage,
    summary="The catalogue, with what a member may take now",
    query=(
        *_PARAMS,
        Param("kind", "Only rewards of this kind: goods, discount, gift_card, experience or charity."),
        Param("tag", "Only rewards with this tag."),
        *PAGE,
    ),
    statuses={200: "The page."},
    errors=("member_not_found", "not_your_account", "cursor_invalid", "scope_missing"),
)
def get_rewards(call: Call[None]) -> Reply[CataloguePage]:
    """Every reward with its offer: whether one piece may be taken now and, if not, why, and when that changes.

    Points and stock may be a moment behind; what counts is decided when the reward is taken. A page may end early where
    its rewards lie in very many parts of the stock; go on with `next_cursor`.
    """
    kind = call.query("kind")
    if kind is not None and kind not in _KINDS:
        raise Invalid(f"A kind is one of {', '.join(_KINDS)}.", field="kind", code="query_invalid")
    member = _member(call)
    wanted = Filter(kind=kind, tag=call.query("tag"))
    list_name = f"{member or ''}|{kind or ''}|{wanted.tag or ''}"
    page = catalogue.page(member, wanted, after=call.cursor(list_name), limit=call.limit, now=call.now)
    locale = call.chosen_locale
    body = CataloguePage(
        rewards=tuple(render.reward(shown, locale) for shown in page.shown),
        next_cursor=call.next_cursor(list_name, page.after) if page.after else None,
    )
    return Reply(body, headers=languages.headers(locale))


@room.get(
    "/v1/rewards/{reward_id}",
    answer=RewardOut,
    summary="One reward, with whether a member may take it now",
    query=_PARAMS,
    statuses={200: "The reward."},
    errors=("reward_not_found", "member_not_found", "not_your_account", "scope_missing"),
)
def get_reward(call: Call[None], reward_id: str) -> Reply[RewardOut]:
    """As the catalogue shows it."""
    shown = catalogue.one(_member(call), reward_id, now=call.now)
    locale = call.chosen_locale
    return Reply(render.reward(shown, locale), headers=languages.headers(locale))


def _member(call: Call[None]) -> str | None:
    """For whom the catalogue is shown: a person who is no member yet sees what everybody does."""
    named = call.query("member_id")
    if named is None and call.caller.kind != "member":
        return None
    try:
        return members.member_for(call.caller, named or members.ME, "redemptions.write")
    except MemberNotFound:
        if named is None:
            return None
        raise
