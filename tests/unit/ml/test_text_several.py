"""Several labels at once: each with its own limit, the same whatever the order of rows."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from app.errors import BadTable
from ml.text import load
from ml.text.linear import best_cutoffs, train_several
from ml.text.store import save

GLAD, SAD = ("glad", "sad")
ROWS = [
    (f"{word} {end}", labels)
    for word, labels in {"lovely": (GLAD,), "horrible": (SAD,), "bittersweet": (GLAD, SAD), "plain": ()}.items()
    for end in ("day", "trip", "tea", "house", "song", "book", "film", "walk", "night", "game")
]


def test_each_label_is_told_by_itself_and_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    def trained(rows: list[tuple[str, tuple[str, ...]]]) -> np.ndarray:
        model = train_several([text for text, _ in rows], [labels for _, labels in rows], (GLAD, SAD))
        assert model.holding(["a lovely dog", "horrible dog", "plain"]) == [(GLAD,), (SAD,), ()]
        save(model, tmp_path / "m.words", ["lovely"])
        assert np.array_equal(load(tmp_path / "m.words").probabilities(["dog"]), model.probabilities(["dog"]))
        return model.scores(["lovely", "bittersweet", ""])

    assert np.array_equal(trained(ROWS), trained(random.Random(1).sample(ROWS, len(ROWS))))


def test_a_limit_is_the_one_with_the_best_f1() -> None:
    likely = np.array([[0.9], [0.8], [0.7], [0.2], [0.1]])
    truth = np.array([[True], [False], [True], [False], [False]])
    assert best_cutoffs(likely, truth) == pytest.approx([0.7])


@pytest.mark.parametrize("labels", [[(GLAD,), (GLAD,)], [(), ()], []])
def test_a_label_that_all_have_or_none_has_cannot_be_learned(labels: list[tuple[str, ...]]) -> None:
    with pytest.raises(BadTable, match="every label"):
        train_several(["a"] * len(labels), labels, (GLAD, SAD))
