"""Being asked to stop: SIGTERM from the system, Ctrl-C from a person."""

from __future__ import annotations

import select
import signal
import socket
import threading
from types import FrameType


class Stop:
    """`wait` sleeps until the time is up or somebody asks. A handler may write to a socket; it must not take a lock."""

    def __init__(self) -> None:
        self.asked = False
        self._hears, self._says = socket.socketpair()
        self._says.setblocking(False)

    def on_signals(self) -> None:
        """From now on SIGTERM and SIGINT ask. Outside the main thread signals are somebody else's."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._on_signal)

    def ask(self) -> None:
        self.asked = True
        self._says.send(b".")

    def wait(self, seconds: float) -> bool:
        """True once asked."""
        if not self.asked:
            select.select([self._hears], [], [], max(0.0, seconds))
        return self.asked

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self.asked:
            self.ask()
