"""Hot, warm or cold in one workspace: cut from the probability of a sale under what its people can do and gain.

*Hot* are those whom the team calls first: no more of them than it can call in a day, none that a call costs more than
it brings, none below the average lead. *Warm* are those it gets to within a working week. The others are *cold*: a call
does not pay, or its turn does not come.

The cuts are probabilities, so a lead's tier depends on its own score once they are made. They are made from the leads
that could be called now, never from who bought, so that what they miss can be told by buyers (app/sales/misses.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import BadInput
from app.sales.lead import Tier

WEEK = 5  # working days
_STEP = 1e-6  # a score has six digits: the next higher one


@dataclass(frozen=True, slots=True)
class Means:
    """`capacity`: leads that people can call in a day. `value` of a customer and `cost` of a call in one currency; a
    value of 0 means that nobody has said it, and then money cuts nothing."""

    capacity: int
    value: float
    cost: float

    def __post_init__(self) -> None:
        if self.capacity < 1 or self.value < 0 or self.cost < 0:
            raise BadInput("a team can call at least one lead a day, and neither value nor cost lies below 0.")

    @property
    def break_even(self) -> float:
        """The probability from which a call pays."""
        return min(1.0, self.cost / self.value) if self.value else 0.0


@dataclass(frozen=True, slots=True)
class Lines:
    """Probabilities from which a lead is hot or warm; `hot` >= `warm`, above 1 where nobody is."""

    hot: float
    warm: float

    def tier(self, probability: float) -> Tier:
        if probability >= self.hot:
            return Tier.HOT
        return Tier.WARM if probability >= self.warm else Tier.COLD


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What the model that serves brings to the cuts: the probability of the average lead it learned from, and the
    scores of buyers it had not seen (`buyers_of` says whose), by which a cut's misses are told."""

    model_version: str
    usual: float
    buyers: tuple[float, ...] = ()
    buyers_of: str = ""


def draw(best: Sequence[float], means: Means, usual: float) -> Lines:
    """`best` are the scores of all that could be called, highest first (the first `enough(means)` of them will do);
    `usual` is the probability of the average lead. Leads with equal scores are never parted: they wait together."""
    hot = max(means.break_even, usual, _beyond(best, means.capacity))
    warm = max(means.break_even, _beyond(best, WEEK * means.capacity))
    if warm >= hot:  # all that pays is called first; below it lies what nearly does
        warm = min(hot, means.break_even) / 2
    return Lines(round(hot, 6), round(warm, 6))


def enough(means: Means) -> int:
    return WEEK * means.capacity + 1


def _beyond(best: Sequence[float], places: int) -> float:
    """The lowest score of which there are no more than so many."""
    return best[places] + _STEP if len(best) > places else 0.0
