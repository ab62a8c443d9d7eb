import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.telephony import mulaw


def test_every_code_survives_decoding_and_encoding():
    codes = bytes(range(256))
    again = mulaw.encode(mulaw.decode(codes))
    assert again.replace(b"\xff", b"\x7f") == codes.replace(b"\xff", b"\x7f")  # two codes mean zero


def test_agrees_with_audioop_on_every_sample_and_code():
    audioop = pytest.importorskip("audioop")
    samples = np.arange(-32768, 32768).astype(np.int16)
    assert mulaw.encode(samples) == audioop.lin2ulaw(samples.tobytes(), 2)
    codes = bytes(range(256))
    assert mulaw.decode(codes).tobytes() == audioop.ulaw2lin(codes, 2)


def test_silence_is_silent_and_zero_bytes_are_not():
    assert mulaw.level(mulaw.silence(20)) == 0
    assert mulaw.level(bytes(160)) > 30000
    assert mulaw.level(b"") == 0


def test_level_of_a_tone_is_its_amplitude_over_root_two():
    tone = (8000 * np.sin(np.arange(8000) * 2 * np.pi * 440 / 8000)).astype(np.int16)
    assert mulaw.level(mulaw.encode(tone)) == pytest.approx(8000 / 2**0.5, rel=0.02)


@given(st.binary(max_size=1000))
def test_frames_are_20_ms_and_lose_nothing(audio):
    frames = list(mulaw.frames(audio))
    assert all(len(frame) == 160 for frame in frames)
    joined = b"".join(frames)
    assert joined[: len(audio)] == audio
    assert set(joined[len(audio) :]) <= {mulaw.SILENCE}
    assert len(joined) - len(audio) < 160
