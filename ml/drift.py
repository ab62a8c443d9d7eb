"""Has the world moved? Inputs and scores against those of training, and promises against what came of them.

The population stability index is the usual measure, and cut at quantiles it is blind to a column that sits on one
value: all quantiles are that value, all rows fall in one bin, and the index is 0 wherever the column moves. So values
with a share of their own get bins of their own, and what lies below, between and above them gets others: leaving the
one value is seen. With few rows the index is high by chance, so it raises an alarm only where chance cannot explain it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.columns import Schema
from ml.encode import Block

BINS = 10
MOVED = 0.2  # the index from which bankers, who invented it, act
SURELY = 0.001  # the share of nights without any drift on which some column is reported all the same
FEWEST = 50  # rows: fewer say nothing
_HALF = 0.5  # of a row in each bin, so that an empty bin has a finite index

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bins:
    """Atoms are values that hold a bin's share of the reference each; edges cut the rest. Missing has its own bin."""

    atoms: Floats
    edges: Floats

    def count(self, values: Floats) -> Floats:
        known = values[~np.isnan(values)]
        counts = [float(np.isnan(values).sum())]
        is_atom = np.zeros(len(known), dtype=bool)
        for atom in self.atoms:
            same = known == atom
            counts.append(float(same.sum()))
            is_atom |= same
        rest = np.bincount(np.searchsorted(self.edges, known[~is_atom], side="right"), minlength=len(self.edges) + 1)
        return np.array([*counts, *rest.astype(np.float64)])


def bins_of(reference: Floats, bins: int = BINS) -> Bins:
    """Every atom is an edge too, so that what lies on either side of it is told apart."""
    known = reference[~np.isnan(reference)]
    if not len(known):
        return Bins(np.empty(0), np.empty(0))
    values, counts = np.unique(known, return_counts=True)
    atoms = values[counts * bins >= len(known)]
    rest = known[~np.isin(known, atoms)]
    cuts = np.quantile(rest, np.linspace(0, 1, bins + 1)) if len(rest) else np.empty(0)
    return Bins(atoms, np.unique(np.concatenate([atoms, cuts])))


