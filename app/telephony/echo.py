"""Is it the caller, or our own voice come back? What we played and what came in, compared. No clock; times are of the
call, in milliseconds.

An echo is our sound a little later and softer, so the two waveforms agree at one delay even when a line has filtered
them; another person's voice agrees at none. Loudness alone will not do: it agrees by chance, and we fall silent because
the other speaks.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

import numpy as np
import numpy.typing as npt

from app.telephony import mulaw

LATEST_MS = 700  # an echo is back by then: the network's way and ours, and a loudspeaker's. With WINDOW_MS it fits 2^13
KEPT_MS = 2200
WINDOW_MS = 320  # as much of the caller's sound as is compared at most
LEAST_MS = 80
# How alike the waveforms must be for so many ms of sound. 400 pairs of recorded voices, echo paths of 30 to 500 ms,
# 6 to 28 dB, noise and G.711: another's voice at most 0.33 in 240 ms (99 in 100: 0.29), our echo 0.52 in 19 of 20; with
# the ring of a small room 0.43 in the middle. Another voice over our echo: 99 in 100 below 0.29.
SAME = ((240, 0.34), (160, 0.42), (LEAST_MS, 0.55))
OTHER = 0.28
_LAST_MS, _FADED = 100, 0.2
_QUIET = 30.0  # root mean square: below there is nothing to compare

Floats = npt.NDArray[np.float32]


class Whose(Enum):
    OURS = "ours"
    THEIRS = "theirs"
    UNKNOWN = "unknown"


class Echo:
    """The last moments of both sides of one call. Keeping them costs nothing; `whose` well under a millisecond."""

    def __init__(self) -> None:
        self._played: deque[tuple[float, bytes]] = deque()
        self._heard: deque[tuple[float, bytes]] = deque()

    def played(self, sound: bytes, at_ms: float) -> None:
        """What we give the caller to hear from then on."""
        self._played.append((at_ms, sound))
        _forget(self._played, at_ms - KEPT_MS)

    def silenced(self, at_ms: float) -> None:
        """What was to be heard from then on will not be."""
        while self._played and self._played[-1][0] >= at_ms:
            self._played.pop()
        if self._played:
            from_ms, sound = self._played[-1]
            self._played[-1] = (from_ms, sound[: int(at_ms - from_ms) * mulaw.BYTES_PER_MS])

    def heard(self, sound: bytes, at_ms: float) -> None:
        """The caller's side."""
        self._heard.append((at_ms, sound))
        _forget(self._heard, at_ms - KEPT_MS)

    def whose(self, from_ms: float, to_ms: float) -> Whose:
        """The caller's sound between these times, as far as it can be told."""
        began_ms = max(from_ms, to_ms - WINDOW_MS)
        if not self._played or _ends_ms(self._played[-1]) < began_ms - LATEST_MS:
            return Whose.THEIRS  # for want of any other
        theirs = _sound(self._heard, began_ms, to_ms)
        if to_ms - began_ms < LEAST_MS or _level(theirs) < _QUIET:
            return Whose.UNKNOWN
        if _level(theirs[-_LAST_MS * mulaw.BYTES_PER_MS :]) < _FADED * _level(theirs):  # mostly the hiss of the line
            return Whose.UNKNOWN
        ours = _sound(self._played, began_ms - LATEST_MS, to_ms)
        if _level(ours) < _QUIET:
            return Whose.THEIRS
        alike = _waveform(theirs, ours)
        if alike >= next(least for ms, least in SAME if to_ms - began_ms >= ms):
            return Whose.OURS
        return Whose.THEIRS if alike < OTHER else Whose.UNKNOWN


def _ends_ms(piece: tuple[float, bytes]) -> float:
    return piece[0] + mulaw.duration_ms(piece[1])


def _forget(sounds: deque[tuple[float, bytes]], before_ms: float) -> None:
    while sounds and sounds[0][0] < before_ms:
        sounds.popleft()


def _sound(sounds: deque[tuple[float, bytes]], from_ms: float, to_ms: float) -> Floats:
    """Silence where there was nothing. High tones are raised: low ones agree by chance."""
    whole = np.zeros(max(1, int(to_ms - from_ms)) * mulaw.BYTES_PER_MS, np.float32)
    for at_ms, sound in sounds:
        start = int(at_ms - from_ms) * mulaw.BYTES_PER_MS
        end = start + len(sound)
        if end > 0 and start < len(whole):
            kept = sound[max(0, -start) : len(whole) - start]
            whole[max(0, start) : max(0, start) + len(kept)] = mulaw.decode(kept)
    whole[1:] -= 0.9 * whole[:-1]
    return whole


def _level(sound: Floats) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def _waveform(theirs: Floats, ours: Floats) -> float:
    """The best normalised correlation over all delays."""
    size = 1 << (len(ours) - 1).bit_length()  # what wraps around lies beyond the delays looked at
    agree = np.fft.irfft(np.fft.rfft(ours, size) * np.conj(np.fft.rfft(theirs, size)), size)
    agree = agree[: len(ours) - len(theirs) + 1]
    power = np.concatenate(([0.0], np.cumsum(ours.astype(np.float64) ** 2)))
    power = power[len(theirs) :] - power[: -len(theirs)]
    floor = len(theirs) * _QUIET**2
    sizes = np.sqrt(np.maximum(power, floor) * np.sum(theirs.astype(np.float64) ** 2))
    return float(np.abs(agree / sizes).max())
