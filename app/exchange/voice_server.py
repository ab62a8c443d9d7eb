"""What local voices have in common: a murmur that can be measured, their bad days, and a web server to speak from.

Every character takes `MS_PER_CHAR`, so that audio, byte rate and alignment can be checked by arithmetic.
"""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from app.exchange.server import LoopServer
from app.exchange.sound import murmur
from app.telephony import mulaw

MS_PER_CHAR = 60
_CHARS_PER_MESSAGE = 8


@dataclass(frozen=True, slots=True)
class SpeechFaults:
    """None of it by default.

    status          handshakes and requests are answered with this
    sockets_down    handshakes alone are answered with 503
    stall_after_ms  after so much audio of a line nothing more comes
    drop_after_ms   the socket is closed with 1011 after so much audio of a line
    malformed       broken JSON, broken base64 and a nonsense alignment between the good messages
    unknown         message types from the future between the good messages
    error           an error object of this name instead of audio
    """

    status: int = 0
    sockets_down: bool = False
    stall_after_ms: int | None = None
    drop_after_ms: int | None = None
    malformed: bool = False
    unknown: bool = False
    error: str = ""


@dataclass(slots=True)
class Seen:
    """What a client did on one connection, message by message."""

    query: Mapping[str, str]
    messages: list[dict[str, Any]] = field(default_factory=list)
    closed: tuple[int, str] | None = None  # by us, and why


class VoiceServer(ABC):
    """Serves while the block runs. `faults`, `first_audio_s` (from the flush of a text to its first audio) and
    `voice_of` (a text as audio and alignment) may be changed at any time."""

    def __init__(self, key: str, faults: SpeechFaults | None) -> None:
        self.key, self.faults = key, faults or SpeechFaults()
        self.first_audio_s = 0.0
        self.voice_of: Callable[[str], Iterable[tuple[bytes, dict[str, Any]]]] = speech
        self.connections: list[Seen] = []
        self.requests: list[dict[str, Any]] = []  # over HTTP
        self.url = ""
        self._open = AsyncExitStack()

    @abstractmethod
    def routes(self) -> Sequence[BaseRoute]: ...

    async def __aenter__(self) -> Self:
        """On a free port of this machine."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._open.callback(listener.close)
        self.url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            Starlette(routes=list(self.routes())), log_level="critical", access_log=False, lifespan="off",
            ws="websockets-sansio", ws_per_message_deflate=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        await self._open.enter_async_context(_running(LoopServer(config), listener))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()


def speech(text: str) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Audio and alignment, a few characters at a time; characters are loud, spaces are quiet."""
    for start in range(0, len(text), _CHARS_PER_MESSAGE):
        chars = text[start : start + _CHARS_PER_MESSAGE]
        quiet = mulaw.silence(MS_PER_CHAR)
        sound = b"".join(quiet if char.isspace() else murmur(MS_PER_CHAR) for char in chars)
        yield (
            sound,
            {
                "chars": list(chars),
                "charStartTimesMs": [place * MS_PER_CHAR for place in range(len(chars))],
                "charDurationsMs": [MS_PER_CHAR] * len(chars),
            },
        )


@asynccontextmanager
async def _running(server: uvicorn.Server, listener: socket.socket) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve([listener]), name="emulator")
        try:
            yield
        finally:
            server.should_exit = True
