"""The HTTP application that the API's function runs: its rooms, and what is done to every answer.

What queues, streams and schedules set off is no part of it: those functions are run from their own modules, and the
API would only load them. `app.py` declares all of it together.
"""

from __future__ import annotations

from chalice.app import Chalice

import chalicelib.engagement.routes
import chalicelib.members.routes
import chalicelib.orders.routes
import chalicelib.program.routes
import chalicelib.rewards.routes
import chalicelib.vouchers.routes
from chalicelib.web import edge

app = Chalice(app_name="huike")
# There are no binary answers; with Chalice's list, a client that accepts images would get its JSON as base 64.
app.api.binary_types = []
app.register_middleware(edge.finish, "http")

for room in (
    chalicelib.program.routes.room,
    chalicelib.members.routes.room,
    chalicelib.vouchers.routes.room,
    chalicelib.rewards.routes.room,
    chalicelib.orders.routes.room,
    chalicelib.engagement.routes.room,
):
    app.register_blueprint(room.blueprint)
