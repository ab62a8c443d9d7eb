"""What is kept of a learner scores as scikit-learn does, or it is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.errors import ModelRefused
from ml import linear, parity, trees
from ml.columns import Column, Schema
from ml.encode import Block

RNG = np.random.default_rng(5)
N = 800
SCHEMA = Schema(
    "y",
    "1",
    (Column("a", "number"), Column("season", "number", stamp=True), Column("c", "category", ("u", "v"))),
)
NUMBERS = np.column_stack([np.where(RNG.random(N) < 0.1, np.nan, RNG.normal(size=N)), RNG.normal(size=N)])
BLOCK = Block(NUMBERS, RNG.integers(0, 4, size=(N, 1)))
Y = (RNG.random(N) < 0.3 + 0.3 * (BLOCK.codes[:, 0] == 1)).astype(np.int8)


@pytest.mark.parametrize("kind", ["boosted", "forest"])
@pytest.mark.parametrize("stamps", [True, False])
def test_trees_are_held_against_scikit_learn_when_fitted(kind: str, stamps: bool) -> None:
    settings = trees.TreeSettings(kind, 10, 4, leaf=10, stamps=stamps)
    part = trees.fit_trees(SCHEMA, BLOCK, Y, np.ones(N), settings, seed=1)  # raises where they differ
    wrong = replace(part, base=part.base + 1e-3)
    with pytest.raises(ModelRefused, match="differ"):
        parity.hold(kind, wrong.terms(BLOCK), _sum(part.terms(BLOCK)))


@pytest.mark.parametrize("plain", [True, False])
def test_a_logistic_regression_is_held_against_scikit_learn_when_fitted(
    plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = linear.LinearSettings(plain=plain)
    linear.fit_linear(SCHEMA, BLOCK, Y, np.ones(N), settings)
    monkeypatch.setattr(linear.LinearPart, "terms", lambda self, block: (self.base, np.zeros((len(block), 3))))
    with pytest.raises(ModelRefused, match="logistic regression"):
        linear.fit_linear(SCHEMA, BLOCK, Y, np.ones(N), settings)


def test_a_score_that_is_no_number_is_no_parity() -> None:
    with pytest.raises(ModelRefused):
        parity.hold("trees", (0.0, np.array([[np.nan]])), np.zeros(1))


def _sum(terms: tuple[float, np.ndarray]) -> np.ndarray:
    return terms[0] + terms[1].sum(axis=1)
