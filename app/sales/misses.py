"""How many buyers a cut costs: a bound on the miss rate, the share of buyers that end up below it.

The exact binomial limit (Clopper, Pearson, 1934; as control of a risk: Bates et al., *Distribution-free,
risk-controlling prediction sets*, 2021, arXiv:2101.02703). It holds whatever the model is, as long as later buyers come
from where these came from, and the cut was not chosen by looking at these very buyers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


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


def misses(buyers: Sequence[float], cut: float, confidence: float = CONFIDENCE) -> Misses:
    """`buyers` are the scores of buyers the model had not seen. Without any, nothing is promised: at most all."""
    missed = sum(score < cut for score in buyers)
    return Misses(len(buyers), missed, binomial_limit(missed, len(buyers), confidence), confidence)


def binomial_limit(hits: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """The rate at which `hits` or fewer in `trials` would be seen only 1 - `confidence` of the time."""
    if hits >= trials:
        return 1.0
    logs = _ways(hits, trials)
    low, high = hits / trials, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(logs, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _ways(hits: int, trials: int) -> list[float]:
    """In how many ways there are 0, 1, ... `hits` in `trials`, as logarithms."""
    logs = [0.0]
    for k in range(hits):
        logs.append(logs[-1] + math.log(trials - k) - math.log(k + 1))
    return logs


def _at_most(logs: list[float], trials: int, rate: float) -> float:
    """The chance of that many or fewer, summed in logarithms so that thousands of trials are no trouble."""
    if rate >= 1:
        return 0.0
    if rate <= 0:
        return 1.0
    hit, miss = math.log(rate), math.log1p(-rate)
    terms = [ways + k * hit + (trials - k) * miss for k, ways in enumerate(logs)]
    top = max(terms)
    return min(1.0, math.exp(top) * math.fsum(math.exp(term - top) for term in terms))
