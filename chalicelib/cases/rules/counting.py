"""What a case counts for, in the month in which it was opened: pure.

Whatever changes a case moves its counts along, in the same transaction: they are always those of the cases as they are.
A duplicate counts for nothing once it is part of another case.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from chalicelib.cases.rules.case import Case

CASES: Final = "cases"
KNOWN: Final = "known"
"""The cases of which the cause is known."""
RATED: Final = "rated"
EFFORT: Final = "effort"
"""The sum of what their members answered (1 to 7), of `RATED` cases."""


def kind(code: str) -> str:
    """The cases of a kind."""
    return f"kind|{code}"


def complaints(dimension: str) -> str:
    """The complaints about a dimension."""
    return f"complaint|{dimension}"


def cause(code: str) -> str:
    """The cases that were put down to a cause."""
    return f"cause|{code}"


def rated(code: str) -> str:
    """Those of them of which the member said how easy it was made."""
    return f"rated|{code}"


def effort(code: str) -> str:
    """The sum of what those members answered."""
    return f"effort|{code}"


def is_rating(name: str) -> bool:
    """Whether a count is of what members say of their cases; it changes when they do."""
    return name.partition("|")[0] in {RATED, EFFORT}


def counted(case: Case) -> Counter[str]:
    """What a case counts for, as it is."""
    if case.state == "merged":
        return Counter()
    found = Counter({CASES: 1, kind(case.kind): 1})
    if case.kind == "complaint":
        found[complaints(case.dimension)] = 1
    if case.cause:
        found.update({KNOWN: 1, cause(case.cause): 1})
    if case.ces is not None:
        found.update({RATED: 1, EFFORT: case.ces})
        if case.cause:
            found.update({rated(case.cause): 1, effort(case.cause): case.ces})
    return found


def changes(before: Case | None, after: Case) -> dict[str, int]:
    """What is added to each count when a case changes; nothing for those that stay."""
    found = counted(after)
    if before is not None:
        found.subtract(counted(before))
    return {name: number for name, number in sorted(found.items()) if number}
