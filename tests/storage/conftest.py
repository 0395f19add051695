"""Storage tests run on moto, in one thread, on empty tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tables import empty_tables


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    """Fresh tables for every test."""
    with empty_tables():
        yield
