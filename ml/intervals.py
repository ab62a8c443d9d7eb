"""How sure a probability is: `lower` and `upper`.

Two sources of doubt, the wider one counts.
*Few examples like it*: Venn-Abers predictors (Vovk, Petej 2014). Add the lead to the held-out rows once as a miss and
once as a hit, calibrate both times by isotonic regression, and read off both probabilities; kept as two curves over the
log-odds.
*Other times*: how far the overall level was off from one held-out stretch of time to the next, in log-odds; 1.645
standard deviations to either side, so nine stretches in ten lie within if they scatter evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.calibration import shift_to

Floats = NDArray[np.float64]
_POINTS = 41
_SPREAD = 1.645
_MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Doubt:
    """Curves of the lower and upper probability at increasing log-odds, and the wander between times."""

    at: Floats
    low: Floats
    high: Floats
    wander: float

    def around(self, logits: Floats) -> tuple[Floats, Floats]:
        """Lower and upper probability; each contains the calibrated probability itself."""
        p = _sigmoid(logits)
        lower = np.minimum(np.interp(logits, self.at, self.low), _sigmoid(logits - _SPREAD * self.wander))
        upper = np.maximum(np.interp(logits, self.at, self.high), _sigmoid(logits + _SPREAD * self.wander))
        return np.minimum(lower, p), np.maximum(upper, p)


def measure(logits: Floats, y: NDArray[np.int8], stretches: Sequence[NDArray[np.intp]]) -> Doubt:
    """`logits` are calibrated, of rows the learner had not seen; `stretches` are their positions by period."""
    offsets = [shift_to(logits[s], y[s], np.ones(len(s))) for s in stretches if len(s)]
    wander = float(np.std(offsets, ddof=1)) if len(offsets) > 1 else 0.0
    keep = slice(None, None, -(-len(logits) // _MOST_ROWS))
    logits, y = logits[keep], y[keep]
    at = np.unique(np.quantile(logits, np.linspace(0, 1, _POINTS)))
    low = np.array([_venn(logits, y, s, 0) for s in at])
    high = np.array([_venn(logits, y, s, 1) for s in at])
    return Doubt(at, np.maximum.accumulate(low), np.maximum.accumulate(high), wander)


def _venn(logits: Floats, y: NDArray[np.int8], point: float, label: int) -> float:
    from sklearn.isotonic import IsotonicRegression

    x = np.append(logits, point)
    fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(x, np.append(y, label))
    return float(fitted.predict([point])[0])


def _sigmoid(logits: Floats) -> Floats:
    p: Floats = 1 / (1 + np.exp(-np.clip(logits, -35, 35)))
    return p
