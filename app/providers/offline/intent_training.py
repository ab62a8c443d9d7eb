"""Trains the intent recognisers with scikit-learn, and measures them on sayings they have not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from app.providers.offline.text_model import TextModel, features

Example = tuple[str, str]  # text, label
STRENGTH = 20.0


def build() -> Pipeline:
    """Unfitted."""
    vectors = TfidfVectorizer(analyzer=features, sublinear_tf=True, dtype=np.float64)
    each = LogisticRegression(C=STRENGTH, solver="liblinear", class_weight="balanced")
    return make_pipeline(vectors, OneVsRestClassifier(each))


def train(examples: Sequence[Example], threshold: float) -> TextModel:
    """A model fitted to all examples, in well under a second."""
    with threadpool_limits(1):  # the problems are tiny: threads would only wait for each other, fifteen times as long
        return export(build().fit([text for text, _ in examples], [label for _, label in examples]), threshold)


def export(pipeline: Pipeline, threshold: float) -> TextModel:
    """The numbers of a fitted pipeline of three labels or more, so that `probabilities` equals `predict_proba`."""
    vectors, classifier = (step for _, step in pipeline.steps)
    return TextModel(
        vocabulary={word: int(column) for word, column in vectors.vocabulary_.items()},
        idf=np.asarray(vectors.idf_),
        weights=np.vstack([each.coef_ for each in classifier.estimators_]),
        intercepts=np.concatenate([each.intercept_ for each in classifier.estimators_]),
        labels=tuple(str(label) for label in classifier.classes_),
        threshold=threshold,
    )


@dataclass(frozen=True, slots=True)
class Report:
    """Out of sample. `accepted` is the share above the threshold, `accuracy_accepted` how often those are right."""

    examples: int
    accuracy: float
    macro_f1: float
    accepted: float
    accuracy_accepted: float
    recall: dict[str, float]


def cross_validate(examples: Sequence[Example], threshold: float, folds: int = 5) -> Report:
    texts, labels = [text for text, _ in examples], [label for _, label in examples]
    split = StratifiedKFold(folds, shuffle=True, random_state=7)
    with threadpool_limits(1):
        likely = cross_val_predict(build(), texts, labels, cv=split, method="predict_proba")
    return report(labels, likely, sorted(set(labels)), threshold)


def report(labels: Sequence[str], likely: Any, names: Sequence[str], threshold: float) -> Report:
    guesses = np.array(names)[likely.argmax(axis=1)]
    right, sure = guesses == np.array(labels), likely.max(axis=1) >= threshold
    present = sorted(set(labels))
    each = recall_score(labels, guesses, labels=present, average=None, zero_division=0)
    return Report(
        examples=len(labels),
        accuracy=float(right.mean()),
        macro_f1=float(f1_score(labels, guesses, labels=present, average="macro", zero_division=0)),
        accepted=float(sure.mean()),
        accuracy_accepted=float(right[sure].mean()) if sure.any() else 0.0,
        recall={label: float(value) for label, value in zip(present, each, strict=True)},
    )
