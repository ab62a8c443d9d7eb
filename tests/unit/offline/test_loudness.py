"""Synthetic speech made fit for the telephone."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from app.errors import ProviderRefused
from app.providers.offline import loudness
from app.telephony import mulaw


def a_wav(samples: np.ndarray, rate: int = 16000, channels: int = 1) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.astype("<i2").tobytes())
    return made.getvalue()


def a_tone(seconds: float, hertz: float = 440, rate: int = 16000, height: float = 3000) -> np.ndarray:
    return height * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def test_silence_around_speech_is_cut_and_the_level_is_minus_18_dbfs() -> None:
    quiet = np.zeros(8000)
    clip = loudness.telephone(a_wav(np.concatenate([quiet, a_tone(0.5), quiet])))
    assert 480 <= mulaw.duration_ms(clip) <= 560
    assert 20 * np.log10(mulaw.level(clip) / 32768) == pytest.approx(-18, abs=0.7)


def test_what_the_telephone_cannot_carry_is_removed_not_folded_back() -> None:
    both = a_tone(0.5, 440) + a_tone(0.5, 5200)
    heard = loudness.from_wav(a_wav(both))
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(heard.size)))
    hertz = np.fft.rfftfreq(heard.size, 1 / 8000)
    assert hertz[spectrum.argmax()] == pytest.approx(440, abs=5)
    assert spectrum[(hertz > 2500)].max() < spectrum.max() / 100  # 5200 Hz would fold to 2800 Hz


def test_a_peak_limits_the_gain() -> None:
    spiky = np.zeros(8000)
    spiky[::400] = 20000
    assert np.abs(loudness.levelled(spiky)).max() <= loudness.PEAK + 1


def test_silence_and_stereo_are_refused() -> None:
    with pytest.raises(ProviderRefused, match="silence"):
        loudness.telephone(a_wav(np.zeros(8000)))
    with pytest.raises(ProviderRefused, match="2 channels"):
        loudness.telephone(a_wav(np.zeros(8000), channels=2))
    with pytest.raises(ProviderRefused, match="no WAV"):
        loudness.telephone(b"nothing of the kind")
