"""During a call: how likely a sale is after this turn, why, and what to do next. Pure, and cheap enough to ask always.

The estimate is a logistic regression on what the log tells so far, trained by `python -m ml.live` on the same simulated
leads as the shipped model, looked at in the middle of their calls; its name says "simulated". Advice: it refuses nobody
and sets no price (C45).
"""

from __future__ import annotations

import math
from enum import StrEnum

from app.dialog.events import Estimated
from app.sales.lead import Conversation
from app.sales.live import LiveModel, inputs

LIKELY, ENOUGH_FACTS = 0.4, 3
_SPEAKS = 0.1  # log-odds; what says less is no reason to give


class Action(StrEnum):
    """What would help the sale most now."""

    ASK = "ask"
    HANDLE = "handle"
    OFFER = "offer"
    CLOSE = "close"
    HAND_OVER = "hand_over"


def estimate(turn: int, talk: Conversation, model: LiveModel) -> Estimated:
    """Never raises; the same log gives the same estimate."""
    worth = {name: model.weights.get(name, 0.0) * value for name, value in inputs(talk).items()}
    strongest = sorted((w for w in worth.items() if abs(w[1]) > _SPEAKS), key=lambda w: -abs(w[1]))[:3]
    because = ", ".join(f"{name} {'raises' if weight > 0 else 'lowers'} it" for name, weight in strongest)
    probability = 0.0 if talk.opted_out else 1 / (1 + math.exp(-(model.base + sum(worth.values()))))
    return Estimated(turn, round(probability, 4), next_action(talk, probability).value, because, model.version)


def next_action(talk: Conversation, probability: float) -> Action:
    """In order: what the caller asked for, what stands in the way, what they are ready for, what we still lack."""
    if talk.opted_out or talk.commitment:
        return Action.CLOSE
    if talk.human_asked or talk.callback_asked:
        return Action.HAND_OVER
    if talk.objections > talk.objections_resolved:
        return Action.HANDLE
    if talk.commitments or (probability >= LIKELY and talk.facts >= ENOUGH_FACTS):
        return Action.OFFER
    return Action.ASK
