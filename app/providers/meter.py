"""What the providers of one call did, in the units they charge for.

Each provider of a call is wrapped here, inside the chain: who stood in for whom is metered for what it did itself.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from app.dialog.events import Heard, UnitsUsed
from app.ports import AudioChunk, CallerSound, Expectation, HasVoiceVersion, Say, Speech, SpeechToText, TextToSpeech
from app.telephony.mulaw import BYTES_PER_MS


@dataclass(slots=True)
class Tally:
    """One provider's, in one call. Sound and characters count when they are handed over, used or not: so the bill
    does."""

    stage: str
    provider: str
    model: str
    unit: str  # "ms" | "characters"
    amount: int = 0

    def as_fact(self) -> UnitsUsed:
        return UnitsUsed(self.stage, self.provider, self.model, self.unit, self.amount)


class Meter:
    """Counts for one call."""

    def __init__(self) -> None:
        self._tallies: list[Tally] = []

    def listens(self, stt: SpeechToText) -> SpeechToText:
        return MeteredSpeechToText(stt, self._tally("stt", stt, "ms"))

    def speaks(self, tts: TextToSpeech) -> TextToSpeech:
        return MeteredTextToSpeech(tts, self._tally("tts", tts, "characters"))

    def used(self) -> tuple[UnitsUsed, ...]:
        """Who was used, as facts for the call's log."""
        return tuple(tally.as_fact() for tally in self._tallies if tally.amount)

    def _tally(self, stage: str, provider: SpeechToText | TextToSpeech, unit: str) -> Tally:
        tally = Tally(stage, provider.name, model_of(provider), unit)
        self._tallies.append(tally)
        return tally


def model_of(provider: object) -> str:
    """The model a provider says it uses, or ""."""
    return str(getattr(provider, "model", ""))


class MeteredSpeechToText:
    """The SpeechToText port around another one."""

    def __init__(self, stt: SpeechToText, tally: Tally) -> None:
        self._stt, self._tally = stt, tally

    @property
    def name(self) -> str:
        return self._stt.name

    @property
    def model(self) -> str:
        return model_of(self._stt)

    async def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]:
        words = cast(AsyncGenerator[Heard, None], self._stt.listen(self._counted(sound), expecting))
        async with aclosing(words):
            async for heard in words:
                yield heard

    async def _counted(self, sound: AsyncIterator[CallerSound]) -> AsyncIterator[CallerSound]:
        async for piece in sound:
            if isinstance(piece, AudioChunk):
                self._tally.amount += len(piece.mulaw) // BYTES_PER_MS
            yield piece


class MeteredTextToSpeech:
    """The TextToSpeech port around another one."""

    def __init__(self, tts: TextToSpeech, tally: Tally) -> None:
        self._tts, self._tally = tts, tally

    @property
    def name(self) -> str:
        return self._tts.name

    @property
    def model(self) -> str:
        return model_of(self._tts)

    @property
    def voice_version(self) -> str:
        return self._tts.voice_version if isinstance(self._tts, HasVoiceVersion) else ""

    async def speak(self, line: Say) -> AsyncIterator[Speech]:
        self._tally.amount += len(line.text)
        pieces = cast(AsyncGenerator[Speech, None], self._tts.speak(line))
        async with aclosing(pieces):
            async for speech in pieces:
                yield speech
