"""Made-up finished calls whose true chance of a sale is known: what the shipped model is trained on.

Each lead has a hidden interest. Interest shapes what happens in the call (questions, facts, an appointment, an
opt-out), and interest together with what happened decides the sale. The numbers are our assumptions about sales calls,
not measurements.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from app.sales.lead import Conversation, LeadHistory
from ml.features import lead_row

SEED = 1889  # the year of the patent
_FACTS = ("homeowner", "roof", "bill", "start", "decider", "area")
_SOURCES = ("inbound_call", "outbound_call", "web_form", "referral")
_SHARES = np.cumsum([0.5, 0.25, 0.15])


@dataclass(frozen=True, slots=True)
class SimulatedLead:
    """`chance` is the truth that a calibrated model should find; `converted` one throw of the dice with it."""

    row: dict[str, object]
    chance: float
    converted: bool


def leads(count: int, seed: int = SEED) -> list[SimulatedLead]:
    """The same leads for the same arguments."""
    rng = np.random.default_rng(seed)
    return [_lead(rng) for _ in range(count)]


def calls(count: int, seed: int = SEED) -> list[tuple[Conversation, bool]]:
    """The last conversations of the same leads, and whether they bought."""
    rng = np.random.default_rng(seed)
    found = (_history(rng) for _ in range(count))
    return [(history.last, bool(rng.random() < chance)) for history, chance in found]


def _lead(rng: np.random.Generator) -> SimulatedLead:
    history, chance = _history(rng)
    return SimulatedLead(lead_row(history), chance, bool(rng.random() < chance))


def _history(rng: np.random.Generator) -> tuple[LeadHistory, float]:
    source = _SOURCES[int(np.searchsorted(_SHARES, rng.random()))]
    interest = float(rng.normal()) + {"outbound_call": -0.5, "referral": 0.5}.get(source, 0.0)
    call = _conversation(rng, interest)
    earlier = int(rng.binomial(len(_FACTS) - call.facts, 0.1)) if call.facts < len(_FACTS) else 0
    history = LeadHistory(
        UUID(int=0),
        source,
        dict.fromkeys(_FACTS[: call.facts + earlier], "known"),
        1 + int(rng.poisson(0.4)),
        call,
    )
    return history, _chance(interest, history)


def _conversation(rng: np.random.Generator, interest: float) -> Conversation:
    open_minded = _sigmoid(1.2 * interest)
    opted_out = bool(rng.random() < 0.12 * (1 - open_minded) + 0.03)
    if rng.random() < 0.12:
        return _straight_to_a_person(rng, opted_out)
    turns = 1 + int(rng.poisson((3 + 9 * open_minded) * (0.4 if opted_out else 1.0)))
    facts = int(rng.binomial(len(_FACTS), 0.1 + 0.8 * open_minded)) if turns > 2 else int(rng.binomial(2, 0.2))
    objections = int(rng.poisson(1.6 * (1 - open_minded) + 0.2))
    return Conversation(
        talk_share=_share(rng.normal(0.25 + 0.2 * open_minded, 0.1)),
        caller_turns=turns,
        questions=int(rng.poisson(0.3 + 1.7 * open_minded)),
        objections=objections,
        facts=facts,
        interruptions=int(rng.poisson(0.5)),
        price_talk=bool(rng.random() < 0.15 + 0.4 * open_minded),
        commitment=bool(rng.random() < 0.75 * open_minded**2),
        callback_asked=bool(rng.random() < 0.1 + 0.15 * open_minded),
        human_asked=bool(rng.random() < 0.08 + 0.12 * open_minded),
        opted_out=opted_out,
        seconds=float(max(8.0, rng.normal(10 * turns, 3 * math.sqrt(turns) + 4))),
        objections_resolved=int(rng.binomial(objections, 0.2 + 0.6 * open_minded)),
        volunteered=int(rng.binomial(facts, 0.1 + 0.3 * open_minded)),
        sentiment_trend=float(np.clip(rng.normal(0.5 * (open_minded - 0.5), 0.4), -2, 2)),
        commitments=int(rng.poisson(0.6 * open_minded**2)),
    )


def _straight_to_a_person(rng: np.random.Generator, opted_out: bool) -> Conversation:
    """Some callers want no talk with a machine: they press a key or say so, and we learn nothing else."""
    turns = 1 + int(rng.poisson(1))
    return Conversation(
        talk_share=_share(rng.normal(0.2, 0.1)),
        caller_turns=turns,
        callback_asked=bool(rng.random() < 0.5),
        human_asked=not opted_out,
        opted_out=opted_out,
        seconds=float(max(8.0, rng.normal(14 * turns, 6))),
    )


def _chance(interest: float, history: LeadHistory) -> float:
    last = history.last
    if last.opted_out:
        return 0.0
    logit = (
        -3.0
        + 0.7 * interest
        + 2.3 * last.commitment
        + 1.8 * last.human_asked
        + 0.5 * last.callback_asked
        + 0.3 * last.price_talk
        + 0.2 * min(len(history.facts), 6)
        + 0.15 * min(last.questions, 4)
        - 0.5 * min(last.objections, 4)
        + 0.3 * min(last.objections_resolved, 4)
        + 0.3 * min(last.commitments, 2)
        + 0.3 * last.sentiment_trend
    )
    return _sigmoid(logit)


def _share(x: float) -> float:
    return float(min(max(x, 0.02), 0.9))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))
