"""A model of words: a text in, a label and a probability out.

Each text is scored by itself, one after the other: its answer is the same to the last bit, whoever else is asked about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import ModelRefused
from ml.text.features import Floats, Pooling, Vocabulary, pieces, words
from ml.text.memory import Memory, memory_from
from ml.text.vectors import installed

_UNFIT = "the text model does not fit together: train it again."


@dataclass(frozen=True, slots=True)
class Found:
    """What a text is about. `label` is empty when it is out of scope; `likeliest` is the best of the others then."""

    label: str
    probability: float
    likeliest: str


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights of words and pieces of words, and of the vector; each by labels."""

    weights: Floats
    vector_weights: Floats

    def score(self, columns: NDArray[np.intp], values: Floats, vector: Floats) -> NDArray[np.float64]:
        found: NDArray[np.float64] = (values @ self.weights[columns] + vector @ self.vector_weights).astype(np.float64)
        return found

    def to_arrays(self) -> dict[str, Any]:
        return {"weights": self.weights, "vector_weights": self.vector_weights}

    def fits(self, features: int, labels: int) -> bool:
        return self.weights.shape == (features, labels) and self.vector_weights.shape[1:] == (labels,)


@dataclass(frozen=True, slots=True)
class Eyes:
    """How a text is looked at."""

    words: Vocabulary
    pieces: Vocabulary
    pooling: Pooling
    vectors_version: str

    def see(self, text: str) -> tuple[NDArray[np.intp], Floats, Floats]:
        """Columns and values of its words and pieces, and its vector."""
        columns, values = self.words.one(words(text))
        more, more_values = self.pieces.one(pieces(text))
        vector = self.pooling.matrix(installed(), [text])[0]
        return np.concatenate([columns, more + len(self.words.index)]), np.concatenate([values, more_values]), vector

    @property
    def features(self) -> int:
        return len(self.words.index) + len(self.pieces.index)


@dataclass(frozen=True, slots=True)
class TextModel:
    """`sharpness` turns scores into log-probabilities. With `outside`, the label that stands for everything else, a
    text is out of scope when its best score is less than `margin` above that label's. `cutoffs`, one per label, are
    the probabilities from which a label holds when several may hold at once; none otherwise."""

    labels: tuple[str, ...]
    eyes: Eyes
    learned: Memory | Linear
    intercepts: Floats
    sharpness: float = 1.0
    outside: str = ""
    margin: float = 0.0
    cutoffs: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    version: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """One row per text, one column per label; not yet probabilities."""
        rows = [self.intercepts + self.learned.score(*self.eyes.see(text)) for text in texts]
        return np.array(rows, dtype=np.float64).reshape(len(texts), len(self.labels))

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Calibrated. They sum to 1 unless several labels may hold at once."""
        return self.likely(self.scores(texts))

    def likely(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        sharp = self.sharpness * scores
        if len(self.cutoffs):
            each: NDArray[np.float64] = 1 / (1 + np.exp(-sharp.clip(-35, 35)))
            return each
        powers = np.exp(sharp - sharp.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def find(self, texts: Sequence[str]) -> list[Found]:
        return list(self.judge(self.scores(texts)))

    def judge(self, scores: NDArray[np.float64]) -> Iterator[Found]:
        out = self.labels.index(self.outside) if self.outside else -1
        for each, shares in zip(scores, self.likely(scores), strict=True):
            best = next(int(at) for at in np.argsort(-each, kind="stable") if at != out)
            inside = out < 0 or each[best] - each[out] >= self.margin
            yield Found(self.labels[best] if inside else "", float(shares[best if inside else out]), self.labels[best])

    def holding(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """Every label that holds, for models where several may."""
        sure = self.probabilities(texts) >= self.cutoffs
        return [tuple(label for label, yes in zip(self.labels, row, strict=True) if yes) for row in sure]

    def to_arrays(self) -> dict[str, Any]:
        """Plain values and arrays only, for a file. Lists of words are one string: a thousand times quicker to read."""
        eyes = self.eyes
        return {
            "labels": _joined(self.labels), "words": _joined(eyes.words.index), "words_idf": eyes.words.idf,
            "pieces": _joined(eyes.pieces.index), "pieces_idf": eyes.pieces.idf,
            "pooling": {"rareness": eyes.pooling.rareness, "mean": eyes.pooling.mean, "spread": eyes.pooling.spread},
            "vectors_version": eyes.vectors_version, "kind": type(self.learned).__name__.lower(),
            "learned": self.learned.to_arrays(), "intercepts": self.intercepts, "sharpness": float(self.sharpness),
            "outside": self.outside, "margin": float(self.margin), "cutoffs": self.cutoffs,
        }  # fmt: skip


def model_from(arrays: Mapping[str, Any], card: Mapping[str, Any], version: str) -> TextModel:
    """The model that `to_arrays` wrote. Raises ModelRefused when parts do not fit each other or other vectors are
    installed than the model was trained with."""
    eyes = Eyes(
        _vocabulary(arrays["words"], arrays["words_idf"]),
        _vocabulary(arrays["pieces"], arrays["pieces_idf"]),
        Pooling(**arrays["pooling"]),
        str(arrays["vectors_version"]),
    )
    learned = memory_from(arrays["learned"]) if arrays["kind"] == "memory" else Linear(**arrays["learned"])
    labels = tuple(_split(arrays["labels"]))
    model = TextModel(
        labels=labels,
        eyes=eyes,
        learned=learned,
        intercepts=arrays["intercepts"],
        sharpness=float(arrays["sharpness"]),
        outside=str(arrays["outside"]),
        margin=float(arrays["margin"]),
        cutoffs=arrays["cutoffs"],
        version=version,
        card=card,
    )
    if (
        not learned.fits(eyes.features, len(labels))
        or model.intercepts.shape != (len(labels),)
        or (model.outside and model.outside not in labels)
        or len(model.cutoffs) not in (0, len(labels))
    ):
        raise ModelRefused(_UNFIT)
    if installed().version != eyes.vectors_version:
        raise ModelRefused("the text model was trained with other word vectors than are installed: train it again.")
    return model


def _vocabulary(names: str, idf: Floats) -> Vocabulary:
    found = _split(names)
    if len(found) != len(idf):
        raise ModelRefused(_UNFIT)
    return Vocabulary({name: at for at, name in enumerate(found)}, idf)


def _joined(names: Sequence[str] | Mapping[str, int]) -> str:
    return "\n".join(names)  # neither words nor pieces of words hold line breaks


def _split(names: str) -> list[str]:
    return names.split("\n") if names else []
