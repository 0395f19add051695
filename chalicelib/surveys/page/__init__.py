"""The page on which whoever has a link answers a survey, put together of the files that lie here.

It is one document that loads nothing from elsewhere. What it may do stands in its headers: run the one script that it
brings, speak to the API that it came from, and nothing else. The link's token is the fragment of its address, which no
browser sends anywhere, so that it stands in no log and in no referrer.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import Final

import msgspec

PATH: Final = "/v1/answer"
"""Where the page is, below wherever the API is reached."""

_HERE: Final = Path(__file__).parent


@functools.cache
def text() -> str:
    """The whole page."""
    page = _read("answer.html").replace("{style}", _read("style.css")).replace("{script}", _script())
    for locale, said in msgspec.json.decode(_read("texts.json"), type=dict[str, dict[str, str]]).items():
        page = page.replace(f"{{noscript {locale}}}", said["noscript"])
    return page


@functools.cache
def headers() -> dict[str, str]:
    """What is sent with the page."""
    policy = (
        "default-src 'none'",
        f"script-src {_hash(_script())}",
        f"style-src {_hash(_read('style.css'))}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Cache-Control": "public, max-age=300",
        "Content-Security-Policy": "; ".join(policy),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex",
    }


def _script() -> str:
    return f"const TEXTS = {_read('texts.json')};\n{_read('logic.js')}{_read('page.js')}"


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
