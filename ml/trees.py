"""Boosted trees and random forests as plain arrays, with what each column contributed to each row.

Every tree of scikit-learn is padded to a perfect one of fixed depth: node k has children 2k+1 and 2k+2, so walking is
arithmetic, for one row as for a million. Each leaf carries, per column, how far the splits on the way moved the value
away from the tree's mean (Saabas); these add up to the prediction exactly, so the explanation costs nothing extra.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ml.parity as parity
from ml.columns import Schema
from ml.encode import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ABSENT = -1e30  # below every number: "not known" is a group of its own at the low end
_FLOOR = 1e-4  # a forest is never surer than that
_FEW = 64  # rows up to which all trees are walked at once


@dataclass(frozen=True, slots=True)
class TreeSettings:
    kind: str  # "boosted" | "forest"
    trees: int = 120
    depth: int = 3
    rate: float = 0.06
    leaf: int = 40
    ends: int | None = None  # most leaves per tree; None: as many as the depth allows
    stamps: bool = True  # may it split on columns that only tell the period?


@dataclass(frozen=True, slots=True)
class TreePart:
    """`split` and `threshold` are trees x inner nodes, `leaves` trees x leaves x features. `ranks` orders each
    category.

    A boosted part adds up to log-odds; a forest's mean is a probability, turned into log-odds in `terms`.
    """

    kind: str
    base: float
    split: Ints
    threshold: Floats
    leaves: Floats
    ranks: tuple[Floats, ...]

    def terms(self, block: Block) -> tuple[float, Floats]:
        """The base, and rows x features; a row's terms depend on that row alone, to the last bit."""
        x = tree_matrix(block, self.ranks)
        total = self._few(x) if len(x) <= _FEW else self._many(x)
        return (self.base, total) if self.kind == "boosted" else self._log_odds(total)

    def _few(self, x: Floats) -> Floats:
        """All trees at once. `accumulate` adds one tree after the other, as `_many` does: same order, same bits."""
        node = np.zeros((len(self.split), len(x)), dtype=np.int64)
        trees = np.arange(len(self.split))[:, None]
        rows = np.arange(len(x))[None, :]
        for _ in range(self._depth):
            node = 2 * node + 1 + (x[rows, self.split[trees, node]] > self.threshold[trees, node])
        held = self.leaves[trees, node - self.split.shape[1]]
        total: Floats = np.add.accumulate(held, axis=0)[-1]
        return total

    def _many(self, x: Floats) -> Floats:
        total: Floats | None = None
        flat, start = x.ravel(), np.arange(len(x)) * x.shape[1]
        for split, threshold, leaves in zip(self.split, self.threshold, self.leaves, strict=True):
            node = np.zeros(len(x), dtype=np.int64)
            for _ in range(self._depth):
                node = 2 * node + 1 + (flat[start + split[node]] > threshold[node])
            held = leaves[node - len(split)]
            if total is None:
                total = held
            else:
                total += held
        assert total is not None
        return total

    @property
    def _depth(self) -> int:
        return int(self.split.shape[1] + 1).bit_length() - 1

    def _log_odds(self, total: Floats) -> tuple[float, Floats]:
        """Shares the step from mean to prediction, measured in log-odds, as the forest shares it in probability."""
        mean = min(max(self.base, _FLOOR), 1 - _FLOOR)
        moved = total[:, 0].copy()
        for j in range(1, total.shape[1]):
            moved += total[:, j]
        p = np.clip(self.base + moved, _FLOOR, 1 - _FLOOR)
        base = float(np.log(mean / (1 - mean)))
        step = np.log(p / (1 - p)) - base
        safe = np.where(np.abs(moved) < 1e-12, 1.0, moved)
        stretch = np.where(np.abs(moved) < 1e-12, 1 / (mean * (1 - mean)), step / safe)
        return base, total * stretch[:, None]

    def to_arrays(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "base": self.base,
            "split": self.split,
            "threshold": self.threshold,
            "leaves": self.leaves,
            "ranks": list(self.ranks),
        }


def trees_from(body: dict[str, Any]) -> TreePart:
    return TreePart(
        str(body["kind"]), float(body["base"]), body["split"], body["threshold"], body["leaves"], tuple(body["ranks"])
    )


def tree_matrix(block: Block, ranks: tuple[Floats, ...]) -> Floats:
    """Single precision, as the forest sees it, so that both walk the same way."""
    out = np.empty((len(block), block.numbers.shape[1] + len(ranks)), dtype=np.float32)
    held = np.clip(block.numbers, -1e29, 1e29)
    out[:, : held.shape[1]] = np.where(np.isnan(held), ABSENT, held)
    for j, rank in enumerate(ranks):
        out[:, held.shape[1] + j] = rank[block.codes[:, j]]
    return out.astype(np.float64)


