"""Makes synthetic speech ready for the telephone: 8000 Hz, no silence around it, one level. Pure."""

from __future__ import annotations

import io
import wave

import numpy as np
import numpy.typing as npt

from app.errors import ProviderRefused
from app.telephony import mulaw

LEVEL = 32768 * 10 ** (-18 / 20)  # root mean square of the voiced part: -18 dBFS, usual for telephone prompts
PEAK = 32768 * 10 ** (-1 / 20)
WINDOW = 80  # 10 ms
AUDIBLE = 0.02  # of the loudest window: what is below, at the edges, is silence
MARGIN = 2  # windows kept on each side, so that soft consonants survive

Floats = npt.NDArray[np.float64]


def from_wav(wav: bytes) -> Floats:
    """Samples at 8000 Hz of a 16-bit mono WAV. Raises ProviderRefused for any other sound."""
    try:
        with wave.open(io.BytesIO(wav)) as source:
            rate, width, channels = source.getframerate(), source.getsampwidth(), source.getnchannels()
            pcm = source.readframes(source.getnframes())
    except (wave.Error, EOFError) as error:
        raise ProviderRefused(f"speech synthesis gave no WAV: {error}") from error
    if (width, channels) != (2, 1):
        raise ProviderRefused(f"speech synthesis gave {channels} channels of {8 * width} bits; mono 16 bits are needed")
    return resample(np.frombuffer(pcm, "<i2").astype(np.float64), rate)


def resample(samples: Floats, rate: int) -> Floats:
    """To 8000 Hz through a windowed sinc; what lies above 3700 Hz is removed first."""
    if rate == mulaw.RATE or not samples.size:
        return samples
    cutoff = min(3700.0, 0.46 * rate) / rate
    taps = np.arange(-64, 65)
    kernel = 2 * cutoff * np.sinc(2 * cutoff * taps) * np.blackman(taps.size)
    smooth = np.convolve(samples, kernel / kernel.sum(), "same")
    at = np.arange(0, samples.size - 1, rate / mulaw.RATE)
    resampled: Floats = np.interp(at, np.arange(samples.size), smooth)
    return resampled


def trimmed(samples: Floats) -> Floats:
    """Without the silence at both ends; empty when there is nothing else."""
    count = samples.size // WINDOW
    if not count:
        return samples[:0]
    power = np.sqrt((samples[: count * WINDOW].reshape(count, WINDOW) ** 2).mean(axis=1))
    loudest = float(power.max())
    if loudest < 1:
        return samples[:0]
    audible = np.flatnonzero(power > AUDIBLE * loudest)
    first, last = max(0, int(audible[0]) - MARGIN), min(count, int(audible[-1]) + 1 + MARGIN)
    return samples[first * WINDOW : last * WINDOW]


def levelled(samples: Floats) -> Floats:
    """At `LEVEL`, measured where there is voice, but never clipped; the very edges are faded against clicks."""
    if not samples.any():
        return samples
    loudest = float(np.abs(samples).max())
    voiced = samples[np.abs(samples) > AUDIBLE * loudest]
    gain = min(LEVEL / float(np.sqrt((voiced**2).mean())), PEAK / loudest)
    fade = min(40, samples.size // 2)
    shape = np.ones(samples.size)
    shape[:fade] = np.linspace(0, 1, fade)
    shape[samples.size - fade :] = np.linspace(1, 0, fade)
    return samples * gain * shape


def telephone(wav: bytes) -> bytes:
    """Mu-law of what a WAV says. Raises ProviderRefused when it is no speech."""
    samples = levelled(trimmed(from_wav(wav)))
    if not samples.size:
        raise ProviderRefused("speech synthesis gave silence")
    return mulaw.encode(np.rint(samples).astype(np.int16))
