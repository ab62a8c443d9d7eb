"""Lets the caller's voice through and keeps our own, come back as echo, out."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Protocol

from app.dialog.events import OwnVoice, VoiceOff, VoiceOn
from app.ports import AudioChunk, CallerSound, Whose
from app.telephony.mulaw import duration_ms

_EVERY_MS = 100
_DOUBTED_MS = 1500  # a voice taken for the caller's is looked at again for so long ...
_CERTAIN = 2  # ... or until it was found so often, in a row, to be nobody else's
_ECHOING_MS = 20_000  # after an echo a doubtful voice is waited for, for _HEARD_MS: it may be the next
_HEARD_MS = 200
_RELEASED_MS = 200  # of another's sound until a voice taken for ours is not


class BothSides(Protocol):
    """Who has the sound of both sides: a line."""

    def whose(self, from_ms: int, to_ms: int) -> Whose: ...


class _Voice(Enum):
    NONE = "none"
    DOUBTFUL = "doubtful"
    THEIRS = "theirs"
    OURS = "ours"


class Gate:
    """Feed what voice activity says, with the sound. Out comes what turn-taking is to know of it.

    A voice is let through at once unless it is surely ours: an echo makes us soft for a moment at worst, and from then
    on is known. Somebody who speaks over our echo is let through as soon as it is not ours alone any more.
    """

    def __init__(self, line: BothSides) -> None:
        self._line = line
        self._voice = _Voice.NONE
        self._began_ms = 0
        self._now_ms = 0  # of the sound
        self._looked_ms = 0
        self._ours_ms = -_ECHOING_MS  # when it was ours last
        self._theirs = 0  # times in a row that it was certainly not

    def pass_through(self, sound: CallerSound) -> Iterator[VoiceOn | VoiceOff | OwnVoice]:
        match sound:
            case AudioChunk(mulaw, at_ms):
                self._now_ms = at_ms + duration_ms(mulaw)
                yield from self._look_again()
            case VoiceOn(at_ms):
                self._began_ms, self._theirs = at_ms, 0
                whose = self._whose()
                if whose is Whose.OURS:
                    yield from self._found_ours()
                elif whose is Whose.UNKNOWN and self._now_ms - self._ours_ms < _ECHOING_MS:
                    self._voice = _Voice.DOUBTFUL
                else:
                    self._voice = _Voice.THEIRS
                    yield sound
            case VoiceOff(at_ms):
                if self._voice is _Voice.DOUBTFUL:
                    yield VoiceOn(self._began_ms)
                yield OwnVoice(self._began_ms, at_ms) if self._voice is _Voice.OURS else sound
                self._voice = _Voice.NONE

    def _look_again(self) -> Iterator[VoiceOn | OwnVoice]:
        if self._voice is _Voice.NONE or self._now_ms - self._looked_ms < _EVERY_MS:
            return
        age_ms = self._now_ms - self._began_ms
        if self._voice is _Voice.THEIRS and (self._theirs >= _CERTAIN or age_ms > _DOUBTED_MS):
            return
        whose = self._whose()
        if self._voice is not _Voice.OURS:
            if whose is Whose.OURS:
                yield from self._found_ours()
            elif self._voice is _Voice.DOUBTFUL and (whose is Whose.THEIRS or age_ms >= _HEARD_MS):
                self._voice = _Voice.THEIRS
                yield VoiceOn(self._began_ms)
        elif whose is not Whose.THEIRS:
            self._ours_ms = self._now_ms
        elif self._now_ms - self._ours_ms >= _RELEASED_MS:
            yield OwnVoice(self._began_ms, self._ours_ms)
            self._voice, self._began_ms = _Voice.THEIRS, self._ours_ms
            yield VoiceOn(self._ours_ms)

    def _found_ours(self) -> Iterator[OwnVoice]:
        self._voice, self._ours_ms = _Voice.OURS, self._now_ms
        yield OwnVoice(self._began_ms)

    def _whose(self) -> Whose:
        self._looked_ms = self._now_ms
        whose = self._line.whose(self._began_ms, self._now_ms)
        self._theirs = self._theirs + 1 if whose is Whose.THEIRS else 0
        return whose
