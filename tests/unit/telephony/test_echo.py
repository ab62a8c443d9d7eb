"""Our own voice told from another's, with recorded voices over made-up echo paths."""

import numpy as np
import pytest

from app.exchange import voices
from app.telephony import mulaw
from app.telephony.echo import Echo, Whose
from app.telephony.volume import gain

FRAME = mulaw.FRAME_BYTES


def clip(voice: str, place: int) -> np.ndarray:
    """A saying of at least two seconds, from its first sound."""
    long = [text for text in voices.texts(voice) if len(text) > 30]
    sound = mulaw.decode(voices.clip(voice, long[place % len(long)])).astype(float)
    return sound[int(np.argmax(np.abs(sound) > 300)) :]


def came_back(sound: np.ndarray, after_ms: int, db: float) -> np.ndarray:
    noise = np.random.default_rng(after_ms).standard_normal(len(sound)) * 15
    return np.concatenate([np.zeros(after_ms * 8), sound])[: len(sound)] * gain(db) + noise


def listened(ours: np.ndarray, theirs: np.ndarray, from_ms: int, to_ms: int) -> Whose:
    echo = Echo()
    said = mulaw.encode(ours.clip(-32000, 32000).astype(np.int16))
    heard = mulaw.encode(theirs.clip(-32000, 32000).astype(np.int16))
    for at in range(0, to_ms * 8, FRAME):
        echo.heard(heard[at : at + FRAME], at / 8)
    for at in range(0, (to_ms + 200) * 8, 5 * FRAME):
        echo.played(said[at : at + 5 * FRAME], at / 8)
    return echo.whose(from_ms, to_ms)


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(("after_ms", "db"), [(40, -8), (150, -16), (420, -22)])
def test_our_voice_come_back_is_known_whatever_its_delay(place, after_ms, db):
    ours = clip("awb", place)
    assert listened(ours, came_back(ours, after_ms, db), after_ms + 60, after_ms + 380) is Whose.OURS


@pytest.mark.parametrize("place", range(6))
def test_another_voice_is_not_ours(place):
    assert listened(clip("awb", place), clip("rms", place), 60, 380) is not Whose.OURS


@pytest.mark.parametrize("place", range(6))
def test_another_voice_over_our_echo_is_not_ours(place):
    ours, theirs = clip("awb", place), clip("rms", place)
    size = min(len(ours), len(theirs))
    assert listened(ours, came_back(ours, 120, -20)[:size] + theirs[:size], 200, 520) is not Whose.OURS


def test_while_we_are_silent_every_voice_is_the_callers():
    silent = np.zeros(16_000)
    assert listened(silent, clip("rms", 1), 60, 380) is Whose.THEIRS
    echo = Echo()
    echo.heard(b"\x10" * 800, 5000)
    assert echo.whose(5000, 5100) is Whose.THEIRS


def test_silence_and_moments_too_short_are_nobodys():
    ours = clip("awb", 0)
    assert listened(ours, np.zeros(len(ours)), 60, 380) is Whose.UNKNOWN
    assert listened(ours, came_back(ours, 40, -8), 100, 160) is Whose.UNKNOWN


def test_what_was_taken_back_was_not_played():
    ours = clip("awb", 2)
    said = mulaw.encode(ours.astype(np.int16))
    echo = Echo()
    for at in range(0, len(said), FRAME):
        echo.heard(said[at : at + FRAME], at / 8 + 100)
    echo.played(said, 0.0)
    assert echo.whose(1000, 1300) is Whose.OURS
    echo.silenced(150)
    assert echo.whose(1000, 1300) is Whose.THEIRS
