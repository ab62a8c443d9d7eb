"""A training table in numbers: typed columns, time order, label, leaks put aside."""

from __future__ import annotations

import hashlib
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
    called: Labels | None = None  # by lot, where what a call adds is to be learned

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: NDArray[np.intp]) -> Dataset:
        called = None if self.called is None else self.called[rows]
        return replace(self, block=self.block.take(rows), y=self.y[rows], time=self.time[rows], called=called)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person training asks for; None and empty mean: find out."""

    label: str
    time_column: str | None = None
    positive: str | None = None
    allow: tuple[str, ...] = ()
    schema: Schema | None = None
    treated: str | None = None


def read(path: Path, wishes: Wishes) -> Dataset:
    """Raises BadTable with one sentence when the table cannot be trained on."""
    table = open_table(path)
    where = table.index(wishes.label)
    for name in (*wishes.allow, *([wishes.treated] if wishes.treated else [])):
        table.index(name)
    schema, rows = _schema(table, wishes, where)
    loaded = _load(table, schema, rows, wishes.treated)
    dataset = arrange(schema, loaded.block, loaded.y, loaded.time, wishes.allow, loaded.called)
    notes = [f"{loaded.unlabelled} rows without a label were left out"] if loaded.unlabelled else []
    if loaded.untold:
        notes.append(f"{loaded.untold} rows that do not say whether {wishes.treated!r} were left out")
    return replace(dataset, notices=(*notes, *dataset.notices))


def arrange(
    schema: Schema,
    block: Block,
    y: Labels,
    time: Floats,
    allow: Collection[str] = (),
    called: Labels | None = None,
) -> Dataset:
    """Puts rows in time order and leaks aside. Raises BadTable when there is too little to learn from."""
    if len(y) < FEWEST_ROWS or min(int(y.sum()), len(y) - int(y.sum())) < FEWEST_OF_A_KIND:
        raise BadTable(
            f"{len(y)} rows with {int(y.sum())} positives are too few to learn from: "
            f"at least {FEWEST_ROWS} rows with {FEWEST_OF_A_KIND} of each kind are needed."
        )
    by_time = np.argsort(np.where(np.isnan(time), -np.inf, time), kind="stable")
    block, y, time = block.take(by_time), y[by_time], time[by_time]
    called = None if called is None else called[by_time]
    aucs = {
        c.name: leakage.single_auc(block.column(j), y, category=c.kind == "category")
        for j, c in enumerate(schema.features)
    }
    leaks = leakage.reasons([c.name for c in schema.features], schema.label, aucs, allow)
    kept = [j for j, c in enumerate(schema.features) if c.name not in leaks]
    if not kept:
        raise BadTable("no column is left to learn from: " + "; ".join(f"{n}: {w}" for n, w in leaks.items()) + ".")
    notices = tuple(f"column {name!r} is not used: {why}" for name, why in leaks.items())
    return Dataset(schema.ignoring(leaks), block.keep(kept), y, time, notices, called=called)


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
    columns = tuple(_role(c, by, identity, wishes.treated) for c in verdicts if c.name != wishes.label)
    return Schema(wishes.label, positive, columns, by, identity), rows


def _role(column: Column, by: tuple[str, ...], identity: str | None, treated: str | None) -> Column:
    """Months come round again and may be learned from; years and dates do not."""
    if column.name == treated:
        return replace(column, kind="ignored", levels=(), why="says who was called")
    if column.name == identity:
        return replace(column, kind="ignored", levels=(), why="the id of the row")
    if column.name in by and not (column.name.lower() == "month" and len(by) == 2):
        return replace(column, kind="date", levels=(), why="orders the rows")
    if column.kind == "date":
        return replace(column, why="a date: only the time order is used")
    return column


@dataclass(frozen=True, slots=True)
class _Loaded:
    """`unlabelled` and `untold` count rows left out: without a label, or silent on whether they were called."""

    block: Block
    y: Labels
    time: Floats
    called: Labels | None
    unlabelled: int
    untold: int


def _load(table: Table, schema: Schema, rows: int, treated: str | None) -> _Loaded:
    """Second pass: cells to numbers."""
    step = -(-rows // MOST_ROWS)
    group = None if treated is None else table.index(treated)
    called: list[int] = []
    where = table.index(schema.label)
    by = [table.index(name) for name in schema.order]
    instant = order.reader(schema.order) if by else None
    encoder = Encoder(schema, table.header)
    blocks: list[Block] = []
    y: list[int] = []
    time: list[float] = []
    seen = unlabelled = untold = 0
    for chunk, _ in table.chunks(CHUNK_ROWS):
        kept: list[list[str]] = []
        for row in _every(chunk, step, seen):
            answer = labels.is_positive(row[where], schema.positive, schema.label)
            if answer is None:
                unlabelled += 1
                continue
            told = None if group is None else labels.yes_or_no(row[group], treated or "")
            if group is not None and told is None:
                untold += 1
                continue
            called.append(int(bool(told)))
            kept.append(row)
            y.append(int(answer))
            time.append(instant([row[i] for i in by]) if instant else float(seen + len(kept)))
        seen += len(chunk)
        if kept:
            blocks.append(encoder.block(kept))
    if not blocks:
        raise BadTable(f"the label column {schema.label!r} is empty.")
    groups = None if group is None else np.array(called, dtype=np.int8)
    return _Loaded(Block.join(blocks), np.array(y, dtype=np.int8), np.array(time), groups, unlabelled, untold)


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


def data_hash(dataset: Dataset) -> str:
    """Of columns, cells, labels and evidence beside them, in their order: the same rows have the same hash."""
    digest = hashlib.sha256(dataset.schema.to_json().encode())
    arrays = [dataset.block.numbers, dataset.block.codes, dataset.y]
    if dataset.beside is not None:
        arrays += [dataset.beside.block.numbers, dataset.beside.block.codes, dataset.beside.y, dataset.beside.weight]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
