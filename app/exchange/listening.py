"""One connection to the local Deepgram: audio in, messages out, as each family of models does it."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from websockets.asyncio.server import ServerConnection

from app.exchange.hearing import Ears, Script, Span

Message = dict[str, Any]

REQUEST_ID = "11111111-2222-3333-4444-555555555555"
_INTERIM_MS = 250
_SILENCE_MS = 3000  # silence is made final this often
_EAGER_MS = 120
_TURN_MS = 300


@dataclass(frozen=True, slots=True)
class ListenFaults:
    """None of it by default.

    status          every handshake is answered with this
    reset_after_ms  a connection breaks without a word after so much audio, on the first `resets` connections
    freeze_after_ms from then on nothing is read or sent on a connection, which stays open
    silent          audio is accepted and nothing comes back
    malformed       broken JSON, and results without their parts, between the good messages
    unknown         message types from the future, between the good messages
    error           instead of the first result: an Error
    """

    status: int = 0
    reset_after_ms: int | None = None
    resets: int = 1
    freeze_after_ms: int | None = None
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


class Day(Protocol):
    """What the server is like today."""

    script: Script
    faults: ListenFaults
    final_s: float
    freeze_ms: int
    idle_s: float


class Listening(ABC):
    """One connection, the `number`-th from 1. What is the same for all models."""

    keeps_audio = True  # for tests to look at; an hour of it would fill the memory

    def __init__(self, day: Day, connection: ServerConnection, seen: Connected, number: int) -> None:
        self._day, self._connection, self._seen, self._number = day, connection, seen, number
        endpointing = seen.query.get("endpointing", ["10"])[0]
        self._endpoints = endpointing != "false"
        self._ears = Ears(day.script, self.quiet_ms(endpointing))

    def quiet_ms(self, endpointing: str) -> int:
        """How much silence ends an utterance."""
        return int(endpointing) if endpointing.isdigit() else 10

    @abstractmethod
    def noticed(self, over: bool) -> Iterator[Message]:
        """With each frame. `over` when the voice ended with it."""

    @abstractmethod
    def obey(self, kind: str) -> Iterator[Message]:
        """A control message; CloseStream comes last."""

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._day.idle_s):
                    message = await self._connection.recv()
            except TimeoutError:
                return await self._close(1011, "NET-0001")
            if isinstance(message, bytes):
                if self.keeps_audio:
                    self._seen.audio += message
                if await self._hear(message):
                    return None
            elif await self._obey(message):
                return None

    async def _hear(self, mulaw: bytes) -> bool:
        """True when the connection broke."""
        faults = self._day.faults
        for _ in range(self._ears.frames(mulaw)):
            over = self._ears.hear()
            for message in self.noticed(over):
                await self._send(message)
        heard_ms = self._ears.received_ms
        if faults.freeze_after_ms is not None and heard_ms >= faults.freeze_after_ms:
            self._connection.transport.pause_reading()
            await self._connection.wait_closed()
        if faults.reset_after_ms is not None and self._number <= faults.resets and heard_ms >= faults.reset_after_ms:
            self._connection.transport.abort()
            return True
        return False

    async def _obey(self, text: str) -> bool:
        """True when the client wants to end it."""
        try:
            kind = json.loads(text)["type"]
        except (ValueError, KeyError, TypeError):
            await self._close(1008, "DATA-0000")
            return True
        self._seen.controls.append(kind)
        for message in self.obey(kind):
            await self._send(message)
        if kind == "CloseStream":
            await self._close(1000, "")
        return bool(kind == "CloseStream")

    async def _send(self, message: Message) -> None:
        faults = self._day.faults
        if faults.silent:
            return
        if message.get("is_final") or message.get("event") == "EndOfTurn":
            await asyncio.sleep(self._day.final_s)
        if faults.malformed:
            kind = json.dumps(message["type"])
            await self._connection.send(f'{{"type":{kind},"chan')
            await self._connection.send(f'{{"type":{kind},"is_final":true,"channel":{{"alternatives":[]}}}}')
            await self._connection.send(
                f'{{"type":{kind},"is_final":true,"event":"EndOfTurn","start":"x","duration":null,"channel":7,'
                '"audio_window_end":"later","words":3}'
            )
        if faults.unknown:
            await self._connection.send('{"type":"Sentiment","mood":"curious"}')
            await self._connection.send("[]")
        if faults.error:
            await self._connection.send('{"type":"Error","variant":"NetError","description":"lost our way"}')
        await self._connection.send(json.dumps(message))

    async def _close(self, code: int, reason: str) -> None:
        self._seen.closed = (code, reason)
        await self._connection.close(code, reason)


class Nova(Listening):
    def noticed(self, over: bool) -> Iterator[Message]:
        ears = self._ears
        unfrozen_ms = ears.received_ms - ears.final_ms
        if over and self._endpoints:
            yield result(ears.close(), final=True, speech_final=True)
        elif unfrozen_ms >= _SILENCE_MS if ears.voice_from_ms is None else self._long_enough(unfrozen_ms):
            yield result(ears.freeze(), final=True)
        elif self._interims and ears.received_ms % _INTERIM_MS < 20:
            yield result(ears.so_far(), final=False)

    def _long_enough(self, unfrozen_ms: int) -> bool:
        return unfrozen_ms >= self._day.freeze_ms and bool(self._ears.so_far().words)

    @property
    def _interims(self) -> bool:
        return self._seen.query.get("interim_results") == ["true"]

    def obey(self, kind: str) -> Iterator[Message]:
        ears = self._ears
        if kind == "Finalize" and ears.received_ms > ears.final_ms:
            yield result(ears.close(), final=True, speech_final=True, from_finalize=True)
        if kind == "CloseStream":
            if ears.voice_from_ms is not None:
                yield result(ears.close(), final=True, speech_final=True)
            yield metadata(ears.received_ms)


class Flux(Listening):
    """Turns are found by the model: after 300 ms of quiet here, with an eager guess after 120 ms if it was wanted."""

    _sequence = 0
    _turn = 0
    _speaking = False
    _eager = False

    def quiet_ms(self, endpointing: str) -> int:
        return _TURN_MS

    async def run(self) -> None:
        await self._send({"type": "Connected", "request_id": REQUEST_ID, "sequence_id": 0})
        await super().run()

    def noticed(self, over: bool) -> Iterator[Message]:
        ears = self._ears
        if over:
            yield self._end("model")
            return
        if self._eager and ears.quiet_ms == 0:
            self._eager = False
            yield self._info("TurnResumed", ears.so_far())
        words = ears.so_far()
        if words.words and not self._speaking:
            self._speaking = True
            yield self._info("StartOfTurn", words)
        elif self._speaking and ears.quiet_ms == _EAGER_MS and "eager_eot_threshold" in self._seen.query:
            self._eager = True
            yield self._info("EagerEndOfTurn", ears.all_words())
        elif ears.received_ms % _INTERIM_MS < 20:
            yield self._info("Update", words)

    def obey(self, kind: str) -> Iterator[Message]:
        if kind == "ForceEndTurn" and self._ears.voice_from_ms is not None:
            yield self._end("manual")
        if kind == "CloseStream" and self._ears.voice_from_ms is not None:
            yield self._end("timeout")

    def _end(self, trigger: str) -> Message:
        message = self._info("EndOfTurn", self._ears.close()) | {"trigger": trigger}
        self._turn += 1
        self._speaking = self._eager = False
        return message

    def _info(self, event: str, span: Span) -> Message:
        self._sequence += 1
        return {
            "type": "TurnInfo",
            "request_id": REQUEST_ID,
            "sequence_id": self._sequence,
            "event": event,
            "turn_index": self._turn,
            "audio_window_start": span.from_ms / 1000,
            "audio_window_end": span.to_ms / 1000,
            "transcript": span.text,
            "words": [
                {"word": word.text, "confidence": 0.97, "start": word.from_ms / 1000, "end": word.to_ms / 1000}
                for word in span.words
            ],
            "end_of_turn_confidence": 0.9 if event == "EndOfTurn" else 0.2,
        }


def result(span: Span, *, final: bool, speech_final: bool = False, from_finalize: bool = False) -> Message:
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


def metadata(received_ms: int) -> Message:
    return {
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": REQUEST_ID,
        "sha256": "0" * 64,
        "created": "2026-11-20T10:00:00.000Z",
        "duration": received_ms / 1000,
        "channels": 1,
    }
