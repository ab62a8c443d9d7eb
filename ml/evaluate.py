"""How good the scores are, each figure with a 95 % bootstrap interval: discrimination, calibration, and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml.calibration import Bin, calibration_error, reliability
from ml.conformal import Misses, misses
from ml.tiers import Cuts, Team, TierShare, tiers_of

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
RESAMPLES = 200
SEED = 7
LIFTS = (0.1, 0.2)
CAPACITIES = (0.1, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with the range that holds 95 % of its bootstrap resamples."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        digits = 0 if abs(self.value) >= 1000 else 1 if abs(self.value) >= 10 else 4
        return f"{self.value:,.{digits}f} [{self.low:,.{digits}f}, {self.high:,.{digits}f}]"


@dataclass(frozen=True, slots=True)
class Profit:
    """Calling the best-scored `share` of leads: profit, next to calling as many at random and to knowing the answer."""

    share: float
    model: Figure
    random: float
    oracle: float
    above_random: Figure
    of_oracle: Figure  # share of what knowing the answer would bring


@dataclass(frozen=True, slots=True)
class Report:
    """`tiers` and `misses` (buyers that ended up cold) where the figures are those of a model with cuts; `curve` is
    what was promised beside what came."""

    rows: int
    positives: int
    metrics: Mapping[str, Figure]
    profits: tuple[Profit, ...]
    tiers: tuple[TierShare, ...] = ()
    misses: Misses | None = None
    curve: tuple[Bin, ...] = ()

    def to_json(self) -> dict[str, object]:
        return asdict(self)


METRICS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "calibration_error": "calibration error",
    "lift_10": "lift at 10 %",
    "lift_20": "lift at 20 %",
}


def report(y: Labels, p: Floats, team: Team, resamples: int = RESAMPLES) -> Report:
    """Figures of scores `p` against labels `y`; a metric that needs both labels is NaN where one is absent."""
    order = np.argsort(-p, kind="stable")
    y, p = y[order], p[order]
    ends = np.flatnonzero(np.append(np.diff(p) != 0, True))
    shares = tuple(sorted({*CAPACITIES, team.capacity}))
    ones = np.ones(len(y))
    point = _figures(y, p, ends, ones, shares, team)
    point["calibration_error"] = calibration_error(y, p)
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(resamples):
        rows = np.sort(rng.integers(0, len(y), len(y)))
        figures = _figures(y, p, ends, np.bincount(rows, minlength=len(y)).astype(float), shares, team)
        figures["calibration_error"] = calibration_error(y[rows], p[rows])
        drawn.append(figures)
    ranges = {k: _range([d[k] for d in drawn], v) for k, v in point.items()}
    n, positives = len(y), int(y.sum())
    profits = tuple(
        Profit(
            s,
            ranges[f"profit_{s}"],
            s * (positives * team.value - n * team.cost),
            min(positives, s * n) * team.value - s * n * team.cost,
            ranges[f"above_{s}"],
            ranges[f"part_{s}"],
        )
        for s in shares
    )
    return Report(n, positives, {k: ranges[k] for k in METRICS}, profits, curve=reliability(y, p))


def with_tiers(found: Report, y: Labels, p: Floats, cuts: Cuts) -> Report:
    """The cuts must have been made without these rows."""
    return replace(found, tiers=tiers_of(y, p, cuts), misses=misses(p[y == 1], cuts.warm))


def _range(values: list[float], point: float) -> Figure:
    known = np.array([v for v in values if not np.isnan(v)])
    if not len(known):
        return Figure(point, float("nan"), float("nan"))
    low, high = np.quantile(known, [0.025, 0.975])
    return Figure(point, float(low), float(high))


def _figures(
    y: Labels, p: Floats, ends: NDArray[np.intp], weight: Floats, shares: tuple[float, ...], team: Team
) -> dict[str, float]:
    """Weighted figures of rows sorted by falling score; `ends` closes each group of equal scores."""
    hits = np.cumsum(weight * y)[ends]
    calls = np.cumsum(weight)[ends]
    positives, total = float(hits[-1]), float(calls[-1])
    misses = calls - hits
    held = np.clip(p, 1e-12, 1 - 1e-12)
    losses = -np.where(y == 1, np.log(held), np.log1p(-held))
    out = {
        "log_loss": float((weight * losses).sum() / total),
        "brier": float((weight * (p - y) ** 2).sum() / total),
        "auc": float("nan"),
        "average_precision": float("nan"),
        "lift_10": float("nan"),
        "lift_20": float("nan"),
    }
    if 0 < positives < total:
        out["auc"] = float(np.trapezoid(np.append(0, hits), np.append(0, misses)) / (positives * (total - positives)))
        gained = np.diff(np.append(0, hits))
        out["average_precision"] = float((gained * hits / np.maximum(calls, 1e-12)).sum() / positives)
        for share in LIFTS:
            out[f"lift_{round(share * 100)}"] = _hits_at(share * total, hits, calls) / (share * positives)
    for share in shares:
        cost = share * total * team.cost
        out[f"profit_{share}"] = profit = _hits_at(share * total, hits, calls) * team.value - cost
        out[f"above_{share}"] = profit - (share * positives * team.value - cost)
        best = min(positives, share * total) * team.value - cost
        out[f"part_{share}"] = profit / best if best > 0 else float("nan")
    return out


def _hits_at(calls_made: float, hits: Floats, calls: Floats) -> float:
    """Hits among the first so many leads; within a group of equal scores, in proportion."""
    return float(np.interp(calls_made, np.append(0, calls), np.append(0, hits)))
