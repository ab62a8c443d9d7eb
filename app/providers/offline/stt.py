"""Speech to text without a network: each stretch of the caller's voice, as words we would stand for or none."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from app.dialog.events import Heard, VoiceOff, VoiceOn
from app.ports import AudioChunk, CallerSound, Expectation
from app.providers.offline.language import GrammarSource, Language, language_for
from app.providers.offline.recogniser import Recognised
from app.telephony import mulaw

BEFORE_MS = 120  # of sound kept before the voice: a soft beginning is noticed a little late
AFTER_MS = 60
KEEP_MS = 500
LONGEST_MS = 15_000  # the rest of a longer stretch is not listened to
FRAME_MS = 20
SURE = 0.5
NAME = "offline"


class Recogniser(Protocol):
    def begin(self, sound: bytes, language: Language) -> asyncio.Future[Recognised]:
        """Never blocks. The future fails with ProviderDown, nothing else."""
        ...


@dataclass(frozen=True, slots=True)
class _Stretch:
    began_ms: int
    ended_ms: int
    words: asyncio.Future[Recognised]


class OfflineSpeechToText:
    """The SpeechToText port. One instance serves every call of the process.

    `source` lists what may be said in a state; see `language`. Below `sure` we ask again rather than act on words that
    may not have been said.
    """

    name = NAME

    def __init__(self, source: GrammarSource, recogniser: Recogniser, *, sure: float = SURE) -> None:
        self._source, self._recogniser, self._sure = source, recogniser, sure
        self._languages: dict[Expectation, Language] = {}

    async def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]:
        """One final Heard for each stretch of voice, in order, while the sound goes on. Raises ProviderDown."""
        tape, pending = Tape(), deque[_Stretch]()
        try:
            async for piece in sound:
                match piece:
                    case AudioChunk():
                        tape.add(piece)
                    case VoiceOn(at_ms):
                        tape.begin(at_ms - BEFORE_MS)
                        began_ms = at_ms
                        await self._prepare(expecting())
                    case VoiceOff(at_ms) if tape.running:
                        voice = tape.cut(at_ms + AFTER_MS)
                        words = self._recogniser.begin(voice, self.language(expecting()))
                        pending.append(_Stretch(began_ms, at_ms, words))
                while pending and pending[0].words.done():  # looked at with every 20 ms of sound
                    yield self._heard(pending[0], pending.popleft().words.result())
            while pending:
                yield self._heard(pending[0], await pending.popleft().words)
        finally:
            for stretch in pending:
                stretch.words.cancel()

    async def _prepare(self, expectation: Expectation) -> None:
        """While the caller speaks, off the event loop; nothing to do where all was prepared at the start."""
        if expectation not in self._languages:
            await asyncio.get_running_loop().run_in_executor(None, self.language, expectation)

    def language(self, expectation: Expectation) -> Language:
        """Made once for each expectation; takes some 20 ms. Ask for every state at the start: see `states`."""
        if expectation not in self._languages:
            self._languages[expectation] = language_for(expectation, self._source)
        return self._languages[expectation]

    def _heard(self, stretch: _Stretch, found: Recognised) -> Heard:
        text = found.text if found.confidence >= self._sure else ""
        return Heard(text, True, found.confidence, stretch.began_ms, stretch.ended_ms, NAME)


class Tape:
    """The sound since the current stretch of voice began; between stretches the last half second."""

    def __init__(self) -> None:
        self._sound = bytearray()
        self._from_ms = 0
        self.running = False

    def add(self, chunk: AudioChunk) -> None:
        expected = self._from_ms + self._kept_ms()
        if not self._sound:
            self._from_ms = chunk.at_ms
        elif self.running and self._kept_ms() >= LONGEST_MS:
            return
        elif chunk.at_ms > expected + FRAME_MS:  # lost sound: silence keeps the times true
            self._sound += mulaw.silence(min(chunk.at_ms - expected, LONGEST_MS))
        self._sound += chunk.mulaw
        if not self.running:
            self._forget(self._kept_ms() - KEEP_MS)

    def begin(self, at_ms: int) -> None:
        self.running = True
        self._forget(at_ms - self._from_ms)

    def cut(self, at_ms: int) -> bytes:
        """What was kept up to `at_ms`."""
        self.running = False
        stretch = bytes(self._sound[: max(at_ms - self._from_ms, 0) * mulaw.BYTES_PER_MS])
        self._forget(self._kept_ms() - KEEP_MS)
        return stretch

    def _kept_ms(self) -> int:
        return len(self._sound) // mulaw.BYTES_PER_MS

    def _forget(self, ms: int) -> None:
        if ms > 0:
            del self._sound[: ms * mulaw.BYTES_PER_MS]
            self._from_ms += ms
