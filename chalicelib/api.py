"""The HTTP application that the API's function runs: its rooms, and what is done to every answer.

Rooms are opened when they are first asked for, since each brings code that a cold start of another would pay for. Only
the members' room, where most requests go, is open from the start: what a function does before its first request runs
at full speed. What queues, streams and schedules set off is no part of it: those functions are run from their own
modules, and the API would only load them. `app.py` declares all of it together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from chalice.app import Chalice

from chalicelib.members import bringing
from chalicelib.members.bringing import Judge
from chalicelib.web import edge
from chalicelib.web.room import Room

_PAGE: Final = "/v1/answer"

app = Chalice(app_name="huike")
# There are no binary answers; with Chalice's list, a client that accepts images would get its JSON as base 64.
app.api.binary_types = []
app.register_middleware(edge.finish, "http")


def serve(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """What the API's function runs: open the room of the request, and answer."""
    open_rooms(event.get("requestContext", {}).get("resourcePath"))
    answer: dict[str, Any] = app(event, context)
    return answer


def open_rooms(resource: str | None = None) -> None:
    """Open rooms until one of them serves `resource`, a route's pattern; all of them where none does."""
    if resource in {None, _PAGE} and _PAGE not in app.routes:
        # People wait for it in a browser, and it needs none of the others.
        from chalicelib.surveys import page_routes as page  # noqa: PLC0415

        app.register_blueprint(page.room.blueprint)
    while resource not in app.routes and (room := next(_waiting, None)):
        app.register_blueprint(room.blueprint)


def _rooms() -> Iterator[Room]:
    """The rooms, those first that the later ones load anyway."""
    # Imported where they are come to: see above.
    from chalicelib.members import routes as members  # noqa: PLC0415

    yield members.room
    from chalicelib.program import routes as program  # noqa: PLC0415

    yield program.room
    from chalicelib.rewards import routes as rewards  # noqa: PLC0415

    yield rewards.room
    from chalicelib.orders import routes as orders  # noqa: PLC0415

    yield orders.room
    from chalicelib.engagement import routes as engagement  # noqa: PLC0415

    yield engagement.room
    from chalicelib.vouchers import routes as vouchers  # noqa: PLC0415

    yield vouchers.room
    from chalicelib.referrals import routes as referrals  # noqa: PLC0415

    yield referrals.room
    from chalicelib.cases import routes as cases  # noqa: PLC0415

    yield cases.room
    from chalicelib.surveys import routes as surveys  # noqa: PLC0415

    yield surveys.room
    from chalicelib.surveys import result_routes  # noqa: PLC0415

    yield result_routes.room
    from chalicelib.surveys import invitation_routes as invitations  # noqa: PLC0415

    yield invitations.room
    from chalicelib.scoring import routes as scoring  # noqa: PLC0415

    yield scoring.room


def _judge() -> Judge:
    # Few enrolments bring a referral code.
    from chalicelib.referrals import enrolling  # noqa: PLC0415

    return enrolling


bringing.judged_by(_judge)
_waiting = _rooms()
open_rooms("/v1/members")
