"""Keys heard as tones in the caller's sound: a stand-in where the carrier's own key events are missing.

A key is one row tone and one column tone at once (ITU-T Q.23). Every 5 ms the last 20 ms are compared with the eight
tones. A window is *solid* when one row and one column stand out, hold most of its power and are about as strong as each
other; from one window to the next the phase of both tells how far they are from their true frequency. A key is (after
ITU-T Q.24) some 35 ms of solid windows with both frequencies right: 40 ms must be taken and 23 ms refused, 1.5 % off
must be taken and 3.5 % refused. The same key counts again after a pause of 35 ms. Voices seldom hold two such tones
that long (talk-off).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from app.telephony import mulaw

KEYS = "123A456B789C*0#D"
ROWS, COLUMNS = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0, 1633.0)

_WINDOW, _HOP = 160, 40
_HOP_MS = _HOP // mulaw.BYTES_PER_MS
_TONES = np.array(ROWS + COLUMNS)
_TURNS = 2 * np.pi * _TONES / mulaw.RATE  # of each tone's phase in one sample
_BLOCKS = _WINDOW // _HOP  # hops in a window
_WAVES = np.exp(-1j * np.outer(np.arange(_WINDOW), _TURNS)).astype(np.complex64) * np.float32(np.sqrt(2) / _WINDOW)
# The same for one hop as the first, second ... of a window, side by side: each hop is multiplied once, not four times.
_HOP_WAVES = np.ascontiguousarray(np.hstack(np.split(_WAVES, _BLOCKS)).view(np.float32))
_BACK = np.exp(-1j * _TURNS * _HOP).astype(np.complex64)

_AUDIBLE = 60.0**2  # mean square of a window; -47 dBm0
_SOLID_SHARE = 0.5  # of the window's power is in the two tones
_STANDS_OUT = 4.0  # times the next best row, and column
_TWIST = (10**-0.9, 10**0.9)  # row over column: 9 dB either way, for what a line may add to Q.24's 4 and 8
_SOLID_HOPS = 7
_PAUSE_HOPS = 6
_OFF_FREQUENCY = 0.024
_STEADY = 0.9  # how well the phases of a true tone agree, of 1

Floats = npt.NDArray[np.float32]

_PRESSED_MS, _PAUSE_MS, _LEVEL = 120, 100, 6000


def tones(keys: str) -> bytes:
    """Mu-law of somebody pressing these keys, one after the other."""
    at = np.arange(_PRESSED_MS * mulaw.BYTES_PER_MS)
    pressed = b""
    for key in keys:
        index = KEYS.index(key.upper())
        wave = np.sin(_TURNS[index // 4] * at) + np.sin(_TURNS[4 + index % 4] * at)
        pressed += mulaw.encode(np.rint(wave * _LEVEL).astype(np.int16)) + mulaw.silence(_PAUSE_MS)
    return pressed


@dataclass(frozen=True, slots=True)
class Tone:
    """A key that began to sound at `at_ms`; told once it is sure, while it may still sound."""

    digit: str
    at_ms: int


@dataclass(slots=True)
class _Run:
    """Solid windows of one key, one after the other, and how their phases went ahead of those of true tones."""

    key: int
    from_hop: int
    last_hop: int = 0
    hops: int = 0
    told: bool = False
    ahead: npt.NDArray[np.complex64] = field(default_factory=lambda: np.zeros(2, np.complex64))  # row, column
    weight: Floats = field(default_factory=lambda: np.zeros(2, np.float32))

    def add(self, hop: int, ahead: npt.NDArray[np.complex64]) -> None:
        self.last_hop = hop
        if self.hops:
            self.ahead += ahead
            self.weight += np.abs(ahead)
        self.hops += 1

    @property
    def sure(self) -> bool:
        if self.hops < _SOLID_HOPS:
            return False
        tolerance = _OFF_FREQUENCY * _HOP * _TURNS[[self.key // 4, 4 + self.key % 4]]
        true = np.abs(np.angle(self.ahead)) <= tolerance
        return bool((true & (np.abs(self.ahead) >= _STEADY * self.weight)).all())


class KeyDetector:
    """One call's. Feed mu-law in order, in pieces of any length, the longer the cheaper."""

    def __init__(self) -> None:
        self._rest: Floats = np.zeros(0, np.float32)
        self._before: npt.NDArray[np.complex64] = np.zeros(8, np.complex64)
        self._hop = 0  # windows so far
        self._run: _Run | None = None
        self._told: _Run | None = None  # the last one, when another came between

    def hear(self, sound: bytes, at_ms: int) -> list[Tone]:
        """`at_ms` is the time of the first sample of `sound`."""
        samples = np.concatenate((self._rest, mulaw.decode(sound)), dtype=np.float32)
        count = (samples.size - _WINDOW) // _HOP + 1
        if count < 1:
            self._rest = samples
            return []
        origin_ms = at_ms - self._rest.size // mulaw.BYTES_PER_MS - self._hop * _HOP_MS
        self._rest = samples[count * _HOP :]
        hops = samples[: (count + _BLOCKS - 1) * _HOP].reshape(-1, _HOP)
        power = _in_windows(np.einsum("ij,ij->i", hops, hops))
        self._hop += count
        if np.max(power) < _AUDIBLE:
            self._before = np.zeros(8, np.complex64)
            return []
        parts = (hops @ _HOP_WAVES).view(np.complex64).reshape(-1, _BLOCKS, len(_TONES))
        found = parts[:count, 0] + parts[1 : count + 1, 1] + parts[2 : count + 2, 2] + parts[3:, 3]
        told: list[Tone] = []
        for index, key in _solid(found, power):
            ahead = found[index] * (found[index - 1] if index else self._before).conj() * _BACK
            run = self._follow(key, self._hop - count + index, ahead[[key // 4, 4 + key % 4]])
            if not run.told and run.sure:
                run.told = True
                told.append(Tone(KEYS[key], origin_ms + run.from_hop * _HOP_MS))
        self._before = found[-1]
        return told

    def _follow(self, key: int, hop: int, ahead: npt.NDArray[np.complex64]) -> _Run:
        run = self._run
        if run is None or run.key != key or hop - run.last_hop > _PAUSE_HOPS:
            if run is not None and run.told:
                self._told = run
            again = self._told is not None and self._told.key == key and hop - self._told.last_hop <= _PAUSE_HOPS
            run = self._run = _Run(key, hop, told=again)
        run.add(hop, ahead)
        return run


def _in_windows(of_hops: Floats) -> Floats:
    """Means over each window, of sums over each hop."""
    sums: Floats = of_hops[:-3] + of_hops[1:-2] + of_hops[2:-1] + of_hops[3:]
    return sums / np.float32(_WINDOW)


def _solid(found: npt.NDArray[np.complex64], power: Floats) -> list[tuple[int, int]]:
    """The windows that hold a key, by their index, each with its key."""
    tones = found.real**2 + found.imag**2
    rows, columns = tones[:, :4], tones[:, 4:]
    row, column = rows.max(axis=1), columns.max(axis=1)
    solid = (row + column >= _SOLID_SHARE * power) & (power >= _AUDIBLE)
    if not solid.any():
        return []
    next_row, next_column = (np.partition(four, 2, axis=1)[:, 2] for four in (rows, columns))
    solid &= (row >= _STANDS_OUT * next_row) & (column >= _STANDS_OUT * next_column)
    solid &= (row >= _TWIST[0] * column) & (row <= _TWIST[1] * column)
    keys = rows.argmax(axis=1) * 4 + columns.argmax(axis=1)
    return [(int(index), int(keys[index])) for index in np.flatnonzero(solid)]
