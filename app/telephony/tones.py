"""Single steady tones in the caller's sound: the beep of an answering machine, and what a network or a fax whistles.

Every 5 ms the spectrum of the last 20 ms is looked at. A window is *pure* when one tone between 350 and 2200 Hz holds
most of its power; pure windows one after the other at one frequency, for 100 ms at least, are a tone. Voices hold a
pitch that steadily only by accident, two tones at once (keys, dial tone, ringing) are none, and neither is music.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.dialog.events import Toned
from app.telephony import mulaw

LOWEST, HIGHEST = 350.0, 2200.0  # Hz
LEAST_MS = 100

_WINDOW, _HOP, _SPECTRUM = 160, 40, 256
_HOP_MS = _HOP // mulaw.BYTES_PER_MS
_HALF_MS = _WINDOW // mulaw.BYTES_PER_MS // 2
_HERTZ = mulaw.RATE / _SPECTRUM
_FIRST, _LAST = int(250 / _HERTZ), int(2400 / _HERTZ)  # bins in which a peak is looked for
_LOBE = 3  # bins on each side of a peak that belong to it
_SHAPE = np.hanning(_WINDOW).astype(np.float32)
_AUDIBLE = 40.0**2  # mean square; about -50 dBm0
_PURE = 0.75  # of the power above 200 Hz
_STEP = 0.03  # from one window to the next, noise included
_STEADY = (
    0.0018  # standard deviation of the frequency within a tone: a beep has 0.0008 at most at 12 dB, a vowel 0.0027
)
_LONG_MS, _LONG_STEADY = 250, 0.005  # no vowel stays pure for so long, so that noise may be louder
_MOSTLY = 0.75  # of the windows of a tone are pure
_BREAK_HOPS = 4  # a tone may be drowned for so long

Floats = npt.NDArray[np.float32]


@dataclass(slots=True)
class _Run:
    """Pure windows at about one frequency."""

    from_hop: int
    last_hop: int
    hertz: list[float]

    def fits(self, hertz: float) -> bool:
        return abs(hertz - self.hertz[-1]) <= _STEP * hertz

    def add(self, hop: int, hertz: float) -> None:
        self.last_hop = hop
        self.hertz.append(hertz)

    def tone(self, origin_ms: int) -> Toned | None:
        """A window is pure from when the tone fills half of it until it fills half of it no more."""
        inner = np.array(self.hertz[2:-2])  # without those that hold its edges
        hops = self.last_hop - self.from_hop
        if hops * _HOP_MS < LEAST_MS or len(self.hertz) < _MOSTLY * hops:
            return None
        hertz = float(inner.mean())
        steady = _STEADY if hops * _HOP_MS < _LONG_MS else _LONG_STEADY
        if not LOWEST <= hertz <= HIGHEST or inner.std() > steady * hertz:
            return None
        from_ms, to_ms = (origin_ms + hop * _HOP_MS + _HALF_MS for hop in (self.from_hop, self.last_hop))
        return Toned(hertz, from_ms, to_ms)


class ToneDetector:
    """One call's. Feed mu-law in order, in pieces of any length, the longer the cheaper."""

    def __init__(self) -> None:
        self._rest: Floats = np.zeros(0, np.float32)
        self._hop = 0
        self._run: _Run | None = None

    def hear(self, sound: bytes, at_ms: int) -> list[Toned]:
        """The tones that have ended. `at_ms` is the time of the first sample of `sound`."""
        samples = np.concatenate((self._rest, mulaw.decode(sound)), dtype=np.float32)
        count = (samples.size - _WINDOW) // _HOP + 1
        if count < 1:
            self._rest = samples
            return []
        origin_ms = at_ms - self._rest.size // mulaw.BYTES_PER_MS - self._hop * _HOP_MS
        self._rest = samples[count * _HOP :]
        windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
        ended: list[Toned] = []
        for index, hertz in _pure(windows):
            hop = self._hop + index
            run = self._run
            if run is None or hop - run.last_hop > _BREAK_HOPS or not run.fits(hertz):
                ended += self._end(origin_ms)
                self._run = _Run(hop, hop, [hertz])
            else:
                run.add(hop, hertz)
        self._hop += count
        if self._run is not None and self._hop - self._run.last_hop > _BREAK_HOPS:
            ended += self._end(origin_ms)
        return ended

    def _end(self, origin_ms: int) -> list[Toned]:
        run, self._run = self._run, None
        tone = run.tone(origin_ms) if run is not None else None
        return [tone] if tone else []


def _pure(windows: Floats) -> list[tuple[int, float]]:
    """The windows that hold one tone and little else, by index, with its frequency."""
    power = np.einsum("ij,ij->i", windows, windows) / _WINDOW
    loud = np.flatnonzero(power >= _AUDIBLE)
    if not loud.size:
        return []
    spectrum = np.fft.rfft(windows[loud] * _SHAPE, _SPECTRUM, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    peak = power[:, _FIRST:_LAST].argmax(axis=1) + _FIRST
    sums = np.cumsum(power, axis=1)
    rows = np.arange(loud.size)
    total = sums[:, -1] - sums[:, int(200 / _HERTZ)]
    lobe = sums[rows, peak + _LOBE] - sums[rows, peak - _LOBE - 1]
    found = []
    for row in np.flatnonzero(lobe >= _PURE * total):
        bin_ = int(peak[row])
        left, middle, right = np.log(power[row, bin_ - 1 : bin_ + 2] + 1e-9)
        shift = 0.5 * (left - right) / (left - 2 * middle + right - 1e-9)
        found.append((int(loud[row]), float((bin_ + shift) * _HERTZ)))
    return found
