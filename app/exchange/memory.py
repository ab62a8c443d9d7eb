"""Webhooks and media sockets in memory, for calls on the virtual clock."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

import httpx

from app.errors import CarrierFault, Disconnected
from app.exchange.edges import Form, MediaSocket, Reply, Request
from app.exchange.network import HttpWebhooks
from app.exchange.throttle import Throttle

Answer = Callable[[str, Form, Mapping[str, str]], Awaitable[tuple[int, str]]]


class MemoryWebhooks:
    """Every webhook is a call of `answer(url, form, headers) -> (status, body)`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def send(self, request: Request) -> Reply:
        try:
            async with asyncio.timeout(request.read_s):
                status, body = await self._answer(request.url, request.form, request.headers)
        except TimeoutError:
            return Reply(failure="rt")
        return Reply(status, body.encode())


def asgi_webhooks(app: Callable[..., Awaitable[None]]) -> HttpWebhooks:
    """Webhooks of a web application in this process, without a socket."""
    return HttpWebhooks(transport=httpx.ASGITransport(app=app))


class _Pipe:
    """One direction: frames wait until they are taken. None ends it."""

    def __init__(self) -> None:
        self._frames: deque[str | bytes | None] = deque()
        self._taker: asyncio.Future[None] | None = None
        self.open = True
        self.bytes = 0

    def put(self, frame: str | bytes) -> None:
        if self.open:
            self.bytes += len(frame)
            self._frames.append(frame)
            self._wake()

    def end(self) -> None:
        if self.open:
            self.open = False
            self._frames.append(None)
            self._wake()

    async def take(self) -> str | bytes:
        while not self._frames:
            self._taker = asyncio.get_running_loop().create_future()
            await self._taker
        frame = self._frames[0]
        if frame is None:  # stays, so that every later take ends too
            raise Disconnected("the other end closed the socket")
        self._frames.popleft()
        self.bytes -= len(frame)
        return frame

    def _wake(self) -> None:
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)


class MemorySocket:
    """The exchange's end."""

    def __init__(self, outward: _Pipe, inward: _Pipe) -> None:
        self._outward, self._inward = outward, inward
        self._throttle = Throttle()

    def send(self, text: str) -> None:
        self._outward.put(text)

    def waiting_bytes(self) -> int:
        return self._outward.bytes

    async def receive(self) -> str | bytes:
        frame = await self._inward.take()
        await self._throttle.take(len(frame))
        return frame

    def read_at(self, bytes_per_s: float | None) -> None:
        self._throttle.at(bytes_per_s)

    async def close(self, code: int = 1000) -> None:
        self.reset()

    def reset(self) -> None:
        self._outward.end()
        self._inward.end()


class ServerSocket:
    """The application's end: what a web framework would hand to it. Reading or writing accepts the handshake."""

    def __init__(self, inward: _Pipe, outward: _Pipe) -> None:
        self._inward, self._outward = inward, outward
        self.decided: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.close_code: int | None = None

    def accept(self) -> None:
        if not self.decided.done():
            self.decided.set_result(101)

    def refuse(self, status: int = 403) -> None:
        if not self.decided.done():
            self.decided.set_result(status)

    async def receive_text(self) -> str:
        """Raises Disconnected."""
        self.accept()
        frame = await self._inward.take()
        return frame if isinstance(frame, str) else frame.decode("utf-8", "replace")

    async def send_text(self, text: str) -> None:
        """Raises Disconnected."""
        self.accept()
        if not self._outward.open:
            raise Disconnected("the other end closed the socket")
        self._outward.put(text)

    async def send_bytes(self, data: bytes) -> None:
        self.accept()
        self._outward.put(data)

    async def close(self, code: int = 1000) -> None:
        self.refuse()
        self.close_code = code
        self._outward.end()
        self._inward.end()


Serve = Callable[[str, Mapping[str, str], ServerSocket], Awaitable[None]]


class MemorySockets:
    """Every connection is a call of `serve(url, headers, socket)` in a task group of its own; leave with `async with`.

    The socket is closed when `serve` returns. A handshake that is neither accepted nor refused by then is refused.
    """

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._group.__aexit__(*error)  # type: ignore[arg-type]

    async def connect(self, url: str, headers: Mapping[str, str]) -> MediaSocket:
        to_server, to_exchange = _Pipe(), _Pipe()
        server = ServerSocket(to_server, to_exchange)

        async def attend() -> None:
            try:
                await self._serve(url, headers, server)
            except Disconnected:
                pass  # hanging up is not a fault of the one who was hung up on
            finally:
                await server.close()

        self._group.create_task(attend(), name=f"socket {url}")
        status = await server.decided
        if status != 101:
            raise CarrierFault(31920, f"the handshake was answered with {status}", status)
        return MemorySocket(to_server, to_exchange)
