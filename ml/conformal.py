"""How many buyers a tier costs: bounds on the miss rate, the share of buyers that end up cold.

Both statements hold whatever the model is and however its scores are spread, as long as later buyers come from where
the held-out ones came from (they are exchangeable). When the market moves, look again with `evaluate`.

*The cut that keeps a promise* (`cut_for`): split conformal prediction, conditional on the label (Mondrian: Vovk,
Gammerman, Shafer, *Algorithmic Learning in a Random World*, 2005, ch. 4; as risk control: Angelopoulos, Bates, Fisch,
Lei, Schuster, *Conformal Risk Control*, 2022, arXiv:2208.02814). Only buyers count. Of n held-out buyers and one more,
each is as likely as any other to have the k-th lowest score, so a cut at the k-th lowest of the n misses the next buyer
with a chance of at most k / (n + 1): the finite-sample correction is that n + 1.

*What a given cut misses* (`misses`): the exact binomial limit (Clopper, Pearson, 1934; as risk control: Bates et al.,
*Distribution-free, risk-controlling prediction sets*, 2021, arXiv:2101.02703). It needs a cut that was not chosen by
looking at these very buyers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CONFIDENCE = 0.95
_DIGITS = 1e6  # a score is given with six digits, and a cut must not fall between a score and its rounding


@dataclass(frozen=True, slots=True)
class Misses:
    """Of `buyers` that the model had not seen, `missed` lay below the cut; `at_most` is what the miss rate of all such
    buyers does not exceed, said with `confidence`."""

    buyers: int
    missed: int
    at_most: float
    confidence: float = CONFIDENCE

    @property
    def rate(self) -> float:
        return self.missed / self.buyers if self.buyers else 0.0

    def __str__(self) -> str:
        return f"{self.missed:,} of {self.buyers:,} ({self.rate:.1%}), at most {self.at_most:.1%}"


def misses(buyers: Floats, cut: float, confidence: float = CONFIDENCE) -> Misses:
    """`buyers` are the scores of held-out buyers. Without any, nothing is promised: at most all of them."""
    missed = int((buyers < cut).sum())
    return Misses(len(buyers), missed, binomial_limit(missed, len(buyers), confidence), confidence)


def cut_for(buyers: Floats, at_most: float) -> float:
    """The highest cut whose expected miss rate is at most that share; 0, which misses nobody, where there are too few
    buyers for any promise."""
    allowed = math.floor(at_most * (len(buyers) + 1) + 1e-9)  # 0.05 * 20 must be 1
    if allowed < 1:
        return 0.0
    nth = min(allowed, len(buyers)) - 1
    return math.floor(float(np.partition(buyers, nth)[nth]) * _DIGITS) / _DIGITS


def binomial_limit(hits: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """The rate at which `hits` or fewer in `trials` would be seen only 1 - `confidence` of the time."""
    if hits >= trials:
        return 1.0
    low, high = hits / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(hits, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(hits: int, trials: int, rate: float) -> float:
    """The chance of `hits` or fewer, summed in logarithms so that thousands of trials are no trouble."""
    if rate >= 1:
        return 0.0
    if rate <= 0:
        return 1.0
    k = np.arange(hits + 1, dtype=np.float64)
    steps = np.log(trials - k[:-1]) - np.log(k[:-1] + 1)
    logs = np.concatenate([[0.0], np.cumsum(steps)]) + k * math.log(rate) + (trials - k) * math.log1p(-rate)
    top = float(np.max(logs))
    return min(1.0, math.exp(top) * float(np.exp(logs - top).sum()))
