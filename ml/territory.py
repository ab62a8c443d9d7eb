"""Is this row from a period the model has seen? Judged by *stamps*: columns that tell the period, not the lead.

An interest rate, a season, a price index sit on one value for everybody called in the same weeks. Inside the periods of
training, trees use them well; in a new period they can only guess, where a shrunken linear model extrapolates with
care. So a model keeps two parts, one chosen on random folds for periods it knows, one chosen walking forward in time
for periods it does not, and each row is sent to one of them by its own stamps alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.columns import Schema
from ml.dataset import Dataset
from ml.encode import Block

Floats = NDArray[np.float64]
STAMP_SHARE = 0.9  # of a column's variance tells the time: it is a stamp
_ENOUGH, _FEWEST_ROWS = 0.005, 30  # share and number of rows from which a period counts as seen
_TOLERANCE = 0.01  # of the range: a value this near to a seen one counts as seen
_APART = 200  # rows are compared with those one part in so many of the table later
_FEWEST = 1_500


def between_share(values: Floats) -> float:
    """How much of a column's variance tells the time: 1 when rows a little apart in time agree, 0 for a constant or
    when they differ like any two rows. Not known counts as the mean.
    """
    values = np.where(np.isnan(values), np.nanmean(values) if np.isfinite(values).any() else 0.0, values)
    total = float(values.var())
    if total < 1e-15:
        return 0.0
    apart = max(5, len(values) // _APART)
    return 1 - float(((values[apart:] - values[:-apart]) ** 2).mean()) / (2 * total)


def with_stamps(dataset: Dataset) -> Dataset:
    """Marks the stamps in the schema. Without a time column, one by which the file is merely sorted is none."""
    if len(dataset) < _FEWEST:
        return dataset
    stamps = {c.name for j, c in enumerate(dataset.schema.features) if _is_stamp(dataset, j, c.kind == "category")}
    columns = tuple(replace(c, stamp=c.name in stamps) for c in dataset.schema.columns)
    return replace(dataset, schema=replace(dataset.schema, columns=columns))


def _is_stamp(dataset: Dataset, feature: int, category: bool) -> bool:
    values = dataset.block.column(feature)
    if not dataset.schema.order and _sorted(values):
        return False
    if not category:
        return between_share(values) >= STAMP_SHARE
    codes, count = np.unique(values, return_counts=True)
    shares = [(n, between_share((values == code).astype(float))) for code, n in zip(codes, count, strict=True)]
    return float(sum(n * s for n, s in shares)) / len(values) >= STAMP_SHARE


def _sorted(values: Floats) -> bool:
    steps = np.diff(values[~np.isnan(values)])
    return bool((steps >= 0).all() or (steps <= 0).all())


@dataclass(frozen=True, slots=True)
class Territory:
    """What was seen per stamp: sorted values of a number with a tolerance, or a yes/no per category code."""

    numbers: tuple[tuple[int, Floats, float], ...] = ()
    codes: tuple[tuple[int, NDArray[np.bool_]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.numbers or self.codes)

    def is_new(self, block: Block) -> NDArray[np.bool_]:
        """True where any stamp has a value that training never, or hardly, saw. Not known counts as seen."""
        new = np.zeros(len(block), dtype=bool)
        for j, seen, tolerance in self.numbers:
            values = block.numbers[:, j]
            after = np.clip(np.searchsorted(seen, values), 1, len(seen) - 1)
            gap = np.minimum(np.abs(values - seen[after - 1]), np.abs(values - seen[after]))
            new |= gap > tolerance  # False for NaN
        for j, known in self.codes:
            new |= ~known[block.codes[:, j]]
        return new

    def to_arrays(self) -> dict[str, Any]:
        return {
            "numbers": [{"feature": j, "seen": seen, "tolerance": t} for j, seen, t in self.numbers],
            "codes": [{"feature": j, "known": known.astype(np.int64)} for j, known in self.codes],
        }


def territory_from(body: dict[str, Any]) -> Territory:
    return Territory(
        tuple((int(n["feature"]), n["seen"], float(n["tolerance"])) for n in body["numbers"]),
        tuple((int(c["feature"]), c["known"].astype(bool)) for c in body["codes"]),
    )


def survey(schema: Schema, block: Block) -> Territory:
    """What counts as seen: values with enough rows at or near them that their period could be learned from."""
    enough = max(_FEWEST_ROWS, _ENOUGH * len(block))
    numbers = []
    for j, column in enumerate(schema.numbers):
        values = np.sort(block.numbers[:, j][~np.isnan(block.numbers[:, j])])
        if column.stamp and len(values) and values[-1] > values[0]:
            tolerance = _TOLERANCE * float(values[-1] - values[0])
            near = np.searchsorted(values, values + tolerance, "right") - np.searchsorted(values, values - tolerance)
            seen = np.unique(values[near >= enough])
            if len(seen):
                numbers.append((j, np.append(seen, seen[-1]), tolerance))
    codes = []
    for j, column in enumerate(schema.categories):
        if column.stamp:
            known = np.bincount(block.codes[:, j], minlength=len(column.levels) + 2) >= enough
            known[0] = True
            codes.append((j, known))
    return Territory(tuple(numbers), tuple(codes))
