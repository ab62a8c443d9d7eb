"""Whom to call next: by expected profit per minute of calling, within the minutes there are.

What a call to a lead is worth is the chance of an answer at this hour, times the chance of a sale once somebody has
answered, times what a sale brings, less what a call costs. It is divided by the minutes such a call takes on average,
since minutes are what a team has too few of.

Whether somebody may be called is not decided here: the gate's decision comes with each lead, and one it does not allow
is never ranked.

A share of the places goes to leads whose worth is not well known, so that the models go on learning about leads they
would never pick. These are drawn evenly from the uncertain and marked, with the chance they had of being drawn:
training can weigh each by one over that chance.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.compliance.gate import Decision, Verdict
from app.errors import BadInput
from app.sales.answering import Belief


@dataclass(frozen=True, slots=True)
class Terms:
    """What a sale is worth and a call costs (one currency), and how many minutes a call takes that is answered, or not.

    Raises BadInput for what makes no sense.
    """

    value: float = 100.0
    cost: float = 5.0
    talk_minutes: float = 4.0
    ring_minutes: float = 0.75

    def __post_init__(self) -> None:
        if not (self.value > 0 and self.cost >= 0):
            raise BadInput("the value of a sale must be above 0 and the cost of a call not below 0.")
        if not 0 < self.ring_minutes <= self.talk_minutes:
            raise BadInput("an answered call takes no less time than one that only rings, and both take some.")

    def minutes(self, answer: float) -> float:
        return answer * self.talk_minutes + (1 - answer) * self.ring_minutes

    def worth(self, answer: float, sale: float) -> float:
        return answer * sale * self.value - self.cost

    def rate(self, answer: float, sale: float) -> float:
        """Expected profit per minute. Rises with either chance and with the value of a sale."""
        return self.worth(answer, sale) / self.minutes(answer)


@dataclass(frozen=True, slots=True)
class Capacity:
    """`minutes` of calling, and at most `calls`. `explore` is the share of the calls spent on learning."""

    minutes: float
    calls: int
    explore: float = 0.1

    def __post_init__(self) -> None:
        if not (self.minutes > 0 and self.calls > 0):
            raise BadInput("there must be minutes to call in, and at least one call.")
        if not 0 <= self.explore <= 0.5:
            raise BadInput("the share of calls for learning lies between 0 and 0.5.")


@dataclass(frozen=True, slots=True)
class Prospect:
    """A lead that could be called now. `sale` is the chance of a sale once it has answered, `answer` that it answers.
    `value` overrides that of the terms, as where a dearer package fits."""

    lead_id: UUID
    decision: Decision
    answer: Belief
    sale: float
    sale_low: float
    sale_high: float
    value: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.sale_low <= self.sale <= self.sale_high <= 1:
            raise BadInput("the chance of a sale must lie within its bounds, and all between 0 and 1.")


@dataclass(frozen=True, slots=True)
class Place:
    """One call of the list. `chance` is 1 for a lead that was picked for its worth, and for one picked to learn from
    how likely it was to be drawn for this place."""

    prospect: Prospect
    rate: float
    worth: float
    minutes: float
    explores: bool = False
    chance: float = 1.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """`places` in calling order; `refused` are those the gate did not allow; `waiting` may be called but are not in the
    list: no minutes are left, or a call would cost more than it brings (`worth` below 0)."""

    places: tuple[Place, ...]
    refused: tuple[Prospect, ...]
    waiting: tuple[Place, ...]

    @property
    def minutes(self) -> float:
        return sum(place.minutes for place in self.places)


def rank(prospects: Iterable[Prospect], terms: Terms, capacity: Capacity, *, seed: int) -> Ranking:
    """The same prospects, in whatever order, and the same seed give the same list. Ties go by lead id.

    Greedy by profit per minute: within one call of the best, where minutes are what runs out. Of the first n places
    `explore` times n, rounded down, are for learning, as long as there is an uncertain lead that fits.
    """
    known = sorted(prospects, key=lambda prospect: prospect.lead_id.int)
    refused = tuple(prospect for prospect in known if prospect.decision.verdict is not Verdict.ALLOW)
    open_ = sorted(
        (_place(prospect, terms) for prospect in known if prospect.decision.verdict is Verdict.ALLOW),
        key=lambda place: (-place.rate, place.prospect.lead_id.int),
    )
    dice = random.Random(seed)
    left, places = capacity.minutes, list[Place]()
    while len(places) < capacity.calls:
        fitting = [place for place in open_ if place.minutes <= left]
        drawn = _drawn(fitting, terms, dice) if _is_for_learning(len(places) + 1, capacity.explore) else None
        best = fitting[0] if fitting and fitting[0].worth > 0 else None
        chosen = drawn or best
        if chosen is None:
            break
        places.append(chosen)
        left -= chosen.minutes
        open_ = [place for place in open_ if place.prospect.lead_id != chosen.prospect.lead_id]
    return Ranking(tuple(places), refused, tuple(open_))


def _place(prospect: Prospect, terms: Terms) -> Place:
    ours = _terms(prospect, terms)
    answer, sale = prospect.answer.mean, prospect.sale
    return Place(prospect, ours.rate(answer, sale), ours.worth(answer, sale), ours.minutes(answer))


def _terms(prospect: Prospect, terms: Terms) -> Terms:
    if prospect.value is None:
        return terms
    return Terms(prospect.value, terms.cost, terms.talk_minutes, terms.ring_minutes)


def _is_for_learning(number: int, share: float) -> bool:
    """Whether the place with this number, counted from 1, brings the share of places for learning up to its due."""
    return int(number * share + 1e-9) > int((number - 1) * share + 1e-9)


def _drawn(fitting: list[Place], terms: Terms, dice: random.Random) -> Place | None:
    """Evenly from the less certain half of those that may turn out worth a call."""
    doubts = sorted(
        (-_doubt(place.prospect, terms), place.prospect.lead_id.int, place)
        for place in fitting
        if _terms(place.prospect, terms).worth(place.prospect.answer.high, place.prospect.sale_high) > 0
    )
    if not doubts:
        return None
    pool = doubts[: (len(doubts) + 1) // 2]
    chosen = pool[dice.randrange(len(pool))][2]
    return Place(chosen.prospect, chosen.rate, chosen.worth, chosen.minutes, explores=True, chance=1 / len(pool))


def _doubt(prospect: Prospect, terms: Terms) -> float:
    """How far the profit per minute may be off: between the lowest and the highest of both chances."""
    ours = _terms(prospect, terms)
    return ours.rate(prospect.answer.high, prospect.sale_high) - ours.rate(prospect.answer.low, prospect.sale_low)
