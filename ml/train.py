"""`train`: read, keep the last fifth back, fit, evaluate on it, fit again on all rows, save with a card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import ml.artifacts as artifacts
from app.errors import BadTable
from ml.candidates import logit, sigmoid
from ml.card import Card, trials_of
from ml.dataset import FEWEST_OF_A_KIND, FEWEST_ROWS, Dataset, Wishes, data_hash, read
from ml.evaluate import RESAMPLES, Report, report, with_tiers
from ml.lift import fit_lift
from ml.model import Model
from ml.pipeline import Fitted, Plan, describe, fit, one_thread, prepare
from ml.uplift import Uplift, uplift

_KEPT_BACK = 0.2
MOST_BUYERS = 1_000  # whose scores go into the card
NOTES = (
    "A score describes leads like those in the table, called as those were called; "
    "it does not know what calling changes.",
    "When the share of buyers moves from one period to the next, so does the truth behind a probability; `lower` and "
    "`upper` span what the level did between the stretches of the training table, and no more than that.",
    "Look at calibration again (`strowger evaluate`) as soon as newer outcomes are known, and train again.",
)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """`path` is the model file; the schema and the card lie beside it."""

    model: Model
    card: Card
    path: Path
    notices: tuple[str, ...]


def train_file(table: Path, path: Path, wishes: Wishes, plan: Plan, say: Say = lambda _: None) -> Trained:
    """Raises BadTable with one sentence when the table cannot be trained on."""
    say("reading")
    everybody = prepare(read(table, wishes))
    dataset = _talked_to(everybody)
    later = later_baseline = None
    buyers: tuple[float, ...] = ()
    kept_back = split(dataset)
    if kept_back is not None:
        say("training on the first four fifths")
        early, late = kept_back
        before = fit(prepare(early), plan).model
        later, later_baseline = measure(before, late, plan)
        buyers = buyers_of(before, late)
    say("training on all rows")
    fitted = fit(dataset, plan)
    card = card_of(dataset, fitted, plan, (later, later_baseline), table.name)
    card = replace(card, allowed=wishes.allow, buyers=buyers)
    model = fitted.model
    if everybody.called is not None:
        say("learning what a call adds")
        with one_thread():
            found = fit_lift(everybody)
            card = replace(card, lift=(*found.trials,), lift_later=_lift_later(everybody, plan))
        model = replace(model, lift=found.lift)
    say("saving")
    model = replace(model, card={**card.to_json(), "data_sha256": data_hash(everybody)})
    saved = artifacts.save(model, path, card.to_markdown(), dataset.block)
    return Trained(saved, card, artifacts.place(path), dataset.notices)


def _talked_to(dataset: Dataset) -> Dataset:
    """A score is of leads that are called: those left alone say nothing about it."""
    return dataset if dataset.called is None else dataset.take(np.flatnonzero(dataset.called == 1))


def _lift_later(everybody: Dataset, plan: Plan) -> Uplift | None:
    """What calling the best by uplift adds among the last fifth, by a model that learned from the rows before."""
    kept_back = split(everybody)
    if kept_back is None:
        return None
    early, late = kept_back
    assert late.called is not None
    try:
        return uplift(late.y, fit_lift(early).lift.of(late.block)[0], late.called)
    except BadTable:
        return None


def split(dataset: Dataset, share: float = _KEPT_BACK) -> tuple[Dataset, Dataset] | None:
    """The rows before and after the last fifth in time; None when either would be too small to say anything."""
    at = int(len(dataset) * (1 - share))
    early, late = dataset.take(np.arange(at)), dataset.take(np.arange(at, len(dataset)))
    enough = all(min(int(d.y.sum()), len(d) - int(d.y.sum())) >= FEWEST_OF_A_KIND for d in (early, late))
    return (early, late) if enough and len(early) >= FEWEST_ROWS else None


def measure(model: Model, dataset: Dataset, plan: Plan, resamples: int = RESAMPLES) -> tuple[Report, Report]:
    """The model and the plain baseline on the same rows."""
    p = model.predict(dataset.block).probability
    plain = sigmoid(logit(model.baseline, dataset.block))
    found = with_tiers(report(dataset.y, p, plan.team, resamples), dataset.y, p, model.cuts)
    return found, report(dataset.y, plain, plan.team, resamples)


def buyers_of(model: Model, dataset: Dataset) -> tuple[float, ...]:
    """Scores of the buyers among rows that the model had not seen, lowest first. Thinned out by their place in the
    table, never by their score, where they are many."""
    p = model.predict(dataset.block).probability[dataset.y == 1]
    step = -(-len(p) // MOST_BUYERS) or 1
    return tuple(sorted(round(float(one), 6) for one in p[::step]))


def card_of(
    dataset: Dataset, fitted: Fitted, plan: Plan, later: tuple[Report | None, Report | None], source: str
) -> Card:
    schema = dataset.schema
    return Card(
        name="lead",
        trained_on=source,
        rows=len(dataset),
        positive_rate=float(dataset.y.mean()),
        label=f"{schema.label} = {schema.positive}",
        ordered_by=" and ".join(schema.order) if schema.order else "the file",
        features=tuple(c.name for c in schema.features),
        stamps=tuple(c.name for c in schema.features if c.stamp),
        not_used={c.name: c.why for c in schema.columns if c.kind in {"ignored", "date"}},
        allowed=(),
        forward=describe(fitted.forward.chosen),
        inside=describe(fitted.inside.chosen) if fitted.inside else "",
        trials=trials_of(fitted, inside=False),
        inside_trials=trials_of(fitted, inside=True),
        later=later[0],
        later_baseline=later[1],
        tiers=fitted.model.cuts.to_json(),
        team=plan.team,
        notes=NOTES,
    )
