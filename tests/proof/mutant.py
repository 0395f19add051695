"""What a planted fault is."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """A fault: in this file under `chalicelib/`, this text (found exactly once) becomes that one."""

    fault: str
    path: str
    text: str
    planted: str
