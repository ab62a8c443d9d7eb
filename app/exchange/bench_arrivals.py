"""When the agent's sound arrives at the phones: network sockets that note it, for a bench.

The service hands out its sound a little ahead of time, in pieces of 100 ms every 100 ms; by how much one misses that is
its jitter. Pieces at the beginning of an utterance, which come together to fill the buffer, and at its end, which are
shorter, are left out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.exchange.edges import MediaSocket
from app.exchange.network import NetworkSockets

_PAYLOAD = '"payload":'
_AROUND = '""}}'
_PIECE_MS = 100.0
_WHOLE_MS = 5.0  # a piece that misses its length by no more is one from the middle of an utterance
_PAUSE_MS = 500.0  # without a piece: what comes then is another utterance
_BYTES_PER_MS = 8
_BASE64 = 3 / 4


@dataclass(slots=True)
class Arrivals:
    """Of one stream: the ms of each piece's arrival, and how many ms of sound it holds."""

    pieces: list[tuple[float, float]] = field(default_factory=list)

    def jitter_ms(self) -> list[float]:
        pairs = zip(self.pieces, self.pieces[1:], strict=False)
        regular = (at_ms - before_ms for (before_ms, one), (at_ms, other) in pairs if _whole(one) and _whole(other))
        return [abs(apart_ms - _PIECE_MS) for apart_ms in regular if apart_ms < _PAUSE_MS]


def _whole(lasts_ms: float) -> bool:
    return abs(lasts_ms - _PIECE_MS) <= _WHOLE_MS


class _Noted:
    """A MediaSocket that passes everything on."""

    def __init__(self, socket: MediaSocket, arrivals: Arrivals) -> None:
        self._socket, self._arrivals = socket, arrivals
        self.send, self.waiting_bytes, self.reset = socket.send, socket.waiting_bytes, socket.reset
        self.read_at = socket.read_at

    async def receive(self) -> str | bytes:
        frame = await self._socket.receive()
        if isinstance(frame, str) and '"event":"media"' in frame:
            letters = len(frame) - frame.rfind(_PAYLOAD) - len(_PAYLOAD) - len(_AROUND)
            self._arrivals.pieces.append((time.perf_counter() * 1000, letters * _BASE64 / _BYTES_PER_MS))
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
