"""Eleven awkward inputs through `strowger score`: each has its defined answer, and a row's score is its own."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ml.commands import app

HEADER = ["lead_id", "visits", "plan", "age"]
ROWS = [["L1", "2", "pro", "30"], ["L2", "0", "basic", "61"], ["L3", "5", "", "44"], ["L4", "1", "pro", "19"]]
COLUMNS = ["lead_id", "score", "tier", "lower", "upper", "reason_1", "reason_2", "reason_3", "model_version"]

Table = list[list[str]]
Lines = list[dict[str, str]]


@dataclass(frozen=True)
class Answer:
    """What the file is (header and rows), and what must hold of the scores, or the words of the refusal."""

    table: Callable[[], Table]
    holds: Callable[[Lines, Lines], bool] | None = None
    refused: str = ""
    note: str = ""


def rows(*changed: list[str]) -> Callable[[], Table]:
    return lambda: [HEADER, *changed]


def one(column: str, value: str) -> Callable[[], Table]:
    """The first row with another value."""
    return lambda: [HEADER, [value if name == column else cell for name, cell in zip(HEADER, ROWS[0], strict=True)]]


def same(lines: Lines, whole: Lines) -> bool:
    """Each row exactly as in the whole file."""
    by_id = {line["lead_id"]: line for line in whole}
    return bool(lines) and all(line == by_id[line["lead_id"]] for line in lines)


def reason(lines: Lines, words: str) -> bool:
    return any(words in lines[0][f"reason_{k}"] for k in (1, 2, 3))


ANSWERS = {
    "subset": Answer(lambda: [HEADER, ROWS[1], ROWS[3]], lambda lines, whole: same(lines, whole) and len(lines) == 2),
    "reordered": Answer(
        lambda: [[row[k] for k in (3, 0, 2, 1)] for row in (HEADER, *ROWS[::-1])],
        lambda lines, whole: same(lines, whole) and [line["lead_id"] for line in lines] == ["L4", "L3", "L2", "L1"],
    ),
    "one row": Answer(rows(ROWS[2]), same),
    "unseen category": Answer(
        rows(["L1", "2", "platinum", "30"], ["L2", "2", "lead", "30"], ["L3", "2", "pro", "30"]),
        lambda lines, _: lines[0]["score"] == lines[1]["score"] != lines[2]["score"],
        note="2 values of 'plan' are rare or new to the model and count as such",
    ),
    "empty cell": Answer(one("visits", ""), lambda lines, _: reason(lines, "visits is not known")),
    "text in a number": Answer(
        one("visits", "plenty"),
        lambda lines, _: reason(lines, "visits is not known"),
        note="1 values of 'visits' are not numbers and count as not known",
    ),
    "huge number": Answer(
        one("visits", "1e308"), lambda lines, _: reason(lines, "(high)") and lines[0]["score"] <= "1"
    ),
    "missing column": Answer(lambda: [row[:3] for row in (HEADER, *ROWS)], refused="the model needs the column 'age'"),
    "extra column": Answer(lambda: [[*row, "whatever"] for row in (HEADER, *ROWS)], same),
    "no rows": Answer(rows(), refused="has a header but no rows"),
    "duplicate header": Answer(
        lambda: [[*HEADER, "plan"], *([*row, "pro"] for row in ROWS)], refused="two columns named"
    ),
}


def scored(trained: Any, folder: Path, table: Table) -> tuple[Any, Lines]:
    """The command's result, and the lines it wrote."""
    source, out = folder / "in.csv", folder / "out.csv"
    with source.open("w", newline="") as file:
        csv.writer(file).writerows(table)
    words = ["score", "--in", str(source), "--out", str(out), "--model", str(trained.path)]
    result = CliRunner().invoke(app, words)
    if not out.exists():
        return result, []
    with out.open(newline="") as file:
        return result, list(csv.DictReader(file))


@pytest.mark.parametrize("name", ANSWERS)
def test_an_awkward_input_has_its_answer(trained: Any, tmp_path: Path, name: str) -> None:
    answer = ANSWERS[name]
    for folder in ("whole", "awkward"):
        (tmp_path / folder).mkdir()
    _, whole = scored(trained, tmp_path / "whole", [HEADER, *ROWS])
    result, lines = scored(trained, tmp_path / "awkward", answer.table())
    if answer.holds is None:
        assert result.exit_code == 2
        assert (result.stdout, len(result.stderr.strip().splitlines())) == ("", 1)
        assert answer.refused in result.stderr
        assert not lines
        return
    assert result.exit_code == 0, result.output
    assert answer.note in result.stderr
    assert list(lines[0]) == COLUMNS
    assert {line["model_version"] for line in lines} == {trained.model.version}
    assert all(0 <= float(line["lower"]) <= float(line["score"]) <= float(line["upper"]) <= 1 for line in lines)
    assert answer.holds(lines, whole)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["visits", "account_id", "lead_id", "plan", "age"], ["account_id", "a", "b"]),
        (["LEAD_ID", "visits", "plan", "age", "x_id"], ["LEAD_ID", "a", "b"]),
        (["identity", "visits", "plan", "age"], ["row_id", "1", "2"]),
    ],
)
def test_the_id_is_the_first_column_that_ends_in_id(
    trained: Any, tmp_path: Path, header: list[str], expected: list[str]
) -> None:
    cells = {"visits": "2", "plan": "pro", "age": "30"}
    rows = [[cells.get(name, value if name == expected[0] else "z") for name in header] for value in ("a", "b")]
    _, lines = scored(trained, tmp_path, [header, *rows])
    assert [next(iter(lines[0])), *(line[expected[0]] for line in lines)] == expected
