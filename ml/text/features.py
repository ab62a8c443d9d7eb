"""What a text looks like to a model: its words, pieces of its words, and the mean of its words' vectors.

Every text is turned into numbers by itself, in the same way when training and when serving.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ml.text.vectors import Vectors

Floats = NDArray[np.float32]
Counts = Counter[str]
PIECES = (2, 3, 4, 5)
MOST_CHARACTERS = 20_000  # of one text; what comes after is not read
SCALE = 27.7  # the root of the pooled vectors' width, 768: standardised vectors then have a length of about 1
_WORD = re.compile(r"\w+")


def plain(text: str) -> str:
    """Lower case; typographic forms as plain ones."""
    return unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).lower().replace("’", "'")


def words(text: str) -> Counts:
    """Words, pairs and triples."""
    found = _WORD.findall(plain(text))
    counts = Counter(found)
    counts.update(f"{a} {b}" for a, b in pairwise(found))
    counts.update(f"{a} {b} {c}" for a, b, c in zip(found, found[1:], found[2:], strict=False))
    return counts


def pieces(text: str) -> Counts:
    """Stretches of 2 to 5 characters inside words, with a space before and after each word."""
    counts: Counts = Counter()
    for word in plain(text).split():
        padded = f" {word} "
        for size in PIECES:
            counts.update(padded[at : at + size] for at in range(max(1, len(padded) - size + 1)))
    return counts


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Known features and how rare each is in training."""

    index: dict[str, int]
    idf: Floats

    @classmethod
    def of(cls, counts: Sequence[Counts], least: int) -> Vocabulary:
        """Features that at least `least` texts have. Their order is that of the alphabet, not of the rows."""
        seen = Counter(feature for one in counts for feature in one)
        kept = sorted(feature for feature, times in seen.items() if times >= least)
        idf = np.array([1 + np.log((1 + len(counts)) / (1 + seen[feature])) for feature in kept], dtype=np.float32)
        return cls({feature: at for at, feature in enumerate(kept)}, idf)

    def one(self, counts: Counts) -> tuple[NDArray[np.intp], Floats]:
        """Columns and values of one text, of length 1 unless nothing in it is known."""
        known = [(self.index[feature], times) for feature, times in counts.items() if feature in self.index]
        if not known:
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32)
        columns, times = (np.array(part) for part in zip(*sorted(known), strict=True))
        values = (1 + np.log(times)).astype(np.float32) * self.idf[columns]
        return columns, values / np.sqrt(values @ values)

    def matrix(self, counts: Iterable[Counts]) -> Any:
        """A sparse matrix, one row per text."""
        from scipy.sparse import csr_matrix

        rows = [self.one(one) for one in counts]
        ends = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        none = (np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32))
        columns = np.concatenate([none[0], *(columns for columns, _ in rows)])
        values = np.concatenate([none[1], *(values for _, values in rows)])
        return csr_matrix((values, columns, ends), shape=(len(rows), len(self.index)))


@dataclass(frozen=True, slots=True)
class Pooling:
    """One vector of a text from those of its pieces: their mean, their mean weighted by rareness, their largest values;
    each of length 1, then standardised as in training."""

    rareness: Floats  # of each word piece
    mean: Floats
    spread: Floats

    @classmethod
    def of(cls, vectors: Vectors, texts: Sequence[str]) -> Pooling:
        found = vectors.pieces([plain(text) for text in texts])
        times = np.ones(len(vectors.table))
        for one in found:
            times[np.unique(one)] += 1
        rareness = (np.log(max(2, len(texts)) / times).clip(0) + 0.1).astype(np.float32)
        raw = np.stack([_pooled(vectors.table[one], rareness[one]) for one in found])
        spread = raw.std(axis=0)
        return cls(rareness, raw.mean(axis=0), np.where(spread > 1e-6, spread, 1).astype(np.float32))

    def matrix(self, vectors: Vectors, texts: Sequence[str]) -> Floats:
        found = vectors.pieces([plain(text) for text in texts])
        raw = np.empty((len(texts), len(self.mean)), dtype=np.float32)
        for at, one in enumerate(found):
            raw[at] = _pooled(vectors.table[one], self.rareness[one])
        return (raw - self.mean) / (self.spread * np.float32(SCALE))


def _pooled(rows: Floats, rareness: Floats) -> Floats:
    if not len(rows):
        return np.zeros(3 * rows.shape[1], dtype=np.float32)
    parts = (rows.mean(axis=0), rareness @ rows / rareness.sum(), rows.max(axis=0))
    return np.concatenate([part / max(1e-9, float(np.sqrt(part @ part))) for part in parts])
