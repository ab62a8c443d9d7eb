"""Keys as tones, made here after ITU-T Q.23; the limits are those of Q.24."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exchange.voices import clip, texts, voices
from app.telephony import mulaw
from app.telephony.dtmf import COLUMNS, KEYS, ROWS, KeyDetector, Tone


def key(
    digit: str, ms: float = 60, *, level: float = 4000, twist_db: float = 0, off: tuple[float, float] = (0, 0)
) -> np.ndarray:
    """`off` is how far both frequencies are wrong; `twist_db` how much louder the row is."""
    index = KEYS.index(digit)
    at = np.arange(int(ms * 8)) / 8000
    row = np.sin(2 * np.pi * ROWS[index // 4] * (1 + off[0]) * at) * 10 ** (twist_db / 40)
    column = np.sin(2 * np.pi * COLUMNS[index % 4] * (1 + off[1]) * at) * 10 ** (-twist_db / 40)
    return (row + column) * level / 2


def pause(ms: float) -> np.ndarray:
    return np.zeros(int(ms * 8))


def heard(*parts: np.ndarray, piece: int = 800, noise: float = 15.0) -> list[Tone]:
    sound = np.concatenate((*parts, pause(200)))
    sound = sound + np.random.default_rng(7).normal(0, noise, sound.size)
    line = mulaw.encode(np.rint(sound.clip(-32000, 32000)).astype(np.int16))
    detector = KeyDetector()
    return [tone for at in range(0, len(line), piece) for tone in detector.hear(line[at : at + piece], at // 8)]


def digits(*parts: np.ndarray, piece: int = 800, noise: float = 15.0) -> str:
    return "".join(tone.digit for tone in heard(*parts, piece=piece, noise=noise))


@given(
    st.text(KEYS, min_size=1, max_size=8), st.floats(40, 140), st.floats(40, 150), st.sampled_from([160, 400, 800, 801])
)
def test_sequences_are_heard_however_they_are_cut_into_pieces(dialled: str, ms: float, gap: float, piece: int) -> None:
    assert digits(*(part for digit in dialled for part in (pause(gap), key(digit, ms))), piece=piece) == dialled


def test_a_key_is_told_with_the_time_it_began() -> None:
    first, second = heard(pause(300), key("4", 80), pause(100), key("4", 80))
    assert first.at_ms == pytest.approx(300, abs=15)
    assert second.at_ms == pytest.approx(480, abs=15)


def test_times_go_on_from_piece_to_piece() -> None:
    line = mulaw.encode(np.rint(key("7", 100)).astype(np.int16))
    detector = KeyDetector()
    assert detector.hear(mulaw.silence(100), 5000) == []
    assert detector.hear(line, 5100)[0].at_ms == pytest.approx(5100, abs=15)


@pytest.mark.parametrize("digit", KEYS)
@pytest.mark.parametrize("off", [(0.015, 0.015), (-0.015, 0.015), (0.015, -0.015), (-0.015, -0.015)])
def test_frequencies_a_little_off_are_taken(digit: str, off: tuple[float, float]) -> None:
    assert digits(pause(50), key(digit, 45, off=off)) == digit


@pytest.mark.parametrize("digit", KEYS)
@pytest.mark.parametrize("off", [(0.035, 0), (-0.035, 0), (0, 0.035), (0, -0.035), (0.06, 0.06)])
def test_frequencies_far_off_are_refused(digit: str, off: tuple[float, float]) -> None:
    assert digits(pause(50), key(digit, 100, off=off)) == ""


@pytest.mark.parametrize("digit", KEYS)
def test_23_ms_are_too_short(digit: str) -> None:
    assert all(digits(pause(50 + offset), key(digit, 23)) == "" for offset in range(5))


@pytest.mark.parametrize(("twist_db", "taken"), [(-8, "5"), (4, "5"), (-14, ""), (14, "")])
def test_one_tone_may_be_weaker_but_not_much(twist_db: float, taken: str) -> None:
    assert digits(pause(50), key("5", twist_db=twist_db)) == taken


def test_a_short_interruption_does_not_make_two_of_one_key() -> None:
    assert digits(pause(50), key("8", 50), pause(10), key("8", 50)) == "8"
    assert digits(pause(50), key("8", 50), pause(40), key("8", 50)) == "88"


def test_another_key_in_the_middle_of_a_long_one_does_not_double_it() -> None:
    assert digits(pause(50), key("8", 80), key("0", 16), key("8", 80)) == "8"


@pytest.mark.parametrize("level", [150, 1000, 30000])
def test_soft_and_loud_keys(level: float) -> None:
    assert digits(pause(50), key("3", level=level), pause(60), key("#", level=level), noise=4) == "3#"


def test_keys_in_noise() -> None:
    noise = 4000 / 2 / 10 ** (15 / 20)  # 15 dB below both tones
    assert digits(pause(50), key("1", 60), pause(60), key("D", 60), noise=noise) == "1D"


def test_one_tone_alone_is_no_key() -> None:
    at = np.arange(4000) / 8000
    assert digits(*(3000 * np.sin(2 * np.pi * hertz * at) for hertz in (*ROWS, *COLUMNS, 440.0))) == ""


@pytest.mark.parametrize("voice", voices())
def test_no_key_in_a_voice(voice: str) -> None:
    for text in texts(voice)[::3]:
        assert KeyDetector().hear(clip(voice, text), 0) == [], text
