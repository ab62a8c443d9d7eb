"""A person of ours on a live call: their microphone to the caller, the caller to their loudspeaker."""

from __future__ import annotations

import asyncio

from app.errors import Disconnected
from app.exchange.recording import Tape
from app.phone.earpiece import SILENCE, Earpiece
from app.phone.patch import Listener, Patch

_WAITING = 25  # of 20 ms: half a second of the person's words, while the line is slow


class PatchedLine:
    """What the browser talks to (like BrowserLine), on a call that somebody else is having."""

    def __init__(self, patch: Patch) -> None:
        self._patch = patch
        self._ear = Earpiece()
        self._words: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.tape = Tape()

    def said(self, sound: bytes) -> None:
        if self._words.qsize() < _WAITING:
            self._words.put_nowait(sound)

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
            done, pending = await asyncio.wait((hearing, speaking), return_when=asyncio.FIRST_COMPLETED)
            for one in pending:
                one.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            return "call ended" if hearing in done else "browser gone"

    async def _hear(self, listener: Listener) -> None:
        while (piece := await listener.pieces.get()) is not None:
            self._ear.speak(piece or SILENCE)

    async def _speak(self) -> None:
        while (sound := await self._words.get()) is not None:
            try:
                await self._patch.speak(sound)
            except Disconnected:
                return
