"""Recordings somebody hands in to have a voice copied: read, and refused where nothing good could come of them."""

from __future__ import annotations

import hashlib
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from app.errors import BadInput

MOST_BYTES = 10 * 1024 * 1024  # of one recording; the provider takes no larger ones
MOST_SAMPLES = 25
LEAST_RATE = 16_000  # samples a second; a telephone's 8000 do not hold a voice
SAMPLES_S = (30.0, 600.0)  # of all together
SAMPLE_S = 3.0  # of one
CONSENT_S = (2.0, 120.0)
_QUIET = 100  # root mean square of 16 bits: below, nobody speaks


@dataclass(frozen=True, slots=True)
class Recording:
    """A WAV file as it was handed in."""

    name: str
    data: bytes
    seconds: float

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def consent(path: Path) -> Recording:
    """Of the speaker reading the wording aloud. Raises BadInput."""
    return _read(path, *CONSENT_S)


def samples(paths: Sequence[Path]) -> tuple[Recording, ...]:
    """Raises BadInput naming the file and what is wrong with it."""
    if not 1 <= len(paths) <= MOST_SAMPLES:
        raise BadInput(f"Give 1 to {MOST_SAMPLES} samples of the voice (--sample a.wav --sample b.wav).")
    found = tuple(_read(path, SAMPLE_S, SAMPLES_S[1]) for path in paths)
    if len({each.sha256 for each in found}) < len(found):
        raise BadInput("Two of the samples are the same recording; leave one out.")
    seconds = sum(each.seconds for each in found)
    if not SAMPLES_S[0] <= seconds <= SAMPLES_S[1]:
        raise BadInput(
            f"The samples last {seconds:.0f} s together; {SAMPLES_S[0]:.0f} to {SAMPLES_S[1]:.0f} s are needed, one or "
            "two minutes are best."
        )
    return found


def _read(path: Path, shortest_s: float, longest_s: float) -> Recording:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path} is larger than {MOST_BYTES // 2**20} MB; cut it into several.")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    try:
        with wave.open(BytesIO(data)) as recording:
            rate, width, frames = recording.getframerate(), recording.getsampwidth(), recording.getnframes()
            sound = recording.readframes(frames)
            channels = recording.getnchannels()
    except (wave.Error, EOFError) as error:
        raise BadInput(f"{path} is no WAV file of plain samples ({error}); save it as 16-bit PCM.") from None
    if width != 2 or channels not in (1, 2) or rate < LEAST_RATE:
        raise BadInput(
            f"{path} has {8 * width} bits, {channels} channels, {rate} Hz; 16 bits, one or two channels and at least "
            f"{LEAST_RATE} Hz are needed."
        )
    seconds = len(sound) / (width * channels * rate)
    if not shortest_s <= seconds <= longest_s:
        raise BadInput(f"{path} lasts {seconds:.1f} s; it must last {shortest_s:g} to {longest_s:g} s.")
    if np.sqrt(np.mean(np.frombuffer(sound, "<i2").astype(np.float64) ** 2)) < _QUIET:
        raise BadInput(f"{path} is silent.")
    return Recording(path.name, data, seconds)
