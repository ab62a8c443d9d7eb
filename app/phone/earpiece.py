"""What a browser's earpiece plays: audio and marks in order, 20 ms at a time, on nobody's clock.

Pure: the browser's side of a media stream. A mark is due once all before it was played; `clear` throws away what was
not, and its marks are due at once, as the carrier does it.
"""

from __future__ import annotations

from collections import deque

from app.telephony import mulaw

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * mulaw.BYTES_PER_MS
MOST_MS = 120_000  # of audio that waits; more means that somebody has lost their mind
SILENCE = mulaw.silence(FRAME_MS)


class Earpiece:
    def __init__(self) -> None:
        self._queue: deque[bytes | str] = deque()
        self._waiting_bytes = 0

    @property
    def playing(self) -> bool:
        return self._waiting_bytes > 0

    def speak(self, sound: bytes) -> None:
        if self._waiting_bytes < MOST_MS * mulaw.BYTES_PER_MS:
            self._queue.append(sound)
            self._waiting_bytes += len(sound)

    def mark(self, name: str) -> list[str]:
        """The marks that are due now: this one, where nothing waits before it."""
        self._queue.append(name)
        return self._due()

    def clear(self) -> list[str]:
        """The marks that were waiting."""
        marks = [one for one in self._queue if isinstance(one, str)]
        self._queue.clear()
        self._waiting_bytes = 0
        return marks

    def frame(self) -> tuple[bytes, list[str]]:
        """The next 20 ms, silence where there is nothing, and the marks that are due when they have been played."""
        sound = bytearray()
        while self._queue and len(sound) < FRAME_BYTES:
            first = self._queue[0]
            if isinstance(first, str):
                break  # a mark in the middle of a frame: what comes after it waits for the next
            need = FRAME_BYTES - len(sound)
            sound += first[:need]
            if len(first) > need:
                self._queue[0] = first[need:]
            else:
                self._queue.popleft()
        self._waiting_bytes -= len(sound)
        return bytes(sound) + SILENCE[len(sound) :], self._due()

    def _due(self) -> list[str]:
        due = []
        while self._queue and isinstance(first := self._queue[0], str):
            due.append(first)
            self._queue.popleft()
        return due
