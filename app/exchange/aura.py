"""A local Deepgram that speaks: `/v1/speak` as a socket and over HTTP, with a murmur for a voice, and bad days.

    async with AuraServer() as server:
        AURA_BASE_URL = server.url

Every character takes `MS_PER_CHAR`, as with the local ElevenLabs. Checked as the real one does: the key, every query
parameter, how often a socket is flushed. Not to be had here: a voice, and the real one's latency.
"""

from __future__ import annotations

import asyncio
import json
import re
import struct
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from itertools import count

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app.exchange.listening import REQUEST_ID
from app.exchange.voice_server import MS_PER_CHAR, Seen, SpeechFaults, VoiceServer
from app.telephony import mulaw

__all__ = ["MS_PER_CHAR", "AuraServer", "SpeechFaults"]

_MODEL = re.compile(r"aura(-2)?-[a-z]+-[a-z]{2}")
_KNOWN = frozenset(("model", "encoding", "sample_rate", "speed", "mip_opt_out"))
_KNOWN_HTTP = _KNOWN | {"container", "bit_rate", "callback", "callback_method", "tag"}
_MOST_FLUSHES, _FLUSHES_S = 20, 60.0
_MOST_TEXT = 2000
_ERRORS = {400: "Bad Request", 401: "INVALID_AUTH", 429: "TOO_MANY_REQUESTS", 503: "SERVICE_UNAVAILABLE"}


class AuraServer(VoiceServer):
    """One key, any Aura voice."""

    def __init__(self, *, key: str = "deepgram-key", faults: SpeechFaults | None = None) -> None:
        super().__init__(key, faults)

    def routes(self) -> Sequence[BaseRoute]:
        return (WebSocketRoute("/v1/speak", self._socket), Route("/v1/speak", self._http, methods=["POST"]))

    def _wrong(self, headers: Mapping[str, str], query: Mapping[str, str], known: frozenset[str]) -> Response | None:
        if self.faults.status:
            return _refusal(self.faults.status, "as asked")
        if headers.get("authorization") != f"Token {self.key}":
            return _refusal(401, "Invalid credentials.")
        if unknown := set(query) - known:
            return _refusal(400, f"unexpected query parameters {sorted(unknown)}")
        if not _MODEL.fullmatch(query.get("model", "")):
            return _refusal(400, "no such model")
        if (query.get("encoding"), query.get("sample_rate", "").removesuffix(".0")) != ("mulaw", "8000"):
            return _refusal(400, "this server speaks mulaw at 8000 Hz")
        if not 0.7 <= float(query.get("speed", "1")) <= 1.5:
            return _refusal(400, "speed must be from 0.7 to 1.5")
        return None

    async def _http(self, request: Request) -> Response:
        wrong = self._wrong(request.headers, request.query_params, _KNOWN_HTTP)
        if wrong is not None:
            return wrong
        body = await request.json()
        self.requests.append({**request.query_params, **body})
        if not 0 < len(body.get("text", "")) <= _MOST_TEXT:
            return _refusal(413 if body.get("text") else 400, "text must have 1 to 2000 characters")

        async def audio() -> AsyncIterator[bytes]:
            await asyncio.sleep(self.first_audio_s)
            if request.query_params.get("container") != "none":
                yield _WAV
            for sound, _ in self.voice_of(body["text"]):
                yield sound

        return StreamingResponse(audio(), media_type="audio/mulaw")

    async def _socket(self, connection: WebSocket) -> None:
        wrong = self._wrong(connection.headers, connection.query_params, _KNOWN)
        if self.faults.sockets_down:
            wrong = _refusal(503, "sockets are down")
        if wrong is not None:
            return await connection.send_denial_response(wrong)
        await connection.accept()
        seen = Seen(dict(connection.query_params))
        self.connections.append(seen)
        await _Speaking(self, connection, seen).run()


