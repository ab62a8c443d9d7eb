"""The three strongest reasons of a score, in plain words.

A reason is one column: how far its value moved this lead's log-odds away from the average lead's. The moves of all
columns add up to the score exactly, and a row's reasons depend on that row and the model alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.columns import Schema
from ml.encode import Block

Floats = NDArray[np.float64]
REASONS = 3
_LEAST = 0.005  # log-odds: below this a column says nothing


@dataclass(frozen=True, slots=True)
class Explainer:
    """`low` and `high` are the quartiles of each number in training: what "low" and "high" mean in words."""

    names: tuple[str, ...]
    numbers: int
    levels: tuple[tuple[str, ...], ...]
    low: Floats
    high: Floats

    def reasons(self, block: Block, moves: Floats) -> list[tuple[str, ...]]:
        """Up to three sentences per row, strongest first. Equal moves go by column order."""
        count = min(REASONS, moves.shape[1])
        strongest = np.argsort(-np.abs(moves), axis=1, kind="stable")[:, :count]
        taken = np.take_along_axis(moves, strongest, axis=1)
        numbers, codes = block.numbers.tolist(), block.codes.tolist()
        return [
            tuple(self._say(j, row, code, move) for j, move in zip(order, values, strict=True) if abs(move) >= _LEAST)
            for order, values, row, code in zip(strongest.tolist(), taken.tolist(), numbers, codes, strict=True)
        ]

    def _say(self, feature: int, numbers: Sequence[float], codes: Sequence[int], move: float) -> str:
        effect = "raises the chance" if move > 0 else "lowers the chance"
        name = self.names[feature]
        if feature < self.numbers:
            return f"{name} is {self._number(feature, numbers[feature])}: {effect}"
        levels, code = self.levels[feature - self.numbers], codes[feature - self.numbers]
        value = ("not known", *levels, "a rare or new value")[code]
        return f"{name} is {value}: {effect}"

    def _number(self, feature: int, value: float) -> str:
        if math.isnan(value):
            return "not known"
        if value < self.low[feature]:
            return f"{value:.6g} (low)"
        return f"{value:.6g} (high)" if value > self.high[feature] else f"{value:.6g}"


def explainer(schema: Schema, low: Floats, high: Floats) -> Explainer:
    return Explainer(
        tuple(_plain(c.name) for c in schema.features),
        len(schema.numbers),
        tuple(tuple(_plain(level) for level in c.levels) for c in schema.categories),
        low,
        high,
    )


def _plain(text: str) -> str:
    """Safe to print and to open in a spreadsheet: no control characters, no formula, not endless."""
    clean = "".join(c if c.isprintable() else " " for c in text).strip().lstrip("=+@-") or "(blank)"
    return clean if len(clean) <= 40 else clean[:37] + "..."


def quartiles(block: Block) -> tuple[Floats, Floats]:
    width = block.numbers.shape[1]
    low, high = np.full(width, -np.inf), np.full(width, np.inf)
    for j in range(width):
        known = block.numbers[:, j][~np.isnan(block.numbers[:, j])]
        if len(known):
            low[j], high[j] = np.quantile(known, [0.25, 0.75])
    return low, high
