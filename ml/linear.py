"""A regularised logistic regression on binned and standardised columns, kept as one small table per column.

Fitting uses scikit-learn; what is kept is the sum it computes, taken apart by column: a slope and a step function for a
number, one value per level for a category. That is exact, explains itself, and scores a row in microseconds.

A number is held within the range of training before its slope applies, so that one absurd value cannot decide a score.
A
*stamp* (a column that tells the period of a row: an interest rate, a season) has no steps, may move half a range beyond
what was seen, and is shrunk: there are far fewer periods than rows to learn its slope from.
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
_BINS = 8
_STAMP_REACH = 0.5


@dataclass(frozen=True, slots=True)
class LinearSettings:
    """`c` is the inverse of the ridge penalty; `stamp_scale` below 1 shrinks the slopes of stamps further."""

    c: float = 0.3
    stamp_scale: float = 1.0
    plain: bool = False  # no steps: the textbook baseline


@dataclass(frozen=True, slots=True)
class NumberTerm:
    """`edges` split the range; `steps` has one value more; `absent` is the value when the number is not known."""

    low: float
    high: float
    mean: float
    slope: float
    absent: float
    edges: Floats
    steps: Floats

    def of(self, values: Floats) -> Floats:
        gone = np.isnan(values)
        held = np.clip(np.where(gone, self.mean, values), self.low, self.high)
        known = (held - self.mean) * self.slope + self.steps[np.searchsorted(self.edges, held, side="right")]
        return np.where(gone, self.absent, known)


@dataclass(frozen=True, slots=True)
class LinearPart:
    """Log-odds as `base` plus one term per feature."""

    base: float
    numbers: tuple[NumberTerm, ...]
    levels: tuple[Floats, ...]

    def terms(self, block: Block) -> tuple[float, Floats]:
        """The base, and rows x features; a row's terms depend on that row alone."""
        out = np.empty((len(block), len(self.numbers) + len(self.levels)))
        for j, term in enumerate(self.numbers):
            out[:, j] = term.of(block.numbers[:, j])
        for j, table in enumerate(self.levels, len(self.numbers)):
            out[:, j] = table[block.codes[:, j - len(self.numbers)]]
        return self.base, out

    def to_arrays(self) -> dict[str, Any]:
        return {
            "base": self.base,
            "numbers": [
                {
                    "scalars": np.array([t.low, t.high, t.mean, t.slope, t.absent]),
                    "edges": t.edges,
                    "steps": t.steps,
                }
                for t in self.numbers
            ],
            "levels": list(self.levels),
        }


def linear_from(body: dict[str, Any]) -> LinearPart:
    return LinearPart(
        float(body["base"]),
        tuple(_term(n) for n in body["numbers"]),
        tuple(body["levels"]),
    )


def _term(body: dict[str, Any]) -> NumberTerm:
    low, high, mean, slope, absent = map(float, body["scalars"])
    return NumberTerm(low, high, mean, slope, absent, body["edges"], body["steps"])


@dataclass(frozen=True, slots=True)
class _Number:
    """How one number becomes columns of the design matrix, starting at column `at`."""

    at: int
    low: float
    high: float
    mean: float
    scale: float
    edges: Floats


def fit_linear(
    schema: Schema, block: Block, y: NDArray[np.int8], weight: Floats, settings: LinearSettings
) -> LinearPart:
    from sklearn.linear_model import LogisticRegression

    columns: list[Floats] = []
    plans: list[_Number] = []
    for j, column in enumerate(schema.numbers):
        values = block.numbers[:, j]
        plan = _plan(values, len(columns), column.stamp, settings)
        plans.append(plan)
        gone = np.isnan(values)
        held = np.clip(np.where(gone, plan.mean, values), plan.low, plan.high)
        columns.append((held - plan.mean) * plan.scale)
        columns.append(gone.astype(float))
        if len(plan.edges):
            bins = np.searchsorted(plan.edges, held, side="right")
            columns += [((bins == k) & ~gone).astype(float) for k in range(len(plan.edges) + 1)]
    starts: list[int] = []
    for j, column in enumerate(schema.categories):
        starts.append(len(columns))
        codes = block.codes[:, j]
        columns += [(codes == k).astype(float) for k in range(len(column.levels) + 2)]
    model = LogisticRegression(C=settings.c, solver="newton-cholesky", max_iter=60, tol=1e-6)
    design = np.column_stack(columns)
    model.fit(design, y, sample_weight=weight)
    w: Floats = model.coef_[0]
    numbers = tuple(
        NumberTerm(
            p.low,
            p.high,
            p.mean,
            float(w[p.at] * p.scale),
            float(w[p.at + 1]),
            p.edges,
            w[p.at + 2 : p.at + 3 + len(p.edges)].copy() if len(p.edges) else np.zeros(1),
        )
        for p in plans
    )
    levels = tuple(w[s : s + len(c.levels) + 2].copy() for s, c in zip(starts, schema.categories, strict=True))
    part = LinearPart(float(model.intercept_[0]), numbers, levels)
    few = slice(0, parity.ROWS)
    parity.hold("logistic regression", part.terms(block.take(few)), model.decision_function(design[few]))
    return part


def _plan(values: Floats, at: int, stamp: bool, settings: LinearSettings) -> _Number:
    known: Floats = values[~np.isnan(values)]
    if not len(known):
        return _Number(at, 0.0, 0.0, 0.0, 0.0, np.empty(0))
    low, high = float(np.min(known)), float(np.max(known))
    edges: Floats = np.empty(0)
    scale = 1.0
    if settings.plain:
        pass
    elif stamp:
        reach = _STAMP_REACH * (high - low)
        low, high, scale = low - reach, high + reach, settings.stamp_scale
    else:
        inner = np.quantile(known, [0.001, 0.999])
        if inner[1] > inner[0]:
            low, high = float(inner[0]), float(inner[1])
        edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]))
        edges = edges if len(edges) > 2 else np.empty(0)
    held = np.clip(known, low, high)
    deviation = float(held.std())
    return _Number(at, low, high, float(held.mean()), scale / deviation if deviation > 1e-12 else 0.0, edges)
