"""What a call adds: leads that were called against leads that, by lot, were not.

A score says who buys, not whom a call makes buy. Where some leads were left uncalled at random (a control group), the
difference shows: at each share of the leads, best scores first, what the called ones bought beyond what the uncalled
ones bought of themselves. The area under that curve is the AUUC; what of it lies above calling at random is the Qini
coefficient, here in sales per lead (N. Radcliffe, "Using control groups to target on predicted lift", 2007).

Without a lot the figures mislead: whoever was not called was perhaps not worth it. If the score tells the called from
the uncalled, that is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import BadTable
from ml.evaluate import CAPACITIES, RESAMPLES, SEED, Figure
from ml.leakage import auc

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
FEWEST = 30  # leads in either group
_TELLS = 3.0  # standard errors by which the score may tell the groups apart


@dataclass(frozen=True, slots=True)
class Added:
    """Calling the best-scored `share`: sales per 1,000 leads of the table that would not have been without the call."""

    share: float
    model: Figure
    random: float


@dataclass(frozen=True, slots=True)
class Uplift:
    """`effect`: sales per called lead beyond those per uncalled one. `fair` is False where the score tells who was
    called, so that there was no lot."""

    called: int
    uncalled: int
    effect: Figure
    auuc: Figure
    qini: Figure
    added: tuple[Added, ...]
    fair: bool


def uplift(y: Labels, p: Floats, treated: Labels, resamples: int = RESAMPLES) -> Uplift:
    """Raises BadTable where either group is too small."""
    called = int(treated.sum())
    if min(called, len(y) - called) < FEWEST:
        raise BadTable(f"{called} leads were called and {len(y) - called} not: at least {FEWEST} of each are needed.")
    order, ends = _sorted(p)
    y, p, treated = y[order], p[order], treated[order]
    point = _figures(y, treated, ends, np.ones(len(y)))
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(resamples):
        weight = np.bincount(rng.integers(0, len(y), len(y)), minlength=len(y)).astype(float)
        drawn.append(_figures(y, treated, ends, weight))
    found = {name: _range([d[name] for d in drawn], value) for name, value in point.items()}
    added = tuple(Added(s, found[f"added_{s}"], 1_000 * s * point["effect"]) for s in CAPACITIES)
    return Uplift(called, len(y) - called, found["effect"], found["auuc"], found["qini"], added, _fair(treated, p))


def qini(y: Labels, p: Floats, treated: Labels) -> float:
    """Of these rows as they are."""
    order, ends = _sorted(p)
    return _figures(y[order], treated[order], ends, np.ones(len(y)))["qini"]


def beyond(y: Labels, p: Floats, other: Floats, treated: Labels, resamples: int = RESAMPLES) -> Figure:
    """By how much the Qini of `p` lies above that of `other`, on the same rows and the same resamples."""
    sorted_ = [_sorted(scores) for scores in (p, other)]

    def gap(weight: Floats) -> float:
        found = [_figures(y[order], treated[order], ends, weight[order])["qini"] for order, ends in sorted_]
        return found[0] - found[1]

    rng = np.random.default_rng(SEED)
    drawn = [
        gap(np.bincount(rng.integers(0, len(y), len(y)), minlength=len(y)).astype(float)) for _ in range(resamples)
    ]
    return _range(drawn, gap(np.ones(len(y))))


def _sorted(p: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows by falling score, and where each group of equal scores ends."""
    order = np.argsort(-p, kind="stable")
    return order, np.flatnonzero(np.append(np.diff(p[order]) != 0, True))


def _figures(y: Labels, treated: Labels, ends: NDArray[np.intp], weight: Floats) -> dict[str, float]:
    """Rows sorted by falling score; `ends` closes each group of equal scores, within which order says nothing."""
    counts = [np.cumsum(weight * group)[ends] for group in (treated, 1 - treated)]
    sales = [np.cumsum(weight * group * y)[ends] for group in (treated, 1 - treated)]
    rates = [s / np.maximum(n, 1e-12) for s, n in zip(sales, counts, strict=True)]
    share = np.cumsum(weight)[ends] / weight.sum()
    curve = np.append(0.0, (rates[0] - rates[1]) * share)
    share = np.append(0.0, share)
    effect = float(curve[-1])
    area = float(np.trapezoid(curve, share))
    out = {"effect": effect, "auuc": area, "qini": area - effect / 2}
    return out | {f"added_{s}": 1_000 * float(np.interp(s, share, curve)) for s in CAPACITIES}


def _range(values: list[float], point: float) -> Figure:
    low, high = np.quantile(values, [0.025, 0.975])
    return Figure(point, float(low), float(high))


def _fair(treated: Labels, p: Floats) -> bool:
    """Whether called and uncalled leads have the same scores, but for chance (Mann-Whitney)."""
    called = float(treated.sum())
    other = len(treated) - called
    error = np.sqrt((called + other + 1) / (12 * called * other))
    return abs(auc(treated, p) - 0.5) <= _TELLS * float(error)
