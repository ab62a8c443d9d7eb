"""Whom a call makes buy: a model of what a call adds to a lead's chance of a sale, from leads called and left by lot.

Two ways, each with the linear and boosted learners of the priority model (ml/candidates.py):

*Two models* (the T-learner): one of the called, one of the uncalled; the uplift is the difference of their chances.
*One model* (the transformed label; M. Jaskowski, S. Jaroszewicz, "Uplift modeling for clinical trial data", 2012): a
lead is a hit when it was called and bought, or was not called and did not. With each group weighted to equal size the
chance of a hit is (1 + uplift) / 2.

The best by Qini on rows not seen in fitting is taken. Its uplift is then drawn towards the average effect as far as
those rows say: the slope of what happened on what was foretold, less what noise of that size would show by itself. So
where nothing tells leads apart, every lead gets the average effect, and the ranking says nothing rather than something
made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import BadTable
from ml.candidates import SEED, Part, logit, sigmoid
from ml.columns import Schema
from ml.dataset import Dataset
from ml.encode import Block
from ml.linear import LinearPart, LinearSettings, fit_linear, linear_from
from ml.trees import TreeSettings, fit_trees, trees_from
from ml.uplift import FEWEST, qini

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
_FOLDS = 5
_FEWEST_OF_A_KIND = 15  # sales in each group
_STEEPEST = 1.5
_SPREAD = 1.645  # nine in ten


@dataclass(frozen=True, slots=True)
class LiftLearner:
    """`two`: one model for each group; else one model of the transformed label."""

    name: str
    two: bool
    settings: LinearSettings | TreeSettings

    def fit(self, schema: Schema, block: Block, y: Labels, called: Labels) -> tuple[Part, ...]:
        if self.two:
            groups = (called == 1, called == 0)
            return tuple(self._part(schema, block.take(g), y[g], np.ones(int(g.sum()))) for g in groups)
        share = float(called.mean())
        weight = np.where(called == 1, 0.5 / share, 0.5 / (1 - share))
        return (self._part(schema, block, (y == called).astype(np.int8), weight),)

    def _part(self, schema: Schema, block: Block, y: Labels, weight: Floats) -> Part:
        if isinstance(self.settings, LinearSettings):
            return fit_linear(schema, block, y, weight, self.settings)
        return fit_trees(schema, block, y, weight, self.settings, SEED)


_STRICT, _USUAL = LinearSettings(c=0.03), LinearSettings()
_SHALLOW = TreeSettings("boosted", 60, 2, 0.07)
LEARNERS = (
    LiftLearner("two logistic regressions", True, _USUAL),
    LiftLearner("two logistic regressions, strongly regularised", True, _STRICT),
    LiftLearner("two shallow gradient boostings", True, _SHALLOW),
    LiftLearner("logistic regression of the transformed label", False, _USUAL),
    LiftLearner("logistic regression of the transformed label, strongly regularised", False, _STRICT),
    LiftLearner("shallow gradient boosting of the transformed label", False, _SHALLOW),
)


@dataclass(frozen=True, slots=True)
class Lift:
    """Uplift is `effect` + `slope` x (raw - `centre`). `effect_sd` and `slope_sd` are how sure both are."""

    parts: tuple[Part, ...]
    effect: float
    slope: float
    centre: float
    effect_sd: float
    slope_sd: float

    def of(self, block: Block) -> tuple[Floats, Floats, Floats]:
        """Uplift of each row, and bounds (nine in ten) of what leads with such a value gain on average: one lead may
        differ more. A row's uplift depends on that row alone."""
        away = raw(self.parts, block) - self.centre
        found = np.clip(self.effect + self.slope * away, -1, 1)
        doubt = _SPREAD * np.sqrt(self.effect_sd**2 + (self.slope_sd * away) ** 2)
        return found, np.maximum(found - doubt, -1), np.minimum(found + doubt, 1)

    def to_arrays(self) -> dict[str, Any]:
        return {
            "parts": [{"linear" if isinstance(p, LinearPart) else "trees": p.to_arrays()} for p in self.parts],
            "line": np.array([self.effect, self.slope, self.centre, self.effect_sd, self.slope_sd]),
        }


