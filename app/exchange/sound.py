"""Sounds of a telephone line, mu-law 8 kHz: beeps, keys, a murmur where nobody gave us a voice, and mixing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from app.telephony import mulaw

FRAME_MS = mulaw.FRAME_MS
FRAME_BYTES = mulaw.FRAME_BYTES
QUIET = mulaw.silence(FRAME_MS)
LOUD = 200.0  # root mean square; line noise lies below, a soft voice above
RATE = mulaw.RATE
BYTES_PER_MS = mulaw.BYTES_PER_MS

Voice = Callable[[str], bytes]  # text in, mu-law out; may take long, so it is called off the event loop

_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
_KEYS = {key: (_ROWS[i // 4], _COLUMNS[i % 4]) for i, key in enumerate("123A456B789C*0#D")}


def is_loud(frame: bytes) -> bool:
    return frame != QUIET and mulaw.level(frame) >= LOUD


def tone(*hertz: float, ms: int, amplitude: float = 6000.0) -> bytes:
    """Sines added together."""
    at = np.arange(ms * BYTES_PER_MS) / RATE
    wave = sum((np.sin(2 * np.pi * f * at) for f in hertz), np.zeros(len(at)))
    return mulaw.encode((wave * amplitude).astype(np.int16))


def key(digit: str, ms: int = 100) -> bytes:
    return tone(*_KEYS[digit.upper()], ms=ms)


@lru_cache(maxsize=64)
def murmur(ms: int, pitch: float = 120.0) -> bytes:
    """Something with the rhythm and loudness of speech: a buzz that swells four times a second."""
    at = np.arange(ms * BYTES_PER_MS) / RATE
    buzz: npt.NDArray[np.float64] = np.zeros(len(at))
    for harmonic in range(1, 12):
        buzz += np.sin(2 * np.pi * pitch * harmonic * at) / harmonic
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 4.0 * at)
    return mulaw.encode((buzz * swell * 4000).clip(-32000, 32000).astype(np.int16))


def murmured(text: str) -> bytes:
    """A Voice for when there is none: as long as it takes to say `text`."""
    return murmur(max(200, 65 * len(text)) // FRAME_MS * FRAME_MS)


def mix(frames: Iterable[bytes]) -> bytes:
    """Several people at once: audio of equal length."""
    voices = [frame for frame in frames if frame != QUIET]
    if len(voices) < 2:
        return voices[0] if voices else QUIET
    total = sum((mulaw.decode(frame).astype(np.int32) for frame in voices), np.zeros(len(voices[0]), np.int32))
    return mulaw.encode(total.clip(-32768, 32767).astype(np.int16))
