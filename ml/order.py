"""The time order of rows: a named column, else one that is recognised, else the order of the file."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from app.errors import BadTable
from ml.columns import Column, moment, number

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: i for i, name in enumerate(_NAMES, 1)}
_HINTS = ("called", "call", "contact", "created", "date", "time", "at")


def columns_of(columns: Sequence[Column], asked: str | None) -> tuple[str, ...]:
    """Names of the columns that order the rows; empty for the order of the file. Raises BadTable for an unknown
    name.
    """
    known = {c.name: c for c in columns}
    if asked is not None:
        if asked not in known:
            raise BadTable(f"there is no column {asked!r} to put the rows in time order.")
        return (asked,)
    dates = [c.name for c in columns if c.kind == "date" and c.missing_share < 0.5]
    if dates:
        return (min(dates, key=_hint),)
    year = next((c.name for c in columns if c.name.lower() == "year" and c.kind in {"number", "ignored"}), None)
    month = next((c.name for c in columns if c.name.lower() == "month" and c.kind in {"number", "category"}), None)
    if year and known[year].kind == "number":
        return (year, month) if month else (year,)
    return ()


def _hint(name: str) -> int:
    lower = name.lower()
    return next((i for i, hint in enumerate(_HINTS) if hint in lower), len(_HINTS))


def reader(names: tuple[str, ...]) -> Callable[[Sequence[str]], float]:
    """From the cells of those columns to one number that grows with time; NaN when it cannot be told."""
    if len(names) == 2:
        return lambda cells: number(cells[0]) * 12 + month_of(cells[1])
    return lambda cells: _instant(cells[0])


def _instant(cell: str) -> float:
    value = number(cell)
    return moment(cell) if math.isnan(value) else value


def month_of(cell: str) -> float:
    """1 to 12 from a number or an English name; NaN when it is neither."""
    value = number(cell)
    return value if not math.isnan(value) else float(_MONTHS.get(cell.strip().lower()[:3], math.nan))
