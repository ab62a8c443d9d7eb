"""Sentiment of short comments, several at once: positive, negative, ambiguous, neutral."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ml.text.linear import train_several
from ml.text.trials.folds import macro_f1, stratified
from ml.text.trials.sets import Labelled


def cross_validated(
    found: Labelled, groups: Mapping[str, frozenset[str]], say: Callable[[str], None] = lambda _: None
) -> float:
    """Macro F1. `found.labels` are joined by `|`; each fold's limits are set within its own training rows."""
    names = list(groups)
    held = [tuple(name for name in names if groups[name] & set(labels.split("|"))) for labels in found.labels]
    truth = np.array([[name in each for name in names] for each in held])
    told = np.zeros_like(truth)
    folds = stratified([each[0] if each else "" for each in held])
    for number, (learn, ask) in enumerate(folds, 1):
        say(f"fold {number} of {len(folds)}, {len(learn):,} texts")
        model = train_several([found.texts[at] for at in learn], [held[at] for at in learn], names)
        told[ask] = model.probabilities([found.texts[at] for at in ask]) >= model.cutoffs
    return macro_f1(truth, told)
