"""The one clock that hands audio to the carrier, for all calls of a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

TICK_S = 0.1
EARLY_S = 0.045  # callers' frames wake the process three at a time: what is due before the next may as well be done now


class Paced(Protocol):
    def pump(self) -> bool:
        """Hand over what is due; False when nothing more will be due until `wake` is called again."""
        ...


class Pacer:
    """Ticks on an absolute clock while any line has something to play, and sets no timer while none has.

    A tick that comes late is made up for by itself: each line tops itself up to where it should be by then. `told`
    hears after each tick how many ms late its last line was served.
    """

    def __init__(self, told: Callable[[float], None] = lambda late_ms: None) -> None:
        self._told = told
        self._lines: dict[Paced, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self.late_ms = 0.0  # the latest a tick has come so far

    def wake(self, line: Paced) -> None:
        self._lines[line] = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._due = loop.time() + TICK_S
            self._timer = loop.call_at(self._due, self._tick, loop)

    def forget(self, line: Paced) -> None:
        self._lines.pop(line, None)
        if not self._lines and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def nudge(self) -> None:
        """The process is awake: a tick that is due within EARLY_S need not wake it again. The next is due TICK_S after
        this one, so that no line is ever left alone for longer."""
        if self._timer is not None:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._due - EARLY_S:
                self._timer.cancel()
                self._due = loop.time()
                self._tick(loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        due = self._due
        late = max(0.0, loop.time() - due)  # a timer may fire a little early
        self.late_ms = max(self.late_ms, late * 1000)
        self._due += TICK_S * (1 + late // TICK_S)
        self._timer = loop.call_at(self._due, self._tick, loop)  # first: the last line may leave during its tick
        for line in tuple(self._lines):
            if not line.pump():
                self.forget(line)
        self._told(max(0.0, loop.time() - due) * 1000)
