"""A trained text classifier as numbers: served with numpy alone, so that no call waits for scikit-learn."""

from __future__ import annotations

import math
import os
import tempfile
import zipfile
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.dialog.words import normal
from app.errors import ModelRefused

CHARACTERS = (3, 4, 5)
CLASS_WEIGHT = 3


def _word_classes() -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Whole words and beginnings of words, with the class each belongs to."""
    whole: dict[str, list[str]] = {}
    beginnings: list[tuple[str, str]] = []
    text = (files("app.providers.offline") / "data" / "word_classes.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        name, colon, members = line.partition(": ")
        if colon and not line.startswith("#"):
            for word in members.split():
                if word.endswith("*"):
                    beginnings.append((word[:-1], name))
                else:
                    whole.setdefault(word, []).append(name)
    return whole, beginnings


_WHOLE, _BEGINNINGS = _word_classes()


@lru_cache(maxsize=8192)
def _classes_of(word: str) -> tuple[str, ...]:
    return (*_WHOLE.get(word, ()), *(name for start, name in _BEGINNINGS if word.startswith(start)))


def features(text: str) -> list[str]:
    """Words, pairs, classes and pieces of words: the same function when training and when serving."""
    words = normal(text).split()
    found = [f"w:{word}" for word in words]
    found += [f"b:{first} {second}" for first, second in zip(["^", *words], [*words, "$"], strict=True)]
    for word in words:
        found += [f"k:{name}" for name in _classes_of(word)] * CLASS_WEIGHT
        padded = f" {word} "
        for size in CHARACTERS:
            found += [f"c:{padded[at : at + size]}" for at in range(len(padded) - size + 1)]
    return found


@dataclass(frozen=True, slots=True)
class TextModel:
    """One-versus-rest logistic regression over TF-IDF. `threshold`: below it an answer is "other"."""

    vocabulary: dict[str, int]
    idf: NDArray[np.float64]
    weights: NDArray[np.float64]  # classes x features
    intercepts: NDArray[np.float64]
    labels: tuple[str, ...]
    threshold: float

    def probabilities(self, text: str) -> NDArray[np.float64]:
        """One per label, summing to 1."""
        counts = Counter(feature for feature in features(text) if feature in self.vocabulary)
        if not counts:
            return np.full(len(self.labels), 1 / len(self.labels))
        columns = np.fromiter((self.vocabulary[feature] for feature in counts), dtype=np.intp, count=len(counts))
        values = np.fromiter((1 + math.log(count) for count in counts.values()), dtype=np.float64) * self.idf[columns]
        values /= np.sqrt(values @ values)
        scores = self.weights[:, columns] @ values + self.intercepts
        each = 1 / (1 + np.exp(-scores))
        result: NDArray[np.float64] = each / each.sum()
        return result

    def probability(self, text: str, label: str) -> float:
        return float(self.probabilities(text)[self.labels.index(label)]) if label in self.labels else 0.0

    def recognise(self, text: str) -> tuple[str, float]:
        """The likeliest label and its probability; the caller compares it with `threshold`."""
        likely = self.probabilities(text)
        best = int(np.argmax(likely))
        return self.labels[best], float(likely[best])


def save(model: TextModel, path: Path) -> None:
    """Whole or not at all: several processes may train at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(
                file,
                vocabulary=np.array(sorted(model.vocabulary, key=model.vocabulary.__getitem__)),
                idf=model.idf,
                weights=model.weights.astype(np.float32),
                intercepts=model.intercepts,
                labels=np.array(model.labels),
                threshold=np.array(model.threshold),
            )
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path) -> TextModel:
    """Raises ModelRefused for a file that `save` did not write."""
    try:
        with np.load(path, allow_pickle=False) as file:
            words = [str(word) for word in file["vocabulary"]]
            return TextModel(
                vocabulary={word: column for column, word in enumerate(words)},
                idf=file["idf"],
                weights=file["weights"].astype(np.float64),
                intercepts=file["intercepts"],
                labels=tuple(str(label) for label in file["labels"]),
                threshold=float(file["threshold"]),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelRefused(f"{path} is not a text model of ours; delete it and it is trained again.") from error
