"""When people answer their phone: a chance for every hour of the week, learned from how earlier attempts went.

Counts are few and uneven, so each belief leans on a wider one as far as its own counts are thin (empirical Bayes):
all attempts together, then the hour of a working day or a weekend, then the same hour in a segment, then the lead's
own attempts. How much wider beliefs weigh is itself learned from how much the counts differ from each other.

A segment is a place and a source. Nothing about who a person is can be part of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

_FIRST_GUESS, _FIRST_TRIES = 0.3, 10.0  # before any attempt: three of ten answer, as firm as ten attempts
_LEAST, _MOST = 10.0, 400.0  # attempts that a wider belief counts for, whatever the counts say
OWN_TRIES = 6.0  # as many attempts on one lead weigh as much as all that is known of others like it
SATURDAY = 5


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """`place` is a state or time zone, `source` where leads of this kind come from."""

    place: str
    source: str


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """An hour of the called party's day, on a working day or not."""

    weekend: bool
    hour: int

    @classmethod
    def of(cls, local: datetime) -> Slot:
        return cls(local.weekday() >= SATURDAY, local.hour)


@dataclass(frozen=True, slots=True)
class Tally:
    """So many of so many."""

    hits: int = 0
    tries: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.hits + other.hits, self.tries + other.tries)


@dataclass(frozen=True, slots=True)
class Belief:
    """A chance and how firmly it is held: a Beta distribution with this mean, worth so many `tries`. `seen` are the
    attempts of the narrowest kind in it."""

    mean: float
    tries: float
    seen: Tally = field(default_factory=Tally)

    def after(self, tally: Tally, weight: float | None = None) -> Belief:
        """What is believed once `tally` is known, where this belief counts as `weight` attempts."""
        before = self.tries if weight is None else min(weight, self.tries)
        tries = before + tally.tries
        return Belief((before * self.mean + tally.hits) / tries, tries, tally)

    @property
    def low(self) -> float:
        return self._bound(-1.645)

    @property
    def high(self) -> float:
        """With `low`, holds about nine of ten: Wilson's interval for so many tries."""
        return self._bound(1.645)

    def _bound(self, z: float) -> float:
        n, p = self.tries, self.mean
        middle = p + z * z / (2 * n)
        spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return min(1.0, max(0.0, (middle + spread) / (1 + z * z / n)))


@dataclass(frozen=True, slots=True)
class AnswerRates:
    """What was learned. `learn` makes one; without any counts every hour has the same first guess."""

    overall: Belief
    slots: Mapping[Slot, Belief]
    segments: Mapping[Segment, Belief]
    cells: Mapping[tuple[Segment, Slot], Tally]
    firmness: float

    def at(self, segment: Segment, local: datetime) -> Belief:
        """The chance that somebody of this segment answers at this time of theirs."""
        slot = Slot.of(local)
        hour, kind = self.slots.get(slot, self.overall), self.segments.get(segment, self.overall)
        mean = _together(hour.mean, kind.mean, self.overall.mean)
        wider = Belief(mean, max(hour.tries, kind.tries))
        return wider.after(self.cells.get((segment, slot), Tally()), self.firmness)


def learn(counts: Iterable[tuple[Segment, Slot, Tally]]) -> AnswerRates:
    """From how often attempts were answered. The order of the counts does not matter."""
    cells: dict[tuple[Segment, Slot], Tally] = {}
    by_slot: dict[Slot, Tally] = {}
    by_segment: dict[Segment, Tally] = {}
    everything = Tally()
    for segment, slot, tally in counts:
        cells[segment, slot] = cells.get((segment, slot), Tally()) + tally
        by_slot[slot] = by_slot.get(slot, Tally()) + tally
        by_segment[segment] = by_segment.get(segment, Tally()) + tally
        everything += tally
    overall = Belief(_FIRST_GUESS, _FIRST_TRIES).after(everything)
    slots = _shrunk(by_slot, overall)
    segments = _shrunk(by_segment, overall)
    expected = {
        (segment, slot): _together(slots[slot].mean, segments[segment].mean, overall.mean) for segment, slot in cells
    }
    return AnswerRates(overall, slots, segments, cells, _firmness([(cells[key], expected[key]) for key in cells]))


K = TypeVar("K", Slot, Segment)


def _shrunk(tallies: Mapping[K, Tally], towards: Belief) -> dict[K, Belief]:
    firmness = _firmness([(tally, towards.mean) for tally in tallies.values()])
    return {key: towards.after(tally, firmness) for key, tally in tallies.items()}


def _firmness(cells: list[tuple[Tally, float]]) -> float:
    """How many attempts the wider belief is worth, by moments: where cells differ no more than chance makes them
    differ it is worth many, where they truly differ few."""
    spread = noise = reach = 0.0
    for tally, mean in cells:
        if tally.tries:
            within = mean * (1 - mean)
            spread += tally.tries * (tally.hits / tally.tries - mean) ** 2
            noise += within
            reach += (tally.tries - 1) * within
    if reach <= 0 or spread <= noise:
        return _MOST
    share = min(1.0, (spread - noise) / reach)  # of the variance that is between the cells: 1 / (firmness + 1)
    return min(_MOST, max(_LEAST, 1 / share - 1))


def _together(hour: float, segment: float, overall: float) -> float:
    """An hour's and a segment's departure from the whole, added in log-odds."""
    return 1 / (1 + math.exp(-(_logit(hour) + _logit(segment) - _logit(overall))))


def _logit(p: float) -> float:
    held = min(1 - 1e-6, max(1e-6, p))
    return math.log(held / (1 - held))
