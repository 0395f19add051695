"""Storage tests run on moto, in one thread, on empty tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.members import service as members
from chalicelib.program import service as programs
from tests.tables import empty_tables


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    """Fresh tables for every test, and a process that remembers nothing of the one before."""
    members.forget_all()
    programs.reset_cache()
    with empty_tables():
        yield
