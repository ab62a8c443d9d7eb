"""G.711 mu-law at 8000 Hz: one byte a sample, 160 bytes every 20 ms.

Both directions are table look-ups; the tables are the ITU-T G.711 definition written out.
"""

from __future__ import annotations

import audioop
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 8000
BYTES_PER_MS = RATE // 1000
FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
SILENCE = 0xFF  # not 0x00, which is the loudest negative sample

Samples = npt.NDArray[np.int16]

_BIAS = 0x84
_CLIP = 32635


def _decode_table() -> Samples:
    codes = ~np.arange(256, dtype=np.uint8)
    exponent = (codes >> 4) & 0x07
    mantissa = (codes & 0x0F).astype(np.int32)
    magnitude = (((mantissa << 3) + _BIAS) << exponent) - _BIAS
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


def _encode_table() -> npt.NDArray[np.uint8]:
    """Indexed by the sample seen as an unsigned 16-bit number; only its upper 14 bits count."""
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32) >> 2 << 2
    sign = np.where(samples < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(samples), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    codes: npt.NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return codes


_DECODE = _decode_table()
_ENCODE = _encode_table()
_POWER = _DECODE.astype(np.float32) ** 2
_add: Any = np.add.reduce


def decode(mulaw: bytes) -> Samples:
    return _DECODE[np.frombuffer(mulaw, np.uint8)]


def encode(samples: Samples) -> bytes:
    return _ENCODE[samples.view(np.uint16)].tobytes()


def level(mulaw: bytes) -> int:
    """Root mean square of the samples, 0 to 32124; 0 for no audio."""
    return audioop.rms(audioop.ulaw2lin(mulaw, 2), 2) if mulaw else 0  # a sixth of the time NumPy takes for one frame


def levels(mulaw: bytes) -> npt.NDArray[np.float32]:
    """The same for each whole frame."""
    whole = len(mulaw) // FRAME_BYTES * FRAME_BYTES
    powers = _POWER.take(np.frombuffer(mulaw, np.uint8, whole)).reshape(-1, FRAME_BYTES)
    found: npt.NDArray[np.float32] = np.sqrt(_add(powers, axis=1) / FRAME_BYTES)
    return found


def silence(ms: int) -> bytes:
    return bytes([SILENCE]) * (ms * BYTES_PER_MS)


def duration_ms(mulaw: bytes) -> int:
    """Whole milliseconds."""
    return len(mulaw) // BYTES_PER_MS


def frames(mulaw: bytes) -> Iterator[bytes]:
    """20 ms at a time; the last frame is filled up with silence."""
    for start in range(0, len(mulaw), FRAME_BYTES):
        yield mulaw[start : start + FRAME_BYTES].ljust(FRAME_BYTES, bytes([SILENCE]))
