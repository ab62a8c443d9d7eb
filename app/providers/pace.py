"""How long a model has been taking to its first word lately."""

from __future__ import annotations

from collections import deque
from statistics import median

from app.dialog.deadlines import DEADLINES

_LATELY = 3  # answers


class Pace:
    """Of one model, over all calls of the process: the next caller need not wait unprepared as the last one did."""

    def __init__(self, slow_s: float = DEADLINES.slow_s) -> None:
        self._slow_s = slow_s
        self._took_s: deque[float] = deque(maxlen=_LATELY)

    def took(self, seconds: float) -> None:
        """From the request to the first word, or to giving up on it."""
        self._took_s.append(seconds)

    @property
    def slow(self) -> bool:
        """Whether the next answer will probably be."""
        return bool(self._took_s) and median(self._took_s) > self._slow_s
