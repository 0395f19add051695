"""Types of text that requests are made of."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from msgspec import Meta

# A bare `$` would let a line break through at the end.
ONE_LINE: Final = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]+(?!\n)$"
"""One line of text that is not blank."""

Line: TypeAlias = Annotated[str, Meta(max_length=100, pattern=ONE_LINE)]
Note: TypeAlias = Annotated[str, Meta(max_length=500)]
