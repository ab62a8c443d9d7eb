from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadTable
from ml.columns import Column, Schema, Typist, is_missing, moment, number, schema_from, sentinel_of


def kind_of(cells: list[str]) -> Column:
    typist = Typist("x")
    typist.watch(cells)
    return typist.verdict()


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "-3e2", ""] * 30, "number"),
        (["1.234,5", "2,25", "17"] * 30, "number"),
        (["red", "blue", "NA"] * 30, "category"),
        (["2024-01-02", "2024-03-04T10:00:00"] * 30, "date"),
        (["31/12/2024", "01/02/2024"] * 30, "date"),
        (["same"] * 30, "ignored"),
        (["", "NA", "unknown"] * 30, "ignored"),
        ([f"note number {i}" for i in range(200)], "ignored"),
    ],
)
def test_kinds_come_from_the_data(cells: list[str], kind: str) -> None:
    column = kind_of(cells)
    assert column.kind == kind
    assert (column.why != "") == (kind == "ignored")


def test_a_few_wrong_cells_do_not_turn_numbers_into_words() -> None:
    assert kind_of(["1", "2", "3", "4"] * 25 + ["n.a. yet", "?"]).kind == "number"


@given(st.text())
def test_any_cell_is_a_finite_number_or_none(cell: str) -> None:
    assert math.isnan(number(cell)) or math.isfinite(number(cell))
    assert math.isnan(moment(cell)) or math.isfinite(moment(cell))


@pytest.mark.parametrize("cell", ["", " ", "NA", "n/a", "NaN", "Unknown", "NULL", "?"])
def test_missing_tokens(cell: str) -> None:
    assert is_missing(cell)


def test_a_far_frequent_number_stands_for_does_not_apply() -> None:
    assert sentinel_of(np.array([999.0] * 90 + [3.0, 5.0, 12.0])) == 999
    assert sentinel_of(np.array([-1.0] * 5 + [0.0, 3.0, 12.0] * 30)) == -1
    assert sentinel_of(np.array([990.0, 995.0, 999.0] * 30)) is None
    assert sentinel_of(np.array([999.0] * 10)) is None


def test_a_schema_survives_its_file_and_a_wrong_kind_is_one_sentence() -> None:
    schema = Schema(
        "y", "1", (Column("a", "number", sentinel=999.0), Column("b", "category", ("x", "y"))), ("t",), "id"
    )
    assert schema_from(json.loads(schema.to_json())) == schema
    with pytest.raises(BadTable, match="kind 'nonsense'"):
        schema_from({"label": "y", "positive": "1", "columns": [{"name": "a", "kind": "nonsense"}]})
    with pytest.raises(BadTable, match="cannot be read"):
        schema_from({"columns": 3})
