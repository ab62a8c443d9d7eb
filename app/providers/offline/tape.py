"""Keeps the sound of the stretch of voice that is being heard. Pure."""

from __future__ import annotations

from app.ports import AudioChunk
from app.telephony import mulaw

KEEP_MS = 500
LONGEST_MS = 15_000  # the rest of a longer stretch is not listened to
FRAME_MS = 20


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
