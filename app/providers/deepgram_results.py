"""What Deepgram says, in the time of the call: a connection's state without a socket.

Source: developers.deepgram.com, listen v1 and v2. A result that is final freezes its span; later ones begin after it.
Its times start at 0 on every connection and count the audio received, so they are mapped back to the call's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.dialog.events import Heard
from app.errors import ProviderDown
from app.ports import AudioChunk
from app.telephony import mulaw

NAME = "deepgram"
_EARLY_MS = 100  # a span that ends this little before the voice did covers it
_BEGINNING_S = 1.0
_UNREADABLE = (AttributeError, IndexError, TypeError, ValueError)
_GAP_MS = 40  # less is jitter of the time stamps, not lost audio


@dataclass(frozen=True, slots=True)
class Result:
    """One message with words; times in seconds of the connection. `words_from_s` and `words_to_s` are None without
    words. `mark` as in `Heard`."""

    text: str
    confidence: float
    final: bool
    ends_s: float
    words_from_s: float | None = None
    words_to_s: float | None = None
    mark: str = ""


_MARKS = {"StartOfTurn": "began", "EagerEndOfTurn": "eager", "TurnResumed": "resumed", "EndOfTurn": "ended"}


def read_results(message: Any) -> Result | None:
    """Of `/v1/listen`. None for every kind of message that carries no words, for unknown kinds (the SDK hands those
    over as None) and for malformed ones: the SDK does not validate. Raises ProviderDown for an Error.

    An utterance is over when its quiet was long enough (`speech_final`), or its gap between words, which noise does not
    fill (`UtteranceEnd`). What we asked to be finalized says nothing of the caller.
    """
    kind = _kind(message)
    if kind == "UtteranceEnd" and getattr(message, "last_word_end", -1) >= 0:
        return Result("", 0.0, False, 0.0, mark="ended")
    if kind != "Results":
        return None
    try:
        over = bool(getattr(message, "speech_final", False)) and not getattr(message, "from_finalize", False)
        best = message.channel.alternatives[0]
        words = [(float(word.start), float(word.end)) for word in best.words or ()]
        return Result(
            text=str(best.transcript or "").strip(),
            confidence=float(best.confidence or 0.0),
            final=bool(message.is_final),
            ends_s=float(message.start) + float(message.duration),
            words_from_s=words[0][0] if words else None,
            words_to_s=words[-1][1] if words else None,
            mark="ended" if over else "",
        )
    except _UNREADABLE:
        return None


def read_turn(message: Any) -> Result | None:
    """Of `/v2/listen`, where a transcript is of the whole turn so far; otherwise as `read_results`.

    An update without words is final for the audio it has seen, but for its last second, in which a word may be
    beginning.
    """
    if _kind(message) != "TurnInfo":
        return None
    try:
        text, ends_s = str(message.transcript or "").strip(), float(message.audio_window_end)
        mark = _MARKS.get(message.event, "")
        if not text and mark not in ("ended", "resumed"):
            return Result("", 0.0, True, max(0.0, ends_s - _BEGINNING_S))
        words = list(message.words or ())
        times = [(word.start, word.end) for word in words if getattr(word, "start", None) is not None]
        return Result(
            text=text,
            confidence=sum(float(word.confidence) for word in words) / len(words) if words else 0.0,
            final=mark == "ended",
            ends_s=ends_s,
            words_from_s=float(times[0][0]) if times else None,
            words_to_s=float(times[-1][1]) if times else None,
            mark=mark,
        )
    except _UNREADABLE:
        return None


def _kind(message: Any) -> str | None:
    kind: str | None = getattr(message, "type", None)
    if kind == "Error":
        raise ProviderDown(f"Deepgram reports {getattr(message, 'description', None) or 'an error'}")
    return kind


class Timeline:
    """Which moment of the call a second of the connection is. Audio that never came leaves a gap in the call only."""

    def __init__(self) -> None:
        self._sent_ms = 0
        self._from: list[int] = []  # sent ms at which a stretch without gaps begins ...
        self._call: list[int] = []  # ... and when that was in the call

    def sent(self, chunk: AudioChunk) -> None:
        if not self._from or abs(chunk.at_ms - self.at(self._sent_ms / 1000)) > _GAP_MS:
            self._from.append(self._sent_ms)
            self._call.append(chunk.at_ms)
        self.pad(mulaw.duration_ms(chunk.mulaw))

    def pad(self, ms: int) -> None:
        """So much audio was sent that is not the call's."""
        self._sent_ms += ms

    def at(self, seconds: float) -> int:
        """Milliseconds of the call; 0 before anything was sent."""
        ms = round(seconds * 1000)
        place = bisect_right(self._from, ms) - 1
        if place < 0:
            return self._call[0] if self._call else 0
        return self._call[place] + ms - self._from[place]


