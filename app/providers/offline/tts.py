"""Text to speech without a network: the voice pack first, a synthesizer on this machine for the rest."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress

from app.dialog.voice import Voice
from app.errors import ProviderError, ProviderRefused
from app.ports import Say, Speech, WordAt
from app.providers.offline import synthesis, voice_pack
from app.providers.offline.clips import ClipFile, key
from app.providers.offline.synthesis import Synthesizer
from app.providers.voice_version import version_of
from app.telephony import mulaw

PIECE_BYTES = 200 * mulaw.BYTES_PER_MS
KEEP = 256  # synthesized parts kept in memory: about 5 MB


class OfflineTextToSpeech:
    """The TextToSpeech port. One instance serves every call of the process; what was synthesized once is kept."""

    name = "offline"

    def __init__(
        self,
        pack: ClipFile | None = None,
        synthesizers: Sequence[Synthesizer] | None = None,
        own: Synthesizer | None = None,
    ) -> None:
        """`own` is a voice to be used instead of the pack's, which then only steps in. Raises BadInput when the pack is
        missing. Opening it takes a few milliseconds."""
        self._pack = pack or voice_pack.open_pack()
        self._own = own
        self._synthesizers = synthesis.available() if synthesizers is None else synthesizers
        self._made: OrderedDict[str, bytes] = OrderedDict()
        speakers = tuple((each.name, each.command[1:]) for each in self._synthesizers)
        self.voice_version = version_of(self.name, own and own.command[1:], self._pack.fingerprint, speakers)

    async def speak(self, line: Say) -> AsyncIterator[Speech]:
        """Pieces of at most 200 ms. Raises ProviderRefused naming what nobody here can say: never silence instead."""
        pause = b""
        for part in line.parts:
            if not key(part):  # a stray comma says nothing
                continue
            sound = await self._sound(part)
            if pause:
                yield Speech(pause)
            for piece in pieces(part, sound):
                yield piece
            pause = voice_pack.pause_after(part)

    async def _sound(self, part: str) -> bytes:
        found = (None if self._own else self._pack.find(part)) or self._made.get(part)
        if found is None:
            found = await asyncio.get_running_loop().run_in_executor(None, self._synthesize, part)
            self._made[part] = found
            if len(self._made) > KEEP:
                self._made.popitem(last=False)
        return found

    def _synthesize(self, part: str) -> bytes:
        if self._own:
            with suppress(ProviderError):
                return self._own.render(part)
            if recorded := self._pack.find(part):
                return recorded
        failure: ProviderError = ProviderRefused(
            f"the voice pack has no recording of {part!r} and there is nothing here to speak it: install flite, "
            "or the extra strowger[espeak]"
        )
        for synthesizer in self._synthesizers:
            try:
                return synthesizer.render(part)
            except ProviderError as error:
                failure = error
        raise failure


def own_voice(wished: Voice) -> Synthesizer | None:
    """None for the pack: unless the playbook names another voice, and flite is here to speak with it."""
    name = wished.id_for("offline")
    return synthesis.flite(name, wished.speed or 1.0) if name and name != voice_pack.SPEAKER else None


def pieces(part: str, sound: bytes) -> Iterator[Speech]:
    """Each word goes with the piece its sound ends in; one that began earlier is said to start with the piece."""
    words = spread(part, mulaw.duration_ms(sound))
    for start in range(0, len(sound), PIECE_BYTES):
        piece = sound[start : start + PIECE_BYTES]
        from_ms = start // mulaw.BYTES_PER_MS
        to_ms = from_ms + mulaw.duration_ms(piece)
        last = start + PIECE_BYTES >= len(sound)
        here = tuple(
            WordAt(word.text, max(word.started_ms - from_ms, 0), min(word.ended_ms, to_ms) - from_ms)
            for word in words
            if from_ms < word.ended_ms <= to_ms or (last and word.ended_ms > to_ms)
        )
        yield Speech(piece, here)


def spread(text: str, duration_ms: int) -> tuple[WordAt, ...]:
    """The words of a text over its sound, by their letters: good to about one word."""
    words = text.split()
    weights = [len(word) + 1 for word in words]
    total, done, found = sum(weights), 0, []
    for word, weight in zip(words, weights, strict=True):
        found.append(WordAt(word, duration_ms * done // total, duration_ms * (done + weight) // total))
        done += weight
    return tuple(found)
