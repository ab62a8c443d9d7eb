"""The same recording as another line would have carried it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from app.telephony import mulaw

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]


def _noisy(samples: Floats, below_db: float) -> Floats:
    """White noise so far below the loud parts; the same for the same recording."""
    loud = np.percentile(np.abs(samples), 95) if samples.size else 0.0
    noise = np.random.default_rng(zlib.crc32(samples.tobytes())).normal(0, 1, samples.size)
    mixed: Floats = samples + noise * loud / np.sqrt(2) * 10 ** (-below_db / 20)
    return mixed


def _hum(samples: Floats) -> Floats:
    at = np.arange(samples.size) / mulaw.RATE
    mixed: Floats = samples + 250 * np.sin(2 * np.pi * 120 * at) + 150 * np.sin(2 * np.pi * 180 * at)
    return mixed


def _clipped(samples: Floats) -> Floats:
    """A loud line: 6 dB up, and whatever is then too loud is cut off."""
    return (samples * 2).clip(-16000, 16000)


def _late(samples: Floats) -> Floats:
    """Somebody who takes 0.8 s longer: a little noise, so that it is a line and not digital silence."""
    wait = np.random.default_rng(1).normal(0, 20, 800 * mulaw.BYTES_PER_MS)
    return np.concatenate((wait, samples))


VARIATIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "as recorded": lambda samples: samples,
    "18 dB softer": lambda samples: samples / 8,
    "loud and clipped": _clipped,
    "noise 15 dB below": lambda samples: _noisy(samples, 15),
    "mains hum": _hum,
    "0.8 s later": _late,
}
SHIFTED_MS: Mapping[str, int] = {"0.8 s later": 800}  # what is to be added to the times of the list


def varied(samples: Samples, name: str) -> Samples:
    """`samples` in the variation called `name`. Raises KeyError for one that is none."""
    changed = VARIATIONS[name](samples.astype(np.float64))
    return np.rint(changed.clip(-32768, 32767)).astype(np.int16)
