"""The texts a kernel model was trained on, and how much each speaks for each label.

kernel(a, b) = (agreement / 2 + nearness)^2 / 2, where agreement is the mean of the cosines in words and in pieces of
words, doubled, and nearness is exp(-d^2 / 2) of the vectors. The square lets words count more that come together.
Texts are found by their features, as in an index of a book, so that one question looks at few of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.text.features import Floats

Whole = NDArray[np.int32]
_PARTS = ("starts", "texts", "values", "vectors", "squares", "strengths")


@dataclass(frozen=True, slots=True)
class Memory:
    """`starts[f]` to `starts[f + 1]` are the places in `texts` and `values` of feature f."""

    starts: Whole
    texts: Whole
    values: Floats
    vectors: Floats
    squares: Floats  # of the vectors' lengths
    strengths: Floats  # texts x labels

    def score(self, columns: NDArray[np.intp], values: Floats, vector: Floats) -> NDArray[np.float64]:
        first = self.starts[columns]
        lengths = self.starts[columns + 1] - first
        ends = np.cumsum(lengths)
        places = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(first - ends + lengths, lengths)
        shared = self.values[places] * np.repeat(values, lengths)
        agreement = np.bincount(self.texts[places], weights=shared, minlength=len(self.vectors))
        found: NDArray[np.float64] = kernel(agreement, self._nearness(vector)) @ self.strengths
        return found

    def _nearness(self, vector: Floats) -> Floats:
        squares = self.squares + vector @ vector - 2 * (self.vectors @ vector)
        near: Floats = np.exp(-0.5 * np.maximum(squares, 0))
        return near

    def to_arrays(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _PARTS}

    def fits(self, features: int, labels: int) -> bool:
        rows = len(self.vectors)
        return (
            self.starts.shape == (features + 1,)
            and self.squares.shape == (rows,)
            and self.strengths.shape == (rows, labels)
            and len(self.texts) == len(self.values) == (int(self.starts[-1]) if len(self.starts) else -1)
            and bool((np.diff(self.starts) >= 0).all())
            and bool(((self.texts >= 0) & (self.texts < rows)).all())
        )


def kernel(agreement: Any, nearness: Any) -> Any:
    return (agreement / 2 + nearness) ** 2 / 2


def memory_from(arrays: Mapping[str, Any]) -> Memory:
    return Memory(**{name: arrays[name] for name in _PARTS})
