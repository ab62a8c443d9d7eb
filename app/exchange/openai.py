"""A local chat-completions server: the protocol as its documentation has it, words that follow a script, and bad days.

    async with ChatServer(Completion("It costs ten thousand dollars.")) as server:
        OPENAI_BASE_URL = server.url

Checked as the real one does: the key, the model, the messages, the tools. Not to be had here: what a model would say.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

from app.exchange.completions import Completion, chunks

Request = Mapping[str, Any]
Answer = Callable[[Request], Completion]

_PATH = "/v1/chat/completions"
_KNOWN = frozenset(
    ("model", "messages", "stream", "stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p",
     "n", "tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "service_tier", "store",
     "metadata", "seed", "stop", "prompt_cache_key", "safety_identifier", "verbosity", "user")
)  # fmt: skip


@dataclass(slots=True)
class Served:
    """One request, and whether its client left before the end of the answer."""

    body: Request
    headers: Mapping[str, str]
    left_early: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)


class ChatServer:
    """Serves while the block runs; replies in the order given, the last one for ever.

    `refuses` are parameters this server does not know and answers with 400, as many local ones do; `alternates` insists
    on user and assistant by turns. All of it may be changed at any time.
    """

    def __init__(self, *replies: Completion | Answer, key: str = "openai-key", model: str = "model") -> None:
        self.replies: list[Completion | Answer] = [*replies] or [Completion("Hello.")]
        self.key, self.model = key, model
        self.refuses: frozenset[str] = frozenset()
        self.alternates = False
        self.requests: list[Served] = []
        self.url = ""
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """On a free port of this machine."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self._open.callback(server.close)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
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
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._request(reader, writer):
                    pass
        finally:
            writer.close()
            del self._connections[task]

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """False when the connection should end."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        if (method, path) == ("GET", "/v1/models"):
            listed = {"object": "list", "data": [{"id": self.model, "object": "model", "owned_by": "exchange"}]}
            return await _whole(writer, 200, listed)
        if (method, path) != ("POST", _PATH):
            return await _whole(writer, 404, _error(f"Unknown request URL: {method} {path}.", "unknown_url"))
        try:
            body = json.loads(raw)
        except ValueError:
            return await _whole(writer, 400, _error("We could not parse the JSON body of your request.", None))
        served = Served(body, headers)
        self.requests.append(served)
        if wrong := self._check(body, headers):
            served.over.set()
            return await _whole(writer, *wrong)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return await self._answer(reply(body) if callable(reply) else reply, served, reader, writer)

    def _check(self, body: Request, headers: Mapping[str, str]) -> tuple[int, object] | None:
        if headers.get("authorization") != f"Bearer {self.key}":
            return 401, _error("Incorrect API key provided.", "invalid_api_key")
        for name in body:
            if name not in _KNOWN or name in self.refuses:
                return 400, _error(f"Unsupported parameter: '{name}' is not supported.", "unsupported_parameter", name)
        if body.get("model") != self.model:
            return 404, _error(f"The model '{body.get('model')}' does not exist.", "model_not_found")
        wrong = _check_messages(body.get("messages"), self.alternates) or _check_tools(body)
        if wrong:
            return 400, _error(wrong, "invalid_value")
        if "strict" in self.refuses and any("strict" in tool["function"] for tool in body.get("tools", ())):
            return 400, _error("Unsupported parameter: 'tools[0].function.strict'.", "unsupported_parameter", "strict")
        return None

    async def _answer(
        self, reply: Completion, served: Served, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if reply.status != 200:
            served.over.set()
            return await _whole(writer, reply.status, reply.error(), reply.headers())
        if not served.body.get("stream"):
            served.over.set()
            return await _whole(writer, 200, reply.whole(self.model))
        usage = bool((served.body.get("stream_options") or {}).get("include_usage"))
        gone = asyncio.ensure_future(reader.read(1))  # an impatient client closes; a good one sends nothing now
        sending = asyncio.ensure_future(_stream(writer, chunks(reply, self.model, usage=usage)))
        try:
            await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
            served.left_early = not sending.done()
            return False
        finally:
            gone.cancel()
            sending.cancel()
            await asyncio.gather(gone, sending, return_exceptions=True)
            served.over.set()


async def _stream(writer: asyncio.StreamWriter, events: AsyncIterator[str | None]) -> None:
    """Server-sent events in HTTP chunks. None breaks the connection where it is."""
    lines = ("HTTP/1.1 200 OK", "content-type: text/event-stream; charset=utf-8", "transfer-encoding: chunked",
             "connection: close", "x-request-id: req_1", "openai-processing-ms: 1", "", "")  # fmt: skip
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
) -> bool:
    data = json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "content-type: application/json",
        f"content-length: {len(data)}",
        "x-request-id: req_1",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode() + data)
    await writer.drain()
    return True


def _error(message: str, code: str | None, param: str | None = None) -> dict[str, object]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def _check_messages(messages: object, alternates: bool) -> str:
    if not isinstance(messages, list) or not messages:
        return "Invalid 'messages': expected a non-empty array."
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ("system", "user", "assistant", "tool"):
            return "Invalid 'messages[].role'."
        if not isinstance(message.get("content"), str) and not message.get("tool_calls"):
            return "Invalid 'messages[].content': expected a string."
    roles = [message["role"] for message in messages if message["role"] != "system"]
    if alternates and (roles[::2] != ["user"] * len(roles[::2]) or roles[1::2] != ["assistant"] * len(roles[1::2])):
        return "Conversation roles must alternate user/assistant/user/assistant/..."
    return ""


def _check_tools(body: Request) -> str:
    """Strict tools need a closed schema with every property required."""
    for tool in body.get("tools", ()):
        function = tool.get("function", {})
        if tool.get("type") != "function" or not re.fullmatch(r"[\w-]{1,64}", function.get("name", "")):
            return "Invalid 'tools[].function.name'."
        schema = function.get("parameters", {})
        closed = schema.get("additionalProperties") is False
        if function.get("strict") and not (closed and set(schema.get("required", ())) == set(schema["properties"])):
            return f"Invalid schema for function '{function['name']}': strict needs a closed one."
    if body.get("tools") == []:
        return "Invalid 'tools': empty array."
    return ""
