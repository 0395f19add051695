"""The application: which blueprints there are, and what is done to every answer. Nothing else happens here."""

from __future__ import annotations

from chalice.app import Chalice

from chalicelib.web import authorizer, edge

app = Chalice(app_name="huike")
app.api.binary_types = []
app.register_middleware(edge.finish, "http")

app.register_blueprint(authorizer.blueprint)
