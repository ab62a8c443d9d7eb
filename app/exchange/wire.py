"""The way from the exchange to the media server: instant, or as uneven as the faults say. Order is always kept."""

from __future__ import annotations

import asyncio
import random

from app.exchange.edges import MediaSocket
from app.exchange.faults import Faults

_BURST_CHANCE = 0.05  # per frame


class Wire:
    def __init__(self, socket: MediaSocket, faults: Faults, dice: random.Random) -> None:
        self._socket, self._faults, self._dice = socket, faults, dice
        self._smooth = not (faults.burst or faults.jitter_ms)
        self._held: list[str] = []
        self._hold = 0
        self._last_due = 0.0
        self._late: list[tuple[asyncio.TimerHandle, str]] = []

    def send(self, text: str) -> None:
        if self._smooth:
            self._socket.send(text)
            return
        self._held.append(text)
        if self._hold == 0 and self._faults.burst and self._dice.random() < _BURST_CHANCE:
            self._hold = self._faults.burst
        self._hold = max(0, self._hold - 1)
        if self._hold == 0:
            for held in self._held:
                self._pass(held)
            self._held.clear()

    def flush(self) -> None:
        """Everything goes now, for the stream is about to close."""
        late, self._late = self._late, []
        for timer, text in late:
            if not timer.cancelled():
                timer.cancel()
                self._socket.send(text)
        for text in self._held:
            self._socket.send(text)
        self._held.clear()

    def _pass(self, text: str) -> None:
        if not self._faults.jitter_ms:
            self._socket.send(text)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + self._dice.uniform(0, self._faults.jitter_ms) / 1000
        self._last_due = max(self._last_due, due)

        def arrive() -> None:  # timers of the same instant fire in any order: the oldest frame goes, whichever it is
            self._socket.send(self._late.pop(0)[1])

        self._late.append((loop.call_at(self._last_due, arrive), text))
