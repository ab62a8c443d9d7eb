"""A line that broke off in the middle: what was said of it, and what is left for somebody else to say."""

from __future__ import annotations

from dataclasses import dataclass

from app.ports import Say, Speech, WordAt
from app.telephony import mulaw

MS_PER_LETTER = 65  # of ordinary speech, where a voice gives no word times


@dataclass(slots=True)
class Spoken:
    """How much of a line has been delivered. `words` counts whole ones."""

    line: Say
    words: int = 0
    audio_ms: int = 0
    timed: bool = False  # the voice says where its words are

    def add(self, speech: Speech) -> None:
        self.audio_ms += mulaw.duration_ms(speech.mulaw)
        self.words += len(speech.words)
        self.timed = self.timed or bool(speech.words)

    @property
    def count(self) -> int:
        """Words delivered; estimated, and rather too few, when the voice gives no times. Repeating is better than
        leaving out."""
        words = self.line.text.split()
        if self.timed:
            return min(self.words, len(words))
        letters, count = self.audio_ms // MS_PER_LETTER, 0
        while count < len(words) and letters > len(words[count]):
            letters -= len(words[count]) + 1
            count += 1
        return max(0, count - 1)

    def text_left(self) -> str:
        return " ".join(self.line.text.split()[self.count :])

    def left(self, at_least: int = 0) -> tuple[Say, int]:
        """The parts that are not through, and from which word of the first one on they should be heard.

        Parts stay whole, for a voice that can say nothing else. One word is said again, for word times are not exact.
        """
        done = max(self.count, at_least)
        parts = list(self.line.parts)
        while parts and (words := len(parts[0].split())) <= done:
            done -= words
            parts.pop(0)
        return Say(tuple(parts), self.line.purpose, self.line.protected), max(0, done - 1)


class From:
    """Lets a line through from a word on: what comes before it is not heard."""

    def __init__(self, line: Say, word: int) -> None:
        self._before = word
        self._guess_ms = MS_PER_LETTER * len(" ".join(line.text.split()[:word]))  # for a voice without word times
        self._timed = False

    def take(self, speech: Speech) -> Speech | None:
        """What is to be heard of the next piece."""
        if self._before <= 0:
            return speech
        for place, word in enumerate(speech.words):
            self._timed = True
            self._before -= 1
            if self._before == 0:
                return _cut(speech, word.ended_ms, place + 1)
        self._guess_ms -= mulaw.duration_ms(speech.mulaw)
        if self._guess_ms <= 0 and not self._timed:
            self._before = 0
        return None


def _cut(speech: Speech, at_ms: int, words: int) -> Speech | None:
    left = speech.mulaw[at_ms * mulaw.BYTES_PER_MS :]
    rest = tuple(
        WordAt(word.text, max(0, word.started_ms - at_ms), max(0, word.ended_ms - at_ms))
        for word in speech.words[words:]
    )
    return Speech(left, rest) if left else None
