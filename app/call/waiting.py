"""What is said in one call while an answer is waited for, and when. Values in, values out: no clock.

An answer that is later than usual is announced by a short clause that fits whatever comes ("All right."), as people
do when they have to think; where nobody knows what is usual, after a second. Whatever takes longer gets a filler,
once a turn. Neither is said when the dialogue is already talking.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from app.call.setup import ReadyLine, StandIns
from app.dialog.patience import Patience

_AT_ONCE_MS = 60
_UNKNOWN_MS = 400


class Waiting:
    """One call's. Lines are taken in turn, over all of its replies."""

    def __init__(self, stand_ins: StandIns) -> None:
        self._acknowledgements: Iterator[ReadyLine] = cycle(stand_ins.acknowledgements)
        self._fillers: Iterator[ReadyLine] = cycle(stand_ins.fillers)
        self.acknowledges = bool(stand_ins.acknowledgements)

    def acknowledgement(self) -> ReadyLine:
        return next(self._acknowledgements)

    def filler(self) -> ReadyLine:
        return next(self._fillers)


def acknowledge_at_ms(patience: Patience, stopped_ms: int, decided_ms: int, late_ms: int | None) -> int:
    """When to acknowledge what the caller, who fell silent at `stopped_ms`, said, if nothing has come by then.

    `late_ms`: from when on the answer is later than usual, None when nobody knows. What needs no thought is there at
    once when the turn is ours (`decided_ms`): that much is always waited for.
    """
    at_the_latest = max(stopped_ms + patience.late_ms, decided_ms + _UNKNOWN_MS)
    if late_ms is None:
        return at_the_latest
    return min(at_the_latest, max(stopped_ms + patience.acknowledge_ms, decided_ms + _AT_ONCE_MS, late_ms))
