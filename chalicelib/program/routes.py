"""The programme over HTTP."""

from __future__ import annotations

from chalicelib.program import service
from chalicelib.program.schema import ProgramOut, public_view
from chalicelib.web import languages
from chalicelib.web.room import Call, Param, Reply, Room

room = Room("program")


@room.get(
    "/v1/program",
    answer=ProgramOut,
    summary="The programme in force",
    query=(Param("locale", "The language of the texts, before Accept-Language: en, zh-Hans or zh-Hant."),),
)
def get_program(call: Call[None]) -> Reply[ProgramOut]:
    """What the programme offers, for the app to show: how points are earned and spent, the tiers and their benefits."""
    locale = call.chosen_locale
    found = service.in_force(call.now, now=call.now)
    body = public_view(found.program, locale, version=found.version, starts_at=found.starts_at, at=call.now)
    return Reply(body, headers=languages.headers(locale))
