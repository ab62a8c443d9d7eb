"""How many buyers a tier costs: bounds on the miss rate, the share of buyers that end up cold.

Both statements hold whatever the model is and however its scores are spread, as long as later buyers come from where
the held-out ones came from (they are exchangeable). When the market moves, look again with `evaluate`.

*The cut that keeps a promise* (`cut_for`): split conformal prediction, conditional on the label (Mondrian: Vovk,
Gammerman, Shafer, *Algorithmic Learning in a Random World*, 2005, ch. 4; as risk control: Angelopoulos, Bates, Fisch,
Lei, Schuster, *Conformal Risk Control*, 2022, arXiv:2208.02814). Only buyers count. Of n held-out buyers and one more,
each is as likely as any other to have the k-th lowest score, so a cut at the k-th lowest of the n misses the next buyer
with a chance of at most k / (n + 1): the finite-sample correction is that n + 1.

*What a given cut misses* (`misses`): the exact binomial limit of app/sales/misses.py. It needs a cut that was not
chosen by looking at these very buyers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from app.sales.misses import CONFIDENCE, Misses, binomial_limit

Floats = NDArray[np.float64]
__all__ = ["CONFIDENCE", "Misses", "binomial_limit", "cut_for", "misses"]
_DIGITS = 1e6  # a score is given with six digits, and a cut must not fall between a score and its rounding


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
