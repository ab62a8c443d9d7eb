"""A local Deepgram: `/v1/listen` as its documentation has it, with ears that follow a script, and bad days.

    async with DeepgramServer("I need a quote") as server:
        DEEPGRAM_BASE_URL = server.url

Checked as the real one does: the key, every query parameter, control messages, ten seconds without a sign of life.
Not to be had here: recognition errors, and endpointing as good or bad as on real speech.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from app.exchange.hearing import Ears, Script, Span

REQUEST_ID = "11111111-2222-3333-4444-555555555555"
_MODELS = ("nova-3", "nova-3-general", "nova-3-medical", "nova-2", "nova-2-general", "nova-2-phonecall", "nova")
_KNOWN = frozenset(
    ("model", "version", "language", "language_hint", "encoding", "sample_rate", "channels", "multichannel",
     "interim_results", "endpointing", "utterance_end_ms", "vad_events", "smart_format", "punctuate", "numerals",
     "dictation", "profanity_filter", "redact", "replace", "search", "keyterm", "keywords", "detect_entities",
     "diarize", "diarize_model", "callback", "callback_method", "extra", "tag", "mip_opt_out")
)  # fmt: skip
_INTERIM_MS = 250
_SILENCE_MS = 3000  # silence is made final this often
_ERRORS = {400: "Bad Request", 401: "INVALID_AUTH", 429: "TOO_MANY_REQUESTS", 503: "SERVICE_UNAVAILABLE"}


@dataclass(frozen=True, slots=True)
class ListenFaults:
    """None of it by default.

    status          every handshake is answered with this
    reset_after_ms  a connection breaks without a word after so much audio, on the first `resets` connections
    silent          audio is accepted and nothing comes back
    malformed       broken JSON, and results without their parts, between the good messages
    unknown         message types from the future, between the good messages
    error           instead of the first result: an Error
    """

    status: int = 0
    reset_after_ms: int | None = None
    resets: int = 1
    silent: bool = False
    malformed: bool = False
    unknown: bool = False
    error: bool = False


@dataclass(slots=True)
class Connected:
    """What the client did on one connection. `controls` are the text messages, in order."""

    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    audio: bytearray = field(default_factory=bytearray)
    controls: list[str] = field(default_factory=list)
    closed: tuple[int, str] | None = None  # by us, and why


class DeepgramServer:
    """Serves while the block runs. `faults` and the delay may be changed at any time.

    `final_s` is how long a final result takes, `freeze_ms` how often words become final in mid-speech, `idle_s` how
    long a client may say nothing.
    """

    def __init__(self, *lines: str, key: str = "deepgram-key", faults: ListenFaults | None = None) -> None:
        self.script = Script(*lines)
        self.key, self.faults = key, faults or ListenFaults()
        self.final_s, self.freeze_ms, self.idle_s = 0.0, 4000, 10.0
        self.connections: list[Connected] = []
        self.url = ""
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """On a free port of this machine."""
        server = await self._open.enter_async_context(
            serve(self._serve, "127.0.0.1", 0, process_request=self._check, compression=None)
        )
        self.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.faults.status:
            return _refusal(connection, self.faults.status, "as asked")
        if request.headers.get("Authorization") != f"Token {self.key}":
            return _refusal(connection, 401, "Invalid credentials.")
        wrong = check_query(urlsplit(request.path).path, parse_qs(urlsplit(request.path).query))
        return _refusal(connection, 400, wrong) if wrong else None

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        query = parse_qs(urlsplit(connection.request.path).query)
        seen = Connected(query, dict(connection.request.headers.raw_items()))
        self.connections.append(seen)
        with suppress(ConnectionClosed):
            await _Listening(self, connection, seen).run()


class _Listening:
    """One connection."""

    def __init__(self, server: DeepgramServer, connection: ServerConnection, seen: Connected) -> None:
        self._server, self._connection, self._seen = server, connection, seen
        self._number = len(server.connections)
        endpointing = seen.query.get("endpointing", ["10"])[0]
        self._endpoints = endpointing != "false"
        self._ears = Ears(server.script, int(endpointing) if endpointing.isdigit() else 10)
        self._interims = seen.query.get("interim_results") == ["true"]
        self._sent = 0

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._server.idle_s):
                    message = await self._connection.recv()
            except TimeoutError:
                return await self._close(1011, "NET-0001")
            if isinstance(message, bytes):
                self._seen.audio += message
                if await self._hear(message):
                    return None
            elif await self._obey(message):
                return None

    async def _hear(self, mulaw: bytes) -> bool:
        """True when the connection broke."""
        faults = self._server.faults
        for _ in range(self._ears.frames(mulaw)):
            over = self._ears.hear()
            for message in self._noticed(over):
                await self._send(message)
        if (
            faults.reset_after_ms is not None
            and self._number <= faults.resets
            and self._ears.received_ms >= faults.reset_after_ms
        ):
            self._connection.transport.abort()
            return True
        return False

    def _noticed(self, over: bool) -> Iterator[dict[str, Any]]:
        ears = self._ears
        unfrozen_ms = ears.received_ms - ears.final_ms
        if over and self._endpoints:
            yield result(ears.close(), final=True, speech_final=True)
        elif unfrozen_ms >= _SILENCE_MS if ears.voice_from_ms is None else self._long_enough(unfrozen_ms):
            yield result(ears.freeze(), final=True)
        elif self._interims and ears.received_ms % _INTERIM_MS < 20:
            yield result(ears.so_far(), final=False)

    def _long_enough(self, unfrozen_ms: int) -> bool:
        return unfrozen_ms >= self._server.freeze_ms and bool(self._ears.so_far().words)

    async def _obey(self, text: str) -> bool:
        """True when the client wants to end it."""
        try:
            kind = json.loads(text)["type"]
        except (ValueError, KeyError, TypeError):
            await self._close(1008, "DATA-0000")
            return True
        self._seen.controls.append(kind)
        match kind:
            case "Finalize":
                if self._ears.received_ms > self._ears.final_ms:
                    await self._send(result(self._ears.close(), final=True, speech_final=True, from_finalize=True))
            case "CloseStream":
                if self._ears.voice_from_ms is not None:
                    await self._send(result(self._ears.close(), final=True, speech_final=True))
                await self._send(metadata(self._ears.received_ms))
                await self._close(1000, "")
                return True
        return False

    async def _send(self, message: dict[str, Any]) -> None:
        faults = self._server.faults
        if faults.silent:
            return
        if message.get("is_final"):
            await asyncio.sleep(self._server.final_s)
        if faults.malformed:
            await self._connection.send('{"type":"Results","chan')
            await self._connection.send('{"type":"Results","is_final":true,"channel":{"alternatives":[]}}')
            await self._connection.send('{"type":"Results","is_final":true,"start":"x","duration":null,"channel":7}')
        if faults.unknown:
            await self._connection.send('{"type":"Sentiment","mood":"curious"}')
            await self._connection.send("[]")
        if faults.error:
            await self._connection.send('{"type":"Error","variant":"NetError","description":"lost our way"}')
        self._sent += 1
        await self._connection.send(json.dumps(message))

    async def _close(self, code: int, reason: str) -> None:
        self._seen.closed = (code, reason)
        await self._connection.close(code, reason)


def check_query(path: str, query: Mapping[str, list[str]]) -> str:
    """What is wrong with a request, or ""."""
    value = {name: values[-1] for name, values in query.items()}
    if path != "/v1/listen":
        return f"no such path {path}"
    if unknown := set(query) - _KNOWN:
        return f"unexpected query parameters {sorted(unknown)}"
    if value.get("model") not in _MODELS:
        return "no such model"
    if value.get("encoding") != "mulaw" or value.get("sample_rate") != "8000":
        return "this server hears mulaw at 8000 Hz"
    if "keyterm" in query and not value["model"].startswith("nova-3"):
        return "keyterm is for Nova-3"
    if sum(len(term.split()) for term in query.get("keyterm", ())) > 500:
        return "keyterms are limited to 500 tokens"
    if "utterance_end_ms" in value:
        if value.get("interim_results") != "true":
            return "utterance_end_ms needs interim_results"
        if not value["utterance_end_ms"].isdigit() or int(value["utterance_end_ms"]) < 1000:
            return "utterance_end_ms must be at least 1000"
    return ""


def result(span: Span, *, final: bool, speech_final: bool = False, from_finalize: bool = False) -> dict[str, Any]:
    words = [
        {
            "word": word.text.lower(),
            "start": word.from_ms / 1000,
            "end": word.to_ms / 1000,
            "confidence": 0.98,
            "punctuated_word": word.text,
        }
        for word in span.words
    ]
    confidence = 0.98 if words else 0.0
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "duration": (span.to_ms - span.from_ms) / 1000,
        "start": span.from_ms / 1000,
        "is_final": final,
        "speech_final": speech_final,
        "channel": {"alternatives": [{"transcript": span.text, "confidence": confidence, "words": words}]},
        "metadata": {
            "request_id": REQUEST_ID,
            "model_info": {"name": "general-nova-3", "version": "2025-01-01.0", "arch": "nova-3"},
            "model_uuid": "66666666-7777-8888-9999-000000000000",
        },
        "from_finalize": from_finalize,
    }


def metadata(received_ms: int) -> dict[str, Any]:
    return {
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": REQUEST_ID,
        "sha256": "0" * 64,
        "created": "2026-11-20T10:00:00.000Z",
        "duration": received_ms / 1000,
        "channels": 1,
    }


def _refusal(connection: ServerConnection, status: int, why: str) -> Response:
    body = {"err_code": _ERRORS.get(status, "ERROR"), "err_msg": why, "request_id": REQUEST_ID}
    answer = connection.respond(status, json.dumps(body))
    answer.headers["dg-error"] = why
    return answer
