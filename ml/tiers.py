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


@dataclass(frozen=True, slots=True)
class Team:
    """`capacity` is the share of leads the team can call first; `value` of a sale and `cost` of a call in one
    currency.
    """

    capacity: float = 0.2
    value: float = 100.0
    cost: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.capacity <= 1:
            raise BadInput("the capacity is a share of the leads: above 0 and at most 1, for example 0.2.")
        if not (self.value > 0 and self.cost >= 0):
            raise BadInput("the value of a sale must be above 0 and the cost of a call not below 0.")

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


def cut(probabilities: NDArray[np.float64], team: Team) -> Cuts:
    """Where nothing but a few leads is worth a call, hot starts at break-even and warm at half of it."""
    first = float(np.quantile(probabilities, 1 - team.capacity)) if team.capacity < 1 else 0.0
    if first > team.break_even:
        return Cuts(round(first, 9), round(team.break_even, 9))
    return Cuts(round(team.break_even, 9), round(team.break_even / 2, 9))
