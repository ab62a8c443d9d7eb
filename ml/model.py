"""A trained model as a value: encoded rows in, probabilities with bounds, tiers and reasons out.

No scikit-learn here: everything a score needs was taken out of the fitted learners when they were trained. A row's
score depends on that row alone, to the last bit, whatever other rows are scored with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.sales.lead import Score, Uplift
from app.sales.priority import Yardstick
from ml.calibration import Line
from ml.candidates import Part, add_up, sigmoid
from ml.columns import Schema
from ml.encode import Block, Encoder, cells_of
from ml.explain import explainer
from ml.intervals import Doubt
from ml.lift import Lift, lift_from
from ml.linear import LinearPart, linear_from
from ml.territory import Territory, territory_from
from ml.tiers import Cuts
from ml.trees import trees_from

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Side:
    """A stack of learners averaged in log-odds, its calibration and its doubt. `usual` is the average row's terms."""

    parts: tuple[Part, ...]
    line: Line
    doubt: Doubt
    usual: Floats

    def terms(self, block: Block) -> tuple[float, Floats]:
        """Base and rows x features in calibrated log-odds."""
        base, total = self.parts[0].terms(block)
        for part in self.parts[1:]:
            more, terms = part.terms(block)
            base, total = base + more, total + terms
        share = self.line.slope / len(self.parts)
        return base * share + self.line.offset, total * share

    def to_arrays(self) -> dict[str, Any]:
        return {
            "parts": [{"linear" if isinstance(p, LinearPart) else "trees": p.to_arrays()} for p in self.parts],
            "line": np.array([self.line.slope, self.line.offset]),
            "doubt": {"at": self.doubt.at, "low": self.doubt.low, "high": self.doubt.high, "wander": self.doubt.wander},
            "usual": self.usual,
        }


def side_from(body: dict[str, Any]) -> Side:
    parts: list[Part] = [linear_from(p["linear"]) if "linear" in p else trees_from(p["trees"]) for p in body["parts"]]
    doubt = body["doubt"]
    return Side(
        tuple(parts),
        Line(*map(float, body["line"])),
        Doubt(doubt["at"], doubt["low"], doubt["high"], float(doubt["wander"])),
        body["usual"],
    )


@dataclass(frozen=True, slots=True)
class Prediction:
    """Per row. `moves` are calibrated log-odds per feature, relative to the average row; `new` marks unseen periods."""

    probability: Floats
    lower: Floats
    upper: Floats
    moves: Floats
    new: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Model:
    """`forward` serves rows from periods not seen in training, `inside` the others; without stamps there is only
    one.
    """

    schema: Schema
    forward: Side
    inside: Side | None
    territory: Territory
    cuts: Cuts
    baseline: LinearPart
    base_rate: float
    quartiles: tuple[Floats, Floats]
    card: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    lift: Lift | None = None  # what a call adds, where the table had leads left uncalled

    def predict(self, block: Block) -> Prediction:
        new = self.territory.is_new(block) if self.inside is not None else np.ones(len(block), dtype=bool)
        n, width = len(block), len(self.schema.features)
        out = Prediction(np.empty(n), np.empty(n), np.empty(n), np.empty((n, width)), new)
        for side, rows in ((self.forward, np.flatnonzero(new)), (self.inside, np.flatnonzero(~new))):
            if side is None or not len(rows):
                continue
            base, terms = side.terms(block.take(rows))
            logits = add_up(base, terms)
            out.probability[rows] = sigmoid(logits)
            out.lower[rows], out.upper[rows] = side.doubt.around(logits)
            out.moves[rows] = terms - side.usual
        return out

    def to_arrays(self) -> dict[str, Any]:
        return {
            "forward": self.forward.to_arrays(),
            "inside": [] if self.inside is None else [self.inside.to_arrays()],
            "territory": self.territory.to_arrays(),
            "cuts": np.array([self.cuts.hot, self.cuts.warm]),
            "baseline": self.baseline.to_arrays(),
            "base_rate": self.base_rate,
            "quartiles": list(self.quartiles),
            **({} if self.lift is None else {"lift": self.lift.to_arrays()}),
        }


def model_from(arrays: dict[str, Any], schema: Schema, card: Mapping[str, Any], version: str) -> Model:
    return Model(
        schema,
        side_from(arrays["forward"]),
        side_from(arrays["inside"][0]) if arrays["inside"] else None,
        territory_from(arrays["territory"]),
        Cuts(*map(float, arrays["cuts"])),
        linear_from(arrays["baseline"]),
        float(arrays["base_rate"]),
        (arrays["quartiles"][0], arrays["quartiles"][1]),
        card,
        version,
        lift_from(arrays["lift"]) if "lift" in arrays else None,
    )


def fingerprint(arrays: Any, schema: Schema) -> str:
    """A hash of everything a score depends on: the same for the same model wherever and whenever it was saved."""
    digest = hashlib.sha256(schema.to_json().encode())
    _feed(digest, arrays)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, dict):
        for key in sorted(value):
            digest.update(f"{key}=".encode())
            _feed(digest, value[key])
    elif isinstance(value, list):
        digest.update(f"[{len(value)}".encode())
        for item in value:
            _feed(digest, item)
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    else:
        digest.update(repr(value).encode())


class LeadModel:
    """Scores one lead at a time, given by column name. Loaded once, shared by threads: it changes nothing when it
    scores.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._names = [c.name for c in model.schema.features]
        self._explain = explainer(model.schema, *model.quartiles)

    @property
    def version(self) -> str:
        return self.model.version

    @property
    def yardstick(self) -> Yardstick:
        """What a workspace's cuts need of the model: the average lead, and the scores of buyers it had not seen."""
        buyers = tuple(float(score) for score in self.model.card.get("buyers", ()))
        source = f"held-out rows of {self.model.card.get('trained_on', 'its table')}"
        return Yardstick(self.version, self.model.base_rate, buyers, source)

    def score(self, row: Mapping[str, object]) -> Score:
        """Raises BadTable when a column the model needs is not in the row; extra ones are ignored."""
        return self.score_many([row])[0]

    def score_many(self, rows: Sequence[Mapping[str, object]]) -> list[Score]:
        """In the order given, each as it would be alone, to the last bit."""
        if not rows:
            return []
        block = Encoder(self.model.schema, self._names).block([cells_of(row, self._names) for row in rows])
        found = self.model.predict(block)
        reasons = self._explain.reasons(block, found.moves)
        cut, version = self.model.cuts.tier, self.model.version
        each = zip(found.probability.tolist(), found.lower.tolist(), found.upper.tolist(), reasons, strict=True)
        scores = [
            Score(round(p, 6), round(low, 6), round(high, 6), cut(round(p, 6)), why, version)
            for p, low, high, why in each
        ]
        if self.model.lift is None:
            return scores
        lifts = zip(*(np.round(values, 6).tolist() for values in self.model.lift.of(block)), strict=True)
        return [replace(score, uplift=Uplift(*lift)) for score, lift in zip(scores, lifts, strict=True)]
