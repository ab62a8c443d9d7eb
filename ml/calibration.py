"""From a learner's log-odds to a probability that can be taken at its word.

A line in log-odds (slope and offset), fitted on rows the learner had not seen, newest rows counting most, and drawn
towards "leave it as it is" when rows are few. A line keeps the order of the leads and goes on making sense beyond what
was seen, which a step function does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_PRIOR = 20.0  # rows' worth of belief that slope 1 and offset 0 are right
_FLATTEST, _STEEPEST = 0.2, 3.0


@dataclass(frozen=True, slots=True)
class Line:
    slope: float = 1.0
    offset: float = 0.0

    def of(self, logits: Floats) -> Floats:
        return logits * self.slope + self.offset


def fit_line(logits: Floats, y: NDArray[np.int8], weight: Floats) -> Line:
    """Newton's method on two numbers; the slope stays positive, so a better lead never gets a lower probability."""
    slope, offset = 1.0, 0.0
    centre = float(np.average(logits, weights=weight))
    x = logits - centre
    offset = centre
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(slope * x + offset, -35, 35)))
        residual = weight * (p - y)
        curve = np.maximum(weight * p * (1 - p), 1e-12)
        gradient = np.array(
            [(residual * x).sum() + _PRIOR * (slope - 1), residual.sum() + _PRIOR * 0.01 * (offset - centre)]
        )
        cross = (curve * x).sum()
        hessian = np.array([[(curve * x * x).sum() + _PRIOR, cross], [cross, curve.sum() + _PRIOR * 0.01]])
        step = np.clip(np.linalg.solve(hessian, gradient), -2, 2)
        slope, offset = slope - float(step[0]), offset - float(step[1])
        if float(np.abs(step).max()) < 1e-9:
            break
    slope = min(max(slope, _FLATTEST), _STEEPEST)
    return Line(slope, offset - slope * centre + shift_to(slope * x + offset, y, weight))


def shift_to(logits: Floats, y: NDArray[np.int8], weight: Floats) -> float:
    """What to add to the log-odds so that their mean probability is the rate that was seen (half a row of doubt)."""
    total = float(weight.sum())
    rate = (float((weight * y).sum()) + 0.5 * float(np.average(y, weights=weight))) / (total + 0.5)
    rate = min(max(rate, 0.5 / (total + 1)), 1 - 0.5 / (total + 1))
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        p = 1 / (1 + np.exp(-np.clip(logits + middle, -35, 35)))
        if float(np.average(p, weights=weight)) < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@dataclass(frozen=True, slots=True)
class Bin:
    """Of `rows` rows that were promised about `predicted`, a share of `observed` had the label."""

    predicted: float
    observed: float
    rows: int


def reliability(y: NDArray[np.int8], p: Floats, bins: int = 10) -> tuple[Bin, ...]:
    """Promised and seen rate in groups of equal size, ordered by promise (a reliability diagram)."""
    by_p = np.argsort(p, kind="stable")
    groups = [g for g in np.array_split(by_p, bins) if len(g)]
    return tuple(Bin(float(p[g].mean()), float(y[g].mean()), len(g)) for g in groups)


def calibration_error(y: NDArray[np.int8], p: Floats, bins: int = 10) -> float:
    """Mean gap between promised and seen rate over ten groups of equal size, ordered by promise."""
    return sum(one.rows * abs(one.predicted - one.observed) for one in reliability(y, p, bins)) / len(p)
