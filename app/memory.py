"""A process's memory between calls: what was loaded for good is out of the collector's way, and what a busy hour
needed goes back to the system when no call is left."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from contextlib import suppress
from functools import cache

QUIET_S = 1.0  # after the last call, whose books are closed meanwhile


class Memory:
    """Told what goes on, it tidies up where no caller can notice."""

    def __init__(self, tidy: Callable[[], None] | None = None) -> None:
        self._tidy = tidy or give_back
        self._used = False
        self._quiet_since_s: float | None = None

    def settle(self) -> None:
        """What was loaded for good is left out of garbage collection: 250,000 objects, through which a full collection
        goes for 100 ms on the event loop, in the middle of calls; afterwards it takes as long as the calls' own."""
        gc.collect()
        gc.freeze()

    def look(self, live: int, now_s: float) -> None:
        """`live` calls ring or are on at `now_s`: tidying holds the event loop up for some 70 ms, which is late for who
        is about to be greeted as well. Tidies once after the last of them."""
        if live:
            self._used, self._quiet_since_s = True, None
        elif self._used and self._quiet_since_s is None:
            self._quiet_since_s = now_s
        elif self._quiet_since_s is not None and now_s - self._quiet_since_s >= QUIET_S:
            self._used, self._quiet_since_s = False, None
            self._tidy()


def give_back() -> None:
    """Garbage is collected, and what the C library keeps free goes back to the system, where it knows how (glibc)."""
    gc.collect()
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    with suppress(OSError, AttributeError):
        return ctypes.CDLL(None).malloc_trim
    return None
