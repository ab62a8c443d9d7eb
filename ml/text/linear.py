"""Training with weights of words, one logistic regression per label: for large sets, and where several labels may hold
at once.

The probability from which a label holds is the one with the best F1 on a fifth of the texts, by a model trained on the
others; then all texts are learned from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.errors import BadTable
from ml.text.features import Floats
from ml.text.kernel import Prepared, prepare
from ml.text.model import Linear, TextModel
from ml.text.vectors import installed

LOOSENESS = 1.0  # the inverse of the weights' penalty
VECTORS = 1.5  # how much the vectors weigh beside the words
COMMON, COMMON_PIECES = 2, 5  # texts that must have a word, a piece of a word
STEPS = 90
FOLDS = 5

Truth = NDArray[np.bool_]


def train_several(texts: Sequence[str], labels: Sequence[Sequence[str]], names: Sequence[str]) -> TextModel:
    """`labels` are those of each text. Raises BadTable for a label that no text has, or every one."""
    order = sorted(range(len(texts)), key=lambda at: (texts[at], tuple(sorted(labels[at]))))
    truth = np.array([[name in labels[at] for name in names] for at in order], dtype=bool).reshape(-1, len(names))
    if not len(texts) or truth.all(axis=0).any() or not truth.any(axis=0).all():
        raise BadTable("every label must be there in some texts and absent in others.")
    prepared = prepare([texts[at] for at in order], installed(), COMMON, COMMON_PIECES)
    held_out = np.arange(len(order)) % FOLDS == 0  # in alphabetical order: as good as by chance
    first = fit(_rows(prepared, ~held_out), truth[~held_out])
    cutoffs = best_cutoffs(_likely(_rows(prepared, held_out), first), truth[held_out])
    learned, intercepts = fit(prepared, truth)
    return TextModel(labels=tuple(names), eyes=prepared.eyes, learned=learned, intercepts=intercepts, cutoffs=cutoffs)


def fit(prepared: Prepared, truth: Truth) -> tuple[Linear, Floats]:
    """Weights and intercepts, all labels at once."""
    from scipy.optimize import minimize

    words, vectors = prepared.features, prepared.vectors * np.float32(VECTORS)
    back, wanted = words.T.tocsr(), truth.astype(np.float32)
    wide, labels = words.shape[1], truth.shape[1]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(-1, labels).astype(np.float32)
        scores = words @ weights[:wide] + vectors @ weights[wide:-1] + weights[-1]
        penalty = float((weights[:-1] ** 2).sum()) / (2 * LOOSENESS)
        missed = 1 / (1 + np.exp(-scores)) - wanted
        slopes = np.vstack([back @ missed, vectors.T @ missed, missed.sum(axis=0)[None]])
        slopes[:-1] += weights[:-1] / LOOSENESS
        return float((np.logaddexp(0, scores) - scores * wanted).sum()) + penalty, slopes.ravel().astype(np.float64)

    start = np.zeros((wide + vectors.shape[1] + 1) * labels)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "maxcor": 8})
    weights = found.x.reshape(-1, labels).astype(np.float32)
    return Linear(weights[:wide].copy(), weights[wide:-1] * np.float32(VECTORS)), weights[-1].copy()


def _rows(prepared: Prepared, kept: NDArray[np.bool_]) -> Prepared:
    return Prepared(prepared.eyes, prepared.features[kept], prepared.vectors[kept])


def _likely(prepared: Prepared, fitted: tuple[Linear, Floats]) -> NDArray[np.float64]:
    learned, intercepts = fitted
    scores = prepared.features @ learned.weights + prepared.vectors @ learned.vector_weights + intercepts
    likely: NDArray[np.float64] = 1 / (1 + np.exp(-scores.astype(np.float64)))
    return likely


def best_cutoffs(likely: NDArray[np.float64], truth: Truth) -> Floats:
    """Per label the probability with the best F1."""
    return np.array([_cutoff(likely[:, at], truth[:, at]) for at in range(truth.shape[1])], dtype=np.float32)


def _cutoff(likely: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    order = np.argsort(-likely, kind="stable")
    right = np.cumsum(truth[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + truth.sum())
    return float(likely[order[int(np.argmax(f1))]])