def lift_from(body: dict[str, Any]) -> Lift:
    parts = [linear_from(p["linear"]) if "linear" in p else trees_from(p["trees"]) for p in body["parts"]]
    return Lift(tuple(parts), *map(float, body["line"]))


def raw(parts: tuple[Part, ...], block: Block) -> Floats:
    """Before it is held against what happened."""
    chances = [sigmoid(logit(part, block)) for part in parts]
    found: Floats = chances[0] - chances[1] if len(chances) == 2 else 2 * chances[0] - 1
    return found


@dataclass(frozen=True, slots=True)
class LiftTrial:
    """`qini` on rows not seen in fitting."""

    name: str
    qini: float
    chosen: bool


@dataclass(frozen=True, slots=True)
class FittedLift:
    lift: Lift
    trials: tuple[LiftTrial, ...]


def fit_lift(dataset: Dataset, learners: Sequence[LiftLearner] = LEARNERS) -> FittedLift:
    """Raises BadTable where a group is too small. The same rows give the same model."""
    called = dataset.called
    assert called is not None
    y, schema, block = dataset.y, dataset.schema, dataset.block
    for name, group in (("called", called == 1), ("left uncalled", called == 0)):
        rows, sold = int(group.sum()), int(y[group].sum())
        if rows < FEWEST or min(sold, rows - sold) < _FEWEST_OF_A_KIND:
            raise BadTable(
                f"{rows} leads were {name}, {sold} of them positive: what a call adds takes at least {FEWEST} of each "
                f"group, with {_FEWEST_OF_A_KIND} of each kind."
            )
    folds = _folds(y, called)
    found = {}
    for learner in learners:
        values = np.empty(len(y))
        for k in range(_FOLDS):
            train, test = folds != k, folds == k
            parts = learner.fit(schema, block.take(train), y[train], called[train])
            values[test] = raw(parts, block.take(test))
        found[learner] = (qini(y, values, called), values)
    best = max(found, key=lambda learner: found[learner][0])
    parts = best.fit(schema, block, y, called)
    trials = tuple(LiftTrial(one.name, round(value, 6), one is best) for one, (value, _) in found.items())
    return FittedLift(_held(parts, found[best][1], y, called), trials)


def _folds(y: Labels, called: Labels) -> NDArray[np.intp]:
    """Each with its share of all four kinds of rows."""
    shuffled = np.random.default_rng(SEED).permutation(len(y))
    kind = 2 * called.astype(int) + y
    fold = np.empty(len(y), dtype=np.intp)
    fold[shuffled[np.argsort(kind[shuffled], kind="stable")]] = np.arange(len(y)) % _FOLDS
    return fold


def _held(parts: tuple[Part, ...], foretold: Floats, y: Labels, called: Labels) -> Lift:
    """Against what happened: a least-squares line of sales, each weighed so that its mean is the uplift."""
    share = float(called.mean())
    seen = y * (called - share) / (share * (1 - share))
    groups = (y[called == 1], y[called == 0])
    effect = float(groups[0].mean() - groups[1].mean())
    effect_sd = float(np.sqrt(sum(g.var() / len(g) for g in groups)))
    centre = float(foretold.mean())
    away = foretold - centre
    spread = float((away**2).sum())
    if spread < 1e-12:
        return Lift(parts, effect, 0.0, centre, effect_sd, 0.0)
    slope = float((away * (seen - seen.mean())).sum()) / spread
    residual = seen - seen.mean() - slope * away
    sd = float(np.sqrt(((away * residual) ** 2).sum())) / spread
    kept = slope * max(0.0, 1 - (sd / slope) ** 2) if slope > 0 else 0.0
    return Lift(parts, effect, min(kept, _STEEPEST), centre, effect_sd, sd)
