"""Which recordings a voice may be copied from."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from app import voice_samples
from app.errors import BadInput


def recorded(
    path: Path, seconds: float, *, rate: int = 16_000, width: int = 2, channels: int = 1, level: int = 8000
) -> Path:
    noise = np.random.default_rng(len(path.name)).integers(-level - 1, level + 1, int(seconds * rate) * channels)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(noise.astype("<i2" if width == 2 else "<i4").tobytes())
    return path


def test_good_recordings_are_read_as_they_are(tmp_path: Path) -> None:
    paths = [recorded(tmp_path / "a.wav", 20), recorded(tmp_path / "ab.wav", 15, rate=44_100, channels=2)]
    found = voice_samples.samples(paths)
    assert [each.data for each in found] == [path.read_bytes() for path in paths]
    assert [round(each.seconds) for each in found] == [20, 15]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"rate": 8000}, "at least 16000 Hz"),
        ({"width": 4}, "32 bits"),
        ({"level": 20}, "is silent"),
        ({"seconds": 2.0}, "it must last 3 to 600 s"),
        ({"seconds": 29.0}, "30 to 600 s are needed"),
    ],
)
def test_what_holds_no_voice_is_refused_with_its_name(tmp_path: Path, changed: dict[str, float], says: str) -> None:
    path = recorded(tmp_path / "a.wav", **({"seconds": 31.0} | changed))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=says):
        voice_samples.samples([path])


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"ID3 and so on")
    for path, says in (
        (tmp_path / "a.mp3", "no WAV file"),
        (tmp_path / "nowhere.wav", "cannot be read"),
        (tmp_path, "cannot be read"),
    ):
        with pytest.raises(BadInput, match=says):
            voice_samples.samples([path])
    with pytest.raises(BadInput, match="1 to 25"):
        voice_samples.samples([])


def test_the_same_recording_twice_is_one(tmp_path: Path) -> None:
    first = recorded(tmp_path / "a.wav", 31)
    second = tmp_path / "b.wav"
    second.write_bytes(first.read_bytes())
    with pytest.raises(BadInput, match="the same recording"):
        voice_samples.samples([first, second])


def test_a_recording_larger_than_the_provider_takes(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.wav", 60, rate=48_000, channels=2)
    with pytest.raises(BadInput, match="larger than 10 MB"):
        voice_samples.samples([path])


def test_a_consent_is_shorter_than_samples_and_no_less_audible(tmp_path: Path) -> None:
    assert voice_samples.consent(recorded(tmp_path / "a.wav", 6)).sha256
    with pytest.raises(BadInput, match="it must last 2 to 120 s"):
        voice_samples.consent(recorded(tmp_path / "b.wav", 1))
    with pytest.raises(BadInput, match="is silent"):
        voice_samples.consent(recorded(tmp_path / "c.wav", 6, level=10))