def categories_of(codes: Floats) -> Bins:
    """Each category is an atom; one that the reference never held falls between them."""
    atoms = np.unique(codes)
    return Bins(atoms, atoms)


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one column has moved. `chance`: that rows from an unmoved column look like this, or worse."""

    name: str
    psi: float
    ks: float
    chance: float

    def alarm(self, columns: int) -> bool:
        return self.psi >= MOVED and self.chance < SURELY / max(columns, 1)


def shift(name: str, reference: Floats, now: Floats, *, category: bool = False) -> Shift:
    """`ks` is 0 for categories, whose codes have no order; missing values count in the index alone."""
    bins = categories_of(reference) if category else bins_of(reference)
    was, is_ = bins.count(reference), bins.count(now)
    used = (was + is_) > 0
    was, is_ = was[used], is_[used]
    psi = _index(was, is_)
    chance = _chance(was, is_)
    distance = 0.0
    if not category:
        distance, unlike = _kolmogorov(reference, now)
        chance = min(1.0, 2 * min(chance, unlike))
    return Shift(name, psi, distance, chance)


def _index(was: Floats, is_: Floats) -> float:
    p = (was + _HALF) / (was.sum() + _HALF * len(was))
    q = (is_ + _HALF) / (is_.sum() + _HALF * len(is_))
    return float(((q - p) * np.log(q / p)).sum())


def _chance(was: Floats, is_: Floats) -> float:
    """The chi-squared test of two samples."""
    if len(was) < 2 or not was.sum() or not is_.sum():
        return 1.0
    from scipy.stats import chi2

    together = was + is_
    total = together.sum()
    statistic = sum(
        float(((seen - together * seen.sum() / total) ** 2 / (together * seen.sum() / total)).sum())
        for seen in (was, is_)
    )
    return float(chi2.sf(statistic, len(was) - 1))


def _kolmogorov(reference: Floats, now: Floats) -> tuple[float, float]:
    """Largest gap between the two distributions of the known values, and the chance of it."""
    a, b = np.sort(reference[~np.isnan(reference)]), np.sort(now[~np.isnan(now)])
    if not len(a) or not len(b):
        return 0.0, 1.0
    every = np.concatenate([a, b])
    gap = np.abs(
        np.searchsorted(a, every, side="right") / len(a) - np.searchsorted(b, every, side="right") / len(b)
    ).max()
    from scipy.special import kolmogorov

    return float(gap), float(kolmogorov(gap * math.sqrt(len(a) * len(b) / (len(a) + len(b)))))


def shifts(schema: Schema, reference: Block, now: Block) -> tuple[Shift, ...]:
    """One per feature, furthest first. Empty when either side has too few rows to say anything."""
    if min(len(reference), len(now)) < FEWEST:
        return ()
    found = [
        shift(c.name, reference.column(j), now.column(j), category=c.kind == "category")
        for j, c in enumerate(schema.features)
    ]
    return tuple(sorted(found, key=lambda s: -s.psi))


def moved(found: Sequence[Shift]) -> tuple[Shift, ...]:
    """Those worth an alarm."""
    return tuple(s for s in found if s.alarm(len(found)))


@dataclass(frozen=True, slots=True)
class Kept:
    """Whether promises were kept. `error` is the mean gap between promised and seen rate, with its 95 % interval.

    `evidence`: how many times over a bet against the promises has multiplied its stake; 1 / alpha or more proves that
    they do not hold, at any time one looks.
    """

    outcomes: int
    promised: float
    seen: float
    error: float
    low: float
    high: float
    evidence: float

    def broken(self, alpha: float = SURELY) -> bool:
        return self.evidence >= 1 / alpha

    def to_json(self) -> Mapping[str, float]:
        return {
            "outcomes": self.outcomes,
            "promised": round(self.promised, 4),
            "seen": round(self.seen, 4),
            "calibration_error": round(self.error, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "evidence": round(min(self.evidence, 1e12), 3),
        }


def kept(p: Floats, y: NDArray[np.int8], resamples: int = 200) -> Kept:
    """`p` and `y` in the order in which the outcomes came in; at least one."""
    from ml.calibration import calibration_error

    rng = np.random.default_rng(0)
    again = [calibration_error(y[rows], p[rows]) for rows in rng.integers(0, len(y), (resamples, len(y)))]
    low, high = np.quantile(again, [0.025, 0.975])
    return Kept(
        len(y),
        float(p.mean()),
        float(y.mean()),
        calibration_error(y, p),
        float(low),
        float(high),
        float(np.exp(min(_bets(p, y), 700.0))),
    )


_STAKES = np.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.8])


def _bets(p: Floats, y: NDArray[np.int8]) -> float:
    """Highest log wealth, over time, of bets that the level is too low or too high, for all leads, for those promised
    more than the leads before them and for those promised less. All are fair while the promises hold."""
    surprise = y - p
    middle = _running_middle(p)
    above = np.where(p > middle, 1.0, -1.0)
    # a surprise is less than 1 either way, so no bet loses all
    table = np.array(
        [
            np.cumsum(np.log1p(sign * stake * direction * surprise))
            for direction in (np.ones(len(p)), above)
            for sign in (1.0, -1.0)
            for stake in _STAKES
        ]
    )
    top = table.max(axis=0)
    together = top + np.log(np.exp(table - top).mean(axis=0))
    return float(together.max(initial=0.0))


def _running_middle(p: Floats) -> Floats:
    """The mean of all promises before each: a bet may know the past only."""
    before = np.concatenate([[p[0]], np.cumsum(p)[:-1] / np.arange(1, len(p))])
    return before