def ranks_of(schema: Schema, block: Block, y: NDArray[np.int8], weight: Floats) -> tuple[Floats, ...]:
    """Per category the label's rate at each level, drawn towards the mean where rows are few: an order to split on."""
    mean = float(np.average(y, weights=weight))
    out = []
    for j, column in enumerate(schema.categories):
        size = len(column.levels) + 2
        count = np.bincount(block.codes[:, j], weight, minlength=size)
        hits = np.bincount(block.codes[:, j], weight * y, minlength=size)
        out.append((hits + 20 * mean) / (count + 20))
    return tuple(out)


def fit_trees(
    schema: Schema, block: Block, y: NDArray[np.int8], weight: Floats, settings: TreeSettings, seed: int
) -> TreePart:
    ranks = ranks_of(schema, block, y, weight)
    x = tree_matrix(block, ranks)
    if not settings.stamps:
        for j, column in enumerate(schema.features):
            if column.stamp:
                x[:, j] = 0.0
    grow = _boosted if settings.kind == "boosted" else _forest
    theirs, base, trees = grow(x, y, weight, settings, seed)
    split, threshold, leaves = (np.stack(part) for part in zip(*trees, strict=True))
    part = TreePart(settings.kind, base, split, threshold, leaves, ranks)
    parity.hold(settings.kind, part.terms(block.take(slice(0, parity.ROWS))), theirs)
    return part


Padded = tuple[Ints, Floats, Floats]
Grown = tuple[Floats, float, list[Padded]]  # scikit-learn's log-odds of the first rows, the base, the trees


def _boosted(x: Floats, y: Any, weight: Floats, settings: TreeSettings, seed: int) -> Grown:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=settings.rate,
        max_iter=settings.trees,
        max_depth=settings.depth,
        max_leaf_nodes=settings.ends or 2**settings.depth,
        min_samples_leaf=settings.leaf,
        l2_regularization=5.0,
        early_stopping=False,
        random_state=seed,
    ).fit(x, y, sample_weight=None if (weight == 1.0).all() else weight)  # a search for each bin's edge, with weights
    base = float(model._baseline_prediction.ravel()[0])
    padded = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        value = np.array(nodes["value"], dtype=float)
        for k in range(len(nodes) - 1, -1, -1):  # children come after their parent
            if not nodes["is_leaf"][k]:
                left, right = int(nodes["left"][k]), int(nodes["right"][k])
                a, b = float(nodes["count"][left]), float(nodes["count"][right])
                value[k] = (a * value[left] + b * value[right]) / (a + b)
        base += value[0]
        padded.append(
            _pad(
                np.where(nodes["is_leaf"], -1, nodes["left"].astype(np.int64)),
                nodes["right"].astype(np.int64),
                nodes["feature_idx"].astype(np.int64),
                nodes["num_threshold"].astype(np.float64),
                value,
                (settings.depth, x.shape[1]),
            )
        )
    return model.decision_function(x[: parity.ROWS]), base, padded


def _forest(x: Floats, y: Any, weight: Floats, settings: TreeSettings, seed: int) -> Grown:
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(
        settings.trees,
        max_depth=settings.depth,
        min_samples_leaf=settings.leaf,
        max_features=0.3,
        random_state=seed,
        n_jobs=2,
    ).fit(x, y, sample_weight=weight)
    base, padded = 0.0, []
    for estimator in model.estimators_:
        tree = estimator.tree_
        share = tree.value[:, 0, :]
        value = share[:, 1] / share.sum(axis=1) / len(model.estimators_)
        base += float(value[0])
        padded.append(
            _pad(
                tree.children_left,
                tree.children_right,
                tree.feature,
                tree.threshold,
                value,
                (settings.depth, x.shape[1]),
            )
        )
    p = np.clip(model.predict_proba(x[: parity.ROWS])[:, 1], _FLOOR, 1 - _FLOOR)
    return np.log(p / (1 - p)), base, padded


def _pad(left: Any, right: Any, feature: Any, threshold: Any, value: Floats, shape: tuple[int, int]) -> Padded:
    """One tree as a perfect one; below an early leaf every row goes left and finds the same leaf again."""
    depth, width = shape
    inner = 2**depth - 1
    split = np.zeros(inner, dtype=np.int64)
    cut = np.full(inner, np.inf)
    leaves = np.zeros((inner + 1, width))
    stack: list[tuple[int, int, Floats]] = [(0, 0, np.zeros(width))]
    while stack:
        place, node, moved = stack.pop()
        if left[node] < 0:
            first, last = place, place
            while first < inner:
                first, last = 2 * first + 1, 2 * last + 2
            leaves[first - inner : last - inner + 1] = moved
            continue
        split[place], cut[place] = feature[node], threshold[node]
        for child, spot in ((int(left[node]), 2 * place + 1), (int(right[node]), 2 * place + 2)):
            step = moved.copy()
            step[feature[node]] += value[child] - value[node]
            stack.append((spot, child, step))
    return split, cut, leaves
