"""Waiting between tries: exponential, capped, with full jitter."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

TRIES = 8
_FIRST_S = 0.02
_CAP_S = 1.0


def attempts(
    tries: int = TRIES,
    *,
    sleep: Callable[[float], None] | None = None,
    uniform: Callable[[float, float], float] = random.uniform,
) -> Iterator[int]:
    """Yields 0 … tries-1 and waits before each but the first.

    Full jitter, because writers that collided once must not meet again. Eight tries wait 3.2 s at the most in all.
    """
    for attempt in range(tries):
        if attempt:
            (sleep or time.sleep)(uniform(0.0, min(_CAP_S, _FIRST_S * 2**attempt)))
        yield attempt
