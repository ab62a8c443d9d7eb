"""The target column: which of its two values is the one to predict."""

from __future__ import annotations

from collections.abc import Iterable

from app.errors import BadTable
from ml.columns import is_missing, number

_YES = {
    "1",
    "yes",
    "y",
    "true",
    "t",
    "won",
    "converted",
    "positive",
    "sold",
    "bought",
    "booked",
    "si",
    "sí",
    "ja",
    "oui",
}
_NO = {"0", "no", "n", "false", "f", "lost", "not converted", "negative", "-1", "nein", "non"}


def _tidy(cell: str) -> str:
    """1.0 and 1 are one value; case and blanks do not count."""
    text = cell.strip().casefold()
    value = number(text)
    return str(int(value)) if value.is_integer() and abs(value) < 1e9 else text


def tidy(cell: str) -> str | None:
    """None for a label that is not known."""
    return None if is_missing(cell) and cell.strip().casefold() != "none" else _tidy(cell)


def positive_of(cells: Iterable[str], name: str, asked: str | None = None) -> str:
    """The tidied value that counts as 1. Raises BadTable when the column is constant or not binary."""
    values: set[str] = set()
    for cell in cells:
        value = tidy(cell)
        if value is not None:
            values.add(value)
            if len(values) > 2:
                break
    if not values:
        raise BadTable(f"the label column {name!r} is empty.")
    if len(values) == 1:
        raise BadTable(f"the label column {name!r} is always {values.pop()!r}: there is nothing to learn.")
    if len(values) > 2:
        shown = ", ".join(repr(v) for v in sorted(values)[:3])
        raise BadTable(f"the label column {name!r} has more than two values ({shown} ...): a yes/no column is needed.")
    if asked is not None:
        if _tidy(asked) not in values:
            raise BadTable(
                f"the label column {name!r} never is {asked!r}; it is {' or '.join(map(repr, sorted(values)))}."
            )
        return _tidy(asked)
    positive = values & _YES
    if len(positive) == 1:
        return positive.pop()
    if len(values & _NO) == 1:
        return (values - _NO).pop()
    raise BadTable(
        f"the label column {name!r} is {' or '.join(map(repr, sorted(values)))}: "
        "say which one to predict with --positive."
    )


def yes_or_no(cell: str, name: str) -> bool | None:
    """None when not known. Raises BadTable for a word that is neither."""
    value = tidy(cell)
    if value is None:
        return None
    if value in _YES or value in _NO:
        return value in _YES
    raise BadTable(f"the column {name!r} holds {cell.strip()!r}: a yes/no column is needed.")


def is_positive(cell: str, positive: str, name: str) -> bool | None:
    """None when not known. Whatever is not the positive value is the other one."""
    value = tidy(cell)
    return None if value is None else value == positive
