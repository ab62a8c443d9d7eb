"""Cells to numbers: one function for a chunk of a file and for a single lead, so that both are scored alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.errors import BadTable
from ml.columns import Schema, number

V = TypeVar("V")
MISSING_CODE = 0  # then 1.. for the levels in the schema's order, then one more for every other value


@dataclass(frozen=True, slots=True)
class Block:
    """Rows as two matrices in the schema's feature order: numbers with NaN for missing, and category codes."""

    numbers: NDArray[np.float64]
    codes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Block:
        return Block(self.numbers[rows], self.codes[rows])

    def keep(self, features: Sequence[int]) -> Block:
        """Only these features, by their position among numbers then categories."""
        split = self.numbers.shape[1]
        return Block(
            self.numbers[:, [j for j in features if j < split]],
            self.codes[:, [j - split for j in features if j >= split]],
        )

    def column(self, feature: int) -> NDArray[np.float64]:
        split = self.numbers.shape[1]
        if feature < split:
            return self.numbers[:, feature]
        codes: NDArray[np.float64] = self.codes[:, feature - split].astype(np.float64)
        return codes

    @staticmethod
    def join(blocks: Sequence[Block]) -> Block:
        return Block(np.concatenate([b.numbers for b in blocks]), np.concatenate([b.codes for b in blocks]))


class Encoder:
    """Turns rows of a table with this header into blocks. Remembers per column how many cells it could not use."""

    def __init__(self, schema: Schema, header: Sequence[str]) -> None:
        absent = [c.name for c in schema.features if c.name not in header]
        if absent:
            names = ", ".join(map(repr, absent))
            raise BadTable(f"the model needs {'the column' if len(absent) == 1 else 'the columns'} {names}.")
        self._missing = frozenset(schema.missing)
        self._numbers = [(header.index(c.name), c.name, c.decimal, c.sentinel) for c in schema.numbers]
        self._categories = [
            (header.index(c.name), c.name, {level: i for i, level in enumerate(c.levels, 1)}, len(c.levels) + 1)
            for c in schema.categories
        ]
        self._seen: list[dict[str, float]] = [{} for _ in self._numbers]
        self._coded: list[dict[str, int]] = [{} for _ in self._categories]
        self.unusable: dict[str, int] = {}
        self.unseen: dict[str, int] = {}

    def block(self, rows: Sequence[Sequence[str]]) -> Block:
        numbers = np.empty((len(rows), len(self._numbers)))
        codes = np.empty((len(rows), len(self._categories)), dtype=np.int64)
        for j, (at, name, decimal, sentinel) in enumerate(self._numbers):
            known = _bounded(self._seen[j])
            for i, row in enumerate(rows):
                cell = row[at]
                value = known.get(cell)
                if value is None:
                    value = known[cell] = self._number(cell, decimal, sentinel)
                if value == math.inf:
                    self.unusable[name] = self.unusable.get(name, 0) + 1
                    value = math.nan
                numbers[i, j] = value
        for j, (at, name, levels, other) in enumerate(self._categories):
            coded = _bounded(self._coded[j])
            for i, row in enumerate(rows):
                cell = row[at]
                code = coded.get(cell)
                if code is None:
                    code = coded[cell] = self._code(cell, levels, other)
                if code == other:
                    self.unseen[name] = self.unseen.get(name, 0) + 1
                codes[i, j] = code
        return Block(numbers, codes)

    def _number(self, cell: str, decimal: str, sentinel: float | None) -> float:
        """Infinity stands for "known, but not a number"."""
        if cell.strip().casefold() in self._missing:
            return math.nan
        value = number(cell, decimal)
        if math.isnan(value):
            return math.inf
        return math.nan if value == sentinel else value

    def _code(self, cell: str, levels: Mapping[str, int], other: int) -> int:
        text = cell.strip()
        code = levels.get(text)
        if code is not None:
            return code
        return MISSING_CODE if text.casefold() in self._missing else other


def cells_of(row: Mapping[str, object], names: Sequence[str]) -> list[str]:
    """A row given by name as cells. Truth values read yes and no, None is empty. Raises BadTable for an absent name."""
    absent = [name for name in names if name not in row]
    if absent:
        raise BadTable(f"the model needs {', '.join(map(repr, absent))}.")
    return [_cell(row[name]) for name in names]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _bounded(memo: dict[str, V]) -> dict[str, V]:
    """A memo of texts already read; emptied before it could grow with the file."""
    if len(memo) > 50_000:
        memo.clear()
    return memo
