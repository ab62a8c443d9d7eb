"""How long models have been taking to their first word lately."""

from __future__ import annotations

from collections import deque
from statistics import median

from app.dialog.deadlines import DEADLINES

_JUST_NOW, _LATELY = 3, 20  # answers
_ENOUGH = 5  # to know what is usual
_NEARLY_ALL = 0.9
_MARGIN_S = 0.03


class Pace:
    """Over all calls of the process: the next caller need not wait unprepared as the last one did."""

    def __init__(self, slow_s: float = DEADLINES.slow_s) -> None:
        self._slow_s = slow_s
        self._just_now: deque[float] = deque(maxlen=_JUST_NOW)
        self._began: deque[float] = deque(maxlen=_LATELY)

    def began(self, seconds: float) -> None:
        """From the request to the first word."""
        self._just_now.append(seconds)
        self._began.append(seconds)

    def failed(self, seconds: float) -> None:
        """From the request to giving up on a first word."""
        self._just_now.append(seconds)

    @property
    def slow(self) -> bool:
        """Whether the next answer will probably be."""
        return bool(self._just_now) and median(self._just_now) > self._slow_s

    @property
    def usual_s(self) -> float | None:
        """Within what time nearly all answers begin, None while that is not known."""
        if len(self._began) < _ENOUGH:
            return None
        return sorted(self._began)[int(_NEARLY_ALL * (len(self._began) - 1))] + _MARGIN_S
