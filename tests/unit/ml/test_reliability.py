"""What was promised beside what came."""

from __future__ import annotations

import numpy as np
import pytest

from ml.calibration import calibration_error, reliability


def test_groups_are_of_equal_size_and_ordered_by_promise() -> None:
    rng = np.random.default_rng(3)
    p = rng.random(1_000)
    y = (rng.random(1_000) < p).astype(np.int8)
    curve = reliability(y, p)
    assert [one.rows for one in curve] == [100] * 10
    assert [one.predicted for one in curve] == sorted(one.predicted for one in curve)
    assert sum(one.observed * one.rows for one in curve) == pytest.approx(int(y.sum()))
    assert calibration_error(y, p) == pytest.approx(np.mean([abs(one.predicted - one.observed) for one in curve]))


def test_fewer_rows_than_groups_make_no_empty_ones() -> None:
    assert [one.rows for one in reliability(np.array([0, 1, 1], np.int8), np.array([0.1, 0.5, 0.9]))] == [1, 1, 1]