class Hearing:
    """One connection's: audio and voice go in, messages become words."""

    def __init__(self, read: Callable[[Any], Result | None] = read_results) -> None:
        self._read = read
        self._time = Timeline()
        self._stopped: deque[int] = deque()  # where the voice ended and no final result has reached yet
        self._interim = ""
        self._voice = False
        self._off_at = 0.0
        self._news_at: float | None = None  # since when, on the loop's clock, we wait for a result
        self.answered_ms: int | None = None  # of the call; words up to here are final

    def sent(self, chunk: AudioChunk) -> None:
        self._time.sent(chunk)

    def padded(self, ms: int) -> None:
        self._time.pad(ms)

    def voice_on(self, now: float) -> None:
        self._voice = True
        if not self._stopped:
            self._news_at = now

    def voice_off(self, at_ms: int, now: float) -> None:
        self._voice, self._off_at = False, now
        self._stopped.append(at_ms)

    @property
    def owed(self) -> bool:
        """A voice has ended and its words are not final."""
        return bool(self._stopped)

    def silent_s(self, now: float) -> float:
        """How long the caller's voice has gone without a word about it, 0 when none is owed."""
        if self._news_at is None or not (self._voice or self._stopped):
            return 0.0
        return now - self._news_at

    def unanswered_s(self, now: float) -> float:
        """How long ago the caller fell silent, with nothing heard from the recogniser since, 0 when nothing is owed."""
        if self._voice or not self._stopped:
            return 0.0
        return now - max(self._off_at, self._news_at or 0.0)

    def take(self, message: Any, now: float) -> Heard | None:
        """The words in a message, if it brings any. Empty ones tell that a stretch of voice had none (more).

        Raises ProviderDown for an Error.
        """
        result = self._read(message)
        if result is None:
            return None
        self._news_at = now
        if not result.final:
            if not result.mark and (not result.text or result.text == self._interim):
                return None
            self._interim = result.text or self._interim
            return self._heard(result, self._word_ms(result.words_to_s, result))
        return self._freeze(result)

    def _freeze(self, result: Result) -> Heard | None:
        span_ms = self._time.at(result.ends_s)
        self.answered_ms = max(self.answered_ms or 0, span_ms)
        closed_ms = None
        while self._stopped and self._stopped[0] <= span_ms + _EARLY_MS:
            closed_ms = self._stopped.popleft()
        self._interim, hung = "", bool(self._interim)
        ended_ms = max(closed_ms or 0, self._word_ms(result.words_to_s, result) if result.text else 0)
        if result.text or closed_ms is not None or hung:
            return self._heard(result, ended_ms or span_ms)
        return None

    def _heard(self, result: Result, ended_ms: int) -> Heard:
        started_ms = ended_ms if not result.text else self._word_ms(result.words_from_s, result)
        confidence = result.confidence if result.text else 0.0
        return Heard(result.text, result.final, confidence, min(started_ms, ended_ms), ended_ms, NAME, result.mark)

    def _word_ms(self, seconds: float | None, result: Result) -> int:
        return self._time.at(result.ends_s if seconds is None else seconds)