class _Speaking:
    """One connection: text is gathered, a flush makes speech of it, a clear forgets both."""

    def __init__(self, server: AuraServer, connection: WebSocket, seen: Seen) -> None:
        self._server, self._connection, self._seen = server, connection, seen
        self._text = ""
        self._flushes: asyncio.Queue[str] = asyncio.Queue()
        self._flushed_at: deque[float] = deque(maxlen=_MOST_FLUSHES)
        self._numbers = count()

    async def run(self) -> None:
        model = self._seen.query["model"]
        head = {
            "request_id": REQUEST_ID,
            "model_name": model,
            "model_version": "2026-01-01.0",
            "model_uuid": REQUEST_ID,
        }
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(self._speak(), name="speak")
            try:
                await self._send(type="Metadata", **head)
                while True:
                    message = json.loads(await self._connection.receive_text())
                    self._seen.messages.append(message)
                    match message.get("type"):
                        case "Speak":
                            await self._take(str(message["text"]))
                        case "Flush":
                            await self._flush()
                        case "Clear":
                            speaking.cancel()
                            await asyncio.wait([speaking])
                            self._text, self._flushes = "", asyncio.Queue()
                            await self._send(type="Cleared", sequence_id=next(self._numbers))
                            speaking = group.create_task(self._speak(), name="speak")
                        case "Close":
                            await self._flushes.join()
                            await self._close(1000, "")
                            break
                        case _:
                            raise ValueError("unknown type")
            except (ValueError, KeyError):
                await self._send(type="Error", description="Could not parse the message.", code="DATA-0001")
                await self._close(1008, "DATA-0001")
            except (WebSocketDisconnect, RuntimeError):  # gone, or closed by a fault
                pass
            speaking.cancel()

    async def _take(self, text: str) -> None:
        if len(self._text) + len(text) > _MOST_TEXT:
            await self._send(type="Warning", description="Too much text before a flush.", code="DATA-0002")
        else:
            self._text += text

    async def _flush(self) -> None:
        now = asyncio.get_running_loop().time()
        if len(self._flushed_at) == _MOST_FLUSHES and now - self._flushed_at[0] < _FLUSHES_S:
            await self._send(type="Warning", description="Flushed too often.", code="FLUSH-0001")
            return
        self._flushed_at.append(now)
        self._flushes.put_nowait(self._text)
        self._text = ""

    async def _speak(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                text = await self._flushes.get()
                await asyncio.sleep(self._server.first_audio_s)
                spoken_ms = 0
                for sound, _ in self._server.voice_of(text):
                    if await self._struck(spoken_ms):
                        return
                    await self._strange()
                    await self._connection.send_bytes(sound)
                    spoken_ms += mulaw.duration_ms(sound)
                await self._send(type="Flushed", sequence_id=next(self._numbers))
                self._flushes.task_done()

    async def _struck(self, spoken_ms: int) -> bool:
        faults = self._server.faults
        if faults.error:
            await self._send(type="Error", description=f"we are sorry: {faults.error}", code=faults.error)
            await self._close(1011, faults.error)
            return True
        if faults.drop_after_ms is not None and spoken_ms >= faults.drop_after_ms:
            await self._close(1011, "NET-0001")
            return True
        if faults.stall_after_ms is not None and spoken_ms >= faults.stall_after_ms:
            await asyncio.get_running_loop().create_future()
        return False

    async def _strange(self) -> None:
        if self._server.faults.malformed:
            await self._connection.send_text('{"type":"Flus')
            await self._connection.send_text("[1, 2]")
            await self._connection.send_text('{"sequence_id":7}')
            await self._connection.send_bytes(b"")
        if self._server.faults.unknown:
            await self._send(type="Viseme", shape="o")
            await self._send(type="Warning", description="something minor", code="MINOR")

    async def _send(self, **message: object) -> None:
        await self._connection.send_text(json.dumps(message))

    async def _close(self, code: int, reason: str) -> None:
        self._seen.closed = (code, reason)
        if self._connection.client_state is WebSocketState.CONNECTED:
            await self._connection.close(code, reason)


# The head of a WAV file of mu-law at 8000 Hz whose length is not known yet.
_WAV = struct.pack(
    "<4sI4s4sIHHIIHH4sI", b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 7, 1, 8000, 8000, 1, 8, b"data", 0xFFFFFFFF
)


def _refusal(status: int, why: str) -> Response:
    return JSONResponse({"err_code": _ERRORS.get(status, "ERROR"), "err_msg": why, "request_id": REQUEST_ID}, status)
