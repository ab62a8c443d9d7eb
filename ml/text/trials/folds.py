"""Folds, and the figures that are read off rows whose fold was left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]
FOLDS = 5


def stratified(labels: Sequence[Any], folds: int = FOLDS, seed: int = 0) -> list[tuple[Rows, Rows]]:
    """Rows to learn from and rows to ask about; every label is shared out evenly."""
    from sklearn.model_selection import StratifiedKFold

    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return list(split.split(np.zeros(len(labels)), np.asarray(labels)))


def grouped(groups: Sequence[str], folds: int = FOLDS, seed: int = 0) -> list[tuple[Rows, Rows]]:
    """Rows of one group are never on both sides."""
    from sklearn.model_selection import GroupKFold

    split = GroupKFold(folds, shuffle=True, random_state=seed)
    return list(split.split(np.zeros(len(groups)), groups=np.asarray(groups)))


def auc(truth: NDArray[Any], scores: NDArray[Any]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores))


def macro_f1(truth: NDArray[np.bool_], told: NDArray[np.bool_]) -> float:
    """The mean over columns of 2 hits / (told + true)."""
    hits = (truth & told).sum(axis=0)
    return float((2 * hits / np.maximum(1, truth.sum(axis=0) + told.sum(axis=0))).mean())
