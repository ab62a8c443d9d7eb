"""What simulated callers say, word by word in time, and a register in which a recogniser finds who says what.

The words of a saying are as true as its recording: the emulated recogniser is told them as their sound arrives, and
knows nothing of sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.exchange import marks, voices
from app.exchange.hearing import Word
from app.exchange.sound import FRAME_BYTES, FRAME_MS, QUIET, is_loud
from app.telephony import mulaw


@dataclass(frozen=True, slots=True)
class Saying:
    """`sound` from the first loud frame to the last; times of `words` count from its beginning. `pause_ms` is where a
    pause in mid-sentence begins, None without one."""

    text: str
    sound: bytes
    words: tuple[Word, ...]
    pause_ms: int | None = None

    @property
    def ms(self) -> int:
        return mulaw.duration_ms(self.sound)


@dataclass(slots=True)
class Speaker:
    """One caller as the recogniser knows him: by his mark. `saying` is what he says now or said last."""

    number: int
    saying: Saying | None = None
    said: int = 0  # sayings so far
    speaking: bool = False
    strange_frames: int = 0  # heard where only his sound should be: another's mark, or speech while he was silent
    checked_frames: int = 0

    def begin(self, saying: Saying) -> None:
        self.saying, self.said, self.speaking = saying, self.said + 1, True


@dataclass(slots=True)
class Register:
    """All callers of a bench, by mark."""

    speakers: dict[int, Speaker] = field(default_factory=dict)

    def add(self, number: int) -> Speaker:
        speaker = self.speakers[number] = Speaker(number)
        return speaker

    def by_frame(self, frame: bytes) -> Speaker | None:
        """Whose silence this is."""
        number = marks.CALLERS.number(marks.CALLERS.bins(frame)[0])
        return None if number is None else self.speakers.get(number)


def saying(voice: str, *parts: str, pause_ms: int = 700) -> Saying:
    """From recordings; several parts have a pause between them. Raises NotFound."""
    sound, pause_at = b"", None
    words: tuple[Word, ...] = ()
    for part in parts:
        if sound:
            pause_at = pause_at or mulaw.duration_ms(sound)
            sound += mulaw.silence(pause_ms)
        clip = without_edges(voices.clip(voice, part))
        words += _in_time(part, mulaw.duration_ms(sound), mulaw.duration_ms(clip))
        sound += clip
    return Saying(" ".join(parts), sound, words, pause_at)


def marked(spoken: Saying, number: int) -> bytes:
    return marks.CALLERS.on(spoken.sound, number)


def without_edges(clip: bytes) -> bytes:
    """From the first sound to the last, so that a caller begins and ends when we say so."""
    loud = [place for place, frame in enumerate(mulaw.frames(clip)) if is_loud(frame)]
    frames = b"".join(mulaw.frames(clip))
    return frames[loud[0] * FRAME_BYTES : (loud[-1] + 1) * FRAME_BYTES] if loud else QUIET


def _in_time(text: str, from_ms: int, ms: int) -> tuple[Word, ...]:
    """Words take time by their letters."""
    words: Sequence[str] = text.split()
    letters = sum(len(word) + 1 for word in words)
    ends, done = [], 0
    for word in words:
        done += len(word) + 1
        ends.append(from_ms + ms * done // letters // FRAME_MS * FRAME_MS)
    starts = [from_ms, *ends[:-1]]
    return tuple(Word(word, start, end) for word, start, end in zip(words, starts, ends, strict=True))
