"""What waits to be played to the caller: audio, and marks between it. Time is counted in pulls of 20 ms."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from app.exchange.sound import FRAME_BYTES, FRAME_MS, QUIET

LIMIT_BYTES = 10 * 60 * 8000


@dataclass(slots=True)
class Gap:
    """The buffer ran dry and was filled again. `before` and `after` are the marks next to it."""

    at_ms: int
    ms: int
    before: str
    after: str = ""


class Playout:
    """Drained at 8000 bytes a second by `pull`. A mark is due when everything put in before it has been played."""

    def __init__(self) -> None:
        self._audio = bytearray()
        self._marks: deque[tuple[int, str]] = deque()  # position in bytes since the start, name
        self._put = 0
        self._pulled = 0
        self._played = 0  # behind `_pulled` by the frame that is in the air
        self._pulls = 0
        self._last_mark = ""
        self._dry_since: int | None = None
        self._running = False  # audio was played since the last clear
        self.gaps: list[Gap] = []

    def put(self, mulaw: bytes) -> bool:
        """False when there was no room: what does not fit into ten minutes is dropped."""
        room = LIMIT_BYTES - len(self._audio)
        kept = mulaw[: max(room, 0)]
        self._audio += kept
        self._put += len(kept)
        return len(kept) == len(mulaw)

    def mark(self, name: str) -> bool:
        """True when it is due at once, because nothing waits or is being played."""
        if self._put <= self._played:
            self._reached(name)
            return True
        self._marks.append((self._put, name))
        return False

    def clear(self) -> list[str]:
        """Silence from the next pull on. Returns all waiting marks: they are due at once."""
        self._put -= len(self._audio)
        self._audio.clear()
        names = [name for _, name in self._marks]
        self._marks.clear()
        for name in names:
            self._reached(name)
        self._dry_since, self._running = None, False  # silence on purpose is not a gap
        return names

    def pull(self) -> tuple[bytes, list[str]]:
        """The next 20 ms, and the marks that were due before it: what was pulled last time has now been played."""
        due: list[str] = []
        self._pulls += 1
        self._played = self._pulled
        while self._marks and self._marks[0][0] <= self._played:
            name = self._marks.popleft()[1]
            self._reached(name)
            due.append(name)
        if not self._audio:
            if self._dry_since is None and self._running:
                self._dry_since = self._pulls
            return QUIET, due
        if self._dry_since is not None:
            dry_ms = (self._pulls - self._dry_since) * FRAME_MS
            self.gaps.append(Gap(self._dry_since * FRAME_MS, dry_ms, self._last_mark))
            self._dry_since = None
        frame = bytes(self._audio[:FRAME_BYTES])
        del self._audio[:FRAME_BYTES]
        self._pulled += len(frame)
        self._running = True
        return (frame if len(frame) == FRAME_BYTES else frame.ljust(FRAME_BYTES, b"\xff")), due

    @property
    def waiting_ms(self) -> int:
        return len(self._audio) // 8

    def _reached(self, name: str) -> None:
        self._last_mark = name
        if self.gaps and not self.gaps[-1].after:
            self.gaps[-1].after = name
