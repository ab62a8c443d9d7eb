"""Models of words: rows in any order, each text by itself, files that were tampered with."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from app.errors import BadTable, ModelRefused
from ml.text import load
from ml.text.kernel import train
from ml.text.model import TextModel
from ml.text.store import save

ROWS = [
    ("how much", "price"), ("what does it cost", "price"), ("what is the price", "price"), ("is it dear", "price"),
    ("who is this", "who"), ("who are you", "who"), ("who is calling", "who"), ("what company is this", "who"),
    ("it is raining", "other"), ("nice weather today", "other"), ("the dog barks", "other"), ("hold on", "other"),
]  # fmt: skip
ASKED = ["what is the cost", "who is it", "zzz", "", "the rain"]


def trained(rows: list[tuple[str, str]]) -> TextModel:
    return train([text for text, _ in rows], [label for _, label in rows], outside="other").model


def test_the_order_of_rows_does_not_matter() -> None:
    shuffled = random.Random(3).sample(ROWS, len(ROWS))
    assert np.array_equal(trained(ROWS).scores(ASKED), trained(shuffled).scores(ASKED))


def test_an_answer_does_not_depend_on_the_others() -> None:
    model = train([text for text, _ in ROWS], [label for _, label in ROWS]).model
    alone = np.concatenate([model.scores([text]) for text in ASKED])
    assert np.array_equal(model.scores(ASKED), alone)
    assert np.array_equal(model.scores(ASKED[::-1]), alone[::-1])


def test_it_is_kept_and_found_again(tmp_path: Path) -> None:
    model = train([text for text, _ in ROWS], [label for _, label in ROWS], outside="other").model
    save(model, tmp_path / "m.words", ASKED)
    again = load(tmp_path / "m.words")
    assert np.array_equal(again.scores(ASKED), model.scores(ASKED))
    assert again.find(["how much"])[0].label == "price"


@pytest.mark.parametrize("at", [0.2, 0.5, 0.8])
def test_T24_a_changed_file_is_refused(tmp_path: Path, at: float) -> None:
    model = train([text for text, _ in ROWS], [label for _, label in ROWS]).model
    file = tmp_path / "m.words"
    save(model, file, ASKED)
    body = bytearray(file.read_bytes())
    body[int(at * len(body))] ^= 0xFF
    file.write_bytes(bytes(body))
    with pytest.raises(ModelRefused):
        load(file)


def test_one_label_is_no_model() -> None:
    with pytest.raises(BadTable, match="two labels"):
        train(["a", "b"], ["x", "x"])
