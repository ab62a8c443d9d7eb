"""What each column of a table is, found from its data and kept as a schema that a person can read and correct.

Kinds: `number`, `category`, `date` (orders the rows, is not a feature) and `ignored` (free text, identifiers,
constants, columns refused as leaks), the latter with the reason. Cells that mean "not known" are listed in MISSING.

Defaults when scoring: a cell that is not known, or is not a number in a number column, counts as not known; a category
never seen in training counts as `other`; a number beyond the range of training counts as the end of that range.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from app.errors import BadTable

MISSING = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "null", "none", "unknown", "?", "-", "missing", "not available", "not known"}
)
SENTINELS = (-999.0, -99.0, -9.0, -1.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0)
MOST_LEVELS = 60
_DISTINCT = 5_000
_DATE_FORMATS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%m-%Y", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `why` explains an ignored one. `levels` belong to categories; `decimal` and `sentinel` (a number that
    stands for "does not apply", such as 999 days since a contact that never was) to numbers; `stamp` marks a column
    that tells the period of a row rather than anything about the lead.
    """

    name: str
    kind: str
    levels: tuple[str, ...] = ()
    decimal: str = "."
    sentinel: float | None = None
    stamp: bool = False
    missing_share: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """All columns of the training table but id and label. `label` names the target, `positive` its value for 1."""

    label: str
    positive: str
    columns: tuple[Column, ...]
    order: tuple[str, ...] = ()  # the columns that put the rows in time order; empty: the order of the file
    id: str | None = None
    missing: tuple[str, ...] = field(default_factory=lambda: tuple(sorted(MISSING)))

    @property
    def numbers(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.kind == "number")

    @property
    def categories(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.kind == "category")

    @property
    def features(self) -> tuple[Column, ...]:
        """Numbers, then categories: the order of every matrix in this package."""
        return self.numbers + self.categories

    def ignoring(self, reasons: Mapping[str, str]) -> Schema:
        """The same schema with some columns put aside, each with its reason."""
        return replace(
            self,
            columns=tuple(
                replace(c, kind="ignored", levels=(), why=reasons[c.name]) if c.name in reasons else c
                for c in self.columns
            ),
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def schema_from(body: Mapping[str, Any]) -> Schema:
    """The inverse of `to_json`, for artifacts and for schemas corrected by hand. Raises BadTable."""
    try:
        columns = tuple(
            Column(**{**c, "levels": tuple(str(level) for level in c.get("levels", ()))}) for c in body["columns"]
        )
        schema = Schema(
            str(body["label"]),
            str(body["positive"]),
            columns,
            tuple(body.get("order", ())),
            body.get("id"),
            tuple(str(token).casefold() for token in body.get("missing", MISSING)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BadTable(f"the schema cannot be read: {error}.") from None
    wrong = next((c for c in columns if c.kind not in {"number", "category", "date", "ignored"}), None)
    if wrong is not None:
        raise BadTable(
            f"the schema gives column {wrong.name!r} the kind {wrong.kind!r}; use number, category or ignored."
        )
    return schema


def is_missing(cell: str, tokens: frozenset[str] = MISSING) -> bool:
    return cell.strip().casefold() in tokens


def number(cell: str, decimal: str = ".") -> float:
    """NaN when it is no finite number."""
    text = cell.strip()
    if decimal == ",":
        text = text.replace(".", "").replace(",", ".")
    if "_" in text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def moment(cell: str) -> float:
    """Seconds since 1970 of a date or date and time, zones ignored where there are none; NaN when it is neither."""
    text = cell.strip()
    if len(text) < 8 or not any(mark in text for mark in "-/."):
        return math.nan
    try:
        return (datetime.fromisoformat(text).replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds()
    except ValueError:
        pass
    for form in _DATE_FORMATS:
        try:
            return (datetime.strptime(text, form) - datetime(1970, 1, 1)).total_seconds()
        except ValueError:
            continue
    return math.nan


class Typist:
    """Watches one column's cells go by and says at the end what it is."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows = self.missing = self.points = self.commas = self.dates = self.long = 0
        self.distinct: Counter[str] = Counter()
        self.crowded = False

    def watch(self, cells: Iterable[str]) -> None:
        for cell, times in Counter(cells).items():
            self.rows += times
            if is_missing(cell):
                self.missing += times
                continue
            text = cell.strip()
            if not math.isnan(number(text)):
                self.points += times
            elif not math.isnan(number(text, ",")):
                self.commas += times
            elif not math.isnan(moment(text)):
                self.dates += times
            if len(text) > 60:
                self.long += times
            if text in self.distinct or len(self.distinct) < _DISTINCT:
                self.distinct[text] += times
            else:
                self.crowded = True

    def verdict(self) -> Column:
        known = self.rows - self.missing
        share = round(self.missing / max(1, self.rows), 6)
        column = Column(self.name, "ignored", missing_share=share)
        if known == 0:
            return replace(column, why="always empty")
        if len(self.distinct) == 1 and self.missing == 0:
            return replace(column, why=f"always {next(iter(self.distinct))!r}")
        if self.dates >= 0.95 * known:
            return replace(column, kind="date")
        if self.points >= 0.95 * known:
            return replace(column, kind="number")
        if self.points + self.commas >= 0.95 * known:
            return replace(column, kind="number", decimal=",")
        if self.crowded or len(self.distinct) > 0.5 * known > 50 or self.long > 0.5 * known:
            return replace(column, why="free text or an identifier: nearly every value differs")
        floor = max(10, known // 2_000) if known >= 200 else 1
        levels = [level for level, times in self.distinct.most_common(MOST_LEVELS) if times >= floor]
        if not levels:
            return replace(column, why="no value occurs often enough to learn from")
        return replace(column, kind="category", levels=tuple(sorted(levels)))


def sentinel_of(values: Sequence[float] | Any) -> float | None:
    """A number at the end of the scale, far from all others and frequent, that stands for "does not apply"."""
    import numpy as np

    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    for candidate in SENTINELS:
        hit = known == candidate
        if not 0.01 <= hit.mean() < 1.0 if len(known) else True:
            continue
        rest = known[~hit]
        if candidate > 0 and rest.max() < candidate / 3 and rest.max() < candidate - 20:
            return candidate
        if candidate < 0 and rest.min() >= 0:
            return candidate
    return None
