"""The one clock that hands audio to the carrier, for all calls of a process."""

from __future__ import annotations

import asyncio
from typing import Protocol

TICK_S = 0.1


class Paced(Protocol):
    def pump(self) -> bool:
        """Hand over what is due; False when nothing more will be due until `wake` is called again."""
        ...


class Pacer:
    """Ticks on an absolute clock while any line has something to play, and costs nothing while none has.

    A tick that comes late is made up for by the next one: each line tops itself up to where it should be by now.
    """

    def __init__(self) -> None:
        self._lines: dict[Paced, None] = {}
        self._some = asyncio.Event()
        self.late_ms = 0.0  # the latest a tick has come so far

    def wake(self, line: Paced) -> None:
        self._lines[line] = None
        self._some.set()

    def forget(self, line: Paced) -> None:
        self._lines.pop(line, None)

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._some.wait()
            due = loop.time() + TICK_S
            while self._lines:
                await asyncio.sleep(due - loop.time())
                late = max(0.0, loop.time() - due)  # a timer may fire a clock tick early
                self.late_ms = max(self.late_ms, late * 1000)
                for line in tuple(self._lines):
                    if not line.pump():
                        self.forget(line)
                due += TICK_S * (1 + late // TICK_S)
            self._some.clear()
