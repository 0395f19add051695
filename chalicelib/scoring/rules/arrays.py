"""Types of arrays, and the few ways of handling them that every module needs."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy.typing as npt

# The names say what an array holds; what numpy's own functions are declared to give differs from version to version.
Floats: TypeAlias = npt.NDArray[Any]
Ints: TypeAlias = npt.NDArray[Any]
Flags: TypeAlias = npt.NDArray[Any]
Codes: TypeAlias = npt.NDArray[Any]

DAYS_A_WEEK: Final = 7
NO_DAY: Final = -1
"""Stands for a day that has not come, such as the first purchase of a member who has bought nothing."""
