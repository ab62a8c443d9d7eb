"""A local Realtime API: sessions, audio in and out, responses and their errors, with a script for ears and mouth.

    async with RealtimeServer("how much is it", replies=[Reply("It depends on your roof.")]) as server:
        OPENAI_BASE_URL = server.url

Checked as the real one does: the key, the form of each event, at least 100 ms to commit, one response at a time in the
conversation, truncation within the sound. Not to be had here: what a model would say, and how.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from app.exchange.sound import murmured
from app.telephony.mulaw import BYTES_PER_MS

_LEAST_COMMIT = 100 * BYTES_PER_MS
_PIECE = 200 * BYTES_PER_MS
_WORDS_A_DELTA = 3

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says. `trouble`: "stalls" after the first words, "drops" the connection there, "fails" with an
    error status, "mute" sends words without sound. Seconds: to the first words, between pieces."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    first_s: float = 0.0
    piece_s: float = 0.0
    trouble: str = ""


class RealtimeServer:
    """Serves while the block runs. The n-th committed voice is the n-th line; the last reply is given for ever.

    A reply may be a function of the `response` of the request.
    """

    def __init__(
        self,
        *lines: str,
        replies: Sequence[Reply | Callable[[Event], Reply]] = (),
        key: str = "openai-key",
        model: str = "gpt-realtime",
    ) -> None:
        self.lines = deque(lines)
        self.replies = [*replies] or [Reply("Hello.")]
        self.key, self.model = key, model
        self.silent = False  # commits are taken, and no words come
        self.events: list[Event] = []  # of all clients, but for sound
        self.heard_bytes = 0
        self.url = ""
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """On a free port of this machine."""
        server = await self._open.enter_async_context(
            serve(self._serve, "127.0.0.1", 0, process_request=self._check, compression=None, close_timeout=0.5)
        )
        self.url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    def of_type(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.get("type") == kind]

    def next_reply(self, request: Event) -> Reply:
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply if isinstance(reply, Reply) else reply(request)

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        url = urlsplit(request.path)
        if url.path != "/v1/realtime":
            return connection.respond(404, "no such path")
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return connection.respond(401, json.dumps({"error": {"code": "invalid_api_key"}}))
        if parse_qs(url.query).get("model") != [self.model]:
            return connection.respond(404, json.dumps({"error": {"code": "model_not_found"}}))
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await _Session(self, connection).run()


class _Session:
    """One socket."""

    def __init__(self, server: RealtimeServer, connection: ServerConnection) -> None:
        self._server, self._connection = server, connection
        self._numbers = count(1)
        self._buffer = bytearray()
        self._items: dict[str, int] = {}  # -> ms of sound
        self._active: dict[str, asyncio.Task[None]] = {}  # responses being made
        self._in_conversation: str | None = None
        self._takes: Mapping[str, Callable[[Event], Any]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create_item,
            "conversation.item.truncate": self._truncate,
            "conversation.item.delete": self._delete,
            "response.create": self._create,
            "response.cancel": self._cancel,
        }

    async def run(self) -> None:
        await self._send("session.created", session={"type": "realtime", "model": self._server.model})
        async with asyncio.TaskGroup() as self._group:
            try:
                async for message in self._connection:
                    await self._take(json.loads(message))
            finally:
                for task in self._active.values():
                    task.cancel()

    async def _take(self, event: Event) -> None:
        kind = str(event.get("type", ""))
        if kind != "input_audio_buffer.append":
            self._server.events.append(event)
        take = self._takes.get(kind)
        if take is None:
            await self._error("unknown_event", f"Invalid value: '{kind}'.")
        else:
            await take(event)

    async def _update(self, event: Event) -> None:
        session = event["session"]
        if session.get("type") != "realtime":
            await self._error("missing_required_parameter", "session.type")
        else:
            await self._send("session.updated", session=session)

    async def _append(self, event: Event) -> None:
        sound = base64.b64decode(event["audio"], validate=True)
        self._server.heard_bytes += len(sound)
        self._buffer += sound

    async def _clear(self, event: Event) -> None:
        self._buffer.clear()
        await self._send("input_audio_buffer.cleared")

    async def _commit(self, event: Event) -> None:
        if len(self._buffer) < _LEAST_COMMIT:
            await self._error("input_audio_buffer_commit_empty", "buffer too small")
            return
        self._buffer.clear()
        item = self._new_item(0)
        await self._send("input_audio_buffer.committed", item_id=item)
        await self._send("conversation.item.added", item={"id": item, "type": "message", "role": "user"})
        if self._server.silent:
            return
        text = self._server.lines.popleft() if self._server.lines else ""
        about = {"item_id": item, "content_index": 0}
        await self._send("conversation.item.input_audio_transcription.delta", **about, delta=text[:4])
        await self._send("conversation.item.input_audio_transcription.completed", **about, transcript=text)

    async def _create_item(self, event: Event) -> None:
        await self._send("conversation.item.added", item={**event["item"], "id": self._new_item(0)})

    async def _truncate(self, event: Event) -> None:
        item, end_ms = event["item_id"], event["audio_end_ms"]
        if end_ms > self._items.get(item, -1):
            await self._error("invalid_value", "audio_end_ms is beyond the sound of the item")
        else:
            self._items[item] = end_ms
            await self._send("conversation.item.truncated", item_id=item, content_index=0, audio_end_ms=end_ms)

    async def _delete(self, event: Event) -> None:
        if self._items.pop(event["item_id"], None) is None:
            await self._error("item_delete_invalid_item_id", "no such item")
        else:
            await self._send("conversation.item.deleted", item_id=event["item_id"])

    # --- responses ---

    async def _create(self, event: Event) -> None:
        request = event.get("response") or {}
        aside = request.get("conversation") == "none"
        if not aside and self._in_conversation is not None:
            about = str(event.get("event_id", ""))
            await self._error("conversation_already_has_active_response", "wait for response.done", about)
            return
        response = f"resp_{next(self._numbers)}"
        if not aside:
            self._in_conversation = response
        reply = self._server.next_reply(request)
        self._active[response] = self._group.create_task(self._answer(response, request, reply), name=response)

    async def _cancel(self, event: Event) -> None:
        task = self._active.get(event.get("response_id") or self._in_conversation or "")
        if task is None:
            await self._error("response_cancel_not_active", "no active response")
        else:
            task.cancel()

    async def _answer(self, response: str, request: Event, reply: Reply) -> None:
        item = self._new_item(0)
        status, reason = "completed", ""
        try:
            await self._speak(response, item, request, reply)
        except asyncio.CancelledError:
            status, reason = "cancelled", "client_cancelled"
        except _Fails:
            status, reason = "failed", "server_error"
        self._active.pop(response, None)
        if self._in_conversation == response:
            self._in_conversation = None
        with suppress(ConnectionClosed):
            usage = {"total_tokens": 30, "input_tokens": 20, "output_tokens": 10}
            body: Event = {
                "id": response,
                "object": "realtime.response",
                "status": status,
                "usage": usage,
                "output": [],
            }
            body["status_details"] = {"type": status, "reason": reason} if reason else None
            await self._send("response.done", response=body)

    async def _speak(self, response: str, item: str, request: Event, reply: Reply) -> None:
        about = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        body = {"id": response, "status": "in_progress", "metadata": request.get("metadata")}
        await self._send("response.created", response=body)
        await self._send("rate_limits.updated", rate_limits=[])
        await asyncio.sleep(reply.first_s)
        if reply.trouble == "fails":
            raise _Fails
        added = {"id": item, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        await self._send("response.output_item.added", response_id=response, output_index=0, item=added)
        words = reply.text.split(" ")
        for at in range(0, len(words), _WORDS_A_DELTA):
            delta = " ".join(words[at : at + _WORDS_A_DELTA])
            await self._send("response.output_audio_transcript.delta", **about, delta=delta if not at else f" {delta}")
            await asyncio.sleep(reply.piece_s)
            if reply.trouble == "stalls":
                await asyncio.Event().wait()
            if reply.trouble == "drops":
                self._connection.transport.abort()
                await asyncio.Event().wait()
        await self._send("response.output_audio_transcript.done", **about, transcript=reply.text)
        await self._sound(item, about, reply)
        for place, call in enumerate(reply.calls):
            of = {"response_id": response, "item_id": f"{item}_{place}", "output_index": place + 1, "call_id": "call_1"}
            done = {"name": call.name, "arguments": call.arguments}
            await self._send("response.function_call_arguments.done", **of, **done)

    async def _sound(self, item: str, about: Event, reply: Reply) -> None:
        sound = b"" if reply.trouble == "mute" or not reply.text else murmured(reply.text)
        for at in range(0, len(sound), _PIECE):
            piece = sound[at : at + _PIECE]
            self._items[item] += len(piece) // BYTES_PER_MS
            delta = base64.b64encode(piece).decode("ascii")
            await self._send("response.output_audio.delta", **about, delta=delta)
            await asyncio.sleep(reply.piece_s)
        await self._send("response.output_audio.done", **about)

    def _new_item(self, audio_ms: int) -> str:
        item = f"item_{next(self._numbers)}"
        self._items[item] = audio_ms
        return item

    async def _error(self, code: str, message: str, about: str = "") -> None:
        error = {"type": "invalid_request_error", "code": code, "message": message, "event_id": about or None}
        await self._send("error", error=error)

    async def _send(self, kind: str, **fields: Any) -> None:
        await self._connection.send(json.dumps({"event_id": f"event_{next(self._numbers)}", "type": kind, **fields}))


class _Fails(Exception):
    """The reply ends with an error status."""
