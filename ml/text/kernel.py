"""Training by kernel ridge regression: every row says how much it speaks for each label.

The kernel is that of `memory`. The solution has a closed form, and so has what it would say about a row had that row
not been there (leave one out). The probabilities and the limit of the scope are set on those answers, never on answers
about rows it knows. Of large sets only some rows are left out in turn: the others would take most of the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import BadTable
from ml.text.features import Floats, Pooling, Vocabulary, pieces, words
from ml.text.memory import Memory, kernel
from ml.text.model import Eyes, TextModel
from ml.text.vectors import Vectors, installed

RIDGE = 0.2
MOST_ROWS = 20_000  # the kernel of 20,000 rows takes 1.6 GB
LOST = 0.015  # of the right answers in scope that finding what is out of scope may cost
RARE = 2  # pieces of words that fewer texts have are left out
FREQUENT = 0.02  # features that more of the texts have are multiplied as a full matrix, which is then quicker
MOST_LEFT_OUT = 5_000
_BLOCK = 2_000  # rows of a sparse product at a time, which takes three times the room of its result


@dataclass(frozen=True, slots=True)
class Trained:
    """`held_out` are the scores of training rows, each by a model without it: of all rows, or of MOST_LEFT_OUT spread
    evenly, in alphabetical order."""

    model: TextModel
    held_out: NDArray[np.float64]
    truth: NDArray[np.intp]
    counts: Mapping[str, int]  # texts of each label, of all rows


def train(texts: Sequence[str], labels: Sequence[str], *, outside: str = "", ridge: float = RIDGE) -> Trained:
    """Raises BadTable for fewer than two labels, or more rows than fit."""
    names = sorted(set(labels))
    if len(names) < 2:
        raise BadTable("a model of words needs at least two labels.")
    if len(texts) > MOST_ROWS:
        raise BadTable(f"{len(texts):,} texts are too many for this learner; the most is {MOST_ROWS:,}.")
    if outside and outside not in names:
        raise BadTable(f"no text has the label {outside!r} that stands for out of scope.")
    order = sorted(range(len(texts)), key=lambda at: (texts[at], labels[at]))  # the order of rows shall not matter
    prepared = prepare([texts[at] for at in order], installed())
    truth = np.array([names.index(labels[at]) for at in order])
    left_out = np.unique(np.linspace(0, len(truth) - 1, min(len(truth), MOST_LEFT_OUT)).astype(np.intp))
    wanted = np.eye(len(names), dtype=np.float32)[truth]
    strengths, mean, held_out = _solve(prepared.kernel(), wanted, ridge, left_out)
    truth, counts = truth[left_out], Counter(labels)
    model = TextModel(
        labels=tuple(names),
        eyes=prepared.eyes,
        learned=prepared.memory(strengths),
        intercepts=mean,
        sharpness=sharpness(held_out, truth),
        outside=outside,
        margin=margin(held_out, truth, names.index(outside)) if outside else 0.0,
    )
    return Trained(model, held_out, truth, counts)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Training texts as numbers: words and pieces side by side in a sparse matrix, and vectors."""

    eyes: Eyes
    features: Any
    vectors: Floats

    def kernel(self) -> Floats:
        agreement = _agreement(self.features)
        squares = np.einsum("ij,ij->i", self.vectors, self.vectors)
        near = self.vectors @ self.vectors.T
        near *= -2
        near += squares[:, None]
        near += squares[None]
        np.maximum(near, 0, out=near)
        near *= -0.5
        np.exp(near, out=near)
        found: Floats = kernel(agreement, near)
        return found

    def memory(self, strengths: Floats) -> Memory:
        by_feature = self.features.tocsc()
        by_feature.sort_indices()
        starts, texts = by_feature.indptr.astype(np.int32), by_feature.indices.astype(np.int32)
        squares = np.einsum("ij,ij->i", self.vectors, self.vectors)
        return Memory(starts, texts, by_feature.data.astype(np.float32), self.vectors, squares, strengths)


def prepare(texts: Sequence[str], vectors: Vectors, least: int = 1, least_pieces: int = RARE) -> Prepared:
    """`least` texts must have a word, and `least_pieces` a piece of a word, that counts."""
    from scipy.sparse import hstack

    counted, pieced = [words(text) for text in texts], [pieces(text) for text in texts]
    known, known_pieces = Vocabulary.of(counted, least), Vocabulary.of(pieced, least_pieces)
    pooling = Pooling.of(vectors, texts)
    eyes = Eyes(known, known_pieces, pooling, vectors.version)
    features = hstack([known.matrix(counted), known_pieces.matrix(pieced)]).tocsr()
    return Prepared(eyes, features, pooling.matrix(vectors, texts))


def _agreement(features: Any) -> Floats:
    """The product of a sparse matrix with itself."""
    many = np.bincount(features.indices, minlength=features.shape[1]) > FREQUENT * features.shape[0]
    full = features[:, many].toarray()
    found: Floats = full @ full.T
    few = features[:, ~many].tocsr()
    other = few.T.tocsr()
    for start in range(0, len(found), _BLOCK):
        found[start : start + _BLOCK] += (few[start : start + _BLOCK] @ other).toarray()
    return found


def _solve(
    kernel: Floats, wanted: Floats, ridge: float, left_out: NDArray[np.intp]
) -> tuple[Floats, Floats, NDArray[np.float64]]:
    """Strengths, the mean, and the scores of each row left out by itself: wanted - strength / diagonal of the inverse.

    That diagonal has the squared lengths of the columns of the inverse of the triangle."""
    from scipy.linalg import blas, lapack

    mean = wanted.mean(axis=0)
    kernel[np.diag_indices_from(kernel)] += ridge
    factor, failed = lapack.spotrf(kernel, lower=1, overwrite_a=1)
    if failed:
        raise BadTable("the texts cannot be told apart by their words.")
    strengths, _ = lapack.spotrs(factor, wanted - mean, lower=1)
    units = np.zeros((len(factor), len(left_out)), dtype=np.float32, order="F")
    units[left_out, np.arange(len(left_out))] = 1
    columns = blas.strsm(1.0, factor, units, lower=1, overwrite_b=1)
    diagonal = np.einsum("ij,ij->j", columns, columns)
    held_out = wanted[left_out] - strengths[left_out] / diagonal[:, None]
    return np.ascontiguousarray(strengths), mean, held_out.astype(np.float64)


def sharpness(scores: NDArray[np.float64], truth: NDArray[np.intp]) -> float:
    """What scores are multiplied by to be log-probabilities that are right about rows not seen."""
    from scipy.optimize import minimize_scalar

    def loss(logarithm: float) -> float:
        sharp = scores * np.exp(logarithm)
        sharp = sharp - sharp.max(axis=1, keepdims=True)
        likely = sharp[np.arange(len(truth)), truth] - np.log(np.exp(sharp).sum(axis=1))
        return -float(likely.mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 5.0), method="bounded").x))


def margin(scores: NDArray[np.float64], truth: NDArray[np.intp], outside: int, lost: float = LOST) -> float:
    """How far the best label must lie above the one for out of scope: as far as costs at most `lost` of the right
    answers in scope, so that as much as can be is found to be out of it."""
    others = scores.copy()
    others[:, outside] = -np.inf
    best = others.argmax(axis=1)
    ahead = np.sort((others.max(axis=1) - scores[:, outside])[(best == truth) & (truth != outside)])
    return float(ahead[int(lost * len(ahead))]) if len(ahead) else 0.0
