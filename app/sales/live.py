"""What the estimate during a call is made with: what it looks at, and the weights that ship with us or were learned."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from app.errors import ModelRefused
from app.sales.lead import Conversation

TARGET = "live"  # under which the registry keeps these models
MOST = 4.0  # of anything counted; more of it says no more
_LARGEST = 64 * 1024  # bytes of a file; ours have some hundred


@dataclass(frozen=True, slots=True)
class LiveModel:
    version: str
    base: float
    weights: Mapping[str, float]


@cache
def shipped() -> LiveModel:
    return from_file((files("app.sales") / "live_model.json").read_bytes())


def to_file(model: LiveModel) -> bytes:
    body = {"version": model.version, "base": model.base, "weights": dict(model.weights)}
    return json.dumps(body, indent=2).encode() + b"\n"


def from_file(body: bytes) -> LiveModel:
    """Numbers by name and nothing else. Raises ModelRefused (F30)."""
    try:
        told = json.loads(body) if len(body) <= _LARGEST else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or set(told) != {"version", "base", "weights"}:
        raise ModelRefused("this is not a model of the estimate during a call.")
    version, base, weights = told["version"], told["base"], told["weights"]
    named = isinstance(version, str) and version and isinstance(weights, dict)
    if not named or not all(_is_weight(value) for value in (base, *weights.values())):
        raise ModelRefused("a model of the estimate during a call holds finite numbers by name, and this does not.")
    if strange := sorted(set(weights) - set(inputs(Conversation()))):
        raise ModelRefused(f"the model weighs {strange[0]!r}, which nothing in a call is.")
    return LiveModel(version, float(base), {name: float(value) for name, value in weights.items()})


def _is_weight(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


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
