"""What the estimate during a call is made with: what it looks at, and the weights that ship with us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from app.sales.lead import Conversation

MOST = 4.0  # of anything counted; more of it says no more


@dataclass(frozen=True, slots=True)
class LiveModel:
    version: str
    base: float
    weights: Mapping[str, float]


@cache
def shipped() -> LiveModel:
    told = json.loads((files("app.sales") / "live_model.json").read_text(encoding="utf-8"))
    return LiveModel(told["version"], told["base"], told["weights"])


def inputs(talk: Conversation) -> dict[str, float]:
    """What the model looks at: counts up to `MOST`, yes as 1."""
    counts = {
        "questions asked": talk.questions,
        "objections open": max(0, talk.objections - talk.objections_resolved),
        "objections resolved": talk.objections_resolved,
        "facts told": talk.facts,
        "facts volunteered": talk.volunteered,
        "words of decision": talk.commitments,
        "talk of money": talk.price_talk,
        "an appointment": talk.commitment,
        "a call-back": talk.callback_asked,
        "a person": talk.human_asked,
        "no more calls": talk.opted_out,
    }
    return {name: min(MOST, float(count)) for name, count in counts.items()} | {"warmer words": talk.sentiment_trend}
