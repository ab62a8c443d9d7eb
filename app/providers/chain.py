"""Stand-ins during a call: when a provider fails or keeps us waiting, the next goes on where it stopped.

A chain belongs to one call and stays with the provider that works; who failed in other calls is known to the circuits
(circuits.py), which all calls share. Every switch is reported, so that it gets into the call's log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar

from app.dialog.deadlines import DEADLINES, Deadlines
from app.dialog.events import Heard, ProviderFailed
from app.errors import ProviderDown, ProviderError, ProviderLate
from app.ports import CallerSound, Expectation, HasVoiceVersion, Remembers, Say, Speech, SpeechToText, TextToSpeech
from app.providers.circuits import Circuits
from app.providers.rest_of_line import From, Spoken
from app.providers.unanswered import Unanswered

T = TypeVar("T")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


P = TypeVar("P", bound=_Named)


class _Chain(Generic[P]):
    """The providers of one call, in order, and which of them is in use."""

    def __init__(self, stage: str, providers: Sequence[P], circuits: Circuits | None) -> None:
        self._stage, self._providers, self._circuits = stage, tuple(providers), circuits or Circuits()
        self._current = 0
        self._write: Callable[[ProviderFailed], None] | None = None

    @property
    def name(self) -> str:
        """Of the provider in use."""
        return self._providers[self._current].name

    def report_to(self, write: Callable[[ProviderFailed], None]) -> None:
        self._write = write

    def _candidates(self) -> list[P]:
        """The one in use first, then the others in turn. An open circuit excludes, unless all are open: trying is
        better than silence."""
        turn = [*self._providers[self._current :], *self._providers[: self._current]]
        now = _now()
        return [provider for provider in turn if self._circuits.admits(provider.name, now)] or turn

    def _use(self, provider: P, instead_of: P | None, error: ProviderError | None) -> None:
        self._circuits.tried(provider.name, _now())
        self._current = self._providers.index(provider)
        if instead_of is not None and self._write is not None:
            kind = error.kind if error else ""
            self._write(ProviderFailed(self._stage, instead_of.name, str(error), provider.name, kind))

    def _failed(self, provider: P, error: ProviderError) -> None:
        self._circuits.failed(provider.name, error, _now())

    def _worked(self, provider: P) -> None:
        self._circuits.worked(provider.name)


class ChainedSpeechToText(_Chain[SpeechToText]):
    """The SpeechToText port, for one call. The next provider gets all sound that no final words were heard of.

    One that has no stand-in is its own: it gets the sound once more.
    """

    def __init__(self, providers: Sequence[SpeechToText], circuits: Circuits | None = None) -> None:
        super().__init__("stt", providers, circuits)

    async def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]:
        """Raises the last provider's error when all of them failed in a row, or the only one twice."""
        kept = Unanswered()
        error: ProviderError | None = None
        try:
            async with asyncio.TaskGroup() as group:
                filling = group.create_task(kept.fill(sound), name="chain intake")
                try:
                    async with _closing(self._heard(kept, expecting)) as words:
                        async for heard in words:
                            yield heard
                except ProviderError as last:
                    error = last
                filling.cancel()
        except* GeneratorExit:  # whoever listened has had enough
            pass
        if error is not None:
            raise error

    async def _heard(self, kept: Unanswered, expecting: Callable[[], Expectation]) -> AsyncIterator[Heard]:
        failed: list[SpeechToText] = []  # since somebody understood something
        tries = 2 if len(self._providers) == 1 else 1
        error: ProviderError | None = None
        while True:
            left = [provider for provider in self._candidates() if failed.count(provider) < tries]
            if error is not None and not left:
                raise error
            provider = left[0]
            self._use(provider, failed[-1] if failed else None, error)
            try:
                async with _closing(provider.listen(kept.pieces(), expecting)) as words:
                    async for heard in words:
                        if heard.final:
                            kept.answered(heard.ended_ms)
                            self._worked(provider)
                            failed.clear()
                        yield heard
                if kept.finished:
                    return
                raise ProviderDown(f"{provider.name} stopped listening")
            except ProviderError as down:
                error = down
                failed.append(provider)
                self._failed(provider, down)
                kept.rewind()


def audio_wait_s(deadlines: Deadlines, delivered_ms: int, since_first_s: float) -> float:
    """How long the next piece of a line may take. `since_first_s`: how long ago its first audio came.

    While there is audio to play, until that is all but played; then as long as the silence in the line stays short. A
    voice that is slower than speech has many short silences: they count together.
    """
    if not delivered_ms:
        return deadlines.first_audio_s
    ahead_s = delivered_ms / 1000 - since_first_s
    return max(ahead_s - deadlines.audio_lead_s, min(deadlines.audio_gap_s, ahead_s + deadlines.audio_gap_s), 0.0)


class ChainedTextToSpeech(_Chain[TextToSpeech]):
    """The TextToSpeech port, for one call. The rest of a line comes from the next voice, at most two words twice."""

    def __init__(
        self, providers: Sequence[TextToSpeech], circuits: Circuits | None = None, deadlines: Deadlines | None = None
    ) -> None:
        super().__init__("tts", providers, circuits)
        self._deadlines = deadlines or DEADLINES

    @property
    def voice_version(self) -> str:
        """Empty for a voice that does not tell."""
        voice = self._providers[self._current]
        return voice.voice_version if isinstance(voice, HasVoiceVersion) else ""

    async def speak(self, line: Say) -> AsyncIterator[Speech]:
        """Raises the last provider's error when none could go on."""
        own = self._providers[self._current]
        if isinstance(own, Remembers) and own.holds(line):  # whatever has become of who said it first
            async with _closing(own.speak(line)) as pieces:
                async for speech in pieces:
                    yield speech
            return
        candidates = self._candidates()
        rest, from_word = line, 0
        error: ProviderError | None = None
        for place, provider in enumerate(candidates):
            last = place + 1 == len(candidates)
            self._use(provider, candidates[place - 1] if place else None, error)
            spoken, entry = Spoken(rest), From(rest, from_word)
            try:
                async with _closing(self._in_time(provider, rest, hurry=not last)) as pieces:
                    async for speech in pieces:
                        spoken.add(speech)
                        if (heard := entry.take(speech)) is not None:
                            yield heard
                self._worked(provider)
                return
            except ProviderError as down:
                error = down
                self._failed(provider, down)
                rest, from_word = spoken.left(at_least=from_word)
                if not rest.parts:  # every word was said
                    return
        if error is not None:
            raise error

    async def _in_time(self, provider: TextToSpeech, line: Say, *, hurry: bool) -> AsyncIterator[Speech]:
        """Raises ProviderDown when `hurry` and a deadline passes, and what the provider raises."""
        delivered_ms, first_at, wait_s = 0, _now(), 0.0
        async with _closing(provider.speak(line)) as pieces:
            while True:
                wait_s = audio_wait_s(self._deadlines, delivered_ms, _now() - first_at)
                try:
                    async with asyncio.timeout(wait_s if hurry else None):
                        speech = await anext(pieces, None)
                except TimeoutError:
                    raise ProviderLate(f"{provider.name} sent no audio for {wait_s:.1f} s") from None
                if speech is None:
                    return
                if not delivered_ms:
                    first_at = _now()
                delivered_ms += len(speech.mulaw) // 8
                yield speech


@asynccontextmanager
async def _closing(stream: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """What a generator still holds is let go now, not when it is collected."""
    try:
        yield stream
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


def _now() -> float:
    return asyncio.get_running_loop().time()
