"""Sound that is kept: both sides, in a file anybody can play."""

import io
import struct
import wave

import numpy as np
import pytest

from app.exchange.personas import HangUp, Silence, Speak
from app.exchange.recording import PROVENANCE, Tape, read_wav, wav
from app.exchange.sound import is_loud, mix, murmur, murmured, tone
from app.telephony import mulaw


def channels(data: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(data)) as sound:
        assert (sound.getsampwidth(), sound.getframerate()) == (2, 8000)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, sound.getnchannels())


def test_the_caller_is_left_and_what_was_heard_is_right(town):
    town = town({"/voice": "<Response><Pause length='2'/><Say>good morning</Say></Response>"})
    record = town.call(Silence(500), Speak("hello"), Silence(9000))
    sound = channels(record.tape.wav())
    left, right = sound[:, 0], sound[:, 1]
    assert np.abs(left[4000 : 4000 + 3000]).max() > 1000
    assert np.abs(right[:15_900]).max() < 10
    assert np.array_equal(
        right[right.nonzero()[0][0] :][:100], mulaw.decode(murmured("good morning").lstrip(b"\xff"))[:100]
    )


def test_the_file_says_that_its_speech_is_synthetic():
    tape = Tape()
    tape.add(murmur(20), murmur(20))
    data = tape.wav()
    at = data.index(b"LIST")
    size = struct.unpack("<I", data[at + 4 : at + 8])[0]
    chunk = data[at + 8 : at + 8 + size]
    assert chunk.startswith(b"INFO")
    assert PROVENANCE.encode() in chunk
    assert b"Strowger" in chunk
    assert channels(data).shape == (160, 2)  # and a reader that does not know the chunk skips it


def test_both_sides_are_as_long_as_the_call(town):
    record = town({"/voice": "<Response><Pause length='3'/></Response>"}).call(Silence(1000), Speak("hi"), HangUp())
    assert len(record.tape.said) == len(record.tape.heard) == record.tape.ms * 8
    assert record.tape.ms == pytest.approx(1000 + 200, abs=60)


def test_a_wav_file_is_read_back():
    sound = murmur(500)
    assert read_wav(wav([sound])) == sound
    quiet_left = read_wav(wav([mulaw.silence(500), sound]))
    assert mulaw.level(quiet_left) == pytest.approx(mulaw.level(sound) / 2, rel=0.05)


@pytest.mark.parametrize(
    "data", [b"", b"ID3 mp3", b"RIFF\0\0\0\0WAVE", wav([murmur(20)]).replace(b"\x40\x1f", b"\x44\xac", 1)]
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="WAV"):
        read_wav(data)


def test_voices_are_mixed_without_wrapping_around():
    loud = tone(200, ms=20, amplitude=30_000)
    both = mulaw.decode(mix([loud, loud]))
    assert np.abs(both.astype(int)).max() > 31_000
    assert np.sign(both[np.abs(both) > 1000]).tolist() == np.sign(mulaw.decode(loud)[np.abs(both) > 1000]).tolist()
    assert not is_loud(mix([]))
