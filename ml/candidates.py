"""The learners that compete, the folds they compete on, and the choice between them.

The choice is by log loss on later rows: each fold trains on a beginning of the table and scores the stretch after it.
Whatever is within a small margin of the best loss is averaged with it (at most four, in log-odds), unless the best
alone beats that stack by more than two standard errors over the folds: with few stretches of time a winner by a hair is
luck, and learners that differ a little fail differently when the next period comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ml.columns import Schema
from ml.dataset import Beside, Dataset
from ml.encode import Block
from ml.linear import LinearPart, LinearSettings, fit_linear
from ml.trees import TreePart, TreeSettings, fit_trees

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Part = LinearPart | TreePart
SEED = 20_261
_MOST_IN_STACK = 4
FORWARD_MARGIN, INSIDE_MARGIN = 1.01, 1.005  # of the best loss: as good as the best


@dataclass(frozen=True, slots=True)
class Candidate:
    """A learner and how fast the past fades: `half_life` as a share of the rows, None for no fading."""

    name: str
    settings: LinearSettings | TreeSettings
    half_life: float | None = None

    def fit(self, schema: Schema, block: Block, y: NDArray[np.int8], beside: Beside | None = None) -> Part:
        """`block` in time order. Fixed seed, so the same rows give the same part."""
        weight = recency(len(y), self.half_life)
        if beside is not None:
            block, y = Block.join([block, beside.block]), np.concatenate([y, beside.y])
            weight = np.concatenate([weight, beside.weight])
        if isinstance(self.settings, LinearSettings):
            return fit_linear(schema, block, y, weight, self.settings)
        return fit_trees(schema, block, y, weight, self.settings, SEED)


BASELINE = Candidate("plain logistic regression", LinearSettings(c=1.0, plain=True))

_LOGISTIC = Candidate("logistic regression", LinearSettings())
_STRICT = Candidate("logistic regression, strongly regularised", LinearSettings(c=0.03))
_FREE = Candidate("logistic regression, weakly regularised", LinearSettings(c=3.0))
_RECENT = Candidate("logistic regression, recent rows first", LinearSettings(), 0.25)
_CAREFUL = Candidate("logistic regression, stamps shrunk, recent rows first", LinearSettings(stamp_scale=0.1), 0.25)
_BETWEEN = Candidate("logistic regression, stamps half shrunk", LinearSettings(stamp_scale=0.3))
_BOOSTED = Candidate("gradient boosting", TreeSettings("boosted"))
_BOOSTED_SLOW = Candidate("gradient boosting, shallow", TreeSettings("boosted", 150, 2, 0.07))
_BOOSTED_DEEP = Candidate("gradient boosting, deep and slow", TreeSettings("boosted", 200, 6, 0.035, ends=8))
_BOOSTED_BLIND = Candidate("gradient boosting without stamps", TreeSettings("boosted", stamps=False))
_FOREST = Candidate("random forest", TreeSettings("forest", 100, 8, leaf=15))


def forward_candidates(schema: Schema) -> tuple[Candidate, ...]:
    """For rows later than training."""
    if any(c.stamp for c in schema.features):
        return (_LOGISTIC, _RECENT, _CAREFUL, _BETWEEN, _STRICT, _BOOSTED, _BOOSTED_BLIND, _FOREST)
    return (_LOGISTIC, _STRICT, _RECENT, _BOOSTED, _BOOSTED_SLOW, _FOREST)


def inside_candidates() -> tuple[Candidate, ...]:
    """For rows from periods seen in training."""
    return (_LOGISTIC, _BOOSTED_SLOW, _BOOSTED_DEEP, _FOREST)


def quick_candidates() -> tuple[Candidate, ...]:
    """For tables where speed counts and the truth is smooth: the shipped model trains while someone waits."""
    return (_LOGISTIC, _FREE)


def recency(rows: int, half_life: float | None) -> Floats:
    """Weights that halve every `half_life` of the table, newest last; they sum to the number of rows they stand for."""
    if half_life is None:
        return np.ones(rows)
    weight = 0.5 ** ((rows - 1 - np.arange(rows)) / max(1.0, half_life * rows))
    return np.asarray(weight, dtype=np.float64)


def logit(part: Part, block: Block) -> Floats:
    base, terms = part.terms(block)
    return add_up(base, terms)


def add_up(base: float, terms: Floats) -> Floats:
    """Column after column, so that the sum of a row has the same bits in any company."""
    total = np.full(len(terms), base)
    for j in range(terms.shape[1]):
        total += terms[:, j]
    return total


def sigmoid(logits: Floats) -> Floats:
    p: Floats = 1 / (1 + np.exp(-np.clip(logits, -35, 35)))
    return p


def log_losses(y: NDArray[np.int8], logits: Floats) -> Floats:
    """Per row, computed from log-odds so that a sure mistake is not cut off."""
    held = np.clip(logits, -35, 35)
    loss: Floats = np.logaddexp(0, held) - y * held
    return loss


Fold = tuple[Rows, Rows]


def forward_folds(dataset: Dataset) -> list[Fold]:
    """Four stretches, each scored by what came before it. Random folds where the label is sorted or too rare."""
    n = len(dataset)
    cuts = (np.array([0.4, 0.55, 0.7, 0.85, 1.0]) * n).astype(int)
    rows = np.arange(n)
    folds = [(rows[: cuts[k]], rows[cuts[k] : cuts[k + 1]]) for k in range(4)]
    sound = [f for f in folds if _both(dataset.y[f[0]]) and _both(dataset.y[f[1]])]
    return sound if len(sound) >= 2 and _both(dataset.y[sound[0][0]]) else random_folds(dataset)


def _both(y: NDArray[np.int8]) -> bool:
    return min(int(y.sum()), len(y) - int(y.sum())) >= 5


def random_folds(dataset: Dataset, folds: int = 5) -> list[Fold]:
    """Stratified by label; training rows stay in time order."""
    n = len(dataset)
    folds = max(2, min(folds, int(dataset.y.sum()), n - int(dataset.y.sum())))
    shuffled = np.random.default_rng(SEED).permutation(n)
    fold = np.empty(n, dtype=int)
    by_label = shuffled[np.argsort(dataset.y[shuffled], kind="stable")]
    fold[by_label] = np.arange(n) % folds
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(folds)]


@dataclass(frozen=True, slots=True)
class Trial:
    """One candidate on all folds: its log-odds for every tested row, and its mean log loss."""

    candidate: Candidate
    logits: Floats
    loss: float
    fold_losses: Floats


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen candidates (one, or a stack in equal parts), their log-odds on the tested rows, and all trials."""

    chosen: tuple[Candidate, ...]
    rows: Rows
    logits: Floats
    loss: float
    trials: tuple[Trial, ...]


