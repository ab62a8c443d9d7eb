"""What a caller's turns are about, as a model of words read them after the call. From words alone, never a voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.sales.mood import trend

OBJECTS = 0.5  # from this probability on a turn speaks against the offer
SURE = 0.8  # from here on people are shown it: of our own sentences, each held out, 95 of 100 are then read right
ANSWER = "answer"  # what the dialogue took for an answer to what we asked: alone it is about nothing
ABOUT_NOTHING = (ANSWER, "other")


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

    @property
    def topic(self) -> str | None:
        """The intent, where it may be shown."""
        return self.intent if self.probability >= SURE and self.intent not in ABOUT_NOTHING else None

    @property
    def mood(self) -> Literal["welcome", "unwelcome"] | None:
        """The sentiment in a word, where it may be shown."""
        if self.intent == ANSWER or abs(self.sentiment) < SURE:
            return None
        return "welcome" if self.sentiment > 0 else "unwelcome"


@dataclass(frozen=True, slots=True)
class Spoken:
    """All turns of a call together; `turns` counts answers, too, the rest leaves them out. `welcome` is the mean
    sentiment, `trend` how much the second half is above the first."""

    turns: int
    objecting: int
    welcome: float
    trend: float


def spoken(readings: Sequence[TurnReading]) -> Spoken | None:
    """In the order of the log. None where nothing was read."""
    if not readings:
        return None
    told = [reading for reading in readings if reading.intent != ANSWER]
    moods = [reading.sentiment for reading in told]
    against = sum(reading.objection >= OBJECTS for reading in told)
    return Spoken(len(readings), against, sum(moods) / max(1, len(moods)), trend(moods))
