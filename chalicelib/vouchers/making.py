"""From an origin and a number to a voucher's code and id.

A code is not stored: it is made again, from the installation's secret, whenever somebody may see it. A voucher's id is
a keyed hash of its code. So whoever reads the table, a backup or the console learns no code, and can test none without
the secret.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from chalicelib.base import ids
from chalicelib.base.settings import settings
from chalicelib.vouchers import codes


def code_of(origin: str, number: int) -> str:
    """The normalised code of the voucher that is the `number`-th of `origin` (a job, or an issue)."""
    text = msgspec.json.encode(["voucher code", origin, number])
    return codes.made(hmac.digest(settings().id_secret, text, hashlib.sha256)[: codes.RANDOM_BYTES])


def voucher_id_of(code: str) -> str:
    """The id of the voucher with a normalised code."""
    return ids.derived("vch", code)
