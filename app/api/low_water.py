"""How much of a caller's sound the kernel keeps before it wakes us.

To be woken costs more than what is done with a frame, and all that is done with one does as well with three: words and
voice are looked for in pieces of 60 ms. So the kernel is asked to wait for the third (SO_RCVLOWAT, see socket(7)). It
waits for bytes and knows no time; where no more come, it is told to wait no longer, and what it has is read.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from app.rounds import round_after

FRAMES = 2.5  # the first bytes of the third are enough: a frame arrives whole
MOST_BYTES = 500  # of one of 20 ms there are fewer than 400; who sends longer ones wakes us seldom enough
LOOK_S = 0.25
STILL_S = 0.1  # frames would have come by then


class LowWater:
    """For one socket. Tell it with `read` what was read; nothing else needs to be done. After `still_s` without a read
    no more is waited for."""

    def __init__(self, transport: asyncio.Transport, still_s: float = STILL_S) -> None:
        self._transport, self._loop, self._still_s = transport, asyncio.get_running_loop(), still_s
        self._socket = transport.get_extra_info("socket")
        self._bytes = 1
        self._read_at = 0.0
        self._looking = False

    def read(self, largest: int) -> None:
        """Messages were read; the largest had so many bytes."""
        self._read_at = self._loop.time()
        wanted = int(FRAMES * largest) if largest <= MOST_BYTES else 1
        if abs(wanted - self._bytes) > largest // 4:  # the counters in a frame grow
            self._wait_for(wanted)
        if not self._looking and self._bytes > 1:
            self._look_later()

    def _look_later(self) -> None:
        self._looking = True
        self._loop.call_at(round_after(self._loop.time(), LOOK_S), self._look)

    def _look(self) -> None:
        self._looking = False
        if self._transport.is_closing() or self._bytes == 1:
            return
        if self._loop.time() - self._read_at > self._still_s:
            self._wait_for(1)
        else:
            self._look_later()

    def _wait_for(self, wanted: int) -> None:
        with suppress(OSError, AttributeError):  # not every kernel knows it, nor every event loop's socket
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted)
            self._bytes = wanted
