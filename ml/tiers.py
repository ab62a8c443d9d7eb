"""Hot, warm or cold: cut from the calibrated probability under what the team can call and what a sale is worth.

A lead below `cost / value` loses money on average when called: it is cold. The best `capacity` share of leads that is
worth a call is hot, and what lies between is warm. The cuts are fixed when the model is trained, on rows it had not
seen, so a lead's tier never depends on the other leads in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import BadInput
from app.sales.lead import Tier
from ml.conformal import cut_for


@dataclass(frozen=True, slots=True)
class Team:
    """`capacity` is the share of leads the team can call first; `value` of a sale and `cost` of a call in one
    currency. `most_missed`, if set, is the share of buyers that may end up cold: leads below break-even
    stay warm as far as that takes (ml/conformal.py says how sure that is).
    """

    capacity: float = 0.2
    value: float = 100.0
    cost: float = 5.0
    most_missed: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.capacity <= 1:
            raise BadInput("the capacity is a share of the leads: above 0 and at most 1, for example 0.2.")
        if not (self.value > 0 and self.cost >= 0):
            raise BadInput("the value of a sale must be above 0 and the cost of a call not below 0.")
        if self.most_missed is not None and not 0 < self.most_missed < 1:
            raise BadInput("the share of buyers that may be missed lies between 0 and 1, for example 0.05.")

    @property
    def break_even(self) -> float:
        return min(1.0, self.cost / self.value)


@dataclass(frozen=True, slots=True)
class Cuts:
    """Probabilities from which a lead is hot or warm; `hot` >= `warm`."""

    hot: float
    warm: float

    def tier(self, probability: float) -> Tier:
        if probability >= self.hot:
            return Tier.HOT
        return Tier.WARM if probability >= self.warm else Tier.COLD

    def to_json(self) -> Mapping[str, float]:
        return {"hot": self.hot, "warm": self.warm}


@dataclass(frozen=True, slots=True)
class TierShare:
    """What became of the leads of one tier."""

    tier: Tier
    rows: int
    buyers: int


def cut(probabilities: NDArray[np.float64], team: Team, buyers: NDArray[np.float64] | None = None) -> Cuts:
    """Where nothing but a few leads is worth a call, hot starts at break-even and warm at half of it. `buyers` are the
    probabilities of those who bought, for `most_missed`."""
    first = float(np.quantile(probabilities, 1 - team.capacity)) if team.capacity < 1 else 0.0
    hot, warm = (first, team.break_even) if first > team.break_even else (team.break_even, team.break_even / 2)
    if team.most_missed is not None and buyers is not None:
        warm = min(warm, cut_for(buyers, team.most_missed))
    return Cuts(round(hot, 9), round(warm, 9))


def tiers_of(y: NDArray[np.int8], probabilities: NDArray[np.float64], cuts: Cuts) -> tuple[TierShare, ...]:
    """Best first."""
    hot, warm = probabilities >= cuts.hot, probabilities >= cuts.warm
    parts = ((Tier.HOT, hot), (Tier.WARM, warm & ~hot), (Tier.COLD, ~warm & ~hot))
    return tuple(TierShare(tier, int(rows.sum()), int(y[rows].sum())) for tier, rows in parts)
