"""A person of ours on a live call: their microphone to the caller, the caller to their loudspeaker.

Where an agent on a language model waits for the call to come back, what they say is understood beside that, so that it
can be told. Nothing waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from app import observe
from app.errors import Disconnected, ProviderError
from app.exchange.recording import Tape
from app.phone.earpiece import SILENCE, Earpiece
from app.phone.patch import Ears, Listener, Patch
from app.ports import AudioChunk, Expectation
from app.telephony import mulaw

log = observe.log(__name__)

_WAITING = 25  # of 20 ms: half a second of the person's words, while the line is slow
_UNHEARD = 500  # of 20 ms: what the recogniser has not taken; later words are lost to it
_LAST_WORDS_S = 2.0  # for it to understand what was said before the person left


class PatchedLine:
    """What the browser talks to (like BrowserLine), on a call that somebody else is having."""

    def __init__(self, patch: Patch, told: Callable[[str], object] = lambda text: None) -> None:
        """`told` what the person has said, sentence by sentence."""
        self._patch, self._told = patch, told
        self._copy: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._ear = Earpiece()
        self._words: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.tape = Tape()

    def said(self, sound: bytes) -> None:
        if self._words.qsize() < _WAITING:
            self._words.put_nowait(sound)
        if self._patch.ears is not None and self._copy.qsize() < _UNHEARD:
            self._copy.put_nowait(sound)

    def keyed(self, digit: str) -> None:
        """Keys are the caller's."""

    def heard(self) -> bytes:
        return self._ear.frame()[0]

    @property
    def playing(self) -> bool:
        return False

    def hung_up(self) -> None:
        self._words.put_nowait(None)

    async def talk(self) -> str:
        """Until either the browser or the caller is gone."""
        with self._patch.listening(agent_too=False) as listener:
            hearing = asyncio.ensure_future(self._hear(listener))
            speaking = asyncio.ensure_future(self._speak())
            understanding = asyncio.ensure_future(self._understand(self._patch.ears))
            done, pending = await asyncio.wait((hearing, speaking), return_when=asyncio.FIRST_COMPLETED)
            self._copy.put_nowait(None)
            await asyncio.wait((understanding,), timeout=_LAST_WORDS_S)
            pending.add(understanding)
            for one in pending:
                one.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            return "call ended" if hearing in done else "browser gone"

    async def _hear(self, listener: Listener) -> None:
        while (piece := await listener.pieces.get()) is not None:
            self._ear.speak(piece or SILENCE)

    async def _understand(self, ears: Ears | None) -> None:
        """A recogniser that fails is no reason to end anything: the agent then knows less."""
        if ears is None:
            return
        voice, stt = ears()
        try:
            async for heard in stt.listen(voice.watch(self._sound()), Expectation):
                if heard.final and heard.text:
                    self._told(heard.text)
        except ProviderError as error:
            log.warning("a colleague is not understood", provider=stt.name, reason=str(error))

    async def _sound(self) -> AsyncIterator[AudioChunk]:
        at_ms = 0
        while (sound := await self._copy.get()) is not None:
            yield AudioChunk(sound, at_ms)
            at_ms += mulaw.duration_ms(sound)

    async def _speak(self) -> None:
        while (sound := await self._words.get()) is not None:
            try:
                await self._patch.speak(sound)
            except Disconnected:
                return
