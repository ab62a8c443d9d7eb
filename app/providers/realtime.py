"""Speech to speech by OpenAI's Realtime API: one socket a call that hears, thinks and speaks.

The session, the log and the ledger are the same as with three providers: whose turn it is, what is asked next and what
may be said is decided here, not there. So the server's own turn detection is off; our voice activity says when words
are due (`commit`), and a reply is asked for turn by turn. Nothing of a reply is heard before its words were checked.

Protocol: the GA form of `session.update`, `input_audio_buffer.*`, `conversation.item.*`, `response.*` over a socket.
"""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from app.dialog.events import Heard, VoiceOff, VoiceOn
from app.errors import ProviderDown, ProviderError, ProviderRefused
from app.ports import AudioChunk, CallerSound, Expectation
from app.providers.realtime_answers import Answers
from app.providers.realtime_wire import Account, Limits, Wire
from app.telephony import mulaw

NAME = "realtime"
_BEFORE_MS = 400  # sound kept while nobody speaks: a voice is noticed a little after it began
_PIECE_BYTES = 480  # 60 ms a message
_LEAST_MS = 120  # the server refuses to commit less than 100 ms
_FATAL = ("session_expired", "invalid_api_key", "model_not_found", "insufficient_quota")


@dataclass(slots=True)
class _Voice:
    """One stretch of the caller's voice on its way to the server."""

    on: bool = False
    from_ms: int = 0
    to_ms: int = 0
    sound_ms: int = 0
    waiting: bytearray = field(default_factory=bytearray)

    def add(self, piece: AudioChunk) -> None:
        self.waiting += piece.mulaw
        length_ms = mulaw.duration_ms(piece.mulaw)
        self.sound_ms += length_ms
        self.to_ms = piece.at_ms + length_ms


class RealtimeSocket:
    """The SpeechToText port. One call's; `answers` can be asked for while `listen` runs."""

    name = NAME

    def __init__(self, account: Account, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.model = account.model
        self._wire = Wire(account, self.limits)
        self.answers = Answers(self._wire)
        # Not bounded: a few results a minute, and whoever listens takes them at once.
        self._words: asyncio.Queue[Heard | ProviderError | None] = asyncio.Queue()
        self._due: deque[tuple[int, int, float]] = deque()  # of each commit: sound from, to (ms), and when it was sent

    async def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]:
        """Raises ProviderRefused for a key or a model not to be had, ProviderDown otherwise."""
        del expecting
        ended: ProviderError | None = None
        try:
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(self._serve(sound), name="realtime")
                while isinstance(heard := await self._words.get(), Heard):
                    yield heard
                ended = heard
                serving.cancel()
        except* GeneratorExit:  # whoever listened has had enough
            pass
        if ended is not None:
            raise ended

    async def _serve(self, sound: AsyncIterator[CallerSound]) -> None:
        """Puts words into the queue, and in the end None or what went wrong."""
        ended: ProviderError | None = None
        try:
            async with self._wire.open(), asyncio.TaskGroup() as group:
                receiving = group.create_task(self._receive(), name="realtime receive")
                watching = group.create_task(self._watch(), name="realtime watch")
                await self._send_sound(sound)
                if self._due:
                    await asyncio.wait([receiving], timeout=self.limits.silent_s)
                receiving.cancel()
                watching.cancel()
        except ProviderError as error:
            ended = error
        except ExceptionGroup as group_of_one:  # the first to fail ended the others
            first = group_of_one.exceptions[0]
            if not isinstance(first, ProviderError):
                raise
            ended = first
        finally:
            self.answers.lost()
        self._words.put_nowait(ended)

    async def _send_sound(self, sound: AsyncIterator[CallerSound]) -> None:
        """Only voice is sent, with a little before it: silence costs money and teaches nothing."""
        before: deque[AudioChunk] = deque()
        voice = _Voice()
        async for piece in sound:
            match piece:
                case AudioChunk() if voice.on:
                    voice.add(piece)
                    if len(voice.waiting) >= _PIECE_BYTES:
                        await self._append(voice)
                case AudioChunk(at_ms=at_ms):
                    before.append(piece)
                    while before[0].at_ms < at_ms - _BEFORE_MS:
                        before.popleft()
                case VoiceOn(at_ms):
                    voice = _Voice(on=True, from_ms=at_ms)
                    while before:
                        voice.add(before.popleft())
                case VoiceOff(at_ms):
                    voice.to_ms = at_ms
                    await self._commit(voice)
        await self._commit(voice)  # hung up in the middle of a word

    async def _append(self, voice: _Voice) -> None:
        audio = base64.b64encode(voice.waiting).decode("ascii")
        voice.waiting.clear()
        await self._wire.send_sound(audio)

    async def _commit(self, voice: _Voice) -> None:
        was_on, voice.on = voice.on, False
        if not was_on or voice.sound_ms < _LEAST_MS:
            return
        await self._append(voice)
        self._due.append((voice.from_ms, voice.to_ms, _now()))
        await self._wire.send({"type": "input_audio_buffer.commit"})

    async def _watch(self) -> None:
        """Health is "voice, and its words", not the state of the socket."""
        while True:
            await asyncio.sleep(self.limits.silent_s / 8)
            if self._due and _now() - self._due[0][2] > self.limits.silent_s:
                raise ProviderDown(f"no words {self.limits.silent_s:g} s after a voice")

    # --- what comes back ---

    async def _receive(self) -> None:
        async for event in self._wire.events():
            self._take(event)

    def _take(self, event: Any) -> None:
        """By `type` alone: the SDK gives unknown events the class of another."""
        kind = str(getattr(event, "type", ""))
        if kind.startswith("conversation.item.input_audio_transcription."):
            self._take_words(kind.rpartition(".")[2], event)
        elif kind.startswith("response."):
            self.answers.take(kind, event)
        elif kind == "error":
            self._take_error(event.error)

    def _take_words(self, what: str, event: Any) -> None:
        if what == "delta":
            return  # the words follow at once: the voice is over
        from_ms, to_ms, _ = self._due.popleft() if self._due else (0, 0, 0.0)
        text = str(getattr(event, "transcript", "") or "").strip() if what == "completed" else ""
        self._words.put_nowait(Heard(text, True, 0.9 if text else 0.0, from_ms, to_ms, NAME))

    def _take_error(self, error: Any) -> None:
        """The session stays open after most errors; one about us ends it."""
        code = str(getattr(error, "code", "") or "")
        self.answers.refused(str(getattr(error, "event_id", "") or ""), code)
        if code in _FATAL:
            raise ProviderRefused(code)
        if code == "input_audio_buffer_commit_empty" and self._due:
            self._due.popleft()


def _now() -> float:
    return asyncio.get_running_loop().time()
