"""What we keep of a fitted learner must score as scikit-learn does: looked at whenever one is fitted.

A saved model then carries rows with the scores it gave, and is refused when, loaded, it does not give them again
(ml/artifacts.py). So what serves is what was fitted, on every machine, without scikit-learn being asked.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.errors import ModelRefused

Floats = NDArray[np.float64]
ROWS = 256
_APART = 1e-7  # log-odds


def hold(what: str, ours: tuple[float, Floats], theirs: Floats) -> None:
    """`ours` as terms of the same rows whose log-odds `theirs` are. Raises ModelRefused: such a model scores wrong."""
    base, terms = ours
    gap = float(np.abs(base + terms.sum(axis=1) - theirs).max(initial=0.0))
    if not gap <= _APART:
        raise ModelRefused(f"our {what} and scikit-learn's differ by {gap:.3g} in log-odds: do not use this release.")
