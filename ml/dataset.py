"""A training table in numbers: typed columns, time order, label, leaks put aside."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import ml.label as labels
import ml.leakage as leakage
import ml.order as order
from app.errors import BadTable
from ml.columns import Column, Schema, Typist, sentinel_of
from ml.encode import Block, Encoder
from ml.table import CHUNK_ROWS, Table, open_table

MOST_ROWS = 200_000  # beyond this, every n-th row in time order is used: more rows do not change these models
FEWEST_ROWS, FEWEST_OF_A_KIND = 60, 15

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Beside:
    """Weighted evidence that learners are fitted with and never tested on: what people believe, not what happened."""

    block: Block
    y: Labels
    weight: Floats


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows in time order. `notices` tell a person what was put aside and why."""

    schema: Schema
    block: Block
    y: Labels
    time: Floats
    notices: tuple[str, ...] = ()
    beside: Beside | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: NDArray[np.intp]) -> Dataset:
        return replace(self, block=self.block.take(rows), y=self.y[rows], time=self.time[rows])


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person training asks for; None and empty mean: find out."""

    label: str
    time_column: str | None = None
    positive: str | None = None
    allow: tuple[str, ...] = ()
    schema: Schema | None = None


def read(path: Path, wishes: Wishes) -> Dataset:
    """Raises BadTable with one sentence when the table cannot be trained on."""
    table = open_table(path)
    where = table.index(wishes.label)
    for name in wishes.allow:
        table.index(name)
    schema, rows = _schema(table, wishes, where)
    block, y, time, unlabelled = _load(table, schema, rows)
    dataset = arrange(schema, block, y, time, wishes.allow)
    notes = [f"{unlabelled} rows without a label were left out"] if unlabelled else []
    return replace(dataset, notices=(*notes, *dataset.notices))


def arrange(schema: Schema, block: Block, y: Labels, time: Floats, allow: Collection[str] = ()) -> Dataset:
    """Puts rows in time order and leaks aside. Raises BadTable when there is too little to learn from."""
    if len(y) < FEWEST_ROWS or min(int(y.sum()), len(y) - int(y.sum())) < FEWEST_OF_A_KIND:
        raise BadTable(
            f"{len(y)} rows with {int(y.sum())} positives are too few to learn from: "
            f"at least {FEWEST_ROWS} rows with {FEWEST_OF_A_KIND} of each kind are needed."
        )
    by_time = np.argsort(np.where(np.isnan(time), -np.inf, time), kind="stable")
    block, y, time = block.take(by_time), y[by_time], time[by_time]
    aucs = {
        c.name: leakage.single_auc(block.column(j), y, category=c.kind == "category")
        for j, c in enumerate(schema.features)
    }
    leaks = leakage.reasons([c.name for c in schema.features], schema.label, aucs, allow)
    kept = [j for j, c in enumerate(schema.features) if c.name not in leaks]
    if not kept:
        raise BadTable("no column is left to learn from: " + "; ".join(f"{n}: {w}" for n, w in leaks.items()) + ".")
    notices = tuple(f"column {name!r} is not used: {why}" for name, why in leaks.items())
    return Dataset(schema.ignoring(leaks), block.keep(kept), y, time, notices)


def _schema(table: Table, wishes: Wishes, where: int) -> tuple[Schema, int]:
    """First pass: types of all columns, the positive label, the number of rows."""
    typists = [Typist(name) for name in table.header]
    values: set[str] = set()
    rows = 0
    for chunk, _ in table.chunks(CHUNK_ROWS):
        rows += len(chunk)
        for typist, cells in zip(typists, zip(*chunk, strict=True), strict=True):
            typist.watch(cells)
        if len(values) < 1_000:
            values.update(row[where] for row in chunk)
    if rows == 0:
        raise BadTable(f"{table.path.name} has a header but no rows.")
    positive = labels.positive_of(sorted(values), wishes.label, wishes.positive)
    identity = table.id_column()
    verdicts = [t.verdict() for t in typists]
    by = order.columns_of(verdicts, wishes.time_column)
    if wishes.schema is not None:
        if wishes.schema.label != wishes.label:
            raise BadTable(f"the schema is for the label {wishes.schema.label!r}, not {wishes.label!r}.")
        for column in wishes.schema.features:
            table.index(column.name)
        return replace(wishes.schema, positive=positive, order=by, id=identity), rows
    columns = tuple(_role(c, by, identity) for c in verdicts if c.name != wishes.label)
    return Schema(wishes.label, positive, columns, by, identity), rows


def _role(column: Column, by: tuple[str, ...], identity: str | None) -> Column:
    """Months come round again and may be learned from; years and dates do not."""
    if column.name == identity:
        return replace(column, kind="ignored", levels=(), why="the id of the row")
    if column.name in by and not (column.name.lower() == "month" and len(by) == 2):
        return replace(column, kind="date", levels=(), why="orders the rows")
    if column.kind == "date":
        return replace(column, why="a date: only the time order is used")
    return column


def _load(table: Table, schema: Schema, rows: int) -> tuple[Block, Labels, Floats, int]:
    """Second pass: cells to numbers."""
    step = -(-rows // MOST_ROWS)
    where = table.index(schema.label)
    by = [table.index(name) for name in schema.order]
    instant = order.reader(schema.order) if by else None
    encoder = Encoder(schema, table.header)
    blocks: list[Block] = []
    y: list[int] = []
    time: list[float] = []
    seen = unlabelled = 0
    for chunk, _ in table.chunks(CHUNK_ROWS):
        kept: list[list[str]] = []
        for row in _every(chunk, step, seen):
            answer = labels.is_positive(row[where], schema.positive, schema.label)
            if answer is None:
                unlabelled += 1
                continue
            kept.append(row)
            y.append(int(answer))
            time.append(instant([row[i] for i in by]) if instant else float(seen + len(kept)))
        seen += len(chunk)
        if kept:
            blocks.append(encoder.block(kept))
    if not blocks:
        raise BadTable(f"the label column {schema.label!r} is empty.")
    return Block.join(blocks), np.array(y, dtype=np.int8), np.array(time), unlabelled


def _every(chunk: Sequence[list[str]], step: int, seen: int) -> Iterator[list[str]]:
    return (row for i, row in enumerate(chunk, seen) if i % step == 0)


def with_sentinels(dataset: Dataset) -> Dataset:
    """Numbers such as 999 that stand for "does not apply" become missing, and the schema says so."""
    values = dataset.block.numbers.copy()
    columns = {c.name: c for c in dataset.schema.columns}
    for j, column in enumerate(dataset.schema.numbers):
        sentinel = column.sentinel if column.sentinel is not None else sentinel_of(values[:, j])
        if sentinel is not None:
            values[values[:, j] == sentinel, j] = np.nan
            columns[column.name] = replace(column, sentinel=sentinel)
    schema = replace(dataset.schema, columns=tuple(columns[c.name] for c in dataset.schema.columns))
    return replace(dataset, schema=schema, block=Block(values, dataset.block.codes))
