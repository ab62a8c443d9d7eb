"""Intents of typed questions: the learner that ships, trained on four fifths of a set and asked about the last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ml.text.kernel import train
from ml.text.trials.folds import stratified
from ml.text.trials.sets import Labelled


@dataclass(frozen=True, slots=True)
class Intents:
    """`accuracy` is that of the rows in scope, where a right answer must name the intent and not refuse; `refused` the
    share of the rows out of scope that are found to be so (1 where there are none)."""

    rows: int
    accuracy: float
    refused: float


def cross_validated(found: Labelled, outside: str = "", say: Callable[[str], None] = lambda _: None) -> Intents:
    """The limit of the scope is set on the training folds, each of their rows left out in turn (ml/text/kernel.py)."""
    truth = np.array(["" if label == outside else label for label in found.labels])
    answers = np.empty(len(found), dtype=object)
    folds = stratified(found.labels)
    for number, (learn, ask) in enumerate(folds, 1):
        say(f"fold {number} of {len(folds)}, {len(learn):,} texts")
        part = found.take(learn)
        model = train(part.texts, part.labels, outside=outside).model
        answers[ask] = [one.label for one in model.find([found.texts[at] for at in ask])]
    inside, right = truth != "", answers == truth
    return Intents(len(found), float(right[inside].mean()), float(right[~inside].mean()) if (~inside).any() else 1.0)
