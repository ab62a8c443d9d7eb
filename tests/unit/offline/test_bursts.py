import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.offline.bursts import HOP_MS, bursts, bursts_in
from app.providers.scripted import tone
from app.telephony import mulaw


def swells(count: int, quiet_db: float = -60.0, *, loud_ms: int = 300, gap_ms: int = 120) -> np.ndarray:
    loud, gap = [-20.0] * (loud_ms // HOP_MS), [quiet_db] * (gap_ms // HOP_MS)
    return np.array(gap + (loud + gap) * count)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_each_swell_is_counted_once(count):
    assert bursts(swells(count)) == count


def test_a_shallow_dip_is_part_of_a_syllable():
    assert bursts(swells(4, -26.0)) <= 1


def test_what_is_far_below_the_loudest_is_no_burst():
    assert bursts(np.concatenate([swells(2), swells(2) - 30])) == 2


def test_nothing_has_no_bursts():
    assert bursts(np.array([])) == 0


def test_the_bursts_of_a_sound_are_those_of_its_loudness():
    beep, gap = tone(300), mulaw.silence(150)
    assert bursts_in(gap + beep + gap + beep + gap + beep) == 3
    assert bursts_in(b"") == 1  # whoever asks has heard a voice


@given(st.lists(st.floats(-90, 0), max_size=300))
def test_any_sound_has_some_number_of_bursts(levels):
    assert 0 <= bursts(np.array(levels)) <= len(levels)
