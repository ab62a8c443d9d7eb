"""What a caller's turns are about, as a model of words read them after the call. From words alone, never a voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.sales.mood import trend

OBJECTS = 0.5  # from this probability on a turn speaks against the offer


@dataclass(frozen=True, slots=True)
class TurnReading:
    """`seq` is the entry of the call's log. `objection` is the probability that the turn speaks against the offer,
    `sentiment`, from -1 to 1, how welcome the offer is by its words (it says nothing about a person's feelings)."""

    seq: int
    intent: str
    probability: float
    objection: float
    sentiment: float
    model_version: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """All turns of a call together. `welcome` is the mean sentiment, `trend` how much the second half is above the
    first."""

    turns: int
    objecting: int
    welcome: float
    trend: float


def spoken(readings: Sequence[TurnReading]) -> Spoken | None:
    """In the order of the log. None where nothing was read."""
    if not readings:
        return None
    moods = [reading.sentiment for reading in readings]
    against = sum(reading.objection >= OBJECTS for reading in readings)
    return Spoken(len(readings), against, sum(moods) / len(moods), trend(moods))
