"""From a training table to a model: mark stamps, choose learners, calibrate, measure doubt, cut tiers, fit on all
rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

import ml.candidates as learners
import ml.intervals as intervals
from ml.calibration import fit_line
from ml.candidates import BASELINE, Candidate, Choice, Fold
from ml.dataset import Dataset, with_sentinels
from ml.explain import quartiles
from ml.linear import LinearPart
from ml.model import Model, Side
from ml.territory import Territory, survey, with_stamps
from ml.tiers import Cuts, Team, cut

_CALIBRATION_HALF_LIFE = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """What may compete and what the team can do. `quick` is for small smooth tables that train while someone waits."""

    team: Team = field(default_factory=Team)
    quick: bool = False
    cuts: Cuts | None = None  # given instead of found


@dataclass(frozen=True, slots=True)
class Fitted:
    """The model and how its learners were chosen."""

    model: Model
    forward: Choice
    inside: Choice | None


def prepare(dataset: Dataset) -> Dataset:
    return with_stamps(with_sentinels(dataset))


def fit(dataset: Dataset, plan: Plan) -> Fitted:
    """`dataset` as `prepare` leaves it. The same rows give the same model, to the last bit, on the same machine."""
    with one_thread():
        territory = survey(dataset.schema, dataset.block)
        forward_folds = learners.random_folds(dataset) if plan.quick else learners.forward_folds(dataset)
        rivals = learners.quick_candidates() if plan.quick else learners.forward_candidates(dataset.schema)
        forward = learners.choose(dataset, rivals, forward_folds)
        inside = None
        side_inside = None
        if territory and not plan.quick:
            folds = learners.random_folds(dataset)
            inside = learners.choose(dataset, learners.inside_candidates(), folds, learners.INSIDE_MARGIN)
            side_inside = _side(dataset, inside, folds, fading=None)
        side = _side(dataset, forward, forward_folds, fading=None if plan.quick else _CALIBRATION_HALF_LIFE)
        baseline = BASELINE.fit(dataset.schema, dataset.block, dataset.y)
    probabilities = learners.sigmoid(side.line.of(forward.logits))
    assert isinstance(baseline, LinearPart)
    bought = dataset.y[forward.rows] == 1
    model = Model(
        dataset.schema,
        side,
        side_inside,
        territory if side_inside is not None else Territory(),
        plan.cuts or cut(probabilities, plan.team, probabilities[bought]),
        baseline,
        float(dataset.y.mean()),
        quartiles(dataset.block),
    )
    return Fitted(model, forward, inside)


def _side(dataset: Dataset, choice: Choice, folds: Sequence[Fold], fading: float | None) -> Side:
    """Calibrates on rows the learners had not seen, then fits them on all rows."""
    y = dataset.y[choice.rows]
    age = (len(dataset) - 1 - choice.rows) / len(dataset)
    weight = np.ones(len(y)) if fading is None else np.asarray(0.5 ** (age / fading))
    line = fit_line(choice.logits, y, weight)
    doubt = intervals.measure(line.of(choice.logits), y, _stretches(folds))
    side = Side((), line, doubt, np.zeros(len(dataset.schema.features)))
    return _with_parts(side, choice, dataset)


def _with_parts(side: Side, choice: Choice, dataset: Dataset) -> Side:
    """Learners on all rows, and what the average row's terms are with them."""
    parts = tuple(c.fit(dataset.schema, dataset.block, dataset.y, dataset.beside) for c in choice.chosen)
    side = replace(side, parts=parts)
    return replace(side, usual=side.terms(dataset.block)[1].mean(axis=0))


def fitted_with(fitted: Fitted, dataset: Dataset) -> Model:
    """The same choice and calibration, its learners fitted again: to see what other evidence beside the rows does."""
    model = fitted.model
    with one_thread():
        forward = _with_parts(model.forward, fitted.forward, dataset)
        inside = model.inside
        if inside is not None and fitted.inside is not None:
            inside = _with_parts(inside, fitted.inside, dataset)
    return replace(model, forward=forward, inside=inside)


def _stretches(folds: Sequence[Fold]) -> list[NDArray[np.intp]]:
    """Where each fold's tested rows lie among all tested rows."""
    bounds = np.cumsum([0, *(len(test) for _, test in folds)])
    return [np.arange(a, b) for a, b in pairwise(bounds)]


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums by one thread come out the same each time, and small fits are faster without the others waiting."""
    import sklearn.ensemble
    import sklearn.isotonic
    import sklearn.linear_model  # noqa: F401  (imported first, so that the limit reaches their thread pools)
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):
        yield


def describe(chosen: Sequence[Candidate]) -> str:
    names = [c.name for c in chosen]
    return names[0] if len(names) == 1 else "stack of " + "; ".join(names)
