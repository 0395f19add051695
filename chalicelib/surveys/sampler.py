"""The night's visitor that draws the quarterly samples: it asks those whose day it is.

What it finds goes to the queue, as facts do, so that the night itself needs no right to survey anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from chalicelib.base import queues
from chalicelib.base.settings import settings
from chalicelib.ledger.state import unpack
from chalicelib.ledger.table import AccountItem
from chalicelib.ledger.walk import Leg
from chalicelib.program import service as programs
from chalicelib.surveys import sampling

NIGHTS_BACK: Final = 2
"""So many nights that fell out are made up for: whose day it was then is asked as well, and nobody is asked twice."""


class Drawn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks to invite whom a rule (`invite`, its code) has drawn for a `quarter`, on the day `due` (seconds)."""

    member_id: str
    invite: str
    quarter: str
    due: int


class Sampler:
    """Draws members for every rule of the programme that asks for a quarterly sample."""

    def __init__(self, leg: Leg, carried: Mapping[str, Any]) -> None:
        self._drawn: int = carried.get("drawn", 0)
        program = programs.in_force(leg.cut, now=leg.cut).program
        self._zone = program.zone
        self._quarter = sampling.quarter_of(leg.cut, program.zone)
        self._invites = [invite for invite in program.surveys.invites if invite.on == "quarterly"]

    def visit(self, account: AccountItem) -> None:
        """Ask a member whose day it is. Raises botocore's errors."""
        for invite in self._invites:
            key = (account.member_id, invite.code, self._quarter.name)
            if not sampling.is_drawn(invite.percent, *key):
                continue
            day = sampling.day_of(self._quarter.days, *key)
            if not self._quarter.day - NIGHTS_BACK <= day <= self._quarter.day or _has_left(account):
                continue
            due = sampling.begins_at(self._quarter, day, self._zone)
            queues.send(settings().surveys_queue_url, Drawn(account.member_id, invite.code, self._quarter.name, due))
            self._drawn += 1

    def carry(self) -> dict[str, Any]:
        """How many members were drawn so far, those of the nights before counted again."""
        return {"drawn": self._drawn}


def _has_left(account: AccountItem) -> bool:
    """Whether an account was closed; an older view, which does not say, is judged later."""
    return bool(account.state and unpack(account.state).closed_into)
