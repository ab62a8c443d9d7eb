from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ml.leakage import SUSPICIOUS_AUC, auc, named_after_the_call, reasons, single_auc


@pytest.mark.parametrize(
    "name", ["duration", "callDuration", "call_seconds", "disposition", "Call Outcome", "converted_at", "y_hangup"]
)
def test_names_known_only_after_the_call(name: str) -> None:
    assert named_after_the_call(name, "bought")


@pytest.mark.parametrize("name", ["poutcome", "previous_outcome", "last_call_duration", "tenure", "calls", "month"])
def test_names_about_earlier_calls_or_the_lead_are_fine(name: str) -> None:
    assert named_after_the_call(name, "churn") is None


def test_a_name_that_contains_the_label() -> None:
    assert named_after_the_call("churn_reason", "churn")
    assert named_after_the_call("churn", "churn") is None


def test_a_column_that_all_but_tells_the_label_is_found_in_any_shape() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(2_000) < 0.2).astype(np.int8)
    straight = y + rng.normal(0, 0.1, 2_000)
    peak = np.where(y == 1, rng.normal(0, 0.02, 2_000), rng.choice([-1.0, 1.0], 2_000) + rng.normal(0, 0.1, 2_000))
    filled_later = np.where(y == 1, 5.0, np.nan)
    for leak in (straight, -straight, peak, filled_later):
        assert single_auc(leak, y, category=False) > SUSPICIOUS_AUC
    honest = y * 0.8 + rng.normal(0, 1, 2_000)
    assert single_auc(honest, y, category=False) < 0.85


def test_a_category_of_single_rows_is_not_mistaken_for_a_leak() -> None:
    y = np.tile(np.array([0, 1], dtype=np.int8), 500)
    assert single_auc(np.arange(1_000) // 2 * 1.0, y, category=True) == 0.5


def test_allowed_by_name() -> None:
    found = reasons(["duration", "age"], "y", {"duration": 0.8, "age": 0.99}, allowed=["duration"])
    assert list(found) == ["age"]
    assert "--allow age" in found["age"]


def test_auc_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(300) < 0.3).astype(np.int8)
    score = np.round(rng.normal(size=300), 1)
    assert auc(y, score) == pytest.approx(roc_auc_score(y, score))
