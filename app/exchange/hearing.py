"""Ears for an emulated recogniser: they tell loud from quiet, and know from a script what was said.

The n-th stretch of sound is the script's n-th line, a word every `MS_PER_WORD`. Time is audio received, so what is
heard does not depend on how fast it comes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from app.exchange.sound import FRAME_BYTES, FRAME_MS, is_loud

MS_PER_WORD = 300


class Script:
    """The lines, shared by all connections: words that were final on one are not heard again on the next."""

    def __init__(self, *lines: str) -> None:
        self._lines = deque(line.split() for line in lines)

    def words(self) -> list[str]:
        """What is still to be heard of the current line."""
        return self._lines[0] if self._lines else []

    def take(self, count: int) -> None:
        """So many words are final."""
        if self._lines:
            del self._lines[0][:count]

    def end_line(self) -> None:
        if self._lines:
            self._lines.popleft()


@dataclass(frozen=True, slots=True)
class Word:
    """Times in ms of audio received."""

    text: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Span:
    """The words in a stretch of audio that nothing was final about before."""

    from_ms: int
    to_ms: int
    words: tuple[Word, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


class Ears:
    """Feed audio of any size; ask what is there. A stretch of voice is over after `endpointing_ms` of quiet."""

    def __init__(self, script: Script, endpointing_ms: int) -> None:
        self._script, self._endpointing_ms = script, endpointing_ms
        self._rest = b""
        self.received_ms = 0
        self.final_ms = 0
        self.voice_from_ms: int | None = None  # of the words not final yet
        self.quiet_ms = 0

    def frames(self, mulaw: bytes) -> int:
        """How many whole frames can be heard with these bytes."""
        self._rest += mulaw
        return len(self._rest) // FRAME_BYTES

    def hear(self) -> bool:
        """One frame more. True when the voice was over with it."""
        frame, self._rest = self._rest[:FRAME_BYTES], self._rest[FRAME_BYTES:]
        if is_loud(frame):
            if self.voice_from_ms is None:
                self.voice_from_ms = self.received_ms
            self.quiet_ms = 0
        else:
            self.quiet_ms += FRAME_MS
        self.received_ms += FRAME_MS
        return self.voice_from_ms is not None and self.quiet_ms == self._endpointing_ms

    def so_far(self) -> Span:
        """The words whose sound has come."""
        return self._span(self._voiced_ms() // MS_PER_WORD)

    def all_words(self) -> Span:
        """The whole line, as it would be if the voice were over."""
        return self._span(len(self._script.words()) if self.voice_from_ms is not None else 0)

    def freeze(self) -> Span:
        """What came so far is final, up to the end of the last whole word if somebody is speaking."""
        span = self.so_far()
        if self.voice_from_ms is not None:
            to_ms = span.words[-1].to_ms if span.words else self.final_ms
            span = Span(span.from_ms, to_ms, span.words)
            self.voice_from_ms = to_ms if span.words else self.voice_from_ms
        self._script.take(len(span.words))
        self.final_ms = span.to_ms
        return span

    def close(self) -> Span:
        """All of the line is final: its voice is over."""
        spoke = self.voice_from_ms is not None
        span = self._span(len(self._script.words()) if spoke else 0)
        if spoke:
            self._script.end_line()
        self.voice_from_ms, self.final_ms = None, self.received_ms
        return span

    def _voiced_ms(self) -> int:
        return 0 if self.voice_from_ms is None else self.received_ms - self.quiet_ms - self.voice_from_ms

    def _span(self, count: int) -> Span:
        begin = self.voice_from_ms or 0
        pace = min(MS_PER_WORD, self._voiced_ms() // count) if count else 0
        words = [
            Word(word, begin + place * pace, begin + (place + 1) * pace)
            for place, word in enumerate(self._script.words()[:count])
        ]
        return Span(self.final_ms, self.received_ms, tuple(words))
