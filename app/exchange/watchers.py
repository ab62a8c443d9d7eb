"""Very many browsers that watch the live feed, in a process of their own: `python -m app.exchange.watchers URL`.

One-time tickets are read from standard input, a line each, and every one opens a socket. "ready" is said when all are
open; when the input ends, what was seen is told as one line of JSON. A message's number holds the moment of its event,
so its delay is known where it is received.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast
from urllib.parse import urlsplit

_AT_ONCE = 20  # sockets that are opened side by side
_SEQ = re.compile(rb'\{"seq": ?(\d+)')
_LONG, _LONGER = 126, 127  # lengths of a frame that are told in two bytes, and in eight
_TEXT = 0x81


@dataclass(slots=True)
class Seen:
    """Delays in ms from an event to its arrival at a socket. `gaps` were told instead of messages; `lost` sockets were
    closed by the other side."""

    delays_ms: list[float] = field(default_factory=list)
    frames: int = 0
    gaps: int = 0
    lost: int = 0


class Watching(asyncio.Protocol):
    """One socket. Reads no more of a message than its number; answers nothing but the closing of the connection."""

    def __init__(self, address: str, seen: Seen) -> None:
        self._parts = urlsplit(address)
        self._seen = seen
        self._buffer = bytearray()
        self._open = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        head = (
            f"GET {self._parts.path}?{self._parts.query} HTTP/1.1",
            f"Host: {self._parts.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        )
        cast(asyncio.Transport, transport).write("\r\n".join((*head, "", "")).encode())

    def data_received(self, data: bytes) -> None:
        now_ms = time.time() * 1000
        self._buffer += data
        if not self._open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._buffer.startswith(b"HTTP/1.1 101"):
                self.opened.set_exception(ConnectionError(self._buffer[:60].decode(errors="replace")))
                return
            self._open = True
            self.opened.set_result(None)
            del self._buffer[: end + 4]
        self._frames(now_ms)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("closed before it was open"))
        self._seen.lost += 1

    def _frames(self, now_ms: float) -> None:
        while (bounds := _frame(self._buffer)) is not None:
            begin, end = bounds
            if self._buffer[0] == _TEXT:
                self._note(bytes(self._buffer[begin:end]), now_ms)
            del self._buffer[:end]

    def _note(self, text: bytes, now_ms: float) -> None:
        """A frame holds one message or more, a line each."""
        self._seen.frames += 1
        for line in text.split(b"\n"):
            if b'"kind": "gap"' in line:
                self._seen.gaps += 1
            elif found := _SEQ.match(line):
                self._seen.delays_ms.append(now_ms - int(found[1]) / 1000)


def _frame(buffer: bytearray) -> tuple[int, int] | None:
    """Where the first frame's message begins and ends; None while it is not all there. A server masks nothing."""
    if len(buffer) < 2:
        return None
    length, begin = buffer[1], 2
    if length in (_LONG, _LONGER):
        begin = 4 if length == _LONG else 10
        if len(buffer) < begin:
            return None
        length = int.from_bytes(buffer[2:begin], "big")
    return (begin, begin + length) if len(buffer) >= begin + length else None


async def watch(url: str, tickets: Sequence[str]) -> Seen:
    """Until the standard input ends. Raises OSError when a socket does not open."""
    loop, seen, slots = asyncio.get_running_loop(), Seen(), asyncio.Semaphore(_AT_ONCE)
    host, port = urlsplit(url).hostname or "127.0.0.1", urlsplit(url).port or 80

    async def one(ticket: str) -> asyncio.BaseTransport:
        async with slots:
            address = f"{url}/api/v1/live?ticket={ticket}"
            transport, watching = await loop.create_connection(lambda: Watching(address, seen), host, port)
            await watching.opened
            return transport

    async with asyncio.TaskGroup() as group:
        opening = [group.create_task(one(ticket)) for ticket in tickets]
    transports = [task.result() for task in opening]
    _say("ready")
    ended = asyncio.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(ended.set)), daemon=True).start()
    await ended.wait()
    found = replace(seen, delays_ms=list(seen.delays_ms))
    for transport in transports:
        transport.close()
    return found


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    import uvloop

    tickets = iter(sys.stdin.readline, "\n")
    seen = uvloop.run(watch(sys.argv[1], [ticket.strip() for ticket in tickets]))
    told = {"delays_ms": [round(ms, 1) for ms in seen.delays_ms], "frames": seen.frames}
    _say(json.dumps(told | {"gaps": seen.gaps, "lost": seen.lost}))


if __name__ == "__main__":
    main()
