from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.evaluation.commands import mount
from ml.commands import app, evaluation

SCORES = ["score", "tier", "lower", "upper", "reason_1", "reason_2", "reason_3", "model_version"]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(w) for w in words])


def refused(result: Result) -> str:
    """One sentence on standard error and exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    return str(lines[0])


def scores_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def score(trained: Any, tmp_path: Path, write: Callable[..., Path]) -> Callable[..., list[dict[str, str]]]:
    def scored(rows: list[list[str]], header: list[str]) -> list[dict[str, str]]:
        table = write(tmp_path / "in.csv", rows, header)
        result = run("score", "--in", table, "--out", tmp_path / "scores.csv", "--model", trained.path)
        assert result.exit_code == 0, result.output
        return scores_of(tmp_path / "scores.csv")

    return scored


def test_train_evaluate_and_score_from_a_csv(tmp_path: Path, rows_of: Any, write: Any) -> None:
    table = write(tmp_path / "leads.csv", rows_of(400), delimiter=";", encoding="utf-8-sig")
    later = write(tmp_path / "later.csv", rows_of(300, seed=8))
    model = tmp_path / "models" / "lead"
    result = run("train", "--in", table, "--label", "converted", "--model", model, "--time-column", "called_at")
    assert result.exit_code == 0, result.output
    assert "'duration' is not used" in result.stderr
    assert "AUC" in result.stdout
    found = run("evaluate", "--in", later, "--label", "converted", "--model", model, "--json")
    figures = json.loads(found.stdout)
    assert figures["model"]["metrics"]["auc"]["value"] > 0.7
    assert figures["model"]["metrics"]["auc"]["low"] < figures["model"]["metrics"]["auc"]["high"]
    table_of = run("evaluate", "--in", later, "--label", "converted", "--model", model)
    assert "calibration error" in table_of.stdout
    missed = figures["model"]["misses"]
    assert 0 <= missed["missed"] / missed["buyers"] < missed["at_most"] < 1
    assert "Buyers that ended up cold" in table_of.stdout
    done = run("score", "--in", later, "--out", tmp_path / "scores.csv", "--model", model)
    assert done.exit_code == 0, done.output
    rows = scores_of(tmp_path / "scores.csv")
    assert list(rows[0]) == ["lead_id", *SCORES]
    assert [r["lead_id"] for r in rows] == [f"L{i}" for i in range(300)]
    assert {r["tier"] for r in rows} <= {"hot", "warm", "cold"}
    assert all(float(r["lower"]) <= float(r["score"]) <= float(r["upper"]) for r in rows)
    card = (tmp_path / "models" / "lead.card.md").read_text()
    assert rows[0]["model_version"] in card
    assert "duration" in card
    assert "Buyers that ended up cold among the rows it had not seen" in card


def test_scores_do_not_depend_on_order_chunks_or_other_columns(score: Any, rows_of: Any, trained: Any) -> None:
    rows = rows_of(300, seed=4)
    header = ["lead_id", "called_at", "visits", "plan", "age", "duration", "converted"]
    whole = score(rows, header)
    assert score(rows[::-1], header)[::-1] == whole
    assert score(rows[7:8], header) == whole[7:8]
    turned = [[r[4], r[3], "extra", r[2], r[0]] for r in rows]
    assert score(turned, ["age", "plan", "note", "visits", "lead_id"]) == whole


def test_chunk_size_changes_nothing(trained: Any, tmp_path: Path) -> None:
    from ml.score import score_file

    bodies = set()
    for size in (1, 7, 5_000):
        score_file(trained.table, tmp_path / f"{size}.csv", trained.model, chunk_rows=size)
        bodies.add((tmp_path / f"{size}.csv").read_bytes())
    assert len(bodies) == 1


def test_awkward_cells_have_their_defined_answer(score: Any) -> None:
    header = ["lead_id", "visits", "plan", "age"]
    cells = [
        ["empty", "", "", ""], ["tokens", "NA", "unknown", "?"], ["text", "many", "none", "young"],
        ["huge", "1e300", "pro", "40"], ["top", "1e9", "pro", "40"], ["new", "2", "gold", "40"],
        ["spaces", " 2 ", " gold ", "40.0"],
    ]  # fmt: skip
    found = {r["lead_id"]: r for r in score(cells, header)}
    assert found["empty"]["score"] == found["tokens"]["score"] == found["text"]["score"]
    assert found["huge"]["score"] == found["top"]["score"]
    assert found["new"]["score"] == found["spaces"]["score"]


def test_without_an_id_column_rows_are_numbered(score: Any) -> None:
    rows = score([["1", "pro", "30"], ["2", "basic", "40"]], ["visits", "plan", "age"])
    assert [r["row_id"] for r in rows] == ["1", "2"]


FAULTS = {
    "a needed column is missing": ("lead_id,visits,plan\n1,2,pro\n", "'age'"),
    "two needed columns are missing": ("lead_id,visits\n1,2\n", "'age', 'plan'"),
    "no rows": ("lead_id,visits,plan,age\n", "no rows"),
    "empty": ("", "is empty"),
    "duplicate header": ("lead_id,visits,visits,plan,age\n1,2,2,pro,3\n", "two columns named 'visits'"),
    "ragged": ("lead_id,visits,plan,age\n1,2,pro,4\n1,2\n", "line 3"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_one_sentence_exit_code_2_and_no_scores(trained: Any, tmp_path: Path, name: str) -> None:
    body, says = FAULTS[name]
    (tmp_path / "in.csv").write_text(body)
    result = run("score", "--in", tmp_path / "in.csv", "--out", tmp_path / "out.csv", "--model", trained.path)
    assert says in refused(result)
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


def test_faults_of_places_are_one_sentence(trained: Any, tmp_path: Path) -> None:
    ins = ("score", "--in", trained.table)
    assert "cannot be read" in refused(run("score", "--in", tmp_path / "no.csv", "--out", tmp_path / "o.csv"))
    assert "same file" in refused(run(*ins, "--out", trained.table, "--model", trained.path))
    assert "is a folder" in refused(run(*ins, "--out", tmp_path, "--model", trained.path))
    assert "no model" in refused(run(*ins, "--out", tmp_path / "o.csv", "--model", tmp_path / "none"))
    assert "not a model file" in refused(run(*ins, "--out", tmp_path / "o.csv", "--model", trained.table))


TRAINING_FAULTS = {
    "no label column": (["a,y\n"] + ["1,0\n"] * 100, "no column 'converted'"),
    "constant label": (["a,converted\n"] + ["1,0\n"] * 100, "always '0'"),
    "three labels": (["a,converted\n"] + ["1,0\n", "2,1\n", "3,2\n"] * 50, "more than two values"),
    "too few": (["a,converted\n"] + ["1,0\n", "2,1\n"] * 5, "too few"),
    "only leaks": (["duration,converted\n"] + ["10,0\n", "300,1\n"] * 50, "no column is left"),
    "no rows": (["a,converted\n"], "no rows"),
}


@pytest.mark.parametrize("name", TRAINING_FAULTS)
def test_what_cannot_be_trained_on_is_one_sentence(tmp_path: Path, name: str) -> None:
    lines, says = TRAINING_FAULTS[name]
    (tmp_path / "in.csv").write_text("".join(lines))
    result = run("train", "--in", tmp_path / "in.csv", "--label", "converted", "--model", tmp_path / "m")
    assert says in refused(result)
    assert not (tmp_path / "m").exists()


def test_other_mistakes_when_training_are_one_sentence(trained: Any, tmp_path: Path) -> None:
    base = ("train", "--in", trained.table, "--label", "converted", "--model", tmp_path / "m")
    assert "no column 'when'" in refused(run(*base, "--time-column", "when"))
    assert "no column 'nothing'" in refused(run(*base, "--allow", "nothing"))
    assert "capacity" in refused(run(*base, "--capacity", "3"))
    assert "schema" in refused(run(*base, "--schema", tmp_path / "none.json"))


def test_evaluate_says_what_calls_add_where_some_were_left_uncalled(
    trained: Any, tmp_path: Path, rows_of: Any, write: Any
) -> None:
    header = ["lead_id", "called_at", "visits", "plan", "age", "duration", "converted", "called"]
    rows = [[*row, ("yes", "no", "")[i % 3]] for i, row in enumerate(rows_of(600, seed=9))]
    table = write(tmp_path / "in.csv", rows, header)
    words = ("evaluate", "--in", table, "--label", "converted", "--model", trained.path, "--treated", "called")
    found = json.loads(run(*words, "--json").stdout)
    assert (found["uplift"]["called"], found["uplift"]["uncalled"], found["model"]["rows"]) == (200, 200, 200)
    assert "Qini" in run(*words).stdout
    assert "yes/no column" in refused(run(*words[:-1], "plan"))


def test_profit_stands_beside_chance_and_beside_knowing_the_answer(trained: Any) -> None:
    found = run("evaluate", "--in", trained.table, "--label", "converted", "--model", trained.path, "--json")
    profits = {p["share"]: p for p in json.loads(found.stdout)["model"]["profits"]}
    for share in (0.1, 0.2, 0.3):
        one = profits[share]
        assert one["random"] < one["model"]["value"] < one["oracle"]
        assert one["model"]["low"] < one["model"]["value"] < one["model"]["high"]
        assert one["above_random"]["low"] > 0
        assert one["of_oracle"]["value"] == pytest.approx(one["model"]["value"] / one["oracle"])


def test_evaluate_refuses_labels_it_cannot_compare(trained: Any, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("visits,plan,age,converted\n1,pro,3,yes\n1,pro,3,no\n1,pro,3,perhaps\n")
    words = ("evaluate", "--in", tmp_path / "in.csv", "--model", trained.path, "--label")
    assert "more than two values" in refused(run(*words, "converted"))
    assert "no column 'sold'" in refused(run(*words, "sold"))


def test_leaks_are_put_aside_unless_allowed_by_name(trained: Any) -> None:
    from ml.dataset import Wishes, read

    assert any("'duration'" in notice for notice in trained.notices)
    assert "duration" not in {c.name for c in trained.model.model.schema.features}
    assert "duration" in trained.model.model.card["not_used"]
    allowed = read(trained.table, Wishes("converted", allow=("duration",)))
    assert "duration" in {c.name for c in allowed.schema.features}


def test_evaluate_measures_a_model_unless_something_else_is_named(tmp_path: Path) -> None:
    mount(evaluation)
    missing = run("evaluate", "--label", "converted", "--model", tmp_path / "m")
    assert missing.exit_code == 2
    assert "Missing option '--in'" in missing.output
    named = run("evaluate", "answers", "--help")
    assert named.exit_code == 0
    assert "--data" in named.output
    still = run("evaluate")  # having named something once changes nothing for the next
    assert "Missing option '--in'" in still.output
