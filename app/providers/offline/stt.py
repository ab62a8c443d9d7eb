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
from app.providers.offline.tape import Tape

BEFORE_MS = 120  # of sound kept before the voice: a soft beginning is noticed a little late
AFTER_MS = 60
SURE = 0.5
PART_RIGHT = 0.6  # of the parts of a long number come out with as many digits as they have, strangers' voices
NAME = "offline"


class Recogniser(Protocol):
    def begin(self, sound: bytes, language: Language) -> asyncio.Future[Recognised]:
        """Never blocks. The future fails with ProviderDown, nothing else."""
        ...


@dataclass(frozen=True, slots=True)
class _Stretch:
    began_ms: int
    ended_ms: int
    language: Language
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
                        language = self.language(expecting())
                        words = self._recogniser.begin(voice, language)
                        pending.append(_Stretch(began_ms, at_ms, language, words))
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
        sure = found.confidence * (PART_RIGHT if stretch.language.in_parts else 1.0)
        return Heard(text, True, sure, stretch.began_ms, stretch.ended_ms, NAME)
