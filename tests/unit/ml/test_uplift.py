"""What a call adds, against a truth that is known."""

from __future__ import annotations

import numpy as np
import pytest

from app.errors import BadTable
from ml.uplift import uplift

RNG = np.random.default_rng(21)
N = 40_000
P = RNG.random(N)
CALLED = (RNG.random(N) < 0.5).astype(np.int8)


def sales(chance_uncalled: np.ndarray, gain: np.ndarray, called: np.ndarray = CALLED) -> np.ndarray:
    return (RNG.random(N) < chance_uncalled + gain * called).astype(np.int8)


def test_the_gain_of_calling_the_best_scored_is_found() -> None:
    """A call adds p / 5: 10 % on average, and 18 to 20 % among the tenth that is scored best."""
    found = uplift(sales(np.full(N, 0.05), P / 5), P, CALLED)
    assert found.effect.value == pytest.approx(0.10, abs=0.01)
    assert found.effect.low < 0.10 < found.effect.high
    assert found.added[0].model.value == pytest.approx(19, abs=4)
    assert found.added[0].random == pytest.approx(10, abs=1)
    assert found.qini.low > 0
    assert found.auuc.value == pytest.approx(0.2 * (1 / 2 - 1 / 6), abs=0.01)  # the mean of (s - s^2 / 2) / 5
    assert found.fair


def test_a_score_of_who_buys_anyway_adds_nothing() -> None:
    """The best-scored buy with or without a call: a high AUC, and no gain in calling them first."""
    found = uplift(sales(P / 2, np.full(N, 0.1)), P, CALLED)
    assert abs(found.qini.value) < 0.006  # where calls work on the best-scored it is 0.017, above
    assert found.effect.value == pytest.approx(0.1, abs=0.015)


def test_without_a_lot_it_says_so() -> None:
    called = (RNG.random(N) < P).astype(np.int8)
    assert not uplift(sales(np.full(N, 0.05), P / 5, called), P, called).fair


def test_equal_scores_have_no_order() -> None:
    y, same = sales(np.full(N, 0.1), np.full(N, 0.1)), np.full(N, 0.3)
    found = uplift(y, same, CALLED, 20)
    assert found.qini.value == pytest.approx(0, abs=1e-12)
    assert found.added[0].model.value == pytest.approx(found.added[0].random)


def test_a_group_that_is_too_small_is_one_sentence() -> None:
    with pytest.raises(BadTable, match="at least 30"):
        uplift(np.ones(100, dtype=np.int8), np.ones(100), np.array([1] * 90 + [0] * 10, dtype=np.int8))
