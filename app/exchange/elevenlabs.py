"""A local ElevenLabs: both text-to-speech sockets and HTTP streaming, with a murmur for a voice, and bad days.

    async with ElevenLabsServer() as server:
        ELEVENLABS_BASE_URL = server.url

Every character takes `MS_PER_CHAR`, so that audio, byte rate and alignment can be checked by arithmetic. Not to be had
here: a voice, prosody, and the real one's latency.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app.exchange.voice_library import VoiceLibrary
from app.exchange.voice_server import MS_PER_CHAR, Seen, SpeechFaults, VoiceServer
from app.telephony import mulaw

__all__ = ["MS_PER_CHAR", "ElevenLabsServer", "SpeechFaults"]

_SCHEDULE = 120  # characters gathered before speech is made of them, unless flushed or in auto mode
_KNOWN = frozenset(
    ("model_id", "language_code", "enable_logging", "enable_ssml_parsing", "output_format", "inactivity_timeout",
     "sync_alignment", "auto_mode", "apply_text_normalization", "seed", "optimize_streaming_latency")
)  # fmt: skip
_NAMES = {401: "invalid_api_key", 404: "voice_not_found", 429: "too_many_concurrent_requests", 400: "bad_request"}


class ElevenLabsServer(VoiceServer):
    """`library` keeps the copied voices."""

    def __init__(self, *, key: str = "elevenlabs-key", voice: str = "voice-1", faults: SpeechFaults | None = None):
        super().__init__(key, faults)
        self.voice = voice
        self.library = VoiceLibrary(self._stranger)

    def routes(self) -> Sequence[BaseRoute]:
        return (
            *self.library.routes(),
            WebSocketRoute("/v1/text-to-speech/{voice}/stream-input", self._single),
            WebSocketRoute("/v1/text-to-speech/{voice}/multi-stream-input", self._multi),
            Route("/v1/text-to-speech/{voice}/stream", self._http, methods=["POST"]),
        )

    def _wrong(self, headers: Mapping[str, str], path: Mapping[str, str], query: Mapping[str, str]) -> Response | None:
        if self.faults.status:
            return _refusal(self.faults.status, "as asked")
        if headers.get("xi-api-key") != self.key:
            return _refusal(401, "Invalid API key")
        if path["voice"] != self.voice and path["voice"] not in self.library.copies:
            return _refusal(404, "A voice with this id does not exist")
        if query.get("output_format") != "ulaw_8000":
            return _refusal(400, "this server speaks ulaw_8000")
        if unknown := set(query) - _KNOWN:
            return _refusal(400, f"unexpected query parameters {sorted(unknown)}")
        return None

    def _stranger(self, request: Request) -> Response | None:
        return None if request.headers.get("xi-api-key") == self.key else _refusal(401, "Invalid API key")

    async def _http(self, request: Request) -> Response:
        wrong = self._wrong(request.headers, request.path_params, request.query_params)
        if wrong is not None:
            return wrong
        body = await request.json()
        self.requests.append(body)
        if not body.get("text"):
            return JSONResponse({"detail": [{"loc": ["body", "text"], "msg": "missing", "type": "missing"}]}, 422)

        async def audio() -> AsyncIterator[bytes]:
            await asyncio.sleep(self.first_audio_s)
            for sound, _ in self.voice_of(body["text"]):
                yield sound

        return StreamingResponse(audio(), media_type="audio/basic")

    async def _single(self, connection: WebSocket) -> None:
        await self._serve(connection, several=False)

    async def _multi(self, connection: WebSocket) -> None:
        await self._serve(connection, several=True)

    async def _serve(self, connection: WebSocket, *, several: bool) -> None:
        wrong = self._wrong(connection.headers, connection.path_params, connection.query_params)
        if self.faults.sockets_down:
            wrong = _refusal(503, "sockets are down")
        if wrong is not None:
            return await connection.send_denial_response(wrong)
        await connection.accept()
        seen = Seen(dict(connection.query_params))
        self.connections.append(seen)
        await _Talking(self, connection, seen, several).run()


@dataclass(slots=True)
class _Context:
    name: str
    text: str = ""
    spoken_ms: int = 0
    closing: bool = False
    work: asyncio.Queue[tuple[str, float] | None] = field(default_factory=asyncio.Queue)  # text, and when it came


class _Talking:
    """One connection. Each context has a task of its own: one that stalls holds up no other."""

    def __init__(self, server: ElevenLabsServer, connection: WebSocket, seen: Seen, several: bool) -> None:
        self._server, self._connection, self._seen, self._several = server, connection, seen, several
        self._auto = seen.query.get("auto_mode") == "true"
        self._patience_s = float(seen.query.get("inactivity_timeout", "20"))
        self._contexts: dict[str, _Context] = {}
        self._now = asyncio.get_running_loop().time

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            tasks: list[asyncio.Task[None]] = []
            try:
                while True:
                    async with asyncio.timeout(self._patience_s):
                        message = json.loads(await self._connection.receive_text())
                    self._seen.messages.append(message)
                    if message.get("close_socket"):
                        for context in self._contexts.values():
                            self._end(context)
                        await asyncio.gather(*tasks)
                        await self._close(1000, "")
                        break
                    name = str(message.get("context_id") or "") if self._several else ""
                    if name not in self._contexts:
                        self._contexts[name] = _Context(name)
                        tasks.append(group.create_task(self._talk(self._contexts[name]), name=f"context {name}"))
                    self._take(self._contexts[name], message)
                    if self._contexts[name].closing and not self._several:
                        await asyncio.gather(*tasks)
                        await self._close(1000, "")
                        break
            except TimeoutError:
                await self._close(1008, "inactivity")
            except ValueError:
                await self._close(1008, "invalid message")
            except (WebSocketDisconnect, RuntimeError):  # gone, or closed by a context
                pass
            for task in tasks:
                task.cancel()

    def _take(self, context: _Context, message: Mapping[str, Any]) -> None:
        text = message.get("text")
        if message.get("close_context") or (text == "" and not self._several):
            self._end(context)
        elif text and text != " " and not context.closing:
            context.text += text
        if context.text and (message.get("flush") or self._auto or len(context.text) >= _SCHEDULE):
            context.work.put_nowait((context.text, self._now()))
            context.text = ""

    def _end(self, context: _Context) -> None:
        if not context.closing:
            context.closing = True
            if context.text:
                context.work.put_nowait((context.text, self._now()))
            context.text = ""
            context.work.put_nowait(None)

    async def _talk(self, context: _Context) -> None:
        try:
            while (work := await context.work.get()) is not None:
                text, since = work
                await asyncio.sleep(max(0.0, since + self._server.first_audio_s - self._now()))
                for sound, alignment in self._server.voice_of(text):
                    if await self._struck(context):
                        return
                    await self._send(context, sound, alignment)
                    context.spoken_ms += mulaw.duration_ms(sound)
            await self._connection.send_text(json.dumps({"isFinal": True, **self._named(context)}))
            self._contexts.pop(context.name, None)
        except (WebSocketDisconnect, RuntimeError):
            pass

    async def _struck(self, context: _Context) -> bool:
        faults = self._server.faults
        if faults.error:
            body = {"message": f"we are sorry: {faults.error}", "error": faults.error, "code": 1008}
            await self._connection.send_text(json.dumps(body))
            await self._close(1008, faults.error)
            return True
        if faults.drop_after_ms is not None and context.spoken_ms >= faults.drop_after_ms:
            await self._close(1011, "internal")
            return True
        if faults.stall_after_ms is not None and context.spoken_ms >= faults.stall_after_ms:
            await asyncio.get_running_loop().create_future()
        return False

    async def _send(self, context: _Context, sound: bytes, alignment: Mapping[str, Any]) -> None:
        faults, send = self._server.faults, self._connection.send_text
        named = self._named(context)
        if faults.malformed:
            await send('{"audio":"')
            await send(json.dumps({"audio": "%%%", **named}))
            await send(json.dumps([1, 2]))
        if faults.unknown:
            await send(json.dumps({"type": "viseme", "shape": "o", **named}))
        audio = b64encode(sound).decode()
        stated = {"chars": "?"} if faults.malformed else alignment
        await send(json.dumps({"audio": audio, "alignment": stated, "normalizedAlignment": alignment, **named}))

    def _named(self, context: _Context) -> dict[str, str]:
        return {"contextId": context.name} if self._several else {}

    async def _close(self, code: int, reason: str) -> None:
        self._seen.closed = (code, reason)
        if self._connection.client_state is WebSocketState.CONNECTED:
            await self._connection.close(code, reason)


def _refusal(status: int, why: str) -> Response:
    return JSONResponse({"detail": {"status": _NAMES.get(status, "error"), "message": why}}, status)