def choose(
    dataset: Dataset, candidates: Sequence[Candidate], folds: Sequence[Fold], margin: float = FORWARD_MARGIN
) -> Choice:
    tested = np.concatenate([test for _, test in folds])
    y = dataset.y[tested]
    bounds = np.cumsum([0, *(len(test) for _, test in folds)])
    trials = []
    for candidate in candidates:
        logits = np.concatenate([_tried(candidate, dataset, fold) for fold in folds])
        by_fold = _per_fold(log_losses(y, logits), bounds)
        trials.append(Trial(candidate, logits, float(by_fold.mean()), by_fold))
    trials.sort(key=lambda t: t.loss)
    best = trials[0]
    near = [t for t in trials if t.loss <= best.loss * margin][:_MOST_IN_STACK]
    stacked = _mean([t.logits for t in near])
    by_fold = _per_fold(log_losses(y, stacked), bounds)
    loss = float(by_fold.mean())
    if len(near) == 1 or _clearly_worse(by_fold, best.fold_losses):
        return Choice((best.candidate,), tested, best.logits, best.loss, tuple(trials))
    return Choice(tuple(t.candidate for t in near), tested, stacked, loss, tuple(trials))


def _per_fold(losses: Floats, bounds: Rows) -> Floats:
    return np.array([losses[a:b].mean() for a, b in pairwise(bounds)])


def _clearly_worse(losses: Floats, than: Floats) -> bool:
    """By more than two standard errors over the folds."""
    gap = losses - than
    return float(gap.mean()) > 2 * float(gap.std(ddof=1) / np.sqrt(len(gap)))


def _tried(candidate: Candidate, dataset: Dataset, fold: Fold) -> Floats:
    train, test = fold
    part = candidate.fit(dataset.schema, dataset.block.take(train), dataset.y[train], dataset.beside)
    return logit(part, dataset.block.take(test))


def _mean(parts: Sequence[Floats]) -> Floats:
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    mean: Floats = total / len(parts)
    return mean
