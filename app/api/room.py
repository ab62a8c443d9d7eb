"""Whether this process may take another call: judged by the sound it makes now, and by what one more would cost.

A fixed number of calls is right on one machine and wrong on the next. What callers hear suffers when the event loop is
late: audio goes out late, and what they say is understood late. So its lateness decides, and that of the last frame the
pacer hands out in a round, which is late by the round as well. Those figures come after the fact, though: of a crowd
that rings at once each would be let in, because nobody of them has cost anything yet. So the processor time is forecast
as well, from what the calls of this moment cost and how many were promised a seat since.

No clock here: times are arguments, seconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Limits:
    """`lag_ms` is a quarter of the lead that audio has at the carrier: loop and frames may each be later than that
    `late_times` in `window_s`, for a single stop is heard by nobody; `busy` is the share of a core; a call needs
    `files_each` descriptors (its socket, and those to its providers), and `files_spare` are kept for webhooks: a crowd
    without seats brings as many connections, and each must be answered."""

    calls: int = 400
    lag_ms: float = 50.0
    late_times: int = 2
    window_s: float = 5.0
    busy: float = 0.85
    files_each: int = 6
    files_spare: int = 100


CALL_SHARE = 0.008  # of a core, until enough calls have shown what one costs
ENOUGH_CALLS = 8


class _Lateness:
    """What was late by how much, in the last `window_s`."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._found: deque[tuple[float, float]] = deque()

    def add(self, late_ms: float, now: float) -> None:
        self._found.append((now, late_ms))
        self.forget(now)

    def beyond(self, limit_ms: float) -> int:
        return sum(late_ms > limit_ms for _, late_ms in self._found)

    @property
    def p99_ms(self) -> float:
        found = sorted(late_ms for _, late_ms in self._found)
        return found[ceil(len(found) * 0.99) - 1] if found else 0.0

    def forget(self, now: float) -> None:
        while self._found and self._found[0][0] < now - self._window_s:
            self._found.popleft()


class Room:
    """Feed it `lagged` several times a second, `paced` after each round of the pacer and `measured` once a second."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._loop = _Lateness(self._limits.window_s)
        self._frames = _Lateness(self._limits.window_s)
        self._busy = 0.0
        self._talking = 0
        self._files = 1_000_000

    def lagged(self, lag_ms: float, now: float) -> None:
        """The event loop ran a timer so late."""
        self._loop.add(lag_ms, now)
        self._frames.forget(now)  # while nothing is played there are no rounds

    def paced(self, late_ms: float, now: float) -> None:
        """The last frame of a round went out so late."""
        self._frames.add(late_ms, now)

    def measured(self, busy: float, talking: int, files: int) -> None:
        """`busy`: share of a core in the last moment, with so many calls `talking`; `files` descriptors are left."""
        self._busy, self._talking, self._files = busy, talking, files

    def why_not(self, taken: int) -> str | None:
        """None when there may be one more than `taken`; else what is short: calls, files, lag, frames or
        processor."""
        limits = self._limits
        if taken >= limits.calls:
            return "calls"
        new = max(0, taken - self._talking)  # they have no descriptors yet, and cost nothing so far
        if self._files < (new + 1) * limits.files_each + limits.files_spare:
            return "files"
        if taken:  # with nobody to hear it, as at the start, lateness harms nobody
            for what, late in (("lag", self._loop), ("frames", self._frames)):
                if late.beyond(limits.lag_ms) > limits.late_times:
                    return what
        if self._busy + (new + 1) * self.call_share > limits.busy:
            return "processor"
        return None

    @property
    def capacity(self) -> int:
        """How many calls at once there is room for, as far as is known now."""
        return (
            min(self._limits.calls, int(self._limits.busy / self.call_share)) if self.call_share else self._limits.calls
        )

    @property
    def lag_ms(self) -> float:
        """Of the loop: 99th percentile over the window."""
        return self._loop.p99_ms

    @property
    def call_share(self) -> float:
        """What a call costs, as a share of a core."""
        return self._busy / self._talking if self._talking >= ENOUGH_CALLS else CALL_SHARE
