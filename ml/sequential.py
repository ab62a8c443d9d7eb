"""Champion against challenger, judged as outcomes come in, as often as anyone likes to look.

Both models gave a lead a probability before its outcome was known. What the challenger saves on a lead is the
difference of their log losses. Against the claim "it saves nothing on average" we bet: a stake `b` turns a wealth of 1
into the product of `1 + b * saved`. While the claim holds no stake that is chosen before the outcome makes the wealth
grow on average, so it ever reaches 1 / alpha with probability alpha at most, however often it is looked at (Ville).
Which stake is best is not known: the wealth is spread over several, and stays a fair bet.
A. Ramdas, P. Grunwald, V. Vovk, G. Shafer, "Game-theoretic statistics and safe anytime-valid inference", 2023.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from app.errors import BadInput

ALPHA = 0.05
STAKES = tuple(2.0**k for k in range(-5, 4))
_NEVER_ALL = 0.9  # of the wealth: whoever stakes all of it once may lose it for ever
_SURE = 1e-4  # a probability is held to [1e-4, 1 - 1e-4]: nobody is surer than the data can say


class Verdict(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Duel:
    """`gains` and `losses` are log wealths, one per stake, of the bets that the challenger is better and is worse."""

    alpha: float = ALPHA
    outcomes: int = 0
    saved: float = 0.0  # nats, in total
    gains: tuple[float, ...] = (0.0,) * len(STAKES)
    losses: tuple[float, ...] = (0.0,) * len(STAKES)
    best: float = 0.0  # highest log evidence so far for "better", and below for "worse": once proven stays proven
    worst: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise BadInput("the error rate is a probability between 0 and 1, for example 0.05.")

    def after(self, champion: float, challenger: float, converted: bool) -> Duel:
        """One more outcome. The probabilities are those given before it was known."""
        p, q = _held(champion), _held(challenger)
        if_yes, if_no = math.log(q / p), math.log((1 - q) / (1 - p))
        saved = if_yes if converted else if_no
        widest = max(abs(if_yes), abs(if_no))  # known before the outcome, so the stake may depend on it
        gains = tuple(w + math.log1p(_stake(b, widest) * saved) for w, b in zip(self.gains, STAKES, strict=True))
        losses = tuple(w + math.log1p(-_stake(b, widest) * saved) for w, b in zip(self.losses, STAKES, strict=True))
        return replace(
            self,
            outcomes=self.outcomes + 1,
            saved=self.saved + saved,
            gains=gains,
            losses=losses,
            best=max(self.best, _mean(gains)),
            worst=max(self.worst, _mean(losses)),
        )

    def through(self, pairs: Iterable[tuple[float, float, bool]]) -> Duel:
        duel = self
        for champion, challenger, converted in pairs:
            duel = duel.after(champion, challenger, converted)
        return duel

    @property
    def verdict(self) -> Verdict:
        """`better` is wrong with probability alpha at most when the challenger saves nothing; `worse` likewise."""
        enough = -math.log(self.alpha)
        if self.best >= enough:
            return Verdict.BETTER
        return Verdict.WORSE if self.worst >= enough else Verdict.OPEN

    @property
    def evidence(self) -> float:
        """How many times over the stake of "the challenger is better" stands now; `1 / alpha` once proves it."""
        return math.exp(min(_mean(self.gains), 700.0))

    def to_json(self) -> dict[str, float | int | str]:
        return {
            "outcomes": self.outcomes,
            "saved_per_outcome": round(self.saved / self.outcomes, 6) if self.outcomes else 0.0,
            "evidence": round(math.exp(min(self.best, 700.0)), 3),
            "evidence_against": round(math.exp(min(self.worst, 700.0)), 3),
            "needed": round(1 / self.alpha, 3),
            "alpha": self.alpha,
            "verdict": self.verdict.value,
        }


def share_of_alpha(alpha: float, challenger: int) -> float:
    """The error rate for the n-th challenger (from 1) of one champion: all of them together err at most `alpha`."""
    if challenger < 1:
        raise BadInput("challengers are counted from 1.")
    return alpha / (challenger * (challenger + 1))


def _held(probability: float) -> float:
    return min(max(probability, _SURE), 1 - _SURE)


def _stake(wish: float, widest: float) -> float:
    return wish if wish * widest <= _NEVER_ALL else _NEVER_ALL / widest


def _mean(logs: tuple[float, ...]) -> float:
    top = max(logs)
    return top + math.log(sum(math.exp(w - top) for w in logs) / len(logs))
