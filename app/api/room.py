"""Whether this process may take another call: judged by the sound it makes now, and by what one more would cost.

A fixed number of calls is right on one machine and wrong on the next. What callers hear suffers when the event loop is
late: audio goes out late, and what they say is understood late. So its lateness decides. That figure comes after the
fact, though: of a crowd that rings at once each would be let in, because nobody of them has cost anything yet. So the
processor time is forecast as well, from what the calls of this moment cost and how many were promised a seat since.

No clock here: times are arguments, seconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Limits:
    """`lag_ms` is a quarter of the lead that audio has at the carrier: the loop may be later than that `late_times` in
    `window_s`, for a single stop is heard by nobody; `busy` is the share of a core; a call needs `files_each`
    descriptors (its socket, and those to its providers)."""

    calls: int = 400
    lag_ms: float = 50.0
    late_times: int = 2
    window_s: float = 5.0
    busy: float = 0.85
    files_each: int = 6


CALL_SHARE = 0.008  # of a core, until enough calls have shown what one costs
ENOUGH_CALLS = 8


class Room:
    """Feed it `lagged` some twenty times a second and `measured` once a second."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._lags: deque[tuple[float, float]] = deque()
        self._busy = 0.0
        self._talking = 0
        self._files = 1_000_000

    def lagged(self, lag_ms: float, now: float) -> None:
        """The event loop ran a timer so late."""
        self._lags.append((now, lag_ms))
        while self._lags[0][0] < now - self._limits.window_s:
            self._lags.popleft()

    def measured(self, busy: float, talking: int, files: int) -> None:
        """`busy`: share of a core in the last moment, with so many calls `talking`; `files` descriptors are left."""
        self._busy, self._talking, self._files = busy, talking, files

    def why_not(self, taken: int) -> str | None:
        """None when there may be one more than `taken`; else what is short: calls, files, lag or processor."""
        limits = self._limits
        if taken >= limits.calls:
            return "calls"
        new = max(0, taken - self._talking)  # they have no descriptors yet, and cost nothing so far
        if self._files < (new + 1) * limits.files_each:
            return "files"
        if taken and self._late() > limits.late_times:  # with nobody to hear it, as at the start, lateness harms nobody
            return "lag"
        if self._busy + (new + 1) * self.call_share > limits.busy:
            return "processor"
        return None

    @property
    def capacity(self) -> int:
        """How many calls at once there is room for, as far as is known now."""
        return (
            min(self._limits.calls, int(self._limits.busy / self.call_share)) if self.call_share else self._limits.calls
        )

    def _late(self) -> int:
        return sum(lag > self._limits.lag_ms for _, lag in self._lags)

    @property
    def lag_ms(self) -> float:
        """99th percentile over the window."""
        if not self._lags:
            return 0.0
        found = sorted(lag for _, lag in self._lags)
        return found[ceil(len(found) * 0.99) - 1]

    @property
    def call_share(self) -> float:
        """What a call costs, as a share of a core."""
        return self._busy / self._talking if self._talking >= ENOUGH_CALLS else CALL_SHARE
