"""A line that broke off in the middle: what was said of it, and what is left for somebody else to say."""

from __future__ import annotations

from dataclasses import dataclass

from app.ports import Say, Speech
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

    def left(self) -> tuple[Say, int]:
        """The parts that are not through, and how many words of the first were delivered.

        Parts stay whole, for a voice that can say nothing else: it is heard from that word on.
        """
        done = self.count
        parts = list(self.line.parts)
        while parts and (words := len(parts[0].split())) <= done:
            done -= words
            parts.pop(0)
        return Say(tuple(parts), self.line.purpose, self.line.protected), done
