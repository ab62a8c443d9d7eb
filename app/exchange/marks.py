"""Marker tones: every call's sound carries its own, far below speech, so that it can be told whose sound one hears.

A mark is a few sines, the same number for all of a kind, whose frequencies are multiples of 50 Hz: it repeats every
20 ms, so one frame holds it whole, and in the spectrum of any 160 samples each sine stands in a bin of its own.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from app.telephony import mulaw

_STEP_HZ = mulaw.RATE // mulaw.FRAME_BYTES
_QUIET = 160.0  # root mean square above which a frame holds more than a mark


class Marks:
    """`sines` at a time between two frequencies, each of this amplitude (of 32767)."""

    def __init__(self, from_hz: int, to_hz: int, amplitude: float, sines: int = 2) -> None:
        self._amplitude, self._sines = amplitude, sines
        self._bins = tuple(combinations(range(from_hz // _STEP_HZ, to_hz // _STEP_HZ + 1), sines))
        self._numbers = {bins: number for number, bins in enumerate(self._bins)}

    def __len__(self) -> int:
        return len(self._bins)

    @lru_cache(maxsize=4096)  # noqa: B019 - there are two of these objects, for as long as the process lives
    def wave(self, number: int) -> npt.NDArray[np.float64]:
        """20 ms of it; put one after the other they go on without a break."""
        at = np.arange(mulaw.FRAME_BYTES) / mulaw.FRAME_BYTES
        sines = [np.sin(2 * np.pi * place * at) for place in self.own_bins(number)]
        return self._amplitude * np.sum(sines, axis=0)

    def frame(self, number: int) -> bytes:
        """What a phone sends while nobody speaks into it."""
        return mulaw.encode(np.round(self.wave(number)).astype(np.int16))

    def on(self, sound: bytes, number: int) -> bytes:
        """`sound`, whole frames of it, with the mark under it."""
        samples = mulaw.decode(sound).astype(np.float64)
        samples += np.tile(self.wave(number), len(samples) // mulaw.FRAME_BYTES)
        return mulaw.encode(np.round(samples).clip(-32767, 32767).astype(np.int16))

    def bins(self, sound: bytes) -> npt.NDArray[np.bool_]:
        """For each whole frame, which of the 50 Hz bins hold half a mark's amplitude or more."""
        frames = mulaw.decode(sound[: len(sound) // mulaw.FRAME_BYTES * mulaw.FRAME_BYTES]).astype(np.float32)
        spectrum = np.abs(np.fft.rfft(frames.reshape(-1, mulaw.FRAME_BYTES), axis=1)) / (mulaw.FRAME_BYTES / 2)
        found: npt.NDArray[np.bool_] = spectrum >= self._amplitude / 2
        low, high = self._bins[0][0], self._bins[-1][-1]
        found[:, :low] = found[:, high + 1 :] = False
        return found

    def number(self, bins: npt.NDArray[np.bool_]) -> int | None:
        """Whose mark a frame's bins are; None when they are not exactly one."""
        at = np.flatnonzero(bins)
        return self._numbers.get(tuple(at.tolist())) if len(at) == self._sines else None

    def own_bins(self, number: int) -> tuple[int, ...]:
        return self._bins[number % len(self._bins)]


# On the caller's side the marks lie anywhere in the band, for nothing else is heard in his pauses; on ours above the
# murmur that the emulated voice makes, so that they can be read while it speaks.
CALLERS = Marks(400, 3400, 45.0)
LINES = Marks(1500, 3400, 90.0, sines=3)


def is_only_marked(frame: bytes) -> bool:
    """No speech in it."""
    return mulaw.level(frame) < _QUIET
