"""A server of a language model: one POST in, an answer or a stream of events out. What is said, is the subclass's.

HTTP by hand, for the sake of what a web framework would not do: break off in mid-answer, and notice at once that the
client has left.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from http.client import responses
from typing import Any, ClassVar, Self

from app.exchange.completions import Completion

Request = Mapping[str, Any]
Answer = Callable[[Request], Completion]


@dataclass(slots=True)
class Served:
    """One request, and whether its client left before the end of the answer."""

    body: Request
    headers: Mapping[str, str]
    left_early: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)


class ModelServer(ABC):
    """Serves while the block runs; replies in the order given, the last one for ever.

    `refuses` are parameters this server does not know and answers with 400, as many local ones do. All of it may be
    changed at any time.
    """

    path: ClassVar[str]
    base: ClassVar[str] = ""  # of `url`, after the host

    def __init__(self, *replies: Completion | Answer, key: str, model: str = "model") -> None:
        self.replies: list[Completion | Answer] = [*replies] or [Completion("Hello.")]
        self.key, self.model = key, model
        self.refuses: frozenset[str] = frozenset()
        self.requests: list[Served] = []
        self.url = ""
        self.connected = 0  # times somebody did
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._open = AsyncExitStack()

    @abstractmethod
    def check(self, body: Request, headers: Mapping[str, str]) -> tuple[int, object] | None:
        """Status and body of a refusal, if there is something wrong."""

    @abstractmethod
    def events(self, reply: Completion, body: Request) -> AsyncIterator[str | None]:
        """Server-sent events; None where the connection shall break."""

    @abstractmethod
    def whole(self, reply: Completion) -> object:
        """The answer to a request without `stream`."""

    @abstractmethod
    def problem(self, status: int, message: str) -> object:
        """The body of an error."""

    def failure(self, reply: Completion) -> object:
        """The body for a reply that is a bad status."""
        return self.problem(reply.status, f"Status {reply.status}, as asked.")

    async def __aenter__(self) -> Self:
        """On a free port of this machine."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self._open.callback(server.close)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{self.base}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Hangs up on everybody, and waits until they have noticed."""
        await self._open.aclose()
        for writer in self._connections.values():
            writer.transport.abort()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        self.connected += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                begun: bytes | None = b""
                while begun is not None:
                    begun = await self._request(begun, reader, writer)
        finally:
            writer.close()
            del self._connections[task]

    async def _request(self, begun: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        """`begun` is what was read of the request already. Returns that of the next, None when the connection should
        end."""
        head = (begun + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        if (method, path) == ("GET", "/v1/models"):
            listed = {"object": "list", "data": [{"id": self.model, "object": "model", "owned_by": "exchange"}]}
            return await _whole(writer, 200, listed)
        if (method, path) != ("POST", self.path):
            return await _whole(writer, 404, self.problem(404, f"Unknown request URL: {method} {path}."))
        try:
            body = json.loads(raw)
        except ValueError:
            message = "We could not parse the JSON body of your request."
            return await _whole(writer, 400, self.problem(400, message))
        served = Served(body, headers)
        self.requests.append(served)
        if wrong := self.check(body, headers):
            served.over.set()
            return await _whole(writer, *wrong)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return await self._answer(reply(body) if callable(reply) else reply, served, reader, writer)

    async def _answer(
        self, reply: Completion, served: Served, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        if reply.status != 200:
            served.over.set()
            return await _whole(writer, reply.status, self.failure(reply), reply.headers())
        if not served.body.get("stream"):
            served.over.set()
            return await _whole(writer, 200, self.whole(reply))
        gone = asyncio.ensure_future(reader.read(1))  # an impatient client closes; a good one sends nothing now
        sending = asyncio.ensure_future(_stream(writer, self.events(reply, served.body)))
        try:
            await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
            served.left_early = not sending.done()
            if served.left_early or writer.transport.is_closing():
                return None
            return gone.result() or None if gone.done() else b""
        finally:
            gone.cancel()
            sending.cancel()
            await asyncio.gather(gone, sending, return_exceptions=True)
            served.over.set()


async def _stream(writer: asyncio.StreamWriter, events: AsyncIterator[str | None]) -> None:
    """Server-sent events in HTTP chunks. None breaks the connection where it is."""
    lines = ("HTTP/1.1 200 OK", "content-type: text/event-stream; charset=utf-8", "transfer-encoding: chunked",
             "x-request-id: req_1", "openai-processing-ms: 1", "", "")  # fmt: skip
    writer.write("\r\n".join(lines).encode())
    await writer.drain()
    async for event in events:
        if event is None:
            writer.transport.abort()
            return
        data = event.encode()
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _whole(
    writer: asyncio.StreamWriter, status: int, body: object, headers: Mapping[str, str] | None = None
) -> bytes:
    data = json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} {responses.get(status, 'Overloaded')}",
        "content-type: application/json",
        f"content-length: {len(data)}",
        "x-request-id: req_1",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode() + data)
    await writer.drain()
    return b""
