"""Scores over HTTP. Nothing here, nor anything that it loads, has numpy."""

from __future__ import annotations

from chalicelib.scoring import member, render
from chalicelib.scoring.schema import ScoreOut
from chalicelib.web.call import Call, Reply
from chalicelib.web.room import ACCEPT_LANGUAGE, Room

room = Room("scoring")


@room.get(
    "/v1/members/{member_id}/score",
    answer=ScoreOut,
    scopes=("scores.read",),
    callers=("staff", "system"),
    headers=(ACCEPT_LANGUAGE,),
    summary="Read a member's score",
    statuses={200: "The score as of today, by the last night's basis and all that has happened until now."},
    errors=("member_not_found", "not_scored_yet"),
)
def get_score(call: Call[None], member_id: str) -> Reply[ScoreOut]:
    """How loyal a member is and why, what the member is worth, whether the member is leaving, and what to do next.

    An id that was merged shows the score of the member who took over. Before the first night there is no score
    (`not_scored_yet`). What moves with time alone is worked out at each read, so it is never older than the day.
    """
    return Reply(render.score_of(member.read(member_id, now=call.now), call.locale))
