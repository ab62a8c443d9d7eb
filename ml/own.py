"""A workspace's own calls as a training table: rows as they were kept with each score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from app.sales.learning import Known
from app.sales.registry import TARGET
from ml.columns import Column, Schema
from ml.dataset import Dataset, arrange
from ml.encode import Block, Encoder, cells_of
from ml.features import CATEGORIES, NUMBERS, READ

_FEWEST = 5  # calls with a value, before it is a level of its own
_MOST_LEVELS = 60


def training_table(known: Sequence[Known], target: str = TARGET) -> Dataset:
    """In the order of the calls. Every column is allowed: leads are scored after the call, when all of it is known.

    Raises BadTable when there is too little to learn from.
    """
    schema = schema_of(known, target)
    found = table_for(schema, known)
    return arrange(schema, found.block, found.y, found.time, allow=tuple(c.name for c in schema.columns))


def table_for(schema: Schema, known: Sequence[Known]) -> Dataset:
    """The same calls in the columns of a model, in the order given."""
    y = np.array([one.converted for one in known], dtype=np.int8)
    time = np.array([one.called_at.timestamp() for one in known])
    return Dataset(schema, block_for(schema, [one.row for one in known]), y, time)


def block_for(schema: Schema, rows: Sequence[Mapping[str, object]]) -> Block:
    """A column that a row does not have yet, or has no more, is not known."""
    names = [c.name for c in schema.features]
    blank = dict.fromkeys(names)
    return Encoder(schema, names).block([cells_of({**blank, **row}, names) for row in rows])


def schema_of(known: Sequence[Known], target: str = TARGET) -> Schema:
    """The columns of a call here; levels are those that come up."""
    read = [name for name in READ if sum(one.row.get(name) is not None for one in known) >= _FEWEST]
    numbers = tuple(Column(name, "number") for name in (*NUMBERS, *read))
    categories = tuple(Column(name, "category", _levels(name, known)) for name in CATEGORIES)
    return Schema(target, "1", (*numbers, *categories))


def _levels(name: str, known: Sequence[Known]) -> tuple[str, ...]:
    seen = Counter(str(one.row[name]) for one in known if one.row.get(name) is not None)
    if set(seen) <= {"yes", "no"}:
        return ("no", "yes")
    return tuple(sorted(value for value, times in seen.most_common(_MOST_LEVELS) if times >= _FEWEST))
