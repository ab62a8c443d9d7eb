from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialog.events import Toned
from app.exchange.sound import key, murmur
from app.exchange.voices import clip, texts, voices
from app.telephony import mulaw
from app.telephony.tones import ToneDetector


def sine(hertz: float, ms: int, level: float = 4000) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(ms * 8) / 8000)


def pause(ms: int) -> np.ndarray:
    return np.zeros(ms * 8)


def heard(*parts: np.ndarray | bytes, noise: float = 20.0, piece: int = 800) -> list[Toned]:
    sound = np.concatenate([mulaw.decode(part) if isinstance(part, bytes) else part for part in parts])
    sound = np.concatenate((sound, pause(200)))
    sound = sound + np.random.default_rng(3).normal(0, noise, sound.size)
    line, detector = mulaw.encode(np.rint(sound.clip(-32000, 32000)).astype(np.int16)), ToneDetector()
    return [tone for at in range(0, len(line), piece) for tone in detector.hear(line[at : at + piece], at // 8)]


@settings(max_examples=60)
@given(st.floats(370, 2150), st.integers(150, 1000), st.integers(0, 997), st.sampled_from([160, 800, 1601]))
def test_a_beep_is_placed_to_a_few_milliseconds(hertz: float, ms: int, before: int, piece: int) -> None:
    (tone,) = heard(pause(before), sine(hertz, ms), piece=piece)
    assert tone.from_ms == pytest.approx(before, abs=12)
    assert tone.to_ms == pytest.approx(before + ms, abs=12)
    assert tone.hertz == pytest.approx(hertz, rel=0.02)


@pytest.mark.parametrize("snr_db", [12, 20])
def test_a_beep_in_noise(snr_db: float) -> None:
    noise = 4000 / np.sqrt(2) / 10 ** (snr_db / 20)
    (tone,) = heard(pause(400), sine(1000, 300), pause(100), noise=noise)
    assert tone.to_ms == pytest.approx(700, abs=15)


@pytest.mark.parametrize("level", [150, 30000])
def test_a_soft_and_a_loud_beep(level: float) -> None:
    assert len(heard(pause(100), sine(1400, 200, level), noise=5)) == 1


def test_a_beep_right_after_speech() -> None:
    (tone,) = heard(murmur(1000), pause(40), sine(850, 400))
    assert tone.to_ms == pytest.approx(1440, abs=15)


@pytest.mark.parametrize(
    "sound",
    [
        key("5", 400),
        sine(440, 500, 3000) + sine(480, 500, 3000),  # ringing
        sine(350, 500, 3000) + sine(440, 500, 3000),  # dial tone
        sine(1000, 60),  # too short
        sine(200, 500),  # too low
        sine(2600, 500),  # too high
        4000 * np.sin(2 * np.pi * np.cumsum(np.linspace(500, 560, 3200)) / 8000),  # gliding
        murmur(1000),
    ],
)
def test_what_is_no_beep(sound: np.ndarray | bytes) -> None:
    assert heard(pause(100), sound) == []


@pytest.mark.parametrize("voice", voices())
def test_voices_do_not_beep(voice: str) -> None:
    for text in texts(voice)[::3]:
        assert heard(clip(voice, text)) == [], text
