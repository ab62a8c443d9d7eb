"""What is said in one call while an answer is waited for, and when. Values in, values out: no clock.

An answer that is expected late is announced by a short clause that fits whatever comes ("All right."), as people do
when they have to think; one that was expected in time gets it only when it is late. Whatever takes longer gets a
filler, once a turn. Neither is said when the dialogue is already talking.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from app.call.setup import ReadyLine, StandIns
from app.dialog.patience import Patience


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


def acknowledged_ms(patience: Patience, stopped_ms: int, *, slow: bool) -> int:
    """When to acknowledge what the caller, who fell silent at `stopped_ms`, said. `slow`: the answer will be late."""
    return stopped_ms + (patience.acknowledge_ms if slow else patience.late_ms)
