"""When the agent's sound arrives at the phones: network sockets that note it, for a bench.

The service looks every 100 ms what each call needs, and hands out pieces of 100 ms: one, two or none. So pieces of one
utterance are a multiple of 100 ms apart; by how much they miss that is their jitter. The first pieces, which are handed
out as soon as they are made, are left out. More than 50 ms would not be seen here, but be heard as an underrun.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from app.exchange.edges import MediaSocket
from app.exchange.network import NetworkSockets

_PAYLOAD = '"payload":'
_AROUND = '""}}'
_FIRST = 4  # pieces of an utterance
_TICK_MS = 100.0
_BYTES_PER_MS = 8
_BASE64 = 3 / 4


@dataclass(slots=True)
class Arrivals:
    """Of one stream: the ms of each piece's arrival, how many ms of sound it holds, and which of its utterance it is,
    from 0."""

    pieces: list[tuple[float, float, int]] = field(default_factory=list)
    _place: int = 0

    def take(self, frame: str, at_ms: float) -> None:
        if '"event":"media"' in frame:
            letters = len(frame) - frame.rfind(_PAYLOAD) - len(_PAYLOAD) - len(_AROUND)
            self.pieces.append((at_ms, letters * _BASE64 / _BYTES_PER_MS, self._place))
            self._place += 1
        elif '"event":"clear"' in frame or frame.endswith('-0"}}'):  # the mark at the beginning of an utterance
            self._place = 0

    def jitter_ms(self) -> list[float]:
        apart = [at_ms - before_ms for (before_ms, *_), (at_ms, _, place) in pairwise(self.pieces) if place >= _FIRST]
        return [abs(ms - _TICK_MS * round(ms / _TICK_MS)) for ms in apart]


class _Noted:
    """A MediaSocket that passes everything on."""

    def __init__(self, socket: MediaSocket, arrivals: Arrivals) -> None:
        self._socket, self._arrivals = socket, arrivals
        self.send, self.waiting_bytes, self.reset = socket.send, socket.waiting_bytes, socket.reset
        self.read_at = socket.read_at

    async def receive(self) -> str | bytes:
        frame = await self._socket.receive()
        if isinstance(frame, str):
            self._arrivals.take(frame, time.perf_counter() * 1000)
        return frame

    async def close(self, code: int = 1000) -> None:
        await self._socket.close(code)


class NotedSockets:
    """Implements `edges.Sockets`. `taken` gives what has arrived since it was asked last."""

    def __init__(self) -> None:
        self._sockets = NetworkSockets()
        self._arrivals: list[Arrivals] = []

    async def connect(self, url: str, headers: Mapping[str, str]) -> MediaSocket:
        self._arrivals.append(Arrivals())
        return _Noted(await self._sockets.connect(url, headers), self._arrivals[-1])

    def taken(self) -> list[Arrivals]:
        found, self._arrivals = self._arrivals, []
        return found
