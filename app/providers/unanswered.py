"""The caller's sound that nobody has turned into words yet, kept so that another connection can have it again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from app.dialog.events import VoiceOff, VoiceOn
from app.ports import AudioChunk, CallerSound
from app.telephony import mulaw

MOST_MS = 15_000
SLACK_MS = 250  # speech to text and voice activity disagree about where a word ends by up to this much


class Unanswered:
    """Sound goes in at one end and is read at a cursor; what is answered for is dropped, the rest can be read again.

    Holds `most_ms` of audio; of more, the oldest goes.
    """

    def __init__(self, most_ms: int = MOST_MS) -> None:
        self._most_ms = most_ms
        self._pieces: deque[CallerSound] = deque()
        self._read = 0  # of `_pieces`
        self._audio_ms = 0
        self._from_ms = 0  # everything before is answered for
        self._voice = False  # whether the caller's voice was on there
        self._news = asyncio.Event()
        self._over = False

    @property
    def finished(self) -> bool:
        """The sound is over and all of it was read."""
        return self._over and self._read == len(self._pieces)

    async def fill(self, sound: AsyncIterator[CallerSound]) -> None:
        """Returns when the sound is over."""
        async for piece in sound:
            self.add(piece)
        self._over = True
        self._news.set()

    def add(self, piece: CallerSound) -> None:
        self._pieces.append(piece)
        if isinstance(piece, AudioChunk):
            self._audio_ms += mulaw.duration_ms(piece.mulaw)
        while self._audio_ms > self._most_ms:
            self._drop()
        self._news.set()

    async def pieces(self) -> AsyncIterator[CallerSound]:
        """From the cursor on, until the sound is over."""
        while True:
            while self._read < len(self._pieces):
                self._read += 1
                yield self._pieces[self._read - 1]
            if self._over:
                return
            self._news.clear()
            await self._news.wait()

    def answered(self, to_ms: int) -> None:
        """Words up to here are known: this sound is not given out again."""
        self._from_ms = max(self._from_ms, to_ms)
        while self._read and self._pieces and _ends_ms(self._pieces[0]) <= to_ms:
            self._drop()

    def rewind(self) -> None:
        """Back to the first sound not answered for. A voice that was on there comes on again."""
        self._read = 0
        markers = (piece for piece in self._pieces if not isinstance(piece, AudioChunk))
        first = next(markers, None)
        if isinstance(first, VoiceOff) and first.at_ms <= self._from_ms + SLACK_MS:  # nothing was said after the words
            self._pieces.remove(first)
        elif self._voice or isinstance(first, VoiceOff):
            self._pieces.appendleft(VoiceOn(self._from_ms))
        self._voice = False

    def _drop(self) -> None:
        piece = self._pieces.popleft()
        self._read = max(0, self._read - 1)
        match piece:
            case AudioChunk():
                self._audio_ms -= mulaw.duration_ms(piece.mulaw)
                self._from_ms = max(self._from_ms, _ends_ms(piece))
            case VoiceOn():
                self._voice = True
            case VoiceOff():
                self._voice = False


def _ends_ms(piece: CallerSound) -> int:
    return piece.at_ms + mulaw.duration_ms(piece.mulaw) if isinstance(piece, AudioChunk) else piece.at_ms
