"""A lead, its score and its tier, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.sales.reading import Spoken


class Tier(StrEnum):
    """How soon a person should act on a lead."""

    HOT = "hot"
    WARM = "warm"
    COLD = "cold"


@dataclass(frozen=True, slots=True)
class Lead:
    id: UUID
    workspace_id: UUID
    phone: str  # E.164
    name: str | None = None
    source: str = "inbound_call"
    facts: Mapping[str, str] = field(default_factory=dict)
    tier: Tier | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one call's log says about the sale. Shares are 0..1, times milliseconds, the rest counts.

    Derived from the log alone, never from who the person is.
    """

    talk_share: float = 0.0  # caller's share of all speech
    caller_turns: int = 0
    questions: int = 0
    objections: int = 0
    facts: int = 0
    interruptions: int = 0
    price_talk: bool = False
    commitment: bool = False  # asked for an appointment
    callback_asked: bool = False
    human_asked: bool = False
    opted_out: bool = False
    seconds: float = 0.0
    objections_resolved: int = 0  # after which the caller went on: told, asked, agreed
    volunteered: int = 0  # facts nobody had asked for
    sentiment_trend: float = 0.0  # -2 to 2, of words alone: later turns against earlier ones
    commitments: int = 0  # turns with words of somebody who has decided
    spoken: Spoken | None = None  # what a model of words made of the caller's turns, where one read them


@dataclass(frozen=True, slots=True)
class LeadHistory:
    """Everything a score may look at."""

    lead_id: UUID
    source: str
    facts: Mapping[str, str]
    calls: int
    last: Conversation


@dataclass(frozen=True, slots=True)
class Uplift:
    """What a call adds to the chance of a sale, -1 to 1, with bounds (nine in ten) of the average of such leads."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Score:
    """`probability` of becoming a customer with its bounds, the tier cut from it, and why. `uplift` where the model
    learned from leads left uncalled by lot, too."""

    probability: float
    lower: float
    upper: float
    tier: Tier
    reasons: tuple[str, ...]
    model_version: str
    uplift: Uplift | None = None

    @property
    def origin(self) -> str:
        return origin_of(self.model_version)


def origin_of(model_version: str) -> str:
    """What a model learned from, in words that belong beside every score. The shipped one is honest about it."""
    return "trained on simulated data" if model_version.startswith("simulated-") else "trained on your own outcomes"
