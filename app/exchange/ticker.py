"""One 20 ms clock for every call.

Calls are dealt over four slots, 5 ms apart, because real calls do not all send at the same instant. A slot that nobody
uses sets no timer. The clock is absolute: a late tick is made up for, it does not move the ones after it.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

TICK_S = 0.02
SLOTS = 4


class Ticking(Protocol):
    def tick(self) -> None: ...


class _Slot:
    def __init__(self, offset_s: float) -> None:
        self._offset_s = offset_s
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.members: list[Ticking] = []

    def add(self, member: Ticking) -> None:
        self.members.append(member)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            beats = int((loop.time() - self._offset_s) / TICK_S) + 1
            self._due = beats * TICK_S + self._offset_s
            self._timer = loop.call_at(self._due, self._beat, loop)

    def remove(self, member: Ticking) -> None:
        self.members.remove(member)
        if not self.members and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due += TICK_S
        self._timer = loop.call_at(self._due, self._beat, loop)  # first: the last member may leave during its tick
        for member in tuple(self.members):
            member.tick()


class Ticker:
    def __init__(self) -> None:
        self._slots = [_Slot(i * TICK_S / SLOTS) for i in range(SLOTS)]

    def add(self, member: Ticking) -> None:
        min(self._slots, key=lambda slot: len(slot.members)).add(member)

    def remove(self, member: Ticking) -> None:
        for slot in self._slots:
            if member in slot.members:
                slot.remove(member)
