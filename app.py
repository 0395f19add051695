"""The application: which blueprints there are, and what is done to every answer. Nothing else happens here."""

from __future__ import annotations

from chalice.app import Chalice

import chalicelib.ledger.triggers
import chalicelib.members.routes
import chalicelib.members.triggers
import chalicelib.orders.routes
import chalicelib.orders.triggers
import chalicelib.program.routes
import chalicelib.program.triggers
import chalicelib.rewards.routes
import chalicelib.web.authorizer
from chalicelib.web import edge

app = Chalice(app_name="huike")
# There are no binary answers; with Chalice's list, a client that accepts images would get its JSON as base 64.
app.api.binary_types = []
app.register_middleware(edge.finish, "http")

for room in (
    chalicelib.program.routes.room,
    chalicelib.members.routes.room,
    chalicelib.rewards.routes.room,
    chalicelib.orders.routes.room,
):
    app.register_blueprint(room.blueprint)

for triggers in (
    chalicelib.web.authorizer,
    chalicelib.ledger.triggers,
    chalicelib.program.triggers,
    chalicelib.members.triggers,
    chalicelib.orders.triggers,
):
    app.register_blueprint(triggers.blueprint)
