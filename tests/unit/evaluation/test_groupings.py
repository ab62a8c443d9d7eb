import random

import numpy as np
import pytest

from app.errors import BadInput
from app.evaluation.groupings import GROUPINGS, _dictated, made
from app.telephony import mulaw

CLIPS = {str(digit): [np.full(mulaw.RATE // 4, 3000.0)] for digit in range(10)}  # a quarter of a second each


@pytest.mark.parametrize("sizes", GROUPINGS.values())
def test_a_number_is_as_long_as_its_digits_and_pauses(sizes):
    recording = _dictated("one", CLIPS, sizes, random.Random(1))
    pauses = recording.row["pauses"]
    assert len(recording.row["digits"]) == 10
    assert len(pauses) == 9
    assert sum(pause >= 0.3 for pause in pauses) == len(sizes) - 1
    lead_s = recording.row["turn_end"] - 2.5 - sum(pauses)
    assert 0.29 <= lead_s <= 0.81
    assert recording.seconds == pytest.approx(recording.row["turn_end"] + 2)


def test_the_same_seed_makes_the_same_number():
    one, two = (_dictated("one", CLIPS, (3, 3, 4), random.Random(7)) for _ in range(2))
    assert one.row == two.row
    assert np.array_equal(one.samples, two.samples)


def test_a_folder_without_digits_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="no digits"):
        list(made(tmp_path))
