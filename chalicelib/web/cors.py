"""Which pages in a browser may call the API: all of them, since only a bearer token gives any right."""

from __future__ import annotations

from typing import Final

from chalice.app import CORSConfig

CORS: Final = CORSConfig(
    allow_origin="*",
    allow_headers=["Accept-Language", "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"],
    expose_headers=["ETag", "Location", "Retry-After"],
    max_age=600,
)

HEADERS: Final[dict[str, str]] = CORS.get_access_control_headers()
